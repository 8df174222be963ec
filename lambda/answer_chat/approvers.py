"""Whether somebody is of the group that approves, asked of the directory each time: whoever left it approves nothing.

Source: https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_IsMemberInGroups.html
"""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

_LENGTH_OF_ID = 36
"""Ids are UUIDs, old ones with ten digits more before; no group of ours has a name so long."""


@dataclass(frozen=True, kw_only=True)
class Approvers:
    """Members of ``group``, an id or a display name, in the directory ``store_id``."""

    store: Any
    store_id: str
    group: str

    def has(self, name: str) -> bool:
        """Whether the user of that name is there and is a member."""
        user = self._id("get_user_id", "userName", name, "UserId")
        group = (
            self.group
            if len(self.group) >= _LENGTH_OF_ID
            else self._id("get_group_id", "displayName", self.group, "GroupId")
        )
        if user is None or group is None:
            return False
        answer = self.store.is_member_in_groups(
            IdentityStoreId=self.store_id, MemberId={"UserId": user}, GroupIds=[group]
        )
        return any(one["MembershipExists"] for one in answer["Results"])

    def _id(self, operation: str, attribute: str, value: str, kind: str) -> str | None:
        unique = {"UniqueAttribute": {"AttributePath": attribute, "AttributeValue": value}}
        try:
            found = getattr(self.store, operation)(IdentityStoreId=self.store_id, AlternateIdentifier=unique)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
                return None
            raise
        return str(found[kind])
