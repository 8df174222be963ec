"""Promises about containing incidents: every act is ready in every stage, can be undone, and reaches nothing that must stay.

That acts change nothing when planned, are undone to the very state before, go on where they were killed, and wait for a second
person, tests/lambda/contain shows; the rehearsal does and undoes them on what is deployed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import Model, Node, as_list, at
from proofs.model.policies import allows, documents_of, statements

ACTS: Final[Mapping[str, tuple[str, ...]]] = {
    "quarantine a machine": (
        "ec2:ModifyNetworkInterfaceAttribute",
        "ec2:CreateSnapshots",
        "ec2:CreateTags",
        "ec2:DescribeInstances",
        "ec2:DescribeSnapshots",
        "autoscaling:DescribeAutoScalingInstances",
        "autoscaling:SetInstanceProtection",
    ),
    "end the sessions of a role": ("iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:GetRole", "iam:GetRolePolicy"),
    "disable a key": ("kms:DisableKey", "kms:EnableKey", "kms:DescribeKey", "kms:ListAliases"),
    "disable an access key": ("iam:UpdateAccessKey", "iam:ListAccessKeys"),
    "block an address": ("wafv2:GetIPSet", "wafv2:UpdateIPSet", "wafv2:ListIPSets"),
    "isolate a function": (
        "lambda:DeleteFunctionConcurrency",
        "lambda:GetFunctionConcurrency",
        "lambda:GetFunctionConfiguration",
        "lambda:ListEventSourceMappings",
        "lambda:PutFunctionConcurrency",
        "lambda:UpdateEventSourceMapping",
    ),
}
"""What doing and undoing each takes."""
_OF_USERS: Final = (
    "cognito-idp:AdminDisableUser",
    "cognito-idp:AdminEnableUser",
    "cognito-idp:AdminGetUser",
    "cognito-idp:AdminUserGlobalSignOut",
)
_HANDLER: Final = "contain.handler.handle"
_SPARED: Final = ("archive", "backup", "logs", "messaging", "containment")


def _functions(model: Model) -> dict[str, Node]:
    """The function that contains, by account."""
    return {one.account: one for one in model.of("AWS::Lambda::Function") if one.get("Handler") == _HANDLER}


def _role(model: Model, function: Node) -> Node | None:
    return model.find(function.get("Role"), "AWS::IAM::Role")


def _rights(model: Model, role: Node) -> Node:
    """The policy that holds the role's rights."""
    for policy in model.of("AWS::IAM::ManagedPolicy", account=role.account):
        if any(model.find(one, "AWS::IAM::Role") is role for one in as_list(policy.get("Roles"))):
            return policy
    return role


def _settings(function: Node) -> Mapping[str, Any]:
    found = at(function.get("Environment"), "Variables")
    return found if isinstance(found, Mapping) else {}


@proof("containment.every-act-is-ready")
def every_act_is_ready(case: Case, finding: Finding) -> None:
    """In every stage a function quarantines, revokes, disables, blocks and isolates, and undoes each, as people ask it to.

    https://docs.aws.amazon.com/whitepapers/latest/aws-security-incident-response-guide/containment.html
    """
    model, functions = case.model, _functions(case.model)
    for account in sorted(case.terms.guarded | case.terms.workshops):
        function = functions.get(account)
        role = None if function is None else _role(model, function)
        if function is None or role is None:
            finding.missing.append(Note(account, "nothing contains an incident here", "account"))
            continue
        documents = documents_of(model, role)
        acts = dict(ACTS)
        if any(pool.account == account for pool in model.of("AWS::Cognito::UserPool")):
            acts["block a user"] = _OF_USERS
        for act, needed in acts.items():
            lacking = [action for action in needed if not allows(documents, action, None)]
            if lacking:
                finding.broken.append(note(_rights(model, role), f"cannot {act}: not {', '.join(lacking)}"))
            else:
                finding.evidence.append(note(function, f"can {act} and undo it"))
        _judge_addresses(model, function, role, finding)
        _judge_group(model, function, finding)
        _judge_callers(model, function, finding)
        guarded = _settings(function).get("GUARDED") == "yes"
        if account in case.terms.guarded and not guarded:
            finding.broken.append(note(function, "one person alone may stop the product"))


def _judge_addresses(model: Model, function: Node, role: Node, finding: Finding) -> None:
    """Every web ACL of the account blocks the sets that the function fills."""
    documents = documents_of(model, role)
    names = [str(_settings(function).get(name)) for name in ("BLOCKED_HERE", "BLOCKED_AT_EDGE")]
    known = {f"{name}-{version}" for name in names for version in ("v4", "v6")}
    for acl in (one for one in model.of("AWS::WAFv2::WebACL") if one.account == function.account):
        blocked = {
            str(addresses.get("Name"))
            for rule in as_list(acl.get("Rules"))
            if at(rule, "Action", "Block") is not None
            for addresses in [model.find(at(rule, "Statement", "IPSetReferenceStatement", "Arn"), "AWS::WAFv2::IPSet")]
            if addresses is not None and addresses.get("Scope") == acl.get("Scope")
        }
        if len(blocked & known) < 2:
            finding.broken.append(note(acl, "does not block the addresses that responders shut out"))
        for name in sorted(blocked & known):
            if not any(f"/ipset/{name}/" in resource for resource in allows(documents, "wafv2:UpdateIPSet", None)):
                finding.broken.append(note(_rights(model, role), f"may not fill {name}"))
            else:
                finding.evidence.append(note(acl, f"blocks whatever is in {name}"))


def _judge_group(model: Model, function: Node, finding: Finding) -> None:
    group = model.find(_settings(function).get("QUARANTINE_GROUP"), "AWS::EC2::SecurityGroup")
    if group is None:
        finding.broken.append(note(function, "knows no group for machines in quarantine"))
        return
    rules = [at(one, "CidrIp") for one in as_list(group.get("SecurityGroupEgress"))]
    separate = [
        rule
        for kind in ("Ingress", "Egress")
        for rule in model.of(f"AWS::EC2::SecurityGroup{kind}")
        if model.find(rule.get("GroupId"), "AWS::EC2::SecurityGroup") is group
    ]
    if as_list(group.get("SecurityGroupIngress")) or separate or not rules or set(rules) != {"255.255.255.255/32"}:
        finding.broken.append(note(group, "lets something through"))
    else:
        finding.evidence.append(note(group, "lets nothing in and nothing out"))


def _judge_callers(model: Model, function: Node, finding: Finding) -> None:
    """Somebody may call it, and says what they say under their own session's id."""
    callers = [
        policy
        for policy in model.of("AWS::IAM::ManagedPolicy", account=function.account)
        if not as_list(policy.get("Roles"))
        and allows([policy.get("PolicyDocument")], "lambda:InvokeFunction", str(function.arn))
    ]
    if not callers:
        finding.missing.append(note(function, "nobody may call it"))
    for policy in callers:
        written = allows([policy.get("PolicyDocument")], "s3:PutObject", None)
        if not written or any("${aws:userid}" not in one for one in written):
            finding.broken.append(note(policy, "says things in somebody else's name"))
        else:
            finding.evidence.append(note(policy, "asks, approves and undoes under one's own session's id"))


@proof("containment.nothing-that-must-stay")
def nothing_that_must_stay(case: Case, finding: Finding) -> None:
    """Containment cannot switch off keys of evidence, backups, logs or messages, nor widen its own rights or roles of others.

    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-resource-aliases
    """
    for function in _functions(case.model).values():
        role = _role(case.model, function)
        if role is None:
            continue
        found = list(_too_much(case.model, function, role))
        finding.broken += [note(_rights(case.model, role), one) for one in found]
        if not found:
            finding.evidence.append(note(function, "disables named keys only, and ends sessions of bounded roles only"))


def _too_much(model: Model, function: Node, role: Node) -> Iterator[str]:
    documents = documents_of(model, role)
    aliases = str(_settings(function).get("KEY_ALIASES", "")).split()
    if any(word in alias.rpartition("/")[2] for alias in aliases for word in _SPARED):
        yield f"is told to disable {', '.join(aliases)}"
    refusals = json.dumps([one for one in statements(documents) if one.get("Effect") == "Deny"])
    for statement in statements(documents):
        if statement.get("Effect") != "Allow":
            continue
        conditions = json.dumps(statement.get("Condition", {}))
        actions = {str(action) for action in as_list(statement.get("Action"))}
        if "kms:DisableKey" in actions:
            named = as_list(at(statement, "Condition", "ForAnyValue:StringEquals", "kms:ResourceAliases"))
            if not named or set(map(str, named)) - set(aliases):
                yield "disables keys that nobody named"
        if "iam:PutRolePolicy" in actions and "iam:PermissionsBoundary" not in conditions:
            yield "changes roles without the boundary"
        if actions & {"iam:AttachRolePolicy", "iam:CreatePolicyVersion", "kms:ScheduleKeyDeletion", "kms:PutKeyPolicy"}:
            yield f"may {', '.join(sorted(actions))}"
    if "kms:DisableKey" not in refusals:
        yield "disables a key that has another name besides"
    if "iam:PutRolePolicy" not in refusals:
        yield "changes its own rights"
