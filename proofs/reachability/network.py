"""What stands between two interfaces: subnets, route tables, network ACLs, security groups, gateways, as the templates say.

Sources: https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html,
https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html,
https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html,
https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html,
https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from proofs.model import INVENTED, Model, Node, Unresolved, as_list, at, truthy
from proofs.reachability.sets import (
    ANY_V6,
    ANYWHERE,
    EVERYTHING,
    NOTHING,
    PORTS,
    Boxes,
    Ranges,
    block,
)

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
PROTOCOLS: Mapping[int, str] = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMP6: "icmpv6"}
_NUMBERS = {name: number for number, name in PROTOCOLS.items()}


def protocol_of(value: Any) -> int | None:
    """The protocol's number; -1 for all. None if the template does not tell."""
    if isinstance(value, Unresolved) or value is None:
        return None
    text = str(value).lower()
    if text in {"-1", "all"}:
        return -1
    return _NUMBERS.get(text, int(text) if text.isdigit() else None)


class Hop(Enum):
    """What a route leads to."""

    LOCAL = "local"
    INTERNET = "internet gateway"
    EGRESS_ONLY = "egress-only internet gateway"
    NAT = "NAT gateway"
    MIDDLEBOX = "firewall or load balancer endpoint"
    PEERING = "peering connection"
    TRANSIT = "transit gateway"
    VPN = "virtual private gateway"
    SERVICE = "gateway endpoint"
    NOWHERE = "black hole"
    UNKNOWN = "a target that the templates do not tell"


@dataclass(frozen=True)
class Route:
    """One route: to which addresses (None: those of a prefix list that only AWS knows), by which hop, to what id."""

    addresses: Ranges | None
    hop: Hop
    target: str
    path: str
    prefix_list: str = ""


@dataclass(frozen=True)
class Subnet:
    """A subnet with what decides over its packets."""

    id: str
    path: str
    vpc: str
    zone: str
    addresses: Ranges
    table: str
    acl: str
    gives_public_addresses: bool
    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Peer:
    """The other side of a security group's rule: addresses, or a group, or a prefix list that only AWS knows."""

    addresses: Ranges | None = None
    group: str = ""
    prefix_list: str = ""


@dataclass(frozen=True)
class Rule:
    """One rule of a security group."""

    protocol: int
    ports: Ranges
    peer: Peer
    path: str


@dataclass(frozen=True)
class Attachment:
    """What hangs on a transit gateway: a VPC, or a VPN with the addresses behind it."""

    id: str
    path: str
    gateway: str
    vpc: str = ""
    beyond: Ranges = NOTHING


class Network:
    """All networks of an assembly."""

    def __init__(self, model: Model, *, lost_zone: str = "") -> None:
        """``lost_zone`` is an availability zone whose subnets are taken for gone."""
        self.model = model
        self._lost_zone = lost_zone
        self.doubts: dict[str, None] = {}
        """What the templates left open, and how it was taken; always for the less safe."""

    def _doubt(self, node: Node, what: str, taken: str) -> None:
        self.doubts[f"{node.path}: {what} is not told by the templates; taken as {taken}"] = None

    def _block(self, node: Node, value: Any, otherwise: Ranges = ANYWHERE) -> Ranges:
        if isinstance(value, str):
            try:
                return block(value)
            except ValueError:
                pass
        self._doubt(node, f"the address block {value}", "every address")
        return otherwise

    # ---------------------------------------------------------------------------------------------------- VPC, subnet

    @cached_property
    def vpcs(self) -> dict[str, Ranges]:
        """Addresses of each VPC by its id."""
        found: dict[str, Ranges] = {}
        for node in self.model.of("AWS::EC2::VPC"):
            found[node.id] = self._block(node, node.get("CidrBlock")) if node.get("CidrBlock") else NOTHING
        for node in self.model.of("AWS::EC2::VPCCidrBlock"):
            vpc = str(node.get("VpcId"))
            more = node.get("CidrBlock")
            if more:
                found[vpc] = found.get(vpc, NOTHING) | self._block(node, more)
        for subnet in self.subnets.values():
            found[subnet.vpc] = found.get(subnet.vpc, NOTHING) | subnet.addresses
        return found

    @cached_property
    def subnets(self) -> dict[str, Subnet]:
        """Every subnet by id."""
        tables = {
            str(node.get("SubnetId")): str(node.get("RouteTableId"))
            for node in self.model.of("AWS::EC2::SubnetRouteTableAssociation")
        }
        acls = {
            str(node.get("SubnetId")): str(node.get("NetworkAclId"))
            for node in self.model.of("AWS::EC2::SubnetNetworkAclAssociation")
        }
        found: dict[str, Subnet] = {}
        for node in self.model.of("AWS::EC2::Subnet"):
            zone = node.get("AvailabilityZone", default=node.get("AvailabilityZoneId"))
            if not isinstance(zone, str):
                self._doubt(node, "the zone", "one that is never lost")
                zone = ""
            if zone and zone == self._lost_zone:
                continue
            addresses = self._block(node, node.get("CidrBlock")) if "CidrBlock" in node.properties else NOTHING
            if node.get("Ipv6CidrBlock") is not None:
                addresses = addresses | self._block(node, node.get("Ipv6CidrBlock"), ANY_V6)
            vpc = str(node.get("VpcId"))
            found[node.id] = Subnet(
                id=node.id,
                path=node.path,
                vpc=vpc,
                zone=zone,
                addresses=addresses,
                table=tables.get(node.id, f"main table of {vpc}"),
                acl=acls.get(node.id, f"default ACL of {vpc}"),
                gives_public_addresses=truthy(node.get("MapPublicIpOnLaunch")),
                tags=tuple(sorted(node.tags.items())),
            )
        return found

    # --------------------------------------------------------------------------------------------------------- routes

    @cached_property
    def _routes(self) -> dict[str, list[Route]]:
        routes: dict[str, list[Route]] = defaultdict(list)
        for node in self.model.of("AWS::EC2::Route"):
            routes[str(node.get("RouteTableId"))].append(self._route(node))
        for node in self.model.of("AWS::EC2::VPCEndpoint"):
            if node.get("VpcEndpointType", default="Gateway") != "Gateway":
                continue
            for table in as_list(node.get("RouteTableIds")):
                name = str(node.get("ServiceName"))
                routes[str(table)].append(Route(None, Hop.SERVICE, node.id, node.path, name))
        for node in self.model.of("AWS::EC2::VPNGatewayRoutePropagation"):
            for table in as_list(node.get("RouteTableIds")):
                gateway = str(node.get("VpnGatewayId"))
                routes[str(table)].append(Route(self._behind_gateway(gateway), Hop.VPN, gateway, node.path))
        return routes

    def _route(self, node: Node) -> Route:
        prefix_list = node.get("DestinationPrefixListId")
        addresses: Ranges | None
        if prefix_list is not None:
            addresses = self.prefix_list(prefix_list)
        else:
            addresses = self._block(
                node, node.get("DestinationCidrBlock", default=node.get("DestinationIpv6CidrBlock"))
            )
        for name, hop in _TARGETS:
            target = node.get(name)
            if target is None:
                continue
            if hop is Hop.INTERNET:
                gateway = self.model.find(target)
                hop = Hop.VPN if gateway is not None and gateway.type == "AWS::EC2::VPNGateway" else hop  # noqa: PLW2901
            if isinstance(target, Unresolved):
                self._doubt(node, "the target", "a way to anywhere")
                hop = Hop.UNKNOWN  # noqa: PLW2901
            return Route(addresses, hop, str(target), node.path, self.list_name(prefix_list) if prefix_list else "")
        self._doubt(node, "the target", "a way to anywhere")
        return Route(addresses, Hop.UNKNOWN, "", node.path)

    def routes(self, subnet: Subnet) -> list[Route]:
        """The subnet's routes besides the local one."""
        return self._routes.get(subnet.table, [])

    def ways(self, subnet: Subnet) -> list[tuple[Ranges, Route]]:
        """Which addresses leave the subnet by which route: the longest prefix decides, the local route where none is as
        long. Routes of prefix lists that only AWS knows are not among them: :meth:`list_routes`."""
        if subnet.table not in self._ways or subnet.vpc not in self._ways[subnet.table]:
            pieces: list[tuple[int, Ranges, Route]] = []
            for span in self.vpcs.get(subnet.vpc, NOTHING).spans:
                local = Route(Ranges((span,)), Hop.LOCAL, subnet.vpc, subnet.path)
                pieces.append((span[1] - span[0], Ranges((span,)), local))
            for route in self.routes(subnet):
                if route.addresses is not None:
                    pieces.extend((span[1] - span[0], Ranges((span,)), route) for span in route.addresses.spans)
            # A route of the same length as the local one never stands before it, and static before propagated.
            pieces.sort(key=lambda piece: (piece[0], piece[2].hop is not Hop.LOCAL, piece[2].hop is Hop.VPN))
            taken, found = NOTHING, []
            for _, addresses, route in pieces:
                left = addresses - taken
                if left:
                    found.append((left, route))
                    taken = taken | left
            self._ways.setdefault(subnet.table, {})[subnet.vpc] = found
        return self._ways[subnet.table][subnet.vpc]

    @cached_property
    def _ways(self) -> dict[str, dict[str, list[tuple[Ranges, Route]]]]:
        return {}

    def list_routes(self, subnet: Subnet, prefix_list: str) -> list[Route]:
        """The subnet's routes to a prefix list that only AWS knows."""
        return [
            route
            for route in self.routes(subnet)
            if route.addresses is None and route.prefix_list and _same_list(route.prefix_list, prefix_list)
        ]

    def middlebox(self, route: Route) -> Subnet | None:
        """The subnet of the firewall or load balancer endpoint that the route leads to."""
        return self.middlebox_subnet(route.target)

    def middlebox_subnet(self, target: str) -> Subnet | None:
        """The subnet of a firewall's or load balancer's endpoint by the endpoint's id."""
        invented = INVENTED.fullmatch(target)
        node = self.model.node(invented[1], invented[2]) if invented else None
        if node is None:
            return None
        if node.type == "AWS::NetworkFirewall::Firewall" and invented is not None:
            for mapping in as_list(node.get("SubnetMappings")):
                subnet = self.subnets.get(str(at(mapping, "SubnetId")))
                if subnet is not None and subnet.zone == invented[3]:
                    return subnet
            return None
        for subnet_id in as_list(node.get("SubnetIds")):
            return self.subnets.get(str(subnet_id))
        return None

    def nat_subnet(self, route: Route) -> Subnet | None:
        """The subnet of the NAT gateway that the route leads to."""
        node = self.model.find(route.target, "AWS::EC2::NatGateway")
        return None if node is None else self.subnets.get(str(node.get("SubnetId")))

    def is_lost(self, route: Route) -> bool:
        """Whether the route leads to a NAT gateway or an endpoint in the lost zone."""
        if not self._lost_zone:
            return False
        invented = INVENTED.fullmatch(route.target)
        node = self.model.node(invented[1], invented[2]) if invented else None
        if node is None:
            return False
        if node.type == "AWS::NetworkFirewall::Firewall" and invented is not None:
            return invented[3] == self._lost_zone
        subnets = [node.get("SubnetId"), *as_list(node.get("SubnetIds"))]
        known = [self.model.find(subnet, "AWS::EC2::Subnet") for subnet in subnets]
        return any(subnet is not None and subnet.get("AvailabilityZone") == self._lost_zone for subnet in known)

    def has_gateway(self, vpc: str) -> bool:
        """Whether an internet gateway is attached to the VPC."""
        return any(
            str(node.get("VpcId")) == vpc and node.get("InternetGatewayId") is not None
            for node in self.model.of("AWS::EC2::VPCGatewayAttachment")
        )

    # ------------------------------------------------------------------------------------------- other networks

    def _behind_gateway(self, gateway: str) -> Ranges:
        return self._union_of(
            node for node in self.model.of("AWS::EC2::VPNConnection") if str(node.get("VpnGatewayId")) == gateway
        )

    def _union_of(self, connections: Iterator[Node]) -> Ranges:
        found = NOTHING
        for node in connections:
            found = found | self.behind_vpn(node)
        return found

    def behind_vpn(self, connection: Node) -> Ranges:
        """The addresses behind a VPN connection: its static routes, or anything if it speaks BGP."""
        if not truthy(connection.get("StaticRoutesOnly")):
            self._doubt(connection, "what the other side announces by BGP", "every address")
            return ANYWHERE
        found = NOTHING
        for node in self.model.of("AWS::EC2::VPNConnectionRoute"):
            if str(node.get("VpnConnectionId")) == connection.id:
                found = found | self._block(node, node.get("DestinationCidrBlock"))
        return found

    @cached_property
    def attached_networks(self) -> dict[str, tuple[str, Ranges]]:
        """By virtual private gateway: the VPC that it is attached to, and the addresses behind it."""
        return {
            str(node.get("VpnGatewayId")): (str(node.get("VpcId")), self._behind_gateway(str(node.get("VpnGatewayId"))))
            for node in self.model.of("AWS::EC2::VPCGatewayAttachment")
            if node.get("VpnGatewayId") is not None
        }

    @cached_property
    def attachments(self) -> dict[str, Attachment]:
        """Every attachment of every transit gateway by id."""
        found: dict[str, Attachment] = {}
        for node in self.model.of("AWS::EC2::TransitGatewayAttachment", "AWS::EC2::TransitGatewayVpcAttachment"):
            found[node.id] = Attachment(
                node.id, node.path, str(node.get("TransitGatewayId")), vpc=str(node.get("VpcId"))
            )
        for node in self.model.of("AWS::EC2::VPNConnection"):
            if node.get("TransitGatewayId") is not None:
                found[node.id] = Attachment(
                    node.id, node.path, str(node.get("TransitGatewayId")), beyond=self.behind_vpn(node)
                )
        for node in self.model.of("AWS::EC2::TransitGatewayPeeringAttachment"):
            self._doubt(node, "what is behind the peer gateway", "every address")
            found[node.id] = Attachment(node.id, node.path, str(node.get("TransitGatewayId")), beyond=ANYWHERE)
        return found

    def _attachment(self, value: Any) -> str:
        """The attachment's id; a VPN connection's attachment has an attribute of its own."""
        invented = INVENTED.fullmatch(str(value))
        return f"<{invented[1]}/{invented[2]}>" if invented else str(value)

    @cached_property
    def transit(self) -> dict[str, list[tuple[Ranges, str]]]:
        """By attachment: which addresses its packets find behind which other attachment (empty: black hole)."""
        association: dict[str, str] = {}
        members: dict[str, list[str]] = defaultdict(list)
        for attachment in self.attachments.values():
            gateway = self.model.find(attachment.gateway, "AWS::EC2::TransitGateway")
            default = f"default table of {attachment.gateway}"
            if gateway is None:
                self.doubts[
                    f"{attachment.path}: its transit gateway is not in the templates; taken as one that joins all"
                ] = None
            if gateway is None or gateway.get("DefaultRouteTableAssociation", default="enable") == "enable":
                association[attachment.id] = default
            if gateway is None or gateway.get("DefaultRouteTablePropagation", default="enable") == "enable":
                members[default].append(attachment.id)
        for node in self.model.of("AWS::EC2::TransitGatewayRouteTableAssociation"):
            attached = self._attachment(node.get("TransitGatewayAttachmentId"))
            association[attached] = str(node.get("TransitGatewayRouteTableId"))
        for node in self.model.of("AWS::EC2::TransitGatewayRouteTablePropagation"):
            table = str(node.get("TransitGatewayRouteTableId"))
            members[table].append(self._attachment(node.get("TransitGatewayAttachmentId")))
        pieces: dict[str, list[tuple[int, bool, Ranges, str]]] = defaultdict(list)
        for node in self.model.of("AWS::EC2::TransitGatewayRoute"):
            behind = "" if truthy(node.get("Blackhole")) else self._attachment(node.get("TransitGatewayAttachmentId"))
            for span in self._block(node, node.get("DestinationCidrBlock")).spans:
                table = str(node.get("TransitGatewayRouteTableId"))
                pieces[table].append((span[1] - span[0], False, Ranges((span,)), behind))
        for table, attached_ids in members.items():
            for attached in attached_ids:
                member = self.attachments.get(attached)
                if member is None:
                    continue
                announced = self.vpcs.get(member.vpc, NOTHING) if member.vpc else member.beyond
                pieces[table].extend((span[1] - span[0], True, Ranges((span,)), attached) for span in announced.spans)
        return {attached: _longest_first(pieces.get(table, [])) for attached, table in association.items()}

    def peer_of(self, route: Route, vpc: str) -> str | None:
        """The VPC on the other side of the peering connection that the route leads to."""
        node = self.model.find(route.target, "AWS::EC2::VPCPeeringConnection")
        if node is None:
            return None
        ends = [str(node.get("VpcId")), str(node.get("PeerVpcId"))]
        return next((end for end in ends if end != vpc), None)

    # ----------------------------------------------------------------------------------------------------------- ACLs

    @cached_property
    def _acl_entries(self) -> dict[tuple[str, bool], list[Node]]:
        found: dict[tuple[str, bool], list[Node]] = defaultdict(list)
        for node in self.model.of("AWS::EC2::NetworkAclEntry"):
            found[str(node.get("NetworkAclId")), truthy(node.get("Egress"))].append(node)
        for entries in found.values():
            entries.sort(key=lambda node: int(node.get("RuleNumber", default=0)))
        return found

    @cached_property
    def _acl_cache(self) -> dict[tuple[str, bool, int], Boxes]:
        return {}

    def acl(self, subnet: Subnet, *, outbound: bool, protocol: int = TCP) -> Boxes:
        """What the subnet's ACL lets pass: addresses of the other side, and destination ports."""
        key = (subnet.acl, outbound, protocol)
        if key not in self._acl_cache:
            self._acl_cache[key] = self._acl(*key)
        return self._acl_cache[key]

    def _acl(self, acl: str, outbound: bool, protocol: int) -> Boxes:
        if acl.startswith("default ACL of ") or self.model.find(acl, "AWS::EC2::NetworkAcl") is None:
            return EVERYTHING
        allowed, decided = Boxes(), Boxes()
        for node in self._acl_entries.get((acl, outbound), ()):
            number = protocol_of(node.get("Protocol"))
            denies = node.get("RuleAction") != "allow"
            if number not in {protocol, -1, None} or (number is None and denies):
                continue
            cidr = node.get("CidrBlock", default=node.get("Ipv6CidrBlock"))
            numbers = _port_range(node.get("PortRange")) if protocol in {TCP, UDP} and number != -1 else PORTS
            if denies and (isinstance(cidr, Unresolved) or "Icmp" in node.properties):
                continue  # a refusal of unknown extent refuses nothing for certain
            entry = Boxes.of([(self._block(node, cidr), numbers)])
            if not denies:
                allowed = allowed | (entry - decided)
            decided = decided | entry
        return allowed

    # --------------------------------------------------------------------------------------------------------- groups

    @cached_property
    def _rules(self) -> dict[tuple[str, bool], list[Rule]]:
        found: dict[tuple[str, bool], list[Rule]] = defaultdict(list)
        for node in self.model.of("AWS::EC2::SecurityGroup"):
            for outbound, name in ((False, "SecurityGroupIngress"), (True, "SecurityGroupEgress")):
                rules = node.get(name)
                if isinstance(rules, Unresolved):
                    self._doubt(node, name, "everything allowed")
                    rules = [{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}]
                for rule in as_list(rules):
                    found[node.id, outbound].extend(self._rule(node, rule, outbound=outbound))
        for outbound, kind in ((False, "Ingress"), (True, "Egress")):
            for node in self.model.of(f"AWS::EC2::SecurityGroup{kind}"):
                found[str(node.get("GroupId")), outbound].extend(self._rule(node, node.properties, outbound=outbound))
        return found

    def _rule(self, node: Node, rule: Any, *, outbound: bool) -> Iterator[Rule]:
        number = protocol_of(at(rule, "IpProtocol"))
        if number is None:
            self._doubt(node, "the protocol", "all protocols")
            number = -1
        low, high = at(rule, "FromPort"), at(rule, "ToPort")
        if number in {TCP, UDP} and low is not None:
            numbers = _port_range({"From": low, "To": low if high is None else high})
            if numbers == PORTS and not str(low).lstrip("-").isdigit():
                self._doubt(node, "the ports of a rule", "all ports")
        else:
            numbers = PORTS
        way = "Destination" if outbound else "Source"
        peer = Peer(addresses=ANYWHERE)
        if (cidr := at(rule, "CidrIp", default=at(rule, "CidrIpv6"))) is not None:
            peer = Peer(addresses=self._block(node, cidr))
        elif (group := at(rule, f"{way}SecurityGroupId")) is not None and not isinstance(group, Unresolved):
            peer = Peer(group=str(group))
        elif (prefix_list := at(rule, f"{way}PrefixListId")) is not None:
            known = self.prefix_list(prefix_list)
            peer = Peer(addresses=known) if known is not None else Peer(prefix_list=self.list_name(prefix_list))
        else:
            self._doubt(node, "the other side of a rule", "anywhere")
        yield Rule(number, numbers, peer, node.path)

    def rules(self, group: str, *, outbound: bool) -> list[Rule]:
        """The rules of a security group. A group that says nothing of outbound lets everything out."""
        found = self._rules.get((group, outbound), [])
        if outbound and not found:
            return [Rule(-1, PORTS, Peer(addresses=ANYWHERE), group)]
        if not outbound and not found and ".DefaultSecurityGroup>" in group:
            return [Rule(-1, PORTS, Peer(group=group), group)]
        return found

    # --------------------------------------------------------------------------------------------------- prefix lists

    def prefix_list(self, value: Any) -> Ranges | None:
        """The addresses of a prefix list that the templates hold, else None."""
        node = self.model.find(value, "AWS::EC2::PrefixList")
        if node is None:
            return None
        found = NOTHING
        for entry in as_list(node.get("Entries")):
            found = found | self._block(node, at(entry, "Cidr"))
        return found

    def list_name(self, value: Any) -> str:
        """What a prefix list of AWS is called: by the custom resource that looks it up, else by its id."""
        invented = INVENTED.fullmatch(str(value))
        node = self.model.node(invented[1], invented[2]) if invented else None
        if node is not None and invented is not None and invented[3]:
            for item in node.properties.values():
                if isinstance(item, Mapping) and str(item.get(invented[3], "")).startswith("com.amazonaws."):
                    return str(item[invented[3]])
        return str(value)

    @cached_property
    def lists(self) -> set[str]:
        """Every prefix list of AWS that a rule or a route speaks of."""
        return {rule.peer.prefix_list for rules in self._rules.values() for rule in rules if rule.peer.prefix_list} | {
            route.prefix_list for routes in self._routes.values() for route in routes if route.prefix_list
        }

    # -------------------------------------------------------------------------------------- blocking of public access

    @cached_property
    def _blocking(self) -> dict[tuple[str, str], str]:
        return {
            (node.account, node.region): str(node.get("InternetGatewayBlockMode", default="off"))
            for node in self.model.of("AWS::EC2::VPCBlockPublicAccessOptions")
        }

    @cached_property
    def _exempt(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for node in self.model.of("AWS::EC2::VPCBlockPublicAccessExclusion"):
            for name in ("SubnetId", "VpcId"):
                if node.get(name) is not None:
                    found[str(node.get(name))] = str(node.get("InternetGatewayExclusionMode"))
        return found

    def open_to_internet(self, subnet: Subnet, *, outbound: bool) -> bool:
        """Whether VPC block public access lets packets of this subnet pass an internet gateway."""
        node = self.model.find(subnet.id)
        mode = "off" if node is None else self._blocking.get((node.account, node.region), "off")
        exempt = self._exempt.get(subnet.id) or self._exempt.get(subnet.vpc)
        if mode == "off" or exempt == "allow-bidirectional" or (outbound and mode == "block-ingress"):
            return True
        return outbound and exempt == "allow-egress"


_TARGETS = (
    ("GatewayId", Hop.INTERNET),
    ("NatGatewayId", Hop.NAT),
    ("VpcEndpointId", Hop.MIDDLEBOX),
    ("VpcPeeringConnectionId", Hop.PEERING),
    ("TransitGatewayId", Hop.TRANSIT),
    ("EgressOnlyInternetGatewayId", Hop.EGRESS_ONLY),
    ("InstanceId", Hop.UNKNOWN),
    ("NetworkInterfaceId", Hop.UNKNOWN),
    ("LocalGatewayId", Hop.UNKNOWN),
    ("CarrierGatewayId", Hop.UNKNOWN),
    ("CoreNetworkArn", Hop.UNKNOWN),
)


def _longest_first(pieces: list[tuple[int, bool, Ranges, str]]) -> list[tuple[Ranges, str]]:
    taken, found = NOTHING, []
    for _, _, addresses, behind in sorted(pieces, key=lambda piece: piece[:2]):
        left = addresses - taken
        if left:
            found.append((left, behind))
            taken = taken | left
    return found


def _port_range(value: Any) -> Ranges:
    low, high = at(value, "From"), at(value, "To")
    try:
        low, high = int(low), int(high)
    except (TypeError, ValueError):
        return PORTS
    return PORTS if low < 0 else Ranges(((low, high),))


def _same_list(first: str, second: str) -> bool:
    """A bare id (``pl-...``) may be the list of any service."""
    return first == second or "pl-" in (first[:3], second[:3])
