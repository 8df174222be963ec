"""Appends to a chain that lies in the locked archive and nowhere else.

S3 lets one writer make the next record and refuses all others, so whoever lost looks at the new end and tries again.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from palisade_runtime.clock import Clock
from palisade_runtime.records import Records

from record_change.chain import BEGINNING, canonical, digest, name

APPROVAL_DAYS = 7
_ATTEMPTS = 10
_RECENT = 50
"""How far back a record is looked for that the same call may have appended before: calls are repeated at once or not at all."""

Fits = Callable[[Mapping[str, Any]], bool]


class CrowdedError(Exception):
    """Others kept appending at the same moment; the caller tries again."""


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The chains under the records of one workflow, and the approvals beside them."""

    records: Records
    clock: Clock

    def append(self, chain: str, event: str, change: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Append that ``event`` happened to ``change``, or return the record if it was appended before.

        Raises:
            CrowdedError: no turn came.
            ClientError: the archive did not take it; nothing was recorded, or the same call finds what was.
        """
        for _ in range(_ATTEMPTS):
            names = self._names(chain)
            same = self._find(chain, names, lambda one: one["change"] == change and one["event"] == event)
            if same is not None:
                return same
            before = self._text(chain, names[-1]) if names else None
            sequence = int(names[-1]) + 1 if names else 1
            record = {
                **body,
                "sequence": sequence,
                "previous": BEGINNING if before is None else digest(before),
                "at": self.clock().isoformat(timespec="seconds"),
                "chain": chain,
                "event": event,
                "change": change,
            }
            if self.records.keep(chain, name(sequence), record):
                plain: dict[str, Any] = json.loads(canonical(record))
                return plain
        raise CrowdedError(chain)

    def find(self, chain: str, fits: Fits) -> dict[str, Any] | None:
        """The newest of the recent records that ``fits``."""
        return self._find(chain, self._names(chain), fits)

    def approvers(self, chain: str, commit: str) -> list[str]:
        """Who approved ``commit`` for ``chain`` within the last days: IAM lets a person write under their own id only.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
        """
        prefix = f"{self.records.account}/{self.records.workflow}-approvals/{chain}@{commit}@"
        since = self.clock() - timedelta(days=APPROVAL_DAYS)
        ids = [one["Key"].rpartition("/")[2] for one in self._objects(prefix) if one["LastModified"] >= since]
        return sorted({one.partition(":")[2].removesuffix(".json").casefold() for one in ids})

    def _find(self, chain: str, names: list[str], fits: Fits) -> dict[str, Any] | None:
        for one in reversed(names[-_RECENT:]):
            record: dict[str, Any] = json.loads(self._text(chain, one))
            if fits(record):
                return record
        return None

    def _names(self, chain: str) -> list[str]:
        prefix = f"{self.records.account}/{self.records.workflow}/{chain}/"
        return sorted(one["Key"].removeprefix(prefix).removesuffix(".json") for one in self._objects(prefix))

    def _objects(self, prefix: str) -> Iterator[dict[str, Any]]:
        pages = self.records.s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.records.bucket, Prefix=prefix, ExpectedBucketOwner=self.records.owner):
            yield from page.get("Contents", ())

    def _text(self, chain: str, record: str) -> str:
        answer = self.records.s3.get_object(
            Bucket=self.records.bucket,
            Key=f"{self.records.account}/{self.records.workflow}/{chain}/{record}.json",
            ExpectedBucketOwner=self.records.owner,
        )
        return str(answer["Body"].read().decode())
