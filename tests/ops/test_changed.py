"""The change of a rehearsal: real, valid, and harmless to what holds data."""

from __future__ import annotations

from ops.changed import changed
from stacks.settings import check
from tests.fixture_deployment import FIXTURE


def test_changes_every_stage_and_stays_valid() -> None:
    after = check(changed(FIXTURE))
    assert after.retention.server_log_days > FIXTURE.retention.server_log_days
    for old, new in zip(FIXTURE.stages, after.stages, strict=True):
        assert new.throttle.rate_per_second > old.throttle.rate_per_second
        assert len(new.vendors) == len(old.vendors) + 1
        assert (new.name, new.account, new.network) == (old.name, old.account, old.network)
