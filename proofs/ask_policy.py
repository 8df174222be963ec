"""Who can do what to a resource, asked of every role of every account with the policies that the templates hold.

Roles are asked, and people by the permission sets that they sign in with, under the organization's policies where the
assembly makes them. A condition on what the templates do not tell may turn out either way: such principals are named apart.
What is not in the templates is taken for absent if it only takes away, so that nobody is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from proofs.finding import Case
from proofs.model import INVENTED, Model, Node, as_list, walk
from proofs.model.organization import KNOWN_KEYS
from proofs.model.people import Person, people
from proofs.model.policies import allows, documents_of, statements
from proofs.policy import UNKNOWN, Decision, PolicySet, Request, Sourced

ACTIONS: Mapping[str, Mapping[str, str]] = {
    "AWS::KMS::Key": {
        "decrypt": "kms:Decrypt",
        "encrypt": "kms:Encrypt",
        "administer": "kms:PutKeyPolicy",
        "delete": "kms:ScheduleKeyDeletion",
    },
    "AWS::S3::Bucket": {
        "read": "s3:GetObject",
        "write": "s3:PutObject",
        "delete": "s3:DeleteObject",
        "administer": "s3:PutBucketPolicy",
    },
    "AWS::DynamoDB::Table": {
        "read": "dynamodb:GetItem",
        "write": "dynamodb:PutItem",
        "delete": "dynamodb:DeleteItem",
        "administer": "dynamodb:UpdateTable",
    },
    "AWS::SecretsManager::Secret": {"read": "secretsmanager:GetSecretValue", "write": "secretsmanager:PutSecretValue"},
    "AWS::SQS::Queue": {"read": "sqs:ReceiveMessage", "write": "sqs:SendMessage", "delete": "sqs:DeleteMessage"},
    "AWS::SNS::Topic": {"write": "sns:Publish"},
    "AWS::Logs::LogGroup": {"read": "logs:GetLogEvents", "write": "logs:PutLogEvents", "delete": "logs:DeleteLogGroup"},
    "AWS::Backup::BackupVault": {
        "delete": "backup:DeleteBackupVault",
        "administer": "backup:PutBackupVaultAccessPolicy",
    },
    "AWS::IAM::Role": {"assume": "sts:AssumeRole"},
}
"""The deed that a verb means, by type of resource."""

_OWN_POLICY = {
    "AWS::S3::Bucket": "AWS::S3::BucketPolicy",
    "AWS::SNS::Topic": "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue": "AWS::SQS::QueuePolicy",
}
SOMEBODY = "somebody"
"""What stands for the value of a policy variable such as the caller's tenant tag."""
_VARIABLE = re.compile(r"\$\{([\w:/-]+)\}")
_BY_TLS: Mapping[str, Any] = {"aws:securetransport": "true", "s3:tlsversion": "1.3"}


def who_can(case: Case, verb: str, found: list[Node], *, everything: bool = False) -> list[str]:
    """The answer, line by line."""
    lines: list[str] = []
    judged = [node for node in found if verb in ACTIONS.get(node.type, {})]
    if not judged:
        return [f"Nothing of that name can be asked who can {verb} it; try " + ", ".join(sorted(ACTIONS))]
    for node in judged if everything else judged[:5]:
        action = ACTIONS[node.type][verb]
        certain: list[str] = []
        perhaps: list[str] = []
        for who, decision in decisions(case.model, node, action):
            if not decision.possibly_allowed:
                continue
            why = "; ".join(
                f"{item.policy} {item.sid or item.statement or ''}".strip() for item in decision.decided_by[:2]
            )
            called = f"{who.path} ({who.account})" if isinstance(who, Node) else str(who)
            if decision.certainly_allowed:
                certain.append(f"  {called}: {why}")
            else:
                perhaps.append(f"  {called}, depending on {', '.join(decision.depends_on)}: {why}")
        lines.append(f"{node}: {action}: {len(certain)} roles can, {len(perhaps)} perhaps")
        lines += certain + perhaps
        others = sorted(_named_by(_policy_of(case.model, node), action))
        if others:
            lines.append(f"  its own policy also lets in, under its conditions: {', '.join(others)}")
    return lines


def decisions(model: Model, node: Node, action: str) -> Iterator[tuple[Node | Person, Decision]]:
    """What AWS would answer each role and each person of the assembly that asks for ``action`` on the resource."""
    for role in model.of("AWS::IAM::Role"):
        if role is not node:
            yield role, _decision(model, node, action, _asker(model, role))
    for person in people(model):
        asker = _Asker(
            called=str(person),
            principal=person.session,
            issuer=person.role,
            identity=list(person.documents),
            boundary=person.boundary,
        )
        yield person, _decision(model, node, action, asker)


@dataclass(frozen=True, kw_only=True)
class _Asker:
    called: str
    principal: str
    issuer: str | None = None
    identity: list[Any]
    boundary: Any
    tags: Mapping[str, str] = field(default_factory=dict)


def decision(model: Model, role: Node, action: str, resource: str, *, near: Node | None = None) -> Decision:
    """What AWS would answer the role that asks for ``action`` on an ARN: that of ``near``, or of something in it."""
    return _answer(model, _asker(model, role), action, resource, near)


def _asker(model: Model, role: Node) -> _Asker:
    boundary = model.find(role.get("PermissionsBoundary"), "AWS::IAM::ManagedPolicy")
    limit = None if boundary is None else boundary.get("PolicyDocument")
    return _Asker(
        called=role.path, principal=role.arn, identity=documents_of(model, role), boundary=limit, tags=role.tags
    )


def _decision(model: Model, node: Node, action: str, asker: _Asker) -> Decision:
    answers = [_answer(model, asker, action, resource, node) for resource in _asked(node, action, asker.identity)]
    return max(answers, key=lambda answer: (answer.certainly_allowed, answer.possibly_allowed))


def _answer(model: Model, asker: _Asker, action: str, resource: str, near: Node | None) -> Decision:
    resource_policy = None if near is None else _policy_of(model, near)
    context = _context([*asker.identity, *(document for document in (resource_policy, asker.boundary) if document)])
    context |= {f"aws:principaltag/{key}".lower(): value for key, value in asker.tags.items()}
    context |= dict.fromkeys(model.organization.keys - KNOWN_KEYS - {key.lower() for key in context}, UNKNOWN)
    policies = PolicySet.of(
        identity_policies=[Sourced(_plainly(document), asker.called) for document in asker.identity],
        resource_policy=Sourced(_plainly(resource_policy), near.path) if near and resource_policy else None,
        permission_boundaries=[Sourced(_plainly(asker.boundary), asker.called)] if asker.boundary else [],
    )
    request = Request(
        principal=_plain(asker.principal),
        session_issuer=asker.issuer,
        action=action,
        resource=_plain(resource),
        resource_account=near.account if near else asker.principal.split(":")[4],
        context=context,
    )
    return model.organization.evaluate(request, policies)


_OF_OBJECTS = frozenset({"s3:GetObject", "s3:PutObject", "s3:DeleteObject"})
_FREE = re.compile(r"\$\{[^}]*\}|\*")


def _asked(node: Node, action: str, identity: list[Any]) -> Iterator[str]:
    """The ARNs to ask about: for what is in a bucket, one beside every prefix and one under each that the role names."""
    resource = node.arn.removesuffix(":*")
    if node.type == "AWS::Logs::LogGroup":
        yield f"{resource}:log-stream:stream"
    elif node.type == "AWS::S3::Bucket" and action in _OF_OBJECTS:
        yield f"{resource}/object"
        named = {
            str(value) for document in identity for value in walk(document) if str(value).startswith(f"{resource}/")
        }
        yield from sorted({_FREE.sub(SOMEBODY, name) for name in named})
    else:
        yield resource


def _policy_of(model: Model, node: Node) -> Any:
    for name in ("KeyPolicy", "AssumeRolePolicyDocument", "AccessPolicy", "ResourcePolicy"):
        if node.get(name) is not None:
            return node.get(name)
    kind = _OWN_POLICY.get(node.type)
    for policy in model.of(kind, account=node.account) if kind else ():
        targets = [*as_list(policy.get("Bucket")), *as_list(policy.get("Topics")), *as_list(policy.get("Queues"))]
        if {node.id, node.name, node.arn} & set(map(str, targets)):
            return policy.get("PolicyDocument")
    return None


def _named_by(document: Any, action: str) -> set[str]:
    """Services, accounts and everybody that a resource's own policy allows the action."""
    found: set[str] = set()
    for statement in statements([document]):
        if not allows([{"Statement": [statement]}], action, None):
            continue
        principal = statement.get("Principal")
        if principal == "*":
            found.add("everybody")
        for kind, names in principal.items() if isinstance(principal, Mapping) else ():
            for name in map(str, as_list(names)):
                if name == "*":
                    found.add("everybody")
                elif kind != "AWS" or name.endswith(":root") or name.isdigit():
                    found.add(name)
    return found


def _context(documents: list[Any]) -> dict[str, Any]:
    """Every condition key that the documents ask for: known by the request's own nature, or unknown."""
    keys = {
        str(key)
        for document in documents
        for value in walk(document)
        if isinstance(value, Mapping) and isinstance(value.get("Condition"), Mapping)
        for test in value["Condition"].values()
        if isinstance(test, Mapping)
        for key in test
    }
    context = {key: _BY_TLS.get(key.lower(), UNKNOWN) for key in keys if key.lower() not in KNOWN_KEYS}
    for name in _VARIABLE.findall(json.dumps(documents, default=str)):
        if name.lower() not in KNOWN_KEYS:
            context[name] = SOMEBODY
    return context


def _plain(text: str) -> str:
    """The text with names for what AWS will invent, in letters that ARNs may hold."""
    return INVENTED.sub(lambda match: re.sub(r"[^\w.-]", "-", match[0].strip("<>")), text)


def _plainly(document: Any) -> Any:
    return json.loads(_plain(json.dumps(document, default=str)))
