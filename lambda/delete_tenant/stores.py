"""Where a tenant's data lies. A store of another kind is one more class here, with two methods.

``count`` and ``delete`` work on one page: how much it had, and where to go on, or None at the end. Both may be repeated.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

_PAGE = 1000
_ITEMS = 200
_USERS = 60


class DeletionIncompleteError(Exception):
    """Some of a batch is still there; the same call again goes on."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """One step: how many things it had, and what the next one begins with."""

    number: int
    next: Any = None


class Store(Protocol):
    """One place where tenants' data lies."""

    def count(self, tenant: str, checkpoint: Any, /) -> Page:
        """How much one page holds of the tenant's."""

    def delete(self, tenant: str, checkpoint: Any, /) -> Page:
        """Delete one batch of the tenant's."""


@dataclass(frozen=True, kw_only=True)
class TableStore:
    """A DynamoDB table whose partition key is the tenant; ``sort`` is its sort key."""

    dynamodb: Any
    table: str
    sort: str

    def count(self, tenant: str, checkpoint: Any) -> Page:
        """Items of one page."""
        start = {} if checkpoint is None else {"ExclusiveStartKey": self._key(tenant, checkpoint)}
        answer = self._ask(tenant, Select="COUNT", **start)
        last = answer.get("LastEvaluatedKey")
        return Page(number=answer["Count"], next=last and last[self.sort]["S"])

    def delete(self, tenant: str, _checkpoint: Any) -> Page:
        """The first items that are there."""
        names = {"#sort": self.sort}
        answer = self._ask(tenant, names, Limit=_ITEMS, ProjectionExpression="#tenant, #sort")
        keys = [self._key(tenant, item[self.sort]["S"]) for item in answer["Items"]]
        if not keys:
            return Page(number=0)
        for key in keys:
            self.dynamodb.delete_item(TableName=self.table, Key=key)
        return Page(number=len(keys), next="again")

    def _ask(self, tenant: str, names: Mapping[str, str] | None = None, **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.dynamodb.query(
            TableName=self.table,
            KeyConditionExpression="#tenant = :tenant",
            ExpressionAttributeNames={"#tenant": "tenant", **(names or {})},
            ExpressionAttributeValues={":tenant": {"S": tenant}},
            ConsistentRead=True,
            **more,
        )
        return answer

    def _key(self, tenant: str, sort: str) -> dict[str, Any]:
        return {"tenant": {"S": tenant}, self.sort: {"S": sort}}


@dataclass(frozen=True, kw_only=True)
class ObjectStore:
    """A versioned bucket in which the tenant is the first segment of every key."""

    s3: Any
    bucket: str

    def count(self, tenant: str, checkpoint: Any) -> Page:
        """Versions and delete markers of one page."""
        start = {} if checkpoint is None else {"KeyMarker": checkpoint[0], "VersionIdMarker": checkpoint[1]}
        answer = self._list(tenant, **start)
        number = len(_versions(answer))
        if not answer.get("IsTruncated"):
            return Page(number=number)
        return Page(number=number, next=[answer["NextKeyMarker"], answer.get("NextVersionIdMarker", "")])

    def delete(self, tenant: str, _checkpoint: Any) -> Page:
        """The first versions and delete markers that are there, for good."""
        found = _versions(self._list(tenant))
        if not found:
            return Page(number=0)
        answer = self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": found, "Quiet": True})
        if answer.get("Errors"):
            raise DeletionIncompleteError(f"{len(answer['Errors'])} versions remain")
        return Page(number=len(found), next="again")

    def _list(self, tenant: str, **more: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.s3.list_object_versions(
            Bucket=self.bucket, Prefix=f"{tenant}/", MaxKeys=_PAGE, **more
        )
        return answer


def _versions(answer: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"Key": one["Key"], "VersionId": one["VersionId"]}
        for one in (*answer.get("Versions", ()), *answer.get("DeleteMarkers", ()))
    ]


@dataclass(frozen=True, kw_only=True)
class UserStore:
    """A Cognito user pool. It finds no user by tenant, so every page of it is looked through.

    A user is the tenant's by the attribute that only administrators set, or by the provider that let the user in.
    https://docs.aws.amazon.com/cognito/latest/developerguide/how-to-manage-user-accounts.html
    """

    cognito: Any
    pool: str
    providers: Mapping[str, str]

    def count(self, tenant: str, checkpoint: Any) -> Page:
        """Users of one page."""
        names, following = self._page(tenant, checkpoint)
        return Page(number=len(names), next=following)

    def delete(self, tenant: str, checkpoint: Any) -> Page:
        """The tenant's among the users of one page. Sessions end with their user: the authorizer asks for it every time."""
        names, following = self._page(tenant, checkpoint)
        for name in names:
            try:
                self.cognito.admin_delete_user(UserPoolId=self.pool, Username=name)
            except self.cognito.exceptions.UserNotFoundException:
                continue
        return Page(number=len(names), next=following)

    def _page(self, tenant: str, token: str | None) -> tuple[list[str], str | None]:
        start = {} if token is None else {"PaginationToken": token}
        answer = self.cognito.list_users(UserPoolId=self.pool, Limit=_USERS, **start)
        names = [user["Username"] for user in answer["Users"] if set(self._tenants(user)) == {tenant}]
        return names, answer.get("PaginationToken")

    def _tenants(self, user: Mapping[str, Any]) -> Iterator[str]:
        attributes = {one["Name"]: one.get("Value", "") for one in user.get("Attributes", ())}
        if attributes.get("custom:tenant"):
            yield attributes["custom:tenant"]
        try:
            identities = json.loads(attributes.get("identities") or "[]")
        except ValueError:
            identities = []
        for one in identities if isinstance(identities, list) else [identities]:
            if isinstance(one, dict) and one.get("providerName") in self.providers:
                yield self.providers[one["providerName"]]
