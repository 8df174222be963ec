"""Whether a user is still in the stage's own user pool, so that a token does not outlive its user.

An access token of Cognito is good until it expires, whatever becomes of its user; the pool itself knows better.
Source: https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from palisade_runtime.clock import Clock

FRESH_FOR = timedelta(seconds=60)
"""After this time a removed user is refused at the latest."""

MOST_USERS = 10_000
"""Answers kept; the oldest goes first. Nobody gets one into the cache without a token that the issuer signed."""

_PRESENT = frozenset({"CONFIRMED", "EXTERNAL_PROVIDER"})

LookUp = Callable[[str], Mapping[str, Any] | None]
"""The pool's answer about a user name, or None when there is no such user."""


class DirectoryUnavailableError(Exception):
    """The pool cannot be asked now, so nobody can be let in."""


class Directory:
    """Remembers for a minute what the pool said."""

    def __init__(self, *, look_up: LookUp, clock: Clock) -> None:
        self._look_up = look_up
        self._clock = clock
        self._answers: OrderedDict[tuple[str, str], tuple[datetime, bool]] = OrderedDict()

    def holds(self, name: str, subject: str) -> bool:
        """Whether the user of this name is there, enabled, confirmed, and the very one of ``subject``."""
        now = self._clock()
        known = self._answers.get((name, subject))
        if known is not None and now - known[0] < FRESH_FOR:
            return known[1]
        present = is_present(self._look_up(name), subject)
        self._answers[name, subject] = (now, present)
        self._answers.move_to_end((name, subject))
        while len(self._answers) > MOST_USERS:
            self._answers.popitem(last=False)
        return present


def is_present(user: Mapping[str, Any] | None, subject: str) -> bool:
    """Whether the pool's answer is about an enabled user with this subject; a new user of an old name is another."""
    if user is None or user.get("Enabled") is not True or user.get("UserStatus") not in _PRESENT:
        return False
    return {"Name": "sub", "Value": subject} in user.get("UserAttributes", [])


def look_up_in(client: Any, pool_id: str) -> LookUp:
    """A look-up through Cognito's API.

    Source: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminGetUser.html
    """

    def look_up(name: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = client.admin_get_user(UserPoolId=pool_id, Username=name)
        except client.exceptions.UserNotFoundException:
            return None
        except (BotoCoreError, ClientError) as error:
            raise DirectoryUnavailableError from error
        return found

    return look_up
