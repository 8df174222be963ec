"""The address plan: every tier one block, disjoint, big enough for what lives there."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st
from palisade.network import AddressPlan, Tier

BLOCKS = st.builds(
    lambda base, length: IPv4Network((int(IPv4Network("10.0.0.0/8").network_address) + (base << 12), 32)).supernet(
        new_prefix=length
    ),
    st.integers(0, 4095),
    st.integers(16, 20),
)


@given(BLOCKS)
def test_tiers_and_their_subnets_are_disjoint_parts_of_the_block(block: IPv4Network) -> None:
    plan = AddressPlan(block)
    subnets = {(tier, zone): plan.subnet(tier, zone) for tier in Tier for zone in range(3)}
    assert all(subnet.subnet_of(plan.tier(tier)) for (tier, _), subnet in subnets.items())
    assert all(plan.tier(tier).subnet_of(block) for tier in Tier)
    assert not any(one.overlaps(other) for one, other in combinations(map(plan.tier, Tier), 2))
    assert not any(one.overlaps(other) for one, other in combinations(subnets.values(), 2))


@given(BLOCKS)
def test_every_subnet_is_big_enough(block: IPv4Network) -> None:
    plan = AddressPlan(block)
    # A load balancer wants at least a /27; AWS makes no subnet smaller than a /28.
    assert all(plan.subnet(Tier.PUBLIC, zone).prefixlen <= 27 for zone in range(3))
    assert all(plan.subnet(tier, zone).prefixlen <= 28 for tier in Tier for zone in range(3))
