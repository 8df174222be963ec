"""Who gains and who loses which permission on what: every policy of every identity and resource, trust included.

A statement that says no more than another that was there already, or that a boundary or another statement makes void on both
sides, is no change. Wildcards stay wildcards.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assembly.resolve import INVENTED, Unresolved
from gate.policies import expand, raw_documents
from proofs.ask_policy import SOMEBODY, decision
from proofs.model import Model, Node, as_list, as_mapping
from proofs.policy import InputError
from proofs.policy.patterns import matcher, pattern_of

BUT = "all but "
_IDENTITIES = frozenset({"AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group", "AWS::SSO::PermissionSet"})
_ATTACHED = frozenset(
    {
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::RolePolicy",
        "AWS::IAM::UserPolicy",
        "AWS::IAM::GroupPolicy",
    }
)
_ON_ANOTHER = {
    "AWS::S3::BucketPolicy": "Bucket",
    "AWS::SNS::TopicPolicy": "Topics",
    "AWS::SNS::TopicInlinePolicy": "TopicArn",
    "AWS::SQS::QueuePolicy": "Queues",
    "AWS::SQS::QueueInlinePolicy": "Queue",
    "AWS::SecretsManager::ResourcePolicy": "SecretId",
    "AWS::Events::EventBusPolicy": "EventBusName",
    "AWS::Kinesis::ResourcePolicy": "ResourceArn",
}
_HOLDERS_OF = {"AWS::IAM::Role": "Roles", "AWS::IAM::User": "Users", "AWS::IAM::Group": "Groups"}
_ASKED = 400
"""A wildcard over more actions than these is believed without asking."""


@dataclass(frozen=True, order=True, kw_only=True)
class Grant:
    """One pair of an action and a resource that one statement allows or denies one principal."""

    principal: str
    allows: bool
    action: str
    resource: str
    condition: str
    """As canonical JSON; empty if there is none."""


@dataclass(frozen=True, kw_only=True)
class GrantChange:
    """What a principal may do now and could not before (``gained``), or the other way round."""

    principal: str
    gained: bool
    by: str
    """``allowed``, ``no longer denied``, ``no longer allowed`` or ``denied``."""
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: str


def grant_changes(before: Model, after: Model) -> list[GrantChange]:
    """Every change of what a principal may do, grouped, the gained first."""
    old, new = set(grants(before)), set(grants(after))
    old_by, new_by = _by_principal(old), _by_principal(new)
    came = [one for one in sorted(new - old) if not _covered(one, old_by)]
    went = [one for one in sorted(old - new) if not _covered(one, new_by)]
    effective = _Effect(before, after)
    changes = [*_concerns_both(came, after, before), *_concerns_both(went, before, after)]
    kept = [one for one in changes if effective(one)]
    return [
        *_grouped((one for one in kept if one.allows == (one in new)), new, gained=True),
        *_grouped((one for one in kept if one.allows != (one in new)), new, gained=False),
    ]


def _concerns_both(found: Iterable[Grant], mine: Model, other: Model) -> Iterator[Grant]:
    """The grants without those that came or went with their resource and changed nothing for anybody else: denials, and what
    its policy lets its own account do with it. Likewise denials that came or went with their principal."""
    labelled = {_short(node.path): node for node in mine}

    def is_shared(node: Node | None) -> bool:
        return node is None or other.node(node.stack.name, node.resource.logical_id) is not None

    for one in found:
        resource = labelled.get(one.resource) or _resource(mine, one.resource)
        own = resource is not None and one.principal == f"account {resource.account}"
        if (one.allows and not own) or (is_shared(resource) and is_shared(labelled.get(one.principal))):
            yield one


def _resource(model: Model, arn: str) -> Node | None:
    """The resource that an ARN names, or whose contents it names."""
    return model.find(arn) or model.find(arn.rstrip("*").rstrip("/:"))


# ------------------------------------------------------------------------------------------------------------- reading


def grants(model: Model) -> Iterator[Grant]:
    """Everything that the assembly's policies say, as pairs of action and resource."""
    attached = _holders(model)
    for node in model:
        if node.type in _IDENTITIES:
            yield from _limits_and_managed(node, model)
        if node.type == "AWS::Lambda::Permission":
            yield from _function_permission(node, model)
        elif node.type == "AWS::SSO::Assignment":
            yield from _assignment(node, model)
        for path, document in raw_documents(_shaped(node.properties)):
            if node.type == "AWS::Organizations::Policy":
                targets = ", ".join(map(str, as_list(node.get("TargetIds")))) or "nobody"
                yield from _said(document, [f"everybody under {targets} by {_short(node.path)}"], "*")
            elif node.type in _ATTACHED:
                yield from _said(document, attached.get(node) or [f"whoever holds {_short(node.path)}"], "*")
            elif node.type in _IDENTITIES and path[0] != "AssumeRolePolicyDocument":
                yield from _said(document, [_label(node)], "*")
            else:
                yield from _resource_policy(node, document, model)


def _holders(model: Model) -> Mapping[Node, list[str]]:
    """The identities that hold each policy, or that it bounds."""
    found: dict[Node, list[str]] = defaultdict(list)
    for node in model:
        if node.type in _IDENTITIES:
            for arn in as_list(node.get("ManagedPolicyArns")):
                policy = model.find(arn, "AWS::IAM::ManagedPolicy")
                if policy is not None:
                    found[policy].append(_label(node))
            bound = model.find(node.get("PermissionsBoundary"), "AWS::IAM::ManagedPolicy")
            if bound is not None:
                found[bound] = [f"whoever is bounded by {_short(bound.path)}"]
        elif node.type in _ATTACHED:
            for kind, plural in _HOLDERS_OF.items():
                for name in (*as_list(node.get(plural)), *as_list(node.get(f"{plural[:-1]}Name"))):
                    holder = model.find(name, kind, near=node)
                    found[node].append(_label(holder) if holder else f"{plural[:-1].lower()} {name}")
    return found


def _limits_and_managed(node: Node, model: Model) -> Iterator[Grant]:
    label = _label(node)
    bound = node.get("PermissionsBoundary")
    if bound:
        yield Grant(principal=label, allows=False, action=f"{BUT}what boundary {_text(bound)} allows", resource="*",
                    condition="")  # fmt: skip
    for name in ("ManagedPolicyArns", "ManagedPolicies", "CustomerManagedPolicyReferences"):
        for given in as_list(node.get(name)):
            if model.find(given, "AWS::IAM::ManagedPolicy") is None:
                policy = as_mapping(given).get("Name", given)
                yield Grant(principal=label, allows=True, action=f"policy {_text(policy)}", resource="*", condition="")


def _resource_policy(node: Node, document: Mapping[str, Any], model: Model) -> Iterator[Grant]:
    target = model.find(next(iter(as_list(node.get(_ON_ANOTHER.get(node.type, "")))), None), near=node) or node
    for statement in as_list(document["Statement"]):
        names = list(_principals(statement, model))
        if node.type == "AWS::EC2::VPCEndpoint":
            names = [f"{name} through {_short(node.path)}" for name in names]
            yield from _said({"Statement": [statement]}, names, "*")
        else:
            yield from _said({"Statement": [statement]}, names, _short(target.path), own=True)


def _said(document: Mapping[str, Any], principals: Iterable[str], where: str, *, own: bool = False) -> Iterator[Grant]:
    """What each statement says to the principals; ``where`` if it names no resource, or its own policy names all."""
    holders = list(principals)
    for statement in as_list(document["Statement"]):
        actions = [_text(item) for item in as_list(statement.get("Action"))]
        actions += (
            [BUT + ", ".join(sorted(map(_text, as_list(statement["NotAction"]))))] if "NotAction" in statement else []
        )
        resources = [_text(item) for item in as_list(statement.get("Resource"))] or [where]
        if "NotResource" in statement:
            resources = [BUT + ", ".join(sorted(map(_text, as_list(statement["NotResource"]))))]
        condition = (
            json.dumps(statement["Condition"], sort_keys=True, default=str) if statement.get("Condition") else ""
        )
        for principal in holders:
            for action in actions:
                for resource in resources:
                    yield Grant(
                        principal=principal,
                        allows=statement.get("Effect") == "Allow",
                        action=action,
                        resource=where if own and resource == "*" else resource,
                        condition=condition,
                    )


def _principals(statement: Mapping[str, Any], model: Model) -> Iterator[str]:
    if "NotPrincipal" in statement:
        yield "everybody but " + ", ".join(_named(statement["NotPrincipal"], model))
    else:
        yield from _named(statement.get("Principal"), model)


def _named(element: Any, model: Model) -> Iterator[str]:
    if element == "*":
        yield "everybody"
    for kind, names in as_mapping(element).items():
        for item in as_list(names):
            name = _text(item)
            role = model.find(item, "AWS::IAM::Role", "AWS::IAM::User") if kind == "AWS" else None
            account = re.fullmatch(r"(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?", name)
            if name == "*":
                yield "everybody"
            elif role is not None:
                yield _label(role)
            elif account and kind == "AWS":
                yield f"account {account[1]}"
            else:
                yield name if kind == "AWS" else f"{kind.lower()} {name}"


def _function_permission(node: Node, model: Model) -> Iterator[Grant]:
    function = model.find(node.get("FunctionName"), "AWS::Lambda::Function", near=node)
    limits = {name: node.get(name) for name in ("SourceArn", "SourceAccount", "PrincipalOrgID", "FunctionUrlAuthType")}
    condition = {name: _shaped(value) for name, value in limits.items() if value is not None}
    (principal, *_) = _named({"AWS": node.get("Principal")}, model) or ("nobody",)
    yield Grant(
        principal=f"service {principal}" if ".amazonaws.com" in principal else principal,
        allows=True,
        action=_text(node.get("Action")),
        resource=_short(function.path) if function else _text(node.get("FunctionName")),
        condition=json.dumps(condition, sort_keys=True) if condition else "",
    )


def _assignment(node: Node, model: Model) -> Iterator[Grant]:
    chosen = model.find(node.get("PermissionSetArn"), "AWS::SSO::PermissionSet")
    kind = "person" if node.get("PrincipalType") == "USER" else "group"
    yield Grant(
        principal=f"{kind} {_text(node.get('PrincipalId'))}",
        allows=True,
        action=f"sign in with {_short(chosen.path) if chosen else _text(node.get('PermissionSetArn'))}",
        resource=f"account {_text(node.get('TargetId'))}",
        condition="",
    )


def _text(value: Any) -> str:
    return value.shape if isinstance(value, Unresolved) else str(value)


def _shaped(value: Any) -> Any:
    """The value with text for what did not resolve."""
    if isinstance(value, Unresolved):
        return value.shape
    if isinstance(value, Mapping):
        return {name: _shaped(child) for name, child in value.items()}
    return [_shaped(child) for child in value] if isinstance(value, list) else value


def _label(node: Node) -> str:
    return _short(node.path)


def _short(path: str) -> str:
    while path.endswith("/Resource"):
        path = path.removesuffix("/Resource")
    return path


# ----------------------------------------------------------------------------------------------------------- comparing


def _by_principal(found: Iterable[Grant]) -> Mapping[tuple[str, bool], list[Grant]]:
    index: dict[tuple[str, bool], list[Grant]] = defaultdict(list)
    for one in found:
        index[one.principal, one.allows].append(one)
    return index


def _covered(grant: Grant, others: Mapping[tuple[str, bool], list[Grant]]) -> bool:
    """Whether some statement of the other side says at least as much to the same principal."""
    return any(
        other.condition in {"", grant.condition}
        and _covers(other.action.lower(), grant.action.lower())
        and _covers(other.resource, grant.resource)
        for other in others.get((grant.principal, grant.allows), ())
    )


def _covers(pattern: str, text: str) -> bool:
    """Whether everything that ``text`` stands for fits ``pattern``: a star in the one is fitted by a star in the other."""
    if BUT in pattern or BUT in text or pattern == text:
        return pattern in {text, "*"}
    return matcher(pattern_of(pattern))(text)


class _Effect:
    """Whether a statement that came or went changes what AWS would answer, as far as the assemblies tell."""

    def __init__(self, before: Model, after: Model) -> None:
        self._sides = [
            (model, {_label(role): role for role in model.of("AWS::IAM::Role")}) for model in (before, after)
        ]
        self._asked: dict[tuple[str, str, str], bool] = {}

    def __call__(self, grant: Grant) -> bool:
        """Roles are asked with their boundary and the resource's own policy; of others the statement itself is believed."""
        if not grant.allows or any(grant.principal not in roles for _, roles in self._sides):
            return True
        if (
            BUT in grant.action
            or ":" not in grant.action
            or BUT in grant.resource
            or not grant.resource.startswith("arn:")
        ):
            return True
        actions = expand(grant.action) or [grant.action.replace("*", "Any")]
        return len(actions) > _ASKED or any(
            self._differs(grant.principal, action, grant.resource) for action in actions
        )

    def _differs(self, principal: str, action: str, resource: str) -> bool:
        key = (principal, action, resource)
        if key not in self._asked:
            answers = {self._answer(model, roles[principal], action, resource) for model, roles in self._sides}
            self._asked[key] = len(answers) > 1 or None in answers
        return self._asked[key]

    def _answer(self, model: Model, role: Node, action: str, resource: str) -> bool | None:
        """Yes or no; None if that hangs on what no template tells, so that either statement may be the one that counts."""
        near = _resource(model, resource)
        if near is not None and (near.type == role.type or near.account != role.account):
            return None
        asked = re.sub(r"\$\{[^}]*\}|\*", SOMEBODY, resource)
        try:
            found = decision(model, role, action, asked, near=near)
        except InputError:
            return None
        return found.certainly_allowed if found.certainly_allowed or not found.possibly_allowed else None


# ------------------------------------------------------------------------------------------------------------ grouping


def _grouped(found: Iterable[Grant], new: set[Grant], *, gained: bool) -> Iterator[GrantChange]:
    """The grants with as few lines as say the same: actions of one resource together, then resources of the same actions."""
    actions: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for one in found:
        actions[one.principal, _by(one, one in new), one.condition, one.resource].append(one.action)
    resources: dict[tuple[str, str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (principal, by, condition, resource), named in actions.items():
        resources[principal, by, condition, tuple(sorted(set(named)))].append(resource)
    for (principal, by, condition, named_actions), named_resources in sorted(resources.items()):
        yield GrantChange(
            principal=principal,
            gained=gained,
            by=by,
            actions=named_actions,
            resources=tuple(sorted(set(named_resources))),
            condition=condition,
        )


def _by(grant: Grant, came: bool) -> str:
    if grant.allows:
        return "allowed" if came else "no longer allowed"
    return "denied" if came else "no longer denied"


def spoken_condition(condition: str) -> str:
    """The condition for people: ``if aws:SourceVpc StringEquals vpc-1``."""
    if not condition:
        return ""
    parts = []
    for operator, tests in json.loads(condition).items():
        if isinstance(tests, Mapping):
            parts += [f"{key} {operator} {_values(values)}" for key, values in tests.items()]
        else:
            parts.append(f"{operator} is {_values(tests)}")
    return " if " + " and ".join(parts)


def _values(values: Any) -> str:
    listed = [str(value) for value in as_list(values)]
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")


def paths_for_ids(model: Model) -> Callable[[str], str]:
    """A function that writes construct paths for ids that AWS will invent."""

    def name(match: re.Match[str]) -> str:
        node = model.node(match[1], match[2])
        return match[0] if node is None else f"<{_short(node.path)}{'.' + match[3] if match[3] else ''}>"

    return lambda text: INVENTED.sub(name, text)
