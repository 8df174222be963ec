"""The stage's register of tenants: when a contract ends, who holds, how far a deletion is. It outlives what it tells of.

One item a tenant. Whoever writes a tenant's data asks ``closed`` first; whoever deletes it asks ``permit`` before each batch.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from palisade_runtime.identifiers import tenant_id

GRACE_DAYS = 30
"""A tenant's data goes so many days after its contract's last day."""

DELETING, DELETED = "deleting", "deleted"

_FREE = "(attribute_not_exists(holds) OR size(holds) = :none)"


class HeldError(Exception):
    """Somebody must not lose this tenant's data: nothing may be deleted until every hold is released."""


class NotAuthorizedError(Exception):
    """Nobody, and no contract's end, asked for this deletion; or it is over already."""


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """What the register says of a tenant. ``found`` is how much there was before anything was deleted, by store."""

    name: str
    contract_ends: date | None = None
    holds: frozenset[str] = frozenset()
    status: str = ""
    request: str = ""
    closed_at: datetime | None = None
    found: Mapping[str, int] | None = None
    reminded: frozenset[str] = frozenset()

    @property
    def due(self) -> date | None:
        """The first day on which the end of its contract deletes it."""
        return None if self.contract_ends is None else self.contract_ends + timedelta(days=GRACE_DAYS)


def closed(dynamodb: Any, table: str, tenant: str) -> bool:
    """Whether nothing may be written for ``tenant`` any more, not even what was under way."""
    item = _item(dynamodb, table, tenant)
    return item is not None and "closed_at" in item


def permit(dynamodb: Any, table: str, tenant: str, request: str) -> None:
    """See that ``request`` may delete from ``tenant`` at this very moment.

    Raises:
        HeldError: there is a hold.
        NotAuthorizedError: no such deletion is under way, or its tenant is still open.
    """
    found = Register(dynamodb=dynamodb, table=table).get(tenant)
    if found.holds:
        raise HeldError(tenant)
    if found.status != DELETING or found.request != request or found.closed_at is None:
        raise NotAuthorizedError(tenant)


@dataclass(frozen=True, kw_only=True)
class Register:
    """The table. Every change is one conditional write, so that two at once cannot both be right."""

    dynamodb: Any
    table: str

    def get(self, tenant: str) -> Tenant:
        """What is known; of an unknown tenant, its name."""
        item = _item(self.dynamodb, self.table, tenant)
        return Tenant(name=tenant) if item is None else _read(item)

    def all(self) -> Iterator[Tenant]:
        """Every tenant of whom anything was ever said."""
        for page in self.dynamodb.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True):
            yield from (_read(item) for item in page["Items"])

    def set_contract(self, tenant: str, ends: date | None) -> bool:
        """Its contract's last day, or none; False if its data is being deleted already."""
        change = "REMOVE contract_ends, reminded" if ends is None else "SET contract_ends = :ends REMOVE reminded"
        values = {} if ends is None else {":ends": {"S": ends.isoformat()}}
        return self._change(tenant, change, "attribute_not_exists(#status)", values)

    def remind(self, tenant: str, mark: str) -> bool:
        """Note that somebody was reminded; False if they were before."""
        values = {":mark": {"SS": [mark]}, ":one": {"S": mark}}
        return self._change(tenant, "ADD reminded :mark", "NOT contains(reminded, :one)", values)

    def hold(self, tenant: str, case: str) -> None:
        """Nothing is deleted from now on."""
        self._change(tenant, "ADD holds :case", None, {":case": {"SS": [case]}})

    def lift(self, tenant: str, case: str) -> None:
        """This case holds no more; another one may."""
        self._change(tenant, "DELETE holds :case", None, {":case": {"SS": [case]}})

    def authorize(self, tenant: str, request: str, *, ended: date | None = None) -> None:
        """``request`` may delete the tenant; with ``ended``, because its contract ended that day.

        Raises:
            HeldError: there is a hold.
            NotAuthorizedError: another deletion came first, or the contract was renewed meanwhile.
        """
        values = {":status": {"S": DELETING}, ":request": {"S": request}, ":none": {"N": "0"}}
        condition = f"{_FREE} AND (attribute_not_exists(#status) OR (#status = :status AND #request = :request))"
        if ended is not None:
            values[":ends"] = {"S": ended.isoformat()}
            condition += " AND contract_ends = :ends"
        if not self._change(tenant, "SET #status = :status, #request = :request", condition, values):
            raise HeldError(tenant) if self.get(tenant).holds else NotAuthorizedError(tenant)

    def close(self, tenant: str, request: str, at: datetime) -> datetime:
        """Put the tombstone; the moment at which it was put first.

        Raises:
            HeldError, NotAuthorizedError: as ``authorize`` does.
        """
        values = {
            ":status": {"S": DELETING},
            ":request": {"S": request},
            ":at": {"S": at.isoformat(timespec="seconds")},
            ":none": {"N": "0"},
        }
        condition = f"{_FREE} AND #status = :status AND #request = :request"
        change = "SET closed_at = if_not_exists(closed_at, :at)"
        if not self._change(tenant, change, condition, values):
            raise HeldError(tenant) if self.get(tenant).holds else NotAuthorizedError(tenant)
        first = self.get(tenant).closed_at
        assert first is not None
        return first

    def count(self, tenant: str, found: Mapping[str, int]) -> Mapping[str, int]:
        """Keep how much there was, the first time; what was kept."""
        values = {":found": {"M": {store: {"N": str(number)} for store, number in found.items()}}}
        self._change(tenant, "SET #found = if_not_exists(#found, :found)", None, values)
        return self.get(tenant).found or {}

    def finish(self, tenant: str, request: str) -> None:
        """Nothing of it is left. The tombstone stays: nobody is to be called by this name again."""
        values = {":deleted": {"S": DELETED}, ":request": {"S": request}}
        self._change(tenant, "SET #status = :deleted", "#request = :request", values)

    def _change(self, tenant: str, change: str, condition: str | None, values: Mapping[str, Any]) -> bool:
        words = {"#status": "status", "#request": "request", "#found": "found"}
        text = f"{change} {condition or ''}"
        try:
            self.dynamodb.update_item(
                TableName=self.table,
                Key={"tenant": {"S": tenant_id(tenant)}},
                UpdateExpression=change,
                **({"ConditionExpression": condition} if condition else {}),
                **({"ExpressionAttributeValues": dict(values)} if values else {}),
                **(
                    {"ExpressionAttributeNames": names}
                    if (names := {k: v for k, v in words.items() if k in text})
                    else {}
                ),
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
                return False
            raise
        return True


def _item(dynamodb: Any, table: str, tenant: str) -> dict[str, Any] | None:
    key = {"tenant": {"S": tenant_id(tenant)}}
    found: dict[str, Any] | None = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
    return found


def _read(item: Mapping[str, Any]) -> Tenant:
    def text(name: str) -> str:
        return str(item.get(name, {}).get("S", ""))

    found = item.get("found", {}).get("M")
    return Tenant(
        name=text("tenant"),
        contract_ends=date.fromisoformat(text("contract_ends")) if "contract_ends" in item else None,
        holds=frozenset(item.get("holds", {}).get("SS", ())),
        status=text("status"),
        request=text("request"),
        closed_at=datetime.fromisoformat(text("closed_at")) if "closed_at" in item else None,
        found=None if found is None else {store: int(number["N"]) for store, number in found.items()},
        reminded=frozenset(item.get("reminded", {}).get("SS", ())),
    )
