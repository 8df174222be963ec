"""The policies of roles and resources, for reading; deciding over them is :mod:`proofs.policy`'s."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from proofs.model.graph import Model, Node, as_list, at


def documents_of(model: Model, role: Node) -> list[Any]:
    """The policy documents of a role that the templates hold: inline, attached, and attached from the policy's side."""
    found = [at(policy, "PolicyDocument") for policy in as_list(role.get("Policies"))]
    for arn in as_list(role.get("ManagedPolicyArns")):
        policy = model.find(arn, "AWS::IAM::ManagedPolicy")
        if policy is not None:
            found.append(policy.get("PolicyDocument"))
    for policy in model.of("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy", account=role.account):
        attached = [*as_list(policy.get("Roles")), *as_list(policy.get("RoleName"))]
        if role.id in attached or role.name in attached:
            found.append(policy.get("PolicyDocument"))
    return [document for document in found if isinstance(document, Mapping)]


def statements(documents: list[Any]) -> Iterator[Mapping[str, Any]]:
    """Every statement of the documents."""
    for document in documents:
        for statement in as_list(at(document, "Statement")):
            if isinstance(statement, Mapping):
                yield statement


def allows(documents: list[Any], action: str, resource: str | None) -> list[str]:
    """The resource patterns on which some statement allows the action (``*`` where it names none); conditions unread."""
    found: list[str] = []
    for statement in statements(documents):
        if statement.get("Effect") != "Allow" or not _names(statement, action):
            continue
        patterns = [str(item) for item in as_list(statement.get("Resource", "*"))]
        found += [item for item in patterns if resource is None or fnmatchcase(resource, item)]
    return found


def _names(statement: Mapping[str, Any], action: str) -> bool:
    wanted = action.lower()
    if "NotAction" in statement:
        return not any(fnmatchcase(wanted, str(item).lower()) for item in as_list(statement["NotAction"]))
    return any(fnmatchcase(wanted, str(item).lower()) for item in as_list(statement.get("Action")))
