"""The vault's items: one head for each credential, and one item for each of its versions.

Every step is repeatable: versions bear the name that their maker gave them, and the head changes in one conditional write.
Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError
from palisade_runtime.clock import Clock
from palisade_runtime.vault import (
    DIRECTORY,
    Place,
    Secret,
    VaultError,
    VaultSessions,
    plain,
    query,
    typed,
    version_id,
)

GRACE_DAYS = 7
"""The version before the current one can be taken back for so long; then DynamoDB deletes it."""

_STATES = ("current", "staged", "previous")


@dataclass(frozen=True, kw_only=True)
class Keeper:
    """Writes what it cannot read back: its sessions may seal, and open nothing."""

    sessions: VaultSessions
    table: str
    clock: Clock

    def put(self, place: Place, version: str, secret: Secret, *, user: str) -> str:
        """Keep ``secret`` as ``version``: current if there is none yet, staged if there is. Gives which of the two."""
        self.sessions.directory(user).put_item(
            TableName=self.table, Item=typed({"tenant": DIRECTORY, "entry": place.tenant})
        )
        clients = self.sessions.of(place.tenant, user)
        now = self.clock().isoformat()
        item: dict[str, str | bytes] = {
            **place.key(version),
            "sealed": clients.sealer.seal(place, version, secret),
            "key": clients.sealer.key,
            "sealed_at": now,
            "made_at": now,
        }
        self._if_true(
            lambda: clients.dynamodb.put_item(
                TableName=self.table, Item=typed(item), ConditionExpression="attribute_not_exists(entry)"
            )
        )
        if self._set_head(
            clients.dynamodb, place, "SET #current = :new", "attribute_not_exists(#current)", new=version
        ):
            return "current"
        # A retry of a put whose version is in use, or was, changes nothing.
        fresh = "#current <> :new AND (attribute_not_exists(previous) OR previous <> :new)"
        self._set_head(clients.dynamodb, place, "SET staged = :new", fresh, new=version)
        self._tidy(clients.dynamodb, place)
        head = self._head(clients.dynamodb, place)
        return next((state for state in _STATES if head.get(state) == version), "retired")

    def rotate(self, place: Place, version: str, *, user: str) -> None:
        """Make the staged ``version`` the current one, and keep the one before for the days of grace.

        Raises:
            VaultError: the version is not staged.
        """
        dynamodb = self.sessions.of(place.tenant, user).dynamodb
        head = self._head(dynamodb, place)
        if head.get("staged") == version_id(version):
            self._set_head(
                dynamodb,
                place,
                "SET previous = #current, #current = :new REMOVE staged",
                "staged = :new AND #current = :old",
                new=version,
                old=head["current"],
            )
            head = self._head(dynamodb, place)
        if head.get("current") != version:
            raise VaultError("that version is not staged; list what there is")
        self._tidy(dynamodb, place)

    def take_back(self, place: Place, version: str, *, user: str) -> None:
        """Make the previous ``version`` current again.

        Raises:
            VaultError: the version is not the previous one, or its grace is over.
        """
        dynamodb = self.sessions.of(place.tenant, user).dynamodb
        head = self._head(dynamodb, place)
        if head.get("previous") == version_id(version):
            kept = self._if_true(
                lambda: dynamodb.update_item(
                    TableName=self.table,
                    Key=typed(place.key(version)),
                    UpdateExpression="REMOVE expires_at",
                    ConditionExpression="attribute_exists(entry)",
                )
            )
            if not kept:
                raise VaultError("that version is deleted; put it anew")
            self._set_head(
                dynamodb,
                place,
                "SET previous = #current, #current = :new",
                "previous = :new AND #current = :old",
                new=version,
                old=head["current"],
            )
            head = self._head(dynamodb, place)
        if head.get("current") != version:
            raise VaultError("that version is not the previous one; list what there is")
        self._tidy(dynamodb, place)

    def tenants(self, *, user: str) -> list[str]:
        """Everybody who has a credential here."""
        return [item["entry"] for item in query(self.sessions.directory(user), self.table, DIRECTORY)]

    def entries(self, tenant: str, *, user: str) -> list[dict[str, Any]]:
        """Each version of ``tenant``: purpose, version, state, key and times; no ciphertext."""
        items = list(query(self.sessions.of(tenant, user).dynamodb, self.table, tenant))
        heads = {item["entry"]: item for item in items if "#" not in item["entry"]}
        found = []
        for item in items:
            purpose, separator, version = item["entry"].partition("#")
            if separator:
                head = heads.get(purpose, {})
                state = next((state for state in _STATES if head.get(state) == version), "retired")
                times = {name: item[name] for name in ("key", "made_at", "sealed_at")}
                found.append({"tenant": tenant, "purpose": purpose, "version": version, "state": state, **times})
        return found

    def _head(self, dynamodb: Any, place: Place) -> dict[str, Any]:
        found = dynamodb.get_item(TableName=self.table, Key=typed(place.head), ConsistentRead=True)
        return plain(found.get("Item", {}))

    def _set_head(self, dynamodb: Any, place: Place, update: str, condition: str, **values: str) -> bool:
        return self._if_true(
            lambda: dynamodb.update_item(
                TableName=self.table,
                Key=typed(place.head),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#current": "current"},
                ExpressionAttributeValues=typed({f":{name}": value for name, value in values.items()}),
            )
        )

    def _tidy(self, dynamodb: Any, place: Place) -> None:
        """Let the previous version end with its days of grace, and likewise whatever nothing refers to any more."""
        head = self._head(dynamodb, place)
        now = self.clock()
        for item in query(dynamodb, self.table, place.tenant, f"{place.purpose}#"):
            version = item["entry"].partition("#")[2]
            state = next((state for state in _STATES if head.get(state) == version), None)
            # What is a day old and nobody's is no put that is under way.
            left = state is None and item["made_at"] < (now - timedelta(days=1)).isoformat()
            if state == "previous" or left:
                end = str(int((now + timedelta(days=GRACE_DAYS)).timestamp()))
                # A retry does not put off the end.
                self._if_true(
                    lambda: dynamodb.update_item(
                        TableName=self.table,
                        Key=typed(place.key(version)),  # noqa: B023 - called at once
                        UpdateExpression="SET expires_at = :end",
                        ConditionExpression="attribute_exists(entry) AND attribute_not_exists(expires_at)",
                        ExpressionAttributeValues={":end": {"N": end}},  # noqa: B023
                    )
                )

    @staticmethod
    def _if_true(write: Any) -> bool:
        """Whether the condition of ``write`` was true, so that it happened."""
        try:
            write()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
                raise
            return False
        return True
