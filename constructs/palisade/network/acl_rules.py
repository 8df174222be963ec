"""What each tier's network ACL lets through, decided by addresses and ports alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from palisade.network.address_plan import AddressPlan, Tier

ANYWHERE = "0.0.0.0/0"
HTTPS = (443, 443)
EPHEMERAL = (1024, 65535)
"""Ports that answers come back to. Load balancers, NAT gateways and Lambda functions use all of them.

https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports
"""


@dataclass(frozen=True)
class AclRule:
    """One entry: the other side's block and, for TCP, the destination ports. ``protocol`` is tcp, icmp or all.

    ICMP is always "fragmentation needed", without which a connection over a link with smaller packets hangs.
    https://docs.aws.amazon.com/vpc/latest/userguide/nacl-basics.html#path_mtu_discovery
    """

    why: str
    action: str
    protocol: str
    block: str
    ports: tuple[int, int] | None = None


@dataclass(frozen=True)
class AclRules:
    """The entries of one tier, first match first; what matches none is denied."""

    inbound: tuple[AclRule, ...]
    outbound: tuple[AclRule, ...]


def acl_rules(plan: AddressPlan, *, application_port: int, database_port: int) -> Mapping[Tier, AclRules]:
    """The rules of every tier.

    An ACL has no memory, so each flow has a line for its way there and one for its answers. Lines about tiers come first;
    then the rest of the VPC is denied; only then come lines about anywhere, which are thereby about the internet alone.

    Amazon DNS, DHCP, instance metadata and time sync are not filtered by ACLs and need no line.
    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html#nacl-basics
    """
    public, application, data = (str(plan.tier(tier)) for tier in (Tier.PUBLIC, Tier.APPLICATION, Tier.DATA))
    to_application = (application_port, application_port)
    to_database = (database_port, database_port)
    rest_of_vpc = AclRule("no other tier has business here", "deny", "all", str(plan.block))
    smaller_packets = _icmp("the internet may ask for smaller packets", ANYWHERE)
    # Applications' connections to the internet and their answers, as they pass a firewall and then a NAT gateway.
    passage = AclRules(
        inbound=(
            _tcp("applications call out over TLS", application, HTTPS),
            rest_of_vpc,
            _tcp("answers come back from the internet", ANYWHERE, EPHEMERAL),
            smaller_packets,
        ),
        outbound=(
            _tcp("answers go back to applications", application, EPHEMERAL),
            _icmp("applications are asked for smaller packets", application),
            rest_of_vpc,
            _tcp("calls go out over TLS", ANYWHERE, HTTPS),
        ),
    )
    return {
        Tier.PUBLIC: AclRules(
            inbound=(
                _tcp("applications answer load balancers", application, EPHEMERAL),
                rest_of_vpc,
                _tcp("clients call load balancers over TLS", ANYWHERE, HTTPS),
                smaller_packets,
            ),
            outbound=(
                _tcp("load balancers call applications", application, to_application),
                rest_of_vpc,
                _tcp("load balancers answer clients", ANYWHERE, EPHEMERAL),
            ),
        ),
        Tier.EGRESS: passage,
        Tier.FIREWALL: passage,
        Tier.APPLICATION: AclRules(
            inbound=(
                _tcp("load balancers call applications", public, to_application),
                _tcp("applications call interface endpoints in another zone", application, HTTPS),
                _tcp("interface endpoints answer from another zone", application, EPHEMERAL),
                _tcp("databases answer", data, EPHEMERAL),
                rest_of_vpc,
                _tcp("answers come back from the internet, S3 and DynamoDB", ANYWHERE, EPHEMERAL),
                smaller_packets,
            ),
            outbound=(
                _tcp("applications and forwarded sessions call databases", data, to_database),
                _tcp("applications call interface endpoints in another zone", application, HTTPS),
                _tcp("interface endpoints answer to another zone", application, EPHEMERAL),
                _tcp("applications answer load balancers", public, EPHEMERAL),
                rest_of_vpc,
                _tcp("applications call out over TLS", ANYWHERE, HTTPS),
            ),
        ),
        Tier.DATA: AclRules(
            inbound=(_tcp("applications and forwarded sessions call databases", application, to_database),),
            outbound=(_tcp("databases answer", application, EPHEMERAL),),
        ),
    }


def _tcp(why: str, block: str, ports: tuple[int, int]) -> AclRule:
    return AclRule(why, "allow", "tcp", block, ports)


def _icmp(why: str, block: str) -> AclRule:
    return AclRule(why, "allow", "icmp", block)
