"""Ends the sessions of a role."""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from contain.action import Action, RefusedError, State

POLICY = "RevokedSessions"
LONGEST_SESSION = timedelta(hours=12)
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html"""


@dataclass(frozen=True, kw_only=True)
class RevokeSessions(Action):
    """Denies everything to sessions of a role that began before now; those that begin later work.

    Only roles that carry the permissions boundary ``boundary`` (the name of a policy): the deployment's own. ``spared`` is
    the role under which this runs. ``emergency`` is a role that no part of the product has.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
    """

    name: str = "revoke-sessions"
    warning: str = (
        "Functions and machines fail until they get new credentials, machines within hours: replace them, and deploy "
        "functions anew. Undone within 12 hours, the sessions would live again."
    )
    stops_product: bool = True
    iam: Any
    boundary: str
    spared: str
    emergency: str

    def check(self, target: str) -> None:
        if not re.fullmatch(r"[\w+=,.@-]{1,64}", target):
            raise RefusedError(f"{target} is no role's name. Give the name, not the ARN.")
        if target == self.spared:
            raise RefusedError(f"{target} is the role that contains; without it nothing could be undone.")
        try:
            role = self.iam.get_role(RoleName=target)["Role"]
        except self.iam.exceptions.NoSuchEntityException:
            raise RefusedError(f"there is no role {target}.") from None
        bounded = str(role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""))
        if not bounded.endswith(f":policy/{self.boundary}"):
            raise RefusedError(
                f"{target} is not a role of this deployment's templates (it lacks the boundary {self.boundary}). People's "
                "sessions are ended by their grants."
            )

    def stops(self, target: str) -> bool:
        return target != self.emergency

    def look(self, target: str) -> dict[str, Any]:
        try:
            document = self.iam.get_role_policy(RoleName=target, PolicyName=POLICY)["PolicyDocument"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchEntity":
                raise
            document = None
        return {POLICY: document}

    def wanted(self, before: State, at: datetime) -> dict[str, Any]:
        return {
            POLICY: {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": POLICY,
                        "Effect": "Deny",
                        "Action": "*",
                        "Resource": "*",
                        "Condition": {"DateLessThan": {"aws:TokenIssueTime": at.strftime("%Y-%m-%dT%H:%M:%SZ")}},
                    }
                ],
            }
        }

    def apply(self, target: str, part: str, value: Any) -> None:
        if value is None:
            try:
                self.iam.delete_role_policy(RoleName=target, PolicyName=part)
            except self.iam.exceptions.NoSuchEntityException:
                return
        else:
            self.iam.put_role_policy(RoleName=target, PolicyName=part, PolicyDocument=json.dumps(value))

    def undo_from(self, at: datetime) -> datetime:
        return at + LONGEST_SESSION
