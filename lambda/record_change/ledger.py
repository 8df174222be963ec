"""Appends to a chain that lies in the locked archive and nowhere else.

S3 lets one writer make the next record and refuses all others, so whoever lost looks at the new end and tries again.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
    _read: dict[tuple[str, str], str] = field(default_factory=dict)

    def append(self, chain: str, event: str, change: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Append that ``event`` happened to ``change``, or return the record if it was appended before.

        Raises:
            CrowdedError: no turn came.
            ClientError: the archive did not take it; nothing was recorded, or the same call finds what was.
        """
        for _ in range(_ATTEMPTS):
            names = self.records.events(chain)
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
        return self._find(chain, self.records.events(chain), fits)

    def approvers(self, chain: str, commit: str) -> list[str]:
        """Who approved ``commit`` for ``chain`` within the last days: IAM lets a person write under their own id only.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
        """
        since = self.clock() - timedelta(days=APPROVAL_DAYS)
        subjects = self.records.subjects_of("approve", f"{chain}@{commit}@")
        deeds = [deed for subject in subjects for deed in self.records.deeds("approve", subject)]
        return sorted({deed.person for deed in deeds if deed.at >= since})

    def _find(self, chain: str, names: list[str], fits: Fits) -> dict[str, Any] | None:
        for one in reversed(names[-_RECENT:]):
            record: dict[str, Any] = json.loads(self._text(chain, one))
            if fits(record):
                return record
        return None

    def _text(self, chain: str, record: str) -> str:
        """Records never change, so each is read once."""
        if (chain, record) not in self._read:
            self._read[chain, record] = self.records.text(chain, record)
        return self._read[chain, record]
