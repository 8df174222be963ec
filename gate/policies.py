"""Policy documents, read by what they mean.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import functools
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from assembly import Resource
from gate.world import World, as_list

BOUNDING_KEYS = re.compile(
    r"(?i)(aws:Source(Account|Arn|OrgID|OrgPaths|Vpce|Vpc|Owner)"
    r"|aws:Principal(OrgID|OrgPaths|Account|Arn|ServiceNamesList)"
    r"|kms:(CallerAccount|ViaService|EncryptionContext:.*|GrantConstraintType)|sts:ExternalId|.*:(sub|aud)"
    r"|aws:userid|lambda:SourceFunctionArn|AWS:SourceAccount|AWS:SourceArn|aws:Resource(Account|OrgID))"
)
"""Condition keys that say on whose behalf a request may come."""

SAY_BOTH = frozenset({"cloudwatch.amazonaws.com", "delivery.logs.amazonaws.com", "logging.s3.amazonaws.com"})
"""Services whose documentation binds them by account and by resource.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-V2-S3.html"""

_NEGATIVE = re.compile(r"(?i)(?:ForAnyValue:|ForAllValues:)?\w*Not\w+|Null")


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One condition: operator, key and the values it accepts."""

    operator: str
    key: str
    values: tuple[str, ...]

    @property
    def bounds(self) -> bool:
        """Whether it limits on whose behalf a request may come: a known key, a positive test, no catch-all value."""
        return (
            BOUNDING_KEYS.fullmatch(self.key) is not None
            and _NEGATIVE.fullmatch(self.operator) is None
            and not self.operator.lower().endswith("ifexists")
            and bool(self.values)
            and not any(value in {"*", "arn:*", "arn:aws:*"} for value in self.values)
        )


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement with everything as tuples of text."""

    index: int
    sid: str
    allows: bool
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    principals: tuple[tuple[str, str], ...]
    not_principals: tuple[tuple[str, str], ...]
    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        return f"statement {self.sid or self.index + 1}"

    @property
    def anyone(self) -> bool:
        """Whether the principal is everybody."""
        return any(value == "*" for _, value in self.principals) or bool(self.not_principals)

    @property
    def services(self) -> tuple[str, ...]:
        """The service principals."""
        return tuple(value for kind, value in self.principals if kind == "Service")

    @property
    def bounded(self) -> bool:
        """Whether a condition limits on whose behalf a request may come."""
        return any(condition.bounds for condition in self.conditions)

    @property
    def half_bound(self) -> tuple[str, ...]:
        """Services that say both for which account and for which resource they come, of which only one is asked."""
        keys = {condition.key.lower() for condition in self.conditions if condition.bounds}
        both = {"aws:sourceaccount", "aws:sourcearn"}
        return tuple(one for one in self.services if one in SAY_BOTH and keys & both and not both <= keys)

    def covers(self, action: str) -> bool:
        """Whether the statement speaks of the action."""
        if self.not_actions:
            return not any(matches(pattern, action) for pattern in self.not_actions)
        return any(matches(pattern, action) for pattern in self.actions)

    def condition(self, key: str) -> Condition | None:
        """The condition on ``key``, whatever its operator."""
        return next((c for c in self.conditions if c.key.lower() == key.lower()), None)


@dataclass(frozen=True, kw_only=True)
class Document:
    """One policy document of a resource: the property that holds it, what kind it is, and its statements."""

    path: tuple[str | int, ...]
    kind: str
    """``identity``, ``trust``, ``resource``, ``endpoint`` or ``guardrail``."""
    statements: tuple[Statement, ...]
    raw: Mapping[str, Any]


def matches(pattern: str, text: str) -> bool:
    """Whether an IAM pattern with ``*`` and ``?`` covers the text, whatever the case."""
    return fnmatchcase(text.lower(), pattern.lower().replace("[", "[[]"))


def documents(resource: Resource, world: World) -> Iterator[Document]:
    """Every policy document in the resource's properties, whatever the type."""
    for path, raw in raw_documents(resource.properties):
        yield Document(
            path=path,
            kind=_kind(resource.type, path),
            statements=tuple(
                _statement(index, statement, resource, world)
                for index, statement in enumerate(as_list(raw["Statement"]))
            ),
            raw=raw,
        )


def raw_documents(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every mapping that is a policy document, with its path; documents written as JSON text included."""
    if isinstance(value, Mapping):
        statements = as_list(value.get("Statement"))
        if statements and all(isinstance(one, Mapping) and "Effect" in one for one in statements):
            yield path, value
            return
        for name, child in value.items():
            yield from raw_documents(child, (*path, name))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from raw_documents(child, (*path, index))
    elif isinstance(value, str) and value.lstrip().startswith("{") and '"Effect"' in value:
        try:
            yield from raw_documents(json.loads(value), path)
        except ValueError:
            return


def _kind(resource_type: str, path: tuple[str | int, ...]) -> str:
    if path[-1] == "AssumeRolePolicyDocument":
        return "trust"
    if resource_type in {"AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::Group"} or (
        resource_type in {"AWS::SSO::PermissionSet", "AWS::Serverless::Function"}
    ):
        return "identity"
    if resource_type == "AWS::EC2::VPCEndpoint":
        return "endpoint"
    if resource_type == "AWS::Organizations::Policy":
        return "guardrail"
    return "resource"


def _statement(index: int, raw: Mapping[str, Any], resource: Resource, world: World) -> Statement:
    def texts(value: Any) -> tuple[str, ...]:
        return tuple(world.text(item, resource) for item in as_list(value))

    def principals(value: Any) -> tuple[tuple[str, str], ...]:
        if value == "*":
            return (("AWS", "*"),)
        if not isinstance(value, Mapping):
            return ()
        return tuple((kind, text) for kind, named in value.items() for text in texts(named))

    return Statement(
        index=index,
        sid=str(raw.get("Sid", "")),
        allows=raw.get("Effect") == "Allow",
        actions=texts(raw.get("Action")),
        not_actions=texts(raw.get("NotAction")),
        resources=texts(raw.get("Resource")),
        not_resources=texts(raw.get("NotResource")),
        principals=principals(raw.get("Principal")),
        not_principals=principals(raw.get("NotPrincipal")),
        conditions=tuple(
            Condition(operator=operator, key=key, values=texts(values))
            for operator, tests in (raw.get("Condition") or {}).items()
            for key, values in (tests.items() if isinstance(tests, Mapping) else ())
        ),
    )


# ---------------------------------------------------------------------------------------------- what an action accepts


@functools.cache
def _definitions() -> dict[str, dict[str, Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # parliament still asks setuptools for what importlib knows
        import parliament

    found: dict[str, dict[str, Any]] = {}
    for service in parliament.iam_definition:
        for privilege in service["privileges"]:
            found[f"{service['prefix']}:{privilege['privilege']}".lower()] = privilege
    return found


def known_action(action: str) -> bool:
    """Whether AWS's service reference (as packaged) knows the action."""
    return action.lower() in _definitions()


def expand(pattern: str) -> list[str]:
    """The known actions that a pattern covers."""
    return _expand(pattern.lower())


@functools.cache
def _expand(pattern: str) -> list[str]:
    if "*" not in pattern and "?" not in pattern:
        return [pattern] if pattern in _definitions() else []
    return [action for action in _definitions() if fnmatchcase(action, pattern)]


@functools.cache
def limits_resources(action: str) -> bool:
    """Whether the action can be granted on particular resources, by the service authorization reference.

    https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
    """
    privilege = _definitions().get(action.lower())
    return privilege is not None and any(kind["resource_type"] for kind in privilege["resource_types"])


@functools.cache
def access_level(action: str) -> str:
    """``List``, ``Read``, ``Write``, ``Tagging`` or ``Permissions management``."""
    privilege = _definitions().get(action.lower())
    return "" if privilege is None else str(privilege["access_level"])
