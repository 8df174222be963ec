"""What people who sign in by IAM Identity Center are in each account: the role that each permission set makes there.

Source: https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html and
https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html (the roles' names)
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from proofs.model.graph import Model, Node, as_list, at

SUFFIX: Final = "0123456789abcdef"
"""Stands for what Identity Center appends to the name of a role."""
OF_AWS: Final[Mapping[str, list[dict[str, Any]]]] = {
    "AdministratorAccess": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    "PowerUserAccess": [
        {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": ["iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole", "iam:ListRoles"],
            "Resource": "*",
        },
    ],
}
"""AWS's own policies whose content is short enough to be written here.
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html"""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Whoever of some groups signs in to one account with one permission set."""

    permission_set: Node
    account: str
    assignments: tuple[Node, ...]
    """Who is assigned; none if it is only granted for a while."""
    documents: tuple[Any, ...]
    """Policies of the role."""
    boundary: Any
    unknown: tuple[str, ...]
    """Policies, the boundary included, whose content the assembly does not hold: ``documents`` and ``boundary`` hold in
    their place one that allows everything if ``content-of:NAME`` is true, which a request leaves open."""

    @property
    def name(self) -> str:
        """The permission set's name."""
        return str(self.permission_set.get("Name"))

    @property
    def role(self) -> str:
        """ARN of the role. In us-east-1 its path names no region."""
        region = "" if self.permission_set.region == "us-east-1" else f"{self.permission_set.region}/"
        return (
            f"arn:aws:iam::{self.account}:role/aws-reserved/sso.amazonaws.com/{region}"
            f"AWSReservedSSO_{self.name}_{SUFFIX}"
        )

    @property
    def session(self) -> str:
        """ARN of a session of the role; it bears the person's name."""
        return f"arn:aws:sts::{self.account}:assumed-role/AWSReservedSSO_{self.name}_{SUFFIX}/person@example.com"

    def __str__(self) -> str:
        return f"people with {self.name} in {self.account}"


def people(model: Model) -> Iterator[Person]:
    """Every permission set in every account that it is assigned in."""
    assigned: dict[tuple[Node, str], list[Node]] = defaultdict(list)
    for node in model.of("AWS::SSO::Assignment"):
        permission_set = _set_of(model, node)
        account = node.get("TargetId")
        if permission_set is not None and isinstance(account, str):
            assigned[permission_set, account].append(node)
    for (permission_set, account), assignments in assigned.items():
        yield granted(model, permission_set, account, assignments)


def granted(model: Model, permission_set: Node, account: str, assignments: Sequence[Node] = ()) -> Person:
    """What somebody would be whom the permission set is assigned to in an account, now or for a while."""
    documents, boundary, unknown = _policies(model, permission_set, account)
    # A gate opens to whoever is granted it, so what counts is what lies behind.
    documents = [document for document in documents if not is_gate(document)]
    return Person(
        permission_set=permission_set,
        account=account,
        assignments=tuple(assignments),
        documents=tuple(documents),
        boundary=boundary,
        unknown=tuple(unknown),
    )


def is_gate(document: Any) -> bool:
    """Whether a policy refuses everything to everybody: it stands before a level until somebody is granted it."""
    shut = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    found = [dict(each) for each in as_list(at(document, "Statement"))]
    return bool(found) and all({key: one for key, one in each.items() if key != "Sid"} == shut for each in found)


def unassigned(model: Model) -> list[Node]:
    """Assignments whose permission set or account the assembly does not tell."""
    return [
        node
        for node in model.of("AWS::SSO::Assignment")
        if _set_of(model, node) is None or not isinstance(node.get("TargetId"), str)
    ]


def _set_of(model: Model, assignment: Node) -> Node | None:
    return model.find(assignment.get("PermissionSetArn"), "AWS::SSO::PermissionSet")


def _policies(model: Model, permission_set: Node, account: str) -> tuple[list[Any], Any, list[str]]:
    documents: list[Any] = []
    unknown: list[str] = []
    inline = permission_set.get("InlinePolicy")
    if inline is not None:
        documents.append(json.loads(inline) if isinstance(inline, str) else inline)
    references: list[Any] = [*as_list(permission_set.get("CustomerManagedPolicyReferences"))]
    for reference in [*as_list(permission_set.get("ManagedPolicies")), *references]:
        document = _document(model, reference, account)
        if document is None:
            unknown.append(_name(reference))
        documents.append(document or _open(_name(reference)))
    boundary = None
    limit = permission_set.get("PermissionsBoundary")
    if limit is not None:
        reference = at(limit, "CustomerManagedPolicyReference") or at(limit, "ManagedPolicyArn")
        boundary = _document(model, reference, account)
        if boundary is None:
            unknown.append(_name(reference))
            boundary = _open(_name(reference))
    return documents, boundary, unknown


def _document(model: Model, reference: Any, account: str) -> Any:
    name = _name(reference)
    if isinstance(reference, str):
        statements = OF_AWS.get(name)
        return None if statements is None else {"Version": "2012-10-17", "Statement": statements}
    for policy in model.of("AWS::IAM::ManagedPolicy", account=account):
        if policy.name == name:
            return policy.get("PolicyDocument")
    return None


def _open(name: str) -> dict[str, Any]:
    condition = {"Bool": {f"content-of:{name}": "true"}}
    statement = {"Sid": re.sub(r"\W", "", name), "Effect": "Allow", "Action": "*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition}]}


def _name(reference: Any) -> str:
    return str(reference).rpartition("/")[2] if isinstance(reference, str) else str(at(reference, "Name"))
