"""Who is on call at a given moment: people in turn, handed over once a week at a time of the wall clock, covers first.

The wall clock is the zone's: a hand-over at nine is at nine in summer and in winter. Where the clock skips or repeats the hour
of a hand-over, it happens at the first moment that the clock can be said to have reached it.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_WEEK = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Cover:
    """``person`` stands in from ``begins`` to ``ends``, moments of the zone's wall clock."""

    person: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """``people`` in turn, each for a week, the first from ``first`` at ``at`` of the wall clock in ``zone``.

    ``management`` is told of P0 besides everybody; ``holidays`` are no business days.
    """

    zone: str
    first: date
    at: time
    people: tuple[str, ...]
    management: tuple[str, ...] = ()
    covers: tuple[Cover, ...] = ()
    holidays: frozenset[date] = frozenset()

    @classmethod
    def read(cls, text: str) -> "Rotation":
        """From the JSON that ``stacks.settings.OnCall.written`` gives."""
        given: Mapping[str, Any] = json.loads(text)
        return cls(
            zone=given["zone"],
            first=date.fromisoformat(given["first"]),
            at=time.fromisoformat(given["at"]),
            people=tuple(given["people"]),
            management=tuple(given["management"]),
            covers=tuple(
                Cover(person=who, begins=datetime.fromisoformat(begins), ends=datetime.fromisoformat(ends))
                for who, begins, ends in given["covers"]
            ),
            holidays=frozenset(date.fromisoformat(one) for one in given["holidays"]),
        )

    @property
    def everyone(self) -> tuple[str, ...]:
        """The whole team and management."""
        return tuple(dict.fromkeys((*self.people, *self.management)))

    def on_call(self, at: datetime) -> str:
        """Whoever is called first at the moment ``at``."""
        for cover in self.covers:
            if self._instant(cover.begins) <= at < self._instant(cover.ends):
                return cover.person
        return self.people[self._turn(at) % len(self.people)]

    def after(self, person: str, at: datetime) -> str:
        """Whoever is called if ``person``, on call at ``at``, does not answer: the next in turn; with one person, the same."""
        turn = self._turn(at)
        for step in range(1, len(self.people) + 1):
            following = self.people[(turn + step) % len(self.people)]
            if following != person:
                return following
        return person

    def handed_over(self, at: datetime) -> datetime:
        """When the week of ``at`` began."""
        return self._start(self._turn(at))

    def business_day_after(self, at: datetime) -> datetime:
        """One business day after ``at``: the same time of the wall clock on the next day that is no weekend or holiday."""
        local = at.astimezone(self._zone)
        day = local.date() + timedelta(days=1)
        while not self.is_business_day(day):
            day += timedelta(days=1)
        return self._instant(datetime.combine(day, local.time().replace(fold=0)))

    def is_business_day(self, day: date) -> bool:
        """Whether offices are open."""
        return day.weekday() < 5 and day not in self.holidays

    def _turn(self, at: datetime) -> int:
        """Which week it is, the first being 0; weeks before the first count down."""
        local = at.astimezone(self._zone)
        turn = (local.date() - self.first).days // 7
        # Near a hand-over the date alone does not tell.
        while self._start(turn) > at:
            turn -= 1
        while self._start(turn + 1) <= at:
            turn += 1
        return turn

    def _start(self, turn: int) -> datetime:
        return self._instant(datetime.combine(self.first + turn * _WEEK, self.at))

    def _instant(self, wall: datetime) -> datetime:
        """The first moment at which the wall clock has reached ``wall``."""
        moment = wall.replace(tzinfo=self._zone, fold=0).astimezone(UTC)
        if moment.astimezone(self._zone).replace(tzinfo=None) == wall:
            return moment
        # The clock skips this time. The later of the two readings is before the skip; the clock then jumps past ``wall``.
        low, high = wall.replace(tzinfo=self._zone, fold=1).astimezone(UTC), moment
        while high - low > timedelta(seconds=1):
            middle = low + (high - low) / 2
            if middle.astimezone(self._zone).replace(tzinfo=None) >= wall:
                high = middle
            else:
                low = middle
        return high.replace(microsecond=0)

    @property
    def _zone(self) -> tzinfo:
        return _zone(self.zone)


@functools.cache
def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        # Configuration was checked where zones are known. Where they are not, a call an hour off is better than none.
        return UTC


def schedule(rotation: Rotation, since: datetime, weeks: int) -> Sequence[tuple[datetime, str]]:
    """The beginnings of the weeks from the one of ``since`` on, and who is then in turn (covers aside)."""
    turn = rotation._turn(since)
    return [
        (rotation._start(turn + week), rotation.people[(turn + week) % len(rotation.people)]) for week in range(weeks)
    ]
