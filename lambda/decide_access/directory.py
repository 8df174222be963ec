"""Who is who in IAM Identity Center's directory, asked as its delegated administrator.

Source: https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_IsMemberInGroups.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError


@dataclass(frozen=True, kw_only=True)
class Directory:
    """``groups`` are ids, or the names of groups that the templates made, by level; ``on_call`` is an id, or empty."""

    store: Any
    store_id: str
    groups: Mapping[str, str]
    on_call: str

    def user(self, name: str) -> str | None:
        """The id of the user of that name; None if there is none."""
        return self._found("get_user_id", "userName", name, "UserId")

    def asks(self, user: str, level: str) -> bool:
        """Whether the user is of the group whose members may ask for ``level``."""
        group = self.groups[level]
        found = group if _is_id(group) else self._found("get_group_id", "displayName", group, "GroupId")
        return found is not None and self._member(user, found)

    def on_call_now(self, user: str) -> bool:
        """Whether the user is of the on-call group; never, if there is none."""
        return bool(self.on_call) and self._member(user, self.on_call)

    def _member(self, user: str, group: str) -> bool:
        answer = self.store.is_member_in_groups(
            IdentityStoreId=self.store_id, MemberId={"UserId": user}, GroupIds=[group]
        )
        return any(one["MembershipExists"] for one in answer["Results"])

    def _found(self, operation: str, attribute: str, value: str, answer: str) -> str | None:
        unique = {"UniqueAttribute": {"AttributePath": attribute, "AttributeValue": value}}
        try:
            found = getattr(self.store, operation)(IdentityStoreId=self.store_id, AlternateIdentifier=unique)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise
        return str(found[answer])


def _is_id(group: str) -> bool:
    """Ids are UUIDs, old ones with ten digits more before; no group of ours is named so."""
    return len(group) >= 36
