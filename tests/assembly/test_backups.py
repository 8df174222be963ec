"""Reading backup plans: schedules as time, selections as matches."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assembly.backups import longest_gap


@pytest.mark.parametrize(
    ("expression", "gap"),
    [
        ("cron(0 5,17 * * ? *)", timedelta(hours=12)),
        ("cron(0 5,6 * * ? *)", timedelta(hours=23)),
        ("cron(15 * ? * * *)", timedelta(hours=1)),
        ("cron(0 0/6 * * ? *)", timedelta(hours=6)),
        ("cron(0 5 ? * * *)", timedelta(days=1)),
        ("cron(0 5 ? * MON-FRI *)", timedelta(days=3)),
        ("cron(0 5 ? * 2-6 *)", timedelta(days=3)),
        ("cron(0 5 ? * SUN *)", timedelta(days=7)),
        ("cron(0 7 1 * ? *)", timedelta(days=31)),
        ("cron(0 7 31 * ? *)", timedelta(days=61)),
        ("cron(0 7 1 JAN,JUL ? *)", timedelta(days=184)),
    ],
)
def test_the_longest_gap_is_that_of_the_calendar(expression: str, gap: timedelta) -> None:
    assert longest_gap(expression) == gap


@pytest.mark.parametrize(
    "expression",
    ["rate(1 day)", "cron(0 5 * * ?)", "cron(0 25 * * ? *)", "cron(0 5 L * ? *)", "cron(0 5 ? * 2#1 *)", "0 5 * * ? *"],
)
def test_refuses_a_schedule_it_does_not_understand(expression: str) -> None:
    with pytest.raises(ValueError, match=r"expected|understood"):
        longest_gap(expression)


def test_refuses_a_schedule_that_never_comes_again() -> None:
    with pytest.raises(ValueError, match="fewer than twice"):
        longest_gap("cron(0 5 1 1 ? 2027)")


@given(hours=st.sets(st.integers(0, 23), min_size=1))
def test_the_gaps_of_a_day_are_those_between_its_hours(hours: set[int]) -> None:
    ordered = sorted(hours)
    gaps = [later - earlier for earlier, later in zip(ordered, [*ordered[1:], ordered[0] + 24], strict=True)]
    listed = ",".join(map(str, ordered))
    assert longest_gap(f"cron(0 {listed} * * ? *)") == timedelta(hours=max(gaps))
