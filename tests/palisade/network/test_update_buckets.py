"""Where updates come from is known, by exact name, wherever a stage may live."""

from __future__ import annotations

import pytest
from palisade.network import update_buckets

from stacks.settings import RESIDENCY_AREAS


@pytest.mark.parametrize("region", sorted(set().union(*RESIDENCY_AREAS.values())))
def test_every_home_has_its_buckets(region: str) -> None:
    buckets = update_buckets(region)
    assert all(region in bucket and "*" not in bucket for bucket in buckets)


def test_refuses_a_region_it_does_not_know() -> None:
    with pytest.raises(ValueError, match=r"no bucket of Patch Manager in moon-1\. Add its suffix"):
        update_buckets("moon-1")
