"""Assignments in IAM Identity Center, asked for as its delegated administrator.

They take a while, and one at a time: whoever asks looks again later.
Source: https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreateAccountAssignment.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

_LATER = frozenset({"ConflictException", "ResourceNotFoundException", "ThrottlingException"})


@dataclass(frozen=True, order=True, kw_only=True)
class Assignment:
    """Who holds a permission set in an account; ``kind`` is ``USER`` or ``GROUP``."""

    account: str
    kind: str
    principal: str


@dataclass(frozen=True, kw_only=True)
class Center:
    """``sets`` are the names of permission sets by level."""

    admin: Any
    instance: str
    sets: Mapping[str, str]
    _arns: dict[str, str] = field(default_factory=dict)

    def assigned(self, level: str, account: str) -> set[Assignment]:
        """Everybody who holds ``level`` in ``account``."""
        pages = self.admin.get_paginator("list_account_assignments").paginate(
            InstanceArn=self.instance, AccountId=account, PermissionSetArn=self._arn(level)
        )
        return {
            Assignment(account=account, kind=one["PrincipalType"], principal=one["PrincipalId"])
            for page in pages
            for one in page["AccountAssignments"]
        }

    def accounts(self, level: str) -> list[str]:
        """Every account that holds the permission set, or did."""
        pages = self.admin.get_paginator("list_accounts_for_provisioned_permission_set").paginate(
            InstanceArn=self.instance, PermissionSetArn=self._arn(level)
        )
        return sorted({account for page in pages for account in page["AccountIds"]})

    def assign(self, level: str, whom: Assignment) -> None:
        """Ask for an assignment."""
        self._ask(self.admin.create_account_assignment, level, whom)

    def take(self, level: str, whom: Assignment) -> None:
        """Ask for the end of one."""
        self._ask(self.admin.delete_account_assignment, level, whom)

    def _ask(self, operation: Callable[..., Any], level: str, whom: Assignment) -> None:
        try:
            operation(
                InstanceArn=self.instance,
                TargetId=whom.account,
                TargetType="AWS_ACCOUNT",
                PermissionSetArn=self._arn(level),
                PrincipalType=whom.kind,
                PrincipalId=whom.principal,
            )
        except ClientError as error:
            # Another is under way, or this one is through: looking again tells.
            if error.response["Error"]["Code"] not in _LATER:
                raise

    def _arn(self, level: str) -> str:
        if not self._arns:
            pages = self.admin.get_paginator("list_permission_sets").paginate(InstanceArn=self.instance)
            for arn in (arn for page in pages for arn in page["PermissionSets"]):
                found = self.admin.describe_permission_set(InstanceArn=self.instance, PermissionSetArn=arn)
                self._arns[found["PermissionSet"]["Name"]] = arn
        return self._arns[self.sets[level]]
