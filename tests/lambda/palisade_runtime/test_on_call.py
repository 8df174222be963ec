"""Who is on call: by the wall clock, across hand-overs, covers and the changes of the clock."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from palisade_runtime.incidents.on_call import Cover, Rotation, schedule

from stacks.settings import Cover as ConfiguredCover
from stacks.settings import OnCall, Person

DUBLIN = Rotation(
    zone="Europe/Dublin",
    first=date(2026, 1, 5),
    at=time(9),
    people=("ada", "ben", "cem"),
    management=("mia", "ada"),
    covers=(
        Cover(
            person="cem",
            begins=datetime.fromisoformat("2026-01-06T18:00"),
            ends=datetime.fromisoformat("2026-01-07T08:00"),
        ),
    ),
    holidays=frozenset({date(2026, 4, 6), date(2026, 12, 25)}),
)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _naive(rotation: Rotation, at: datetime) -> str:
    """Walk week by week, and minute by minute at each hand-over, until the wall clock has reached it."""
    zone = ZoneInfo(rotation.zone)
    begun = -1
    for week in range(60):
        wall = datetime.combine(rotation.first + timedelta(weeks=week), rotation.at)
        moment = (wall - timedelta(hours=15)).replace(tzinfo=UTC)
        while moment.astimezone(zone).replace(tzinfo=None) < wall:
            moment += timedelta(minutes=1)
        if moment > at:
            break
        begun = week
    return rotation.people[begun % len(rotation.people)]


ZONES = ["Europe/Dublin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kolkata", "Africa/Cairo"]


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    weekday=st.integers(0, 6),
    at=st.times(time(0), time(3, 59)).map(lambda one: one.replace(second=0, microsecond=0, tzinfo=None)),
    people=st.integers(1, 5),
    minutes=st.integers(0, 52 * 7 * 24 * 60),
)
def test_is_whom_a_walk_through_the_year_finds(zone: str, weekday: int, at: time, people: int, minutes: int) -> None:
    first = date(2026, 1, 5) + timedelta(days=weekday)
    rotation = Rotation(zone=zone, first=first, at=at, people=tuple("abcde"[:people]))
    moment = datetime(2026, 1, 13, tzinfo=UTC) + timedelta(minutes=minutes)
    assert rotation.on_call(moment) == _naive(rotation, moment)


@pytest.mark.parametrize("zone", ZONES)
def test_every_hand_over_of_two_years_is_once_and_about_a_week_long(zone: str) -> None:
    rotation = Rotation(zone=zone, first=date(2026, 1, 4), at=time(2, 30), people=("a", "b"))
    begins = [moment for moment, _ in schedule(rotation, datetime(2026, 1, 10, tzinfo=UTC), 104)]
    for one, following in pairwise(begins):
        assert timedelta(days=6, hours=22) < following - one < timedelta(days=7, hours=2)
        assert rotation.on_call(following - timedelta(seconds=1)) != rotation.on_call(following)
        assert rotation.handed_over(following) == following


def test_hands_over_at_nine_in_winter_and_in_summer() -> None:
    assert DUBLIN.on_call(_at("2026-03-23T08:59:59")) != DUBLIN.on_call(_at("2026-03-23T09:00:00"))
    assert DUBLIN.on_call(_at("2026-03-30T07:59:59")) != DUBLIN.on_call(_at("2026-03-30T08:00:00"))


def test_a_skipped_hour_hands_over_as_the_clock_jumps_and_a_repeated_one_the_first_time() -> None:
    spring = Rotation(zone="Europe/Dublin", first=date(2026, 3, 22), at=time(1, 30), people=("a", "b"))
    assert [spring.on_call(_at(t)) for t in ("2026-03-29T00:59:59", "2026-03-29T01:00:00")] == ["a", "b"]
    autumn = Rotation(zone="Europe/Dublin", first=date(2026, 10, 18), at=time(1, 30), people=("a", "b"))
    turns = ("2026-10-25T00:29:59", "2026-10-25T00:30:00", "2026-10-25T01:30:00")
    assert [autumn.on_call(_at(t)) for t in turns] == ["a", "b", "b"]


def test_a_cover_comes_before_the_turn() -> None:
    times = ("2026-01-06T17:59", "2026-01-06T18:00", "2026-01-07T07:59", "2026-01-07T08:00")
    assert [DUBLIN.on_call(_at(t)) for t in times] == ["ada", "cem", "cem", "ada"]


def test_the_next_is_somebody_else_unless_there_is_nobody_else() -> None:
    at = _at("2026-01-06T12:00")
    assert DUBLIN.after("ada", at) == "ben"
    assert DUBLIN.after("ben", at) == "cem"
    alone = Rotation(zone="Etc/UTC", first=date(2026, 1, 5), at=time(9), people=("ada",))
    assert alone.after("ada", at) == "ada"


def test_before_the_first_week_the_turns_count_back() -> None:
    assert DUBLIN.on_call(_at("2026-01-05T08:59")) == "cem"


def test_everyone_is_named_once() -> None:
    assert DUBLIN.everyone == ("ada", "ben", "cem", "mia")


@pytest.mark.parametrize(
    ("at", "deadline"),
    [
        ("2026-03-02T15:00", "2026-03-03T15:00"),  # Monday
        ("2026-03-06T15:00", "2026-03-09T15:00"),  # Friday
        ("2026-03-07T10:00", "2026-03-09T10:00"),  # Saturday
        ("2026-04-03T14:00", "2026-04-07T14:00"),  # Friday before Easter Monday
        ("2026-12-24T12:00", "2026-12-28T12:00"),  # before Christmas, on a Friday, and a weekend
        ("2026-03-27T12:00", "2026-03-30T11:00"),  # the clock goes forward on Sunday: noon is noon
    ],
)
def test_a_business_day_passes_over_weekends_and_holidays_by_the_wall_clock(at: str, deadline: str) -> None:
    assert DUBLIN.business_day_after(_at(at)) == _at(deadline)


def test_is_read_as_the_configuration_writes_it() -> None:
    configured = OnCall(
        zone="Europe/Dublin",
        first=date(2026, 1, 5),
        at=time(9),
        people=tuple(Person(name=name, email=f"{name}@example.com") for name in ("ada", "ben", "cem")),
        management=(Person(name="mia", email="mia@example.com"),),
        covers=tuple(ConfiguredCover(person=one.person, begins=one.begins, ends=one.ends) for one in DUBLIN.covers),
        holidays=tuple(DUBLIN.holidays),
    )
    assert Rotation.read(configured.written) == replace(DUBLIN, management=("mia",))
    assert "@" not in configured.written


def test_somebody_is_called_even_where_zones_are_unknown() -> None:
    lost = replace(DUBLIN, zone="Europe/Nowhere")
    assert lost.on_call(_at("2026-01-05T09:00")) == "ada"
