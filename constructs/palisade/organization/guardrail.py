"""What a guardrail is, and how several become the few documents that AWS Organizations attaches to one target."""

from __future__ import annotations

import enum
import functools
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec

Content = Mapping[str, Any]
Statement = Mapping[str, Any]
P = ParamSpec("P")


class PolicyType(enum.Enum):
    """The policy types in use here, by the name that AWS gives them."""

    SERVICE_CONTROL = "SERVICE_CONTROL_POLICY"
    RESOURCE_CONTROL = "RESOURCE_CONTROL_POLICY"
    DECLARATIVE_EC2 = "DECLARATIVE_POLICY_EC2"
    AI_OPT_OUT = "AISERVICES_OPT_OUT_POLICY"


@dataclass(frozen=True, kw_only=True)
class Quota:
    """Characters of one document, documents attached to one target, and how many of those AWS itself attaches.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
    """

    characters: int
    documents: int
    of_aws: int = 0

    @property
    def free(self) -> int:
        """Documents that are left for us."""
        return self.documents - self.of_aws


QUOTAS: Mapping[PolicyType, Quota] = {
    PolicyType.SERVICE_CONTROL: Quota(characters=10_240, documents=10, of_aws=1),
    PolicyType.RESOURCE_CONTROL: Quota(characters=5_120, documents=5, of_aws=1),
    PolicyType.DECLARATIVE_EC2: Quota(characters=10_000, documents=10),
    PolicyType.AI_OPT_OUT: Quota(characters=2_500, documents=5),
}
"""FullAWSAccess and RCPFullAWSAccess stay attached everywhere: guardrails only refuse."""


class QuotaError(Exception):
    """Guardrails that AWS would not attach. ``problems`` holds one sentence each; the message lists them all."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(("the guardrails do not fit:", *(f"  - {problem}" for problem in self.problems))))


@dataclass(frozen=True, kw_only=True)
class Guardrail:
    """One promise: what it stops, who is exempt and why, and the statements (or settings) that keep it."""

    name: str
    type: PolicyType
    stops: str
    exempt: str
    source: str
    statements: tuple[Statement, ...] = ()
    settings: Content | None = None


@dataclass(frozen=True, kw_only=True)
class Document:
    """A policy as AWS Organizations attaches it: some guardrails of one type."""

    type: PolicyType
    guardrails: tuple[Guardrail, ...]

    @property
    def content(self) -> Content:
        """The policy's text."""
        if self.type in {PolicyType.SERVICE_CONTROL, PolicyType.RESOURCE_CONTROL}:
            statements = [dict(statement) for guardrail in self.guardrails for statement in guardrail.statements]
            return {"Version": "2012-10-17", "Statement": statements}
        settings: dict[str, Any] = {}
        for guardrail in self.guardrails:
            settings = _merged(settings, guardrail.settings or {})
        return settings

    @property
    def size(self) -> int:
        """Characters as AWS counts them: without white space."""
        return size_of(self.content)


def guardrail(
    policy_type: PolicyType,
) -> Callable[[Callable[P, Sequence[Statement] | Content]], Callable[P, Guardrail]]:
    """Make a guardrail of a function that returns its statements, or its settings where the type has no statements.

    The docstring's first paragraph says what it stops, the sentence after ``Exempt:`` who is exempt and why, and a
    docs.aws.amazon.com address is the source.

    Raises:
        ValueError: the docstring lacks one of the three.
    """

    def register(build: Callable[P, Sequence[Statement] | Content]) -> Callable[P, Guardrail]:
        text = " ".join((build.__doc__ or "").split())
        stops, _, rest = text.partition(" Exempt: ")
        source = re.search(r"https://docs\.aws\.amazon\.com/\S+", rest)
        if not stops or source is None:
            raise ValueError(f"{build.__name__}: the docstring needs what it stops, 'Exempt:' and an AWS page")
        exempt = rest[: source.start()].strip()

        @functools.wraps(build)
        def make(*arguments: P.args, **named: P.kwargs) -> Guardrail:
            built = build(*arguments, **named)
            common: dict[str, Any] = {
                "name": build.__name__.replace("_", "-"),
                "type": policy_type,
                "stops": stops,
                "exempt": exempt,
                "source": source[0],
            }
            if isinstance(built, Mapping):
                return Guardrail(**common, settings=built)
            return Guardrail(**common, statements=tuple(built))

        return make

    return register


def deny(
    sid: str,
    actions: Sequence[str] = (),
    *,
    but: Sequence[str] = (),
    on: Sequence[str] = (),
    not_on: Sequence[str] = (),
    when: Mapping[str, Mapping[str, str | Sequence[str]]] | None = None,
    unless_arn: Sequence[str] = (),
) -> Statement:
    """A refusal of ``actions`` (or of all ``but`` some) ``on`` resources (or on all but some) under conditions.

    ``unless_arn`` are the principals that are exempt.
    """
    conditions: dict[str, dict[str, Any]] = {operator: _plain(tests) for operator, tests in (when or {}).items()}
    if unless_arn:
        conditions.setdefault("ArnNotLike", {})["aws:PrincipalArn"] = _one_or_list(unless_arn)
    return {
        "Sid": sid,
        "Effect": "Deny",
        **({"NotAction": _one_or_list(but)} if but else {"Action": _one_or_list(actions)}),
        **({"NotResource": _one_or_list(not_on)} if not_on else {"Resource": _one_or_list(on or ("*",))}),
        **({"Condition": conditions} if conditions else {}),
    }


def deny_everyone(
    sid: str,
    actions: Sequence[str],
    *,
    on: Sequence[str] = (),
    when: Mapping[str, Mapping[str, str | Sequence[str]]],
) -> Statement:
    """A refusal in a resource control policy, which must name everybody and cannot leave actions out."""
    return {"Principal": "*", **deny(sid, actions, on=on, when=when)}


def compose(target: str, guardrails: Sequence[Guardrail]) -> list[Document]:
    """The fewest documents, filled in order, that hold ``guardrails`` on ``target``.

    Raises:
        QuotaError: a guardrail is larger than a document may be, two statements share an id, or the documents are more
            than AWS attaches to one target.
    """
    documents: list[Document] = []
    problems: list[str] = []
    for policy_type in PolicyType:
        quota = QUOTAS[policy_type]
        packed: list[Document] = []
        for item in (item for item in guardrails if item.type is policy_type):
            alone = Document(type=policy_type, guardrails=(item,))
            if alone.size > quota.characters:
                problems.append(
                    f"{target}: guardrail {item.name} has {alone.size} characters; a {policy_type.value} may have "
                    f"{quota.characters}. Split it in constructs/palisade/organization/."
                )
            for index, document in enumerate(packed):
                fuller = Document(type=policy_type, guardrails=(*document.guardrails, item))
                if fuller.size <= quota.characters:
                    packed[index] = fuller
                    break
            else:
                packed.append(alone)
        if len(packed) > quota.free:
            problems.append(
                f"{target}: {len(packed)} documents of type {policy_type.value}; {quota.free} can be attached beside AWS's "
                "own. Attach guardrails that hold everywhere to the root, or shorten them."
            )
        documents += packed
    sids = [str(s.get("Sid", "")) for document in documents for g in document.guardrails for s in g.statements]
    problems += [f"{target}: two statements are called {sid}. Rename one." for sid in sorted(_twice(sids))]
    if problems:
        raise QuotaError(problems)
    return documents


def size_of(content: Any) -> int:
    """Characters of a policy without white space, as AWS counts what is not saved in its console."""
    return len(json.dumps(content, separators=(",", ":"), ensure_ascii=False))


def _one_or_list(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


def _plain(tests: Mapping[str, str | Sequence[str]]) -> dict[str, Any]:
    return {key: value if isinstance(value, str) else _one_or_list(value) for key, value in tests.items()}


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(one)
    for name, value in other.items():
        both[name] = _merged(both[name], value) if isinstance(value, Mapping) and name in both else value
    return both


def _twice(names: Sequence[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1}
