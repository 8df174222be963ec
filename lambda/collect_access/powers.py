"""What a principal may do, in the few words that a reviewer needs: its powers.

Judged by the words of its policies: a power is there if a statement allows an action of it on anything, its boundary does too,
and no statement denies that action always and everywhere. Guardrails and resource policies may take some of it away again, so
this says rather too much than too little.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

POWERS: Mapping[str, Sequence[str]] = {
    "identities": (
        "iam:attachrolepolicy",
        "iam:createaccesskey",
        "iam:createuser",
        "iam:putrolepolicy",
        "iam:updateassumerolepolicy",
        "sso:createaccountassignment",
        "identitystore:creategroupmembership",
    ),
    "organization": ("organizations:attachpolicy", "organizations:leaveorganization"),
    "keys": ("kms:disablekey", "kms:putkeypolicy", "kms:schedulekeydeletion"),
    "evidence": ("cloudtrail:stoplogging", "s3:bypassgovernanceretention"),
    "deployment": ("cloudformation:executechangeset", "cloudformation:updatestack", "lambda:updatefunctioncode"),
    "database": ("rds-db:connect",),
    "data": ("dynamodb:getitem", "dynamodb:scan", "s3:getobject", "secretsmanager:getsecretvalue"),
    "messages": ("sqs:receivemessage",),
    "settings": ("lambda:putfunctionconcurrency", "rds:failoverdbcluster"),
    "logs": ("logs:filterlogevents", "logs:startquery"),
}
"""Each with actions of which one is enough."""

Document = Mapping[str, Any]


def powers(documents: Sequence[Document], boundary: Document | None = None) -> list[str]:
    """The powers that ``documents`` give within ``boundary``."""
    limits = [documents] if boundary is None else [documents, [boundary]]
    return [name for name, actions in POWERS.items() if any(_allowed(action, limits) for action in actions)]


def _allowed(action: str, limits: Sequence[Sequence[Document]]) -> bool:
    statements = [[one for document in documents for one in _statements(document)] for documents in limits]
    if any(_denies_always(one, action) for each in statements for one in each):
        return False
    return all(any(one.get("Effect") == "Allow" and _names(one, action) for one in each) for each in statements)


def _denies_always(statement: Document, action: str) -> bool:
    return (
        statement.get("Effect") == "Deny"
        and not statement.get("Condition")
        and "*" in _texts(statement.get("Resource"))
        and _names(statement, action)
    )


def _names(statement: Document, action: str) -> bool:
    if "NotAction" in statement:
        return not _matches(statement["NotAction"], action)
    return _matches(statement.get("Action"), action)


def _matches(patterns: Any, action: str) -> bool:
    return any(fnmatchcase(action, pattern.lower()) for pattern in _texts(patterns))


def _statements(document: Document) -> Iterable[Document]:
    found = document.get("Statement", [])
    return [found] if isinstance(found, Mapping) else found


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())
