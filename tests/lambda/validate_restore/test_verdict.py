"""A restored store is fit only if it is there, ready, encrypted and holds what the backup held."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from validate_restore.verdict import Sight, judge

GOOD = Sight(exists=True, ready=True, encrypted=True, holds_data=True)


def test_a_good_restore_passes() -> None:
    assert judge(GOOD, backup_bytes=4096).status == "SUCCESSFUL"


@pytest.mark.parametrize(
    ("sight", "words"),
    [
        (Sight(exists=False), "not there"),
        (Sight(exists=True, ready=False, encrypted=True, holds_data=True), "not ready"),
        (Sight(exists=True, ready=True, encrypted=False, holds_data=True), "not encrypted"),
        (Sight(exists=True, ready=True, encrypted=True, holds_data=False), "empty"),
    ],
)
def test_says_what_is_wrong(sight: Sight, words: str) -> None:
    verdict = judge(sight, backup_bytes=4096)
    assert verdict.status == "FAILED"
    assert words in verdict.message


def test_an_empty_store_restored_from_an_empty_backup_passes() -> None:
    assert judge(Sight(exists=True, ready=True, encrypted=True, holds_data=False), backup_bytes=0).fit


@given(
    sight=st.builds(
        Sight, exists=st.booleans(), ready=st.booleans(), encrypted=st.booleans(), holds_data=st.none() | st.booleans()
    ),
    size=st.integers(min_value=0, max_value=10**15),
)
def test_nothing_passes_that_is_absent_unready_or_in_clear(sight: Sight, size: int) -> None:
    verdict = judge(sight, backup_bytes=size)
    assert verdict.fit <= (sight.exists and sight.ready and sight.encrypted)
    assert len(verdict.message) <= 1000
