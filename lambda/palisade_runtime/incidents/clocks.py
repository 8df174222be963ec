"""Until when what must be done, who is called when, and of what people are reminded: all from the history and the time.

Pages and reminders are named by what they are about and not by when they were sent, so that none is sent twice and a late one
is still sent. Of several that are due, only the latest of each kind goes out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from palisade_runtime.incidents.history import History
from palisade_runtime.incidents.on_call import Rotation
from palisade_runtime.incidents.priorities import Priority

ACKNOWLEDGE = timedelta(minutes=5)
"""What was promised from detection to assignment."""
NOTIFY = timedelta(hours=72)
"""What was promised to customers, and what Article 33 of the GDPR gives for the regulator.
https://eur-lex.europa.eu/eli/reg/2016/679/oj"""
_NOTIFY_MARKS = tuple(timedelta(hours=hours) for hours in (24, 48, 66, 71, 72))
_POSTMORTEM_MARKS = tuple(timedelta(hours=hours) for hours in (-4, -1, 0))
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_HOUR = timedelta(hours=1)
_FIRST_ROUNDS = (timedelta(0), ACKNOWLEDGE, 2 * ACKNOWLEDGE, timedelta(minutes=20), timedelta(minutes=40))
_FORTNIGHT = timedelta(days=14)


@dataclass(frozen=True, kw_only=True)
class Page:
    """``name`` says which; ``to`` whom; ``why`` what it is about; ``loud`` if every channel carries it and not mail alone."""

    name: str
    to: tuple[str, ...]
    why: str
    loud: bool = True

    def as_json(self) -> dict[str, Any]:
        """As it passes between steps."""
        return {"name": self.name, "to": list(self.to), "why": self.why, "loud": self.loud}


def due(history: History, rotation: Rotation, now: datetime) -> list[Page]:
    """The pages that should have gone out by ``now`` and did not."""
    return [page for page in _latest(history, rotation, now) if f"paged-{page.name}" not in history.records]


def next_look(history: History, rotation: Rotation, now: datetime) -> datetime:
    """When to look again: at the next mark, and hourly for a fortnight, because people may have done something."""
    marks = [at for at, _ in _series(history, rotation, now) if at > now]
    unattended = history.priority is Priority.P3 or now - history.opened_at > _FORTNIGHT
    return min([*marks, now + (_DAY if unattended else _HOUR)])


def notify_by(history: History) -> datetime | None:
    """Until when customers and regulator must know; None if it is no breach."""
    return history.opened_at + NOTIFY if history.breach else None


def postmortem_by(history: History, rotation: Rotation) -> datetime | None:
    """Until when the post-mortem must be written and shared; None until the incident is resolved."""
    resolved = history.moment("resolved")
    return None if resolved is None else rotation.business_day_after(resolved)


def escalation(history: History, rotation: Rotation, at: datetime, round_: int) -> tuple[str, ...]:
    """Whom round ``round_`` of an unacknowledged incident calls."""
    first = rotation.on_call(at)
    if history.priority is Priority.P0 or round_ >= 2:
        return rotation.everyone
    return (first,) if round_ == 0 else (rotation.after(first, at),)


def _latest(history: History, rotation: Rotation, now: datetime) -> Iterator[Page]:
    latest: dict[str, Page] = {}
    for at, page in _series(history, rotation, now):
        if at <= now:
            latest[page.name.rpartition("-")[0]] = page
    yield from latest.values()


def _series(history: History, rotation: Rotation, now: datetime) -> Iterator[tuple[datetime, Page]]:
    """Every page of the past and the next of each kind, each kind in order of time."""
    if history.closed:
        return
    yield from _calls(history, rotation, now)
    yield from _notices(history, rotation, now)
    yield from _postmortems(history, rotation, now)
    yield from _standing(history, rotation, now)


def _calls(history: History, rotation: Rotation, now: datetime) -> Iterator[tuple[datetime, Page]]:
    level, since = history.levels[-1]
    # Whoever has it in hand is not called again, but everybody hears once that it became graver.
    once = history.acknowledged or "resolved" in history.records or level is Priority.P3
    for round_, at in enumerate([since] if once else _rounds(since, now)):
        why = "acknowledge it" if round_ == 0 else f"nobody has acknowledged it for {_minutes(at - since)} minutes"
        name = f"{level.name.lower()}-{round_}"
        yield (
            at,
            Page(name=name, to=escalation(history, rotation, at, round_), why=why, loud=level is not Priority.P3),
        )


def _notices(history: History, rotation: Rotation, now: datetime) -> Iterator[tuple[datetime, Page]]:
    if not history.breach:
        return
    for whom in ("customers", "regulator"):
        if history.told(whom):
            continue
        for index, at in enumerate(_marks(history.opened_at, _NOTIFY_MARKS, now)):
            left = history.opened_at + NOTIFY - at
            why = f"tell the {whom}: " + (f"{_hours(left)} hours are left of 72" if left > timedelta(0) else "OVERDUE")
            yield at, Page(name=f"{whom}-{index}", to=_owners(history, rotation, at, left <= _HOUR), why=why)


def _postmortems(history: History, rotation: Rotation, now: datetime) -> Iterator[tuple[datetime, Page]]:
    deadline = postmortem_by(history, rotation)
    if deadline is None or not _owed(history):
        return
    what = "write the post-mortem" if history.postmortem is None else "share the post-mortem with those affected"
    for index, at in enumerate(_marks(deadline, _POSTMORTEM_MARKS, now)):
        left = deadline - at
        why = f"{what}: " + (f"{_hours(left)} hours are left" if left > timedelta(0) else "OVERDUE")
        late = left <= timedelta(0) and history.priority is not Priority.P3
        yield (
            at,
            Page(
                name=f"postmortem-{index}",
                to=_owners(history, rotation, at, late),
                why=why,
                loud=history.priority is not Priority.P3,
            ),
        )


def _owed(history: History) -> bool:
    """Whether the post-mortem is still to be written or shared."""
    return history.postmortem is None or ("affected" in history.to_tell() and not history.told("affected"))


def _standing(history: History, rotation: Rotation, now: datetime) -> Iterator[tuple[datetime, Page]]:
    """Once a day (P3: once a week) whoever has it in hand hears that it is not resolved."""
    if "resolved" in history.records or not (history.acknowledged or history.priority is Priority.P3):
        return
    every = _WEEK if history.priority is Priority.P3 else _DAY
    for index, at in enumerate(_every(history.opened_at, every, now)):
        yield at, Page(name=f"standing-{index}", to=_owners(history, rotation, at, False), why="resolve it", loud=False)


def _owners(history: History, rotation: Rotation, at: datetime, everyone: bool) -> tuple[str, ...]:
    if everyone:
        return rotation.everyone
    known = [history.assignee] if history.assignee in rotation.everyone else []
    return tuple(dict.fromkeys(str(one) for one in (*known, rotation.on_call(at))))


def _rounds(since: datetime, now: datetime) -> Iterator[datetime]:
    """Every few minutes at first, hourly for a week, then daily."""
    yield from (since + after for after in _FIRST_ROUNDS)
    yield from _every(since, _HOUR, min(now, since + _WEEK))
    yield from _every(since + _WEEK, _DAY, now)


def _marks(zero: datetime, marks: tuple[timedelta, ...], now: datetime) -> Iterator[datetime]:
    """The marks around ``zero``, then once a day."""
    yield from (zero + mark for mark in marks)
    yield from _every(zero + marks[-1], _DAY, now)


def _every(since: datetime, step: timedelta, now: datetime) -> Iterator[datetime]:
    """Each step after ``since``, up to the first that lies ahead of ``now``."""
    at = since
    while at <= now:
        at += step
        yield at


def _minutes(span: timedelta) -> int:
    return round(span / timedelta(minutes=1))


def _hours(span: timedelta) -> int:
    return max(1, round(span / _HOUR))
