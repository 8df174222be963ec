"""IAM Identity Center: people, groups, permission sets, and who is assigned what where.

https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ListAccountAssignments.html
https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/welcome.html
"""

from collections.abc import Iterator
from typing import Any


def read(center: Any, store: Any, *, instance: str, store_id: str) -> dict[str, Any]:
    """All of it."""
    sets = {
        arn: center.describe_permission_set(InstanceArn=instance, PermissionSetArn=arn)["PermissionSet"]["Name"]
        for arn in _all(center, "list_permission_sets", "PermissionSets", InstanceArn=instance)
    }
    return {
        "users": [
            {
                "id": user["UserId"],
                "name": str(user.get("UserName", "")).casefold(),
                "active": user.get("UserStatus", "ENABLED") == "ENABLED",
            }
            for user in _all(store, "list_users", "Users", IdentityStoreId=store_id)
        ],
        "groups": [
            {
                "id": group["GroupId"],
                "name": group.get("DisplayName", group["GroupId"]),
                "members": [
                    one["MemberId"]["UserId"]
                    for one in _all(
                        store,
                        "list_group_memberships",
                        "GroupMemberships",
                        IdentityStoreId=store_id,
                        GroupId=group["GroupId"],
                    )
                ],
            }
            for group in _all(store, "list_groups", "Groups", IdentityStoreId=store_id)
        ],
        "sets": sorted(sets.values()),
        "assignments": [
            {
                "set": name,
                "account": account,
                "type": one["PrincipalType"],
                "principal": one["PrincipalId"],
            }
            for arn, name in sets.items()
            for account in _all(
                center,
                "list_accounts_for_provisioned_permission_set",
                "AccountIds",
                InstanceArn=instance,
                PermissionSetArn=arn,
            )
            for one in _all(
                center,
                "list_account_assignments",
                "AccountAssignments",
                InstanceArn=instance,
                AccountId=account,
                PermissionSetArn=arn,
            )
        ],
    }


def _all(client: Any, operation: str, items: str, **asked: str) -> Iterator[Any]:
    for page in client.get_paginator(operation).paginate(**asked):
        yield from page.get(items, ())
