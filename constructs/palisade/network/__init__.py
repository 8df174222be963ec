"""Addresses, tiers, groups, endpoints and everything that decides who reaches whom."""

from palisade.network.acl_rules import acl_rules
from palisade.network.address_plan import AddressPlan, Tier
from palisade.network.blocked_public_access import BlockedPublicAccess
from palisade.network.closed_defaults import ClosedDefaults
from palisade.network.dns_firewall import DnsFirewall
from palisade.network.egress_firewall import EgressFirewall
from palisade.network.flow_log import FlowLog
from palisade.network.managed_lists import ManagedLists
from palisade.network.perimeter import Perimeter
from palisade.network.resolver_log import ResolverLog
from palisade.network.service_endpoints import INTERFACE_SERVICES, ServiceEndpoints
from palisade.network.tier_groups import TierGroups
from palisade.network.tiered_vpc import TieredVpc
from palisade.network.update_buckets import update_buckets

__all__ = [
    "INTERFACE_SERVICES",
    "AddressPlan",
    "BlockedPublicAccess",
    "ClosedDefaults",
    "DnsFirewall",
    "EgressFirewall",
    "FlowLog",
    "ManagedLists",
    "Perimeter",
    "ResolverLog",
    "ServiceEndpoints",
    "Tier",
    "TierGroups",
    "TieredVpc",
    "acl_rules",
    "update_buckets",
]
