"""What is recorded of reviews, and what follows from it: the document, who signed, what is still open.

Records of a review ``admin-2026-11``: ``opened``, ``facts.<round>.<account>`` and ``missing.<round>.<account>`` of each
collection, ``document``, ``report``, ``signature.<number>.<person>``, ``complete``, ``gone.<finding>``, ``told.<mark>``.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from palisade_runtime.grants import ID, grant
from palisade_runtime.records import Records

from review_access.findings import Collected, Grant, Rules
from review_access.periods import PERIOD
from review_access.signing import REVOKE, Signature, state


@dataclass(frozen=True, kw_only=True)
class Store:
    """The records of reviews, and those of grants beside them. ``stages`` are accounts by the stage's name."""

    records: Records
    granted: Records
    rules: Rules
    accounts: Mapping[str, str]
    reviewers: Mapping[str, tuple[str, ...]]

    def periods(self) -> list[str]:
        """Every review that was opened, the oldest first."""
        found = [one for one in self.records.subjects() if PERIOD.fullmatch(one)]
        return sorted(found, key=lambda one: (self.opened(one), one))

    def opened(self, period: str) -> str:
        """When it was opened; empty if it was not."""
        return str((self.records.read(period, "opened") or {}).get("at", ""))

    def collected(self, period: str, number: int, now: datetime) -> Collected:
        """What one collection found."""
        facts, missing = {}, {}
        for account in self.accounts.values():
            name = f"{number:03d}.{account}"
            found = self.records.read(period, f"facts.{name}")
            if found is not None:
                facts[account] = found
            else:
                missing[account] = str((self.records.read(period, f"missing.{name}") or {}).get("error", "no answer"))
        return Collected(rules=self.rules, facts=facts, missing=missing, grants=self.grants(now), now=now)

    def grants(self, now: datetime) -> list[Grant]:
        """Grants of the last months, from the records of the workflow that grants."""
        found = []
        months = {f"{_months_ago(now, ago):%Y%m}" for ago in range(5)}
        for subject in sorted(one for month in months for one in self.granted.subjects(month) if ID.fullmatch(one)):
            one = grant(self.granted, subject)
            if one is not None:
                found.append(
                    Grant(
                        id=subject,
                        account=self.accounts.get(one.place.stage, ""),
                        level=one.place.level,
                        user=one.user,
                        person=one.person.casefold(),
                        start=one.start,
                        end=one.end,
                        closed=one.closed or one.revoked,
                    )
                )
        return found

    def document(self, period: str) -> tuple[dict[str, Any], str] | None:
        """The document and its digest; None if there is none yet."""
        if "document" not in self.records.events(period, "document"):
            return None
        text = self.records.text(period, "document")
        found: dict[str, Any] = json.loads(text)
        return found, hashlib.sha256(text.encode()).hexdigest()

    def before(self, period: str) -> dict[str, Any] | None:
        """The document of the review before, of whatever kind, because the list of rights is the same."""
        known = self.periods()
        earlier = known[: known.index(period)] if period in known else known
        for one in reversed(earlier):
            found = self.document(one)
            if found is not None:
                return found[0]
        return None

    def signatures(self, period: str) -> list[Signature]:
        """Every signature that counted when it was made."""
        found = []
        for event in self.records.events(period, "signature."):
            body = self.records.read(period, event) or {}
            found.append(
                Signature(
                    person=body["person"],
                    digest=body["digest"],
                    decisions=body["decisions"],
                    reason=body["reason"],
                    at=body["at"],
                )
            )
        return sorted(found, key=lambda one: (one.at, one.person))

    def state(self, period: str, kind: str) -> dict[str, Any]:
        """How far the review is: as ``signing.state``, with what is ``open`` (revoked and not yet gone) and ``gone``."""
        found = self.document(period)
        if found is None:
            return {
                "composed": False,
                "complete": False,
                "closed": False,
                "undecided": [],
                "signers": [],
                "open": [],
                "gone": [],
            }
        document, _ = found
        now = state(document, self.signatures(period), self.reviewers[kind])
        events = set(self.records.events(period))
        revoked = [name for name, decision in now["decisions"].items() if decision == REVOKE]
        gone = [name for name in revoked if f"gone.{name}" in events]
        still = [name for name in revoked if name not in gone]
        complete = "complete" in events
        return {
            **now, "composed": True, "complete": complete, "closed": complete and not still, "open": still, "gone": gone,
        }  # fmt: skip


def _months_ago(now: datetime, ago: int) -> datetime:
    month = now.year * 12 + now.month - 1 - ago
    return now.replace(year=month // 12, month=month % 12 + 1, day=1)
