"""Addresses, tiers, groups, endpoints and everything that decides who reaches whom."""

from palisade.network.address_plan import AddressPlan, Tier
from palisade.network.flow_log import FLOW_LOG_FIELDS, FlowLog
from palisade.network.tier_groups import TierGroups
from palisade.network.tiered_vpc import TieredVpc

__all__ = ["FLOW_LOG_FIELDS", "AddressPlan", "FlowLog", "Tier", "TierGroups", "TieredVpc"]
