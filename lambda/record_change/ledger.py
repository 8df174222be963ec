"""Appends to the chain: first into the table, whose condition lets one writer pass at a time, then into the archive."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from palisade_runtime.clock import Clock
from palisade_runtime.records import Records

from record_change.chain import BEGINNING, canonical, digest, name

_ATTEMPTS = 10
_RECENT = 25
_SAME = "change#"


class CrowdedError(Exception):
    """Others kept appending at the same moment; the caller tries again."""


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The chains in ``table`` (keys ``chain``, ``sequence``) and their copies in the archive."""

    dynamodb: Any
    table: str
    records: Records
    clock: Clock

    def append(self, chain: str, event: str, change: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Append that ``event`` happened to ``change``, or return the record if it was appended before.

        The record before is archived first, so that the archive never has a gap but at its end.

        Raises:
            CrowdedError: no turn came.
            ClientError: the table or the archive did not take it; what is in the table is archived at the next call.
        """
        kept = self._item(f"{_SAME}{change}", event)
        if kept is None:
            kept = self._append(chain, event, change, body)
        self._archive(chain, kept)
        return _read(kept)

    def archive_recent(self, chain: str) -> int:
        """Archive the newest records again, should a call have ended between table and archive; how many were missing."""
        return sum(self._archive(chain, item["record"]["S"]) for item in reversed(self._newest(chain, _RECENT)))

    def event(self, change: str, event: str) -> dict[str, Any] | None:
        """The record of ``event`` of ``change``, if there is one."""
        text = self._item(f"{_SAME}{change}", event)
        return None if text is None else _read(text)

    def _append(self, chain: str, event: str, change: str, body: Mapping[str, object]) -> str:
        for _ in range(_ATTEMPTS):
            newest = self._newest(chain, 1)
            before = newest[0]["record"]["S"] if newest else None
            if before is not None:
                self._archive(chain, before)
            sequence = 1 if before is None else _read(before)["sequence"] + 1
            text = canonical(
                {
                    **body,
                    "sequence": sequence,
                    "previous": BEGINNING if before is None else digest(before),
                    "at": self.clock().isoformat(timespec="seconds"),
                    "chain": chain,
                    "event": event,
                    "change": change,
                }
            )
            try:
                self.dynamodb.transact_write_items(
                    TransactItems=[
                        self._put(chain, name(sequence), text),
                        self._put(f"{_SAME}{change}", event, text),
                    ]
                )
            except ClientError as error:
                if error.response["Error"]["Code"] not in {
                    "TransactionCanceledException",
                    "TransactionConflictException",
                }:
                    raise
                same = self._item(f"{_SAME}{change}", event)
                if same is not None:
                    return same
            else:
                return text
        raise CrowdedError(chain)

    def _put(self, chain: str, sequence: str, text: str) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self.table,
                "Item": {"chain": {"S": chain}, "sequence": {"S": sequence}, "record": {"S": text}},
                "ConditionExpression": "attribute_not_exists(#chain)",
                "ExpressionAttributeNames": {"#chain": "chain"},
            }
        }

    def _archive(self, chain: str, text: str) -> bool:
        record = _read(text)
        return self.records.keep(chain, name(record["sequence"]), record)

    def _newest(self, chain: str, count: int) -> list[dict[str, Any]]:
        answer = self.dynamodb.query(
            TableName=self.table,
            KeyConditionExpression="#chain = :chain",
            ExpressionAttributeNames={"#chain": "chain"},
            ExpressionAttributeValues={":chain": {"S": chain}},
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=count,
        )
        items: list[dict[str, Any]] = answer["Items"]
        return items

    def _item(self, chain: str, sequence: str) -> str | None:
        answer = self.dynamodb.get_item(
            TableName=self.table,
            Key={"chain": {"S": chain}, "sequence": {"S": sequence}},
            ConsistentRead=True,
        )
        return str(answer["Item"]["record"]["S"]) if "Item" in answer else None


def _read(text: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(text)
    return record
