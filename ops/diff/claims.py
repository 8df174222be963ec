"""Which promises change status, and why."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass

from proofs.finding import Case
from proofs.register.claims import load as load_register
from proofs.register.decide import Decided, Status, decide
from proofs.terms import Terms

_RANK = {Status.BROKEN: 0, Status.PARTIAL: 1, Status.HOLDS: 2, Status.ATTEST: 2}


@dataclass(frozen=True, kw_only=True)
class ClaimChange:
    """One promise that is not what it was. ``breaks`` if it held and holds no more, or has a counter-example now."""

    id: str
    claim: str
    before: str
    after: str
    breaks: bool
    better: bool
    reasons: tuple[str, ...]


def claim_changes(before: Case, after: Case) -> list[ClaimChange]:
    """Promises whose status or reasons differ, those that break first. The present register judges both."""
    claims = load_register().claims
    changes = [
        change
        for old, new in zip(decide(before, claims), decide(after, claims), strict=True)
        if (change := _change(old, new)) is not None
    ]
    return sorted(changes, key=lambda change: (not change.breaks, change.better, change.id))


def term_changes(before: Terms, after: Terms) -> list[str]:
    """What the configuration promises otherwise than before, in numbers and places: proofs measure by it."""
    return [
        f"{field.name}: {_spoken(old)} -> {_spoken(new)}"
        for field in dataclasses.fields(Terms)
        if (old := getattr(before, field.name)) != (new := getattr(after, field.name))
    ]


def _change(old: Decided, new: Decided) -> ClaimChange | None:
    worse = list(_new_faults(old, new))
    mended = list(_new_faults(new, old))
    if old.status is new.status and not worse and not mended:
        return None
    rank = _RANK[new.status] - _RANK[old.status]
    more_broken = new.status is Status.BROKEN and any(text.startswith("broken:") for text in worse)
    better = rank > 0 or (rank == 0 and not worse)
    return ClaimChange(
        id=new.claim.id,
        claim=new.claim.claim,
        before=str(old.status),
        after=str(new.status),
        breaks=more_broken or (rank < 0 and old.status is Status.HOLDS),
        better=better,
        reasons=tuple(f"no longer {text}" for text in mended) if better else tuple(worse),
    )


_WAITS = re.compile(r"(not proven yet, though .+? is there|nothing in the assembly (does|shows) this yet): ")
"""What a promise waits for stays the same, whether or not something of the kind is there by now."""


def _new_faults(old: Decided, new: Decided) -> Iterator[str]:
    known = {str(one) for one in old.counter_examples}
    waited_for = {_WAITS.sub("", text) for text in old.missing}
    yield from (f"broken: {one}" for one in new.counter_examples if str(one) not in known)
    yield from (f"missing: {text}" for text in new.missing if _WAITS.sub("", text) not in waited_for)


def _spoken(value: object) -> str:
    return ", ".join(sorted(map(str, value))) or "none" if isinstance(value, frozenset) else str(value)
