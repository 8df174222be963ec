"""Which addresses each tier has in each zone."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from ipaddress import IPv4Network


class Tier(enum.Enum):
    """The parts of a VPC, by what may be in them."""

    PUBLIC = "public"
    """Load balancers, and nothing else."""
    EGRESS = "egress"
    """NAT gateways, and nothing else."""
    FIREWALL = "firewall"
    """Endpoints of the network firewall; empty where a stage filters egress by DNS alone."""
    APPLICATION = "application"
    """Functions, machines and interface endpoints: no inbound route from the internet."""
    DATA = "data"
    """Databases: no route out of the VPC at all."""


_SHARES = {
    # tier: (bits longer than the VPC's prefix, index among the blocks of that size)
    Tier.APPLICATION: (1, 0),
    Tier.DATA: (2, 2),
    Tier.PUBLIC: (3, 6),
    Tier.EGRESS: (4, 14),
    Tier.FIREWALL: (4, 15),
}


@dataclass(frozen=True)
class AddressPlan:
    """Divides the VPC's block so that every tier is one block, and every rule about a tier names one block.

    Half goes to applications, a quarter to data, an eighth to load balancers, a sixteenth each to NAT and firewall.
    Each tier is cut in four: one part for each of three zones, one spare. ``block`` is a /16 to /20.
    """

    block: IPv4Network

    def tier(self, tier: Tier) -> IPv4Network:
        """The whole tier, over all zones."""
        bits, index = _SHARES[tier]
        return list(self.block.subnets(prefixlen_diff=bits))[index]

    def subnet(self, tier: Tier, zone: int) -> IPv4Network:
        """The tier's part in one zone (0 to 2)."""
        return list(self.tier(tier).subnets(prefixlen_diff=2))[zone]
