"""Who was granted which level of which stage, from where and until when, as the records of the workflow say.

A request has a subject of its own (``20260302-0123456789``) and at most one record of each event: ``request``, ``decision``,
``revocation``, ``opened``, ``closed``. Whatever is true of a grant follows from these, so every function that asks agrees.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from palisade_runtime.records import Records

REMEMBERED = timedelta(days=3)
"""How far back requests are looked for; longer than a request waits and its grant lasts, together."""
ID = re.compile(r"20\d{6}-[0-9a-f]{10}")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A level of one stage: one permission set in one account."""

    stage: str
    level: str


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What was approved. ``end`` is when it expires or was revoked; ``user`` is the directory's id, ``person`` the name."""

    id: str
    place: Place
    user: str
    person: str
    address: str
    start: datetime
    end: datetime
    tenants: tuple[str, ...]
    revoked: bool
    closed: bool

    def live(self, now: datetime) -> bool:
        """Whether it holds at this moment."""
        return not self.revoked and self.start <= now < self.end


@dataclass(frozen=True, kw_only=True)
class Passage:
    """What a person's grants from one address come to: sessions that began from ``since`` on are let through ``until``."""

    user: str
    person: str
    address: str
    since: datetime
    until: datetime


def grant(records: Records, identity: str) -> Grant | None:
    """The grant of that id; None if it was not approved."""
    events = set(records.events(identity))
    decision = _read(records, identity, "decision") if "decision" in events else {}
    if decision.get("outcome") != "approved":
        return None
    request = _read(records, identity, "request")
    end = datetime.fromisoformat(decision["expires"])
    if "revocation" in events:
        end = min(end, datetime.fromisoformat(_read(records, identity, "revocation")["at"]))
    return Grant(
        id=identity,
        place=Place(stage=request["stage"], level=request["level"]),
        user=request["user"],
        person=request["by"],
        address=request["address"],
        start=datetime.fromisoformat(decision["at"]),
        end=end,
        tenants=tuple(request["tenants"]),
        revoked="revocation" in events,
        closed="closed" in events,
    )


def recent(records: Records, now: datetime) -> list[str]:
    """Ids of all requests that may still matter, the oldest first."""
    days = (REMEMBERED.days, *range(REMEMBERED.days - 1, -2, -1))
    found = (records.subjects(f"{now - timedelta(days=day):%Y%m%d}-") for day in days)
    return [one for each in found for one in each if ID.fullmatch(one)]


def grants(records: Records, now: datetime) -> list[Grant]:
    """Every grant that may still matter."""
    found = (grant(records, one) for one in recent(records, now))
    return [one for one in found if one is not None]


def passages(found: Sequence[Grant], place: Place, now: datetime) -> list[Passage]:
    """Who may pass at ``place`` now. Grants that follow each other without a gap are one, so the end of the first ends nobody's
    session while the second lives; one that was revoked carries nothing on."""
    by_door: dict[tuple[str, str], list[Grant]] = {}
    for one in found:
        if one.place == place and not one.revoked:
            by_door.setdefault((one.user, one.address), []).append(one)
    return [
        passage
        for _, mine in sorted(by_door.items())
        for passage in _merged(mine)
        if passage.since <= now < passage.until
    ]


def _merged(mine: Sequence[Grant]) -> Iterator[Passage]:
    mine = sorted(mine, key=lambda one: (one.start, one.end))
    since, until = mine[0].start, mine[0].end
    for one in (*mine[1:], None):
        if one is not None and one.start <= until:
            until = max(until, one.end)
            continue
        first = mine[0]
        yield Passage(user=first.user, person=first.person, address=first.address, since=since, until=until)
        if one is not None:
            since, until = one.start, one.end


def _read(records: Records, identity: str, event: str) -> Mapping[str, Any]:
    found = records.read(identity, event)
    if found is None:
        raise LookupError(f"{identity}/{event} was listed and is not there")
    return found
