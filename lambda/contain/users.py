"""Shuts out a user of the product."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contain.action import Action, RefusedError, State

ENABLED = "enabled"


@dataclass(frozen=True, kw_only=True)
class BlockUser(Action):
    """Disables a user of the stage's own directory and ends their sessions.

    https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminDisableUser.html
    https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminUserGlobalSignOut.html
    """

    name: str = "block-user"
    warning: str = "Their sessions end for good; undone, they sign in anew."
    cognito: Any
    pool: str

    def check(self, target: str) -> None:
        if not re.fullmatch(r"[^\s/]{1,128}", target):
            raise RefusedError(f"{target} is no user's name.")
        self.look(target)

    def look(self, target: str) -> dict[str, Any]:
        try:
            return {ENABLED: bool(self.cognito.admin_get_user(UserPoolId=self.pool, Username=target)["Enabled"])}
        except self.cognito.exceptions.UserNotFoundException:
            raise RefusedError(f"the stage's directory has no user {target}.") from None

    def wanted(self, before: State, at: datetime) -> dict[str, Any]:
        return {ENABLED: False}

    def apply(self, target: str, part: str, value: Any) -> None:
        act = self.cognito.admin_enable_user if value else self.cognito.admin_disable_user
        act(UserPoolId=self.pool, Username=target)

    def finish(self, target: str) -> None:
        self.cognito.admin_user_global_sign_out(UserPoolId=self.pool, Username=target)
