"""Locks, storage classes and expiry never contradict each other, whatever the retention."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from palisade.archive import plan
from palisade.archive.storage_plan import MINIMUM_DAYS_IN_DEEP_ARCHIVE, MINIMUM_DAYS_IN_INSTANT_RETRIEVAL

DAYS = st.integers(min_value=1, max_value=36500)


@given(retention=DAYS, glacier_after=DAYS)
def test_nothing_expires_while_it_is_locked(retention: int, glacier_after: int) -> None:
    storage = plan(retention_days=retention, glacier_after_days=glacier_after)
    assert storage.lock_days == retention
    assert storage.expire_days >= storage.lock_days


@given(retention=DAYS, glacier_after=DAYS)
def test_no_class_is_left_before_its_minimum_duration(retention: int, glacier_after: int) -> None:
    storage = plan(retention_days=retention, glacier_after_days=glacier_after)
    leaves_instant = storage.deep_archive_after or storage.expire_days
    if storage.instant_retrieval_after is not None:
        assert leaves_instant - storage.instant_retrieval_after >= MINIMUM_DAYS_IN_INSTANT_RETRIEVAL
    if storage.deep_archive_after is not None:
        assert storage.expire_days - storage.deep_archive_after >= MINIMUM_DAYS_IN_DEEP_ARCHIVE


def test_a_year_stays_queryable_and_seven_years_become_cheap() -> None:
    year = plan(retention_days=365, glacier_after_days=30)
    assert (year.instant_retrieval_after, year.deep_archive_after) == (30, None)
    seven = plan(retention_days=7 * 365, glacier_after_days=30)
    assert (seven.instant_retrieval_after, seven.deep_archive_after) == (30, 365)


def test_short_retention_stays_in_the_standard_class() -> None:
    assert plan(retention_days=90, glacier_after_days=30).instant_retrieval_after is None


@pytest.mark.parametrize(("retention", "glacier_after"), [(0, 30), (90, 0)])
def test_refuses_less_than_a_day(retention: int, glacier_after: int) -> None:
    with pytest.raises(ValueError, match="at least 1 day"):
        plan(retention_days=retention, glacier_after_days=glacier_after)
