"""A small model of packets in a VPC, read from a template: groups, network ACLs, routes, and answers that must come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from assembly import Stack

INTERNET = IPv4Address("203.0.113.25")
STORAGE = IPv4Address("52.218.1.1")
EPHEMERAL_SAMPLES = (1024, 8443, 32768, 60999, 65535)
ANY_GROUP = "any"


@dataclass(frozen=True)
class Place:
    """An interface in a subnet with a security group; or, without a subnet, an address outside the VPC.

    ``lists`` are the attributes of managed prefix lists that hold an outside address.
    """

    name: str
    address: IPv4Address
    subnet: str | None = None
    group: str = ANY_GROUP
    lists: frozenset[str] = field(default_factory=frozenset)


class NetworkModel:
    """Answers whether a TCP connection can be opened and answered."""

    def __init__(self, stack: Stack, *, without: str | None = None) -> None:
        """Read the template, ``without`` one resource if its logical id is given."""
        self._by_type: dict[str, dict[str, Mapping[str, Any]]] = {}
        for logical_id, resource in stack.resources.items():
            if logical_id != without:
                self._by_type.setdefault(resource.type, {})[logical_id] = resource.properties

    def of(self, resource_type: str) -> dict[str, Mapping[str, Any]]:
        """Properties of every resource of that type."""
        return self._by_type.get(resource_type, {})

    @cached_property
    def subnets(self) -> dict[str, IPv4Network]:
        return {name: IPv4Network(item["CidrBlock"]) for name, item in self.of("AWS::EC2::Subnet").items()}

    @cached_property
    def tiers(self) -> dict[str, str]:
        return {
            name: next(tag["Value"] for tag in item["Tags"] if tag["Key"] == "palisade:tier")
            for name, item in self.of("AWS::EC2::Subnet").items()
        }

    @cached_property
    def zones(self) -> dict[str, str]:
        return {name: item["AvailabilityZone"] for name, item in self.of("AWS::EC2::Subnet").items()}

    @cached_property
    def vpc(self) -> IPv4Network:
        (item,) = self.of("AWS::EC2::VPC").values()
        return IPv4Network(item["CidrBlock"])

    @cached_property
    def groups(self) -> dict[str, str]:
        """Logical ids of security groups by the last part of their names."""
        return {
            next(tag["Value"] for tag in item["Tags"] if tag["Key"] == "Name").rpartition("-")[2]: name
            for name, item in self.of("AWS::EC2::SecurityGroup").items()
        }

    def table_of(self, subnet: str) -> str:
        """The subnet's route table."""
        (table,) = (
            target(item["RouteTableId"])
            for item in self.of("AWS::EC2::SubnetRouteTableAssociation").values()
            if target(item["SubnetId"]) == subnet
        )
        return table

    def acl_of(self, subnet: str) -> str:
        """The subnet's network ACL."""
        (acl,) = (
            target(item["NetworkAclId"])
            for item in self.of("AWS::EC2::SubnetNetworkAclAssociation").values()
            if target(item["SubnetId"]) == subnet
        )
        return acl

    def routes_of(self, subnet: str) -> dict[IPv4Network, Mapping[str, Any]]:
        """Routes of the subnet's table by destination, besides the local one."""
        table = self.table_of(subnet)
        return {
            IPv4Network(item["DestinationCidrBlock"]): item
            for item in self.of("AWS::EC2::Route").values()
            if target(item["RouteTableId"]) == table
        }

    def acl_allows(self, subnet: str, *, outbound: bool, other: IPv4Address, port: int) -> bool:
        """Whether the subnet's ACL lets a TCP packet to ``port`` pass."""
        acl = self.acl_of(subnet)
        entries = sorted(
            (
                item
                for item in self.of("AWS::EC2::NetworkAclEntry").values()
                if target(item["NetworkAclId"]) == acl and item["Egress"] is outbound
            ),
            key=lambda item: int(item["RuleNumber"]),
        )
        for item in entries:
            if item["Protocol"] not in {6, -1} or other not in IPv4Network(item["CidrBlock"]):
                continue
            ports = item.get("PortRange")
            if ports is None or ports["From"] <= port <= ports["To"]:
                return bool(item["RuleAction"] == "allow")
        return False

    def group_allows(self, place: Place, *, outbound: bool, other: Place, port: int) -> bool:
        """Whether the place's group lets a connection be opened to or from ``other``."""
        if place.subnet is None or place.group == ANY_GROUP:
            return True
        logical_id = self.groups[place.group]
        kind = "Egress" if outbound else "Ingress"
        rules = [
            *self.of("AWS::EC2::SecurityGroup")[logical_id].get(f"SecurityGroup{kind}", []),
            *(
                item
                for item in self.of(f"AWS::EC2::SecurityGroup{kind}").values()
                if target(item["GroupId"]) == logical_id
            ),
        ]
        way = "Destination" if outbound else "Source"
        return any(self._matches(rule, way, other, port) for rule in rules)

    def _matches(self, rule: Mapping[str, Any], way: str, other: Place, port: int) -> bool:
        if rule["IpProtocol"] != "-1" and (
            rule["IpProtocol"] != "tcp" or not int(rule["FromPort"]) <= port <= int(rule["ToPort"])
        ):
            return False
        if "CidrIp" in rule:
            return other.address in IPv4Network(rule["CidrIp"])
        if f"{way}PrefixListId" in rule:
            return rule[f"{way}PrefixListId"]["Fn::GetAtt"][1] in other.lists
        return other.subnet is not None and target(rule[f"{way}SecurityGroupId"]) == self.groups.get(other.group)

    def way(self, source: Place, destination: IPv4Address) -> list[str] | None:
        """Subnets that a packet passes on its way from ``source`` out of the VPC, or None if no route leads on.

        Firewall endpoints and NAT gateways stand for the subnets they are in; the last hop is the internet gateway or a
        gateway endpoint.
        """
        assert source.subnet is not None
        passed = [source.subnet]
        while len(passed) < 5:
            table = self.table_of(passed[-1])
            if destination == STORAGE and any(
                table in map(target, item.get("RouteTableIds", []))
                for item in self.of("AWS::EC2::VPCEndpoint").values()
                if str(item["ServiceName"]).endswith(".s3")
            ):
                return passed
            routes = self.routes_of(passed[-1])
            matching = [block for block in routes if destination in block]
            if not matching:
                return None
            route = routes[max(matching, key=lambda block: block.prefixlen)]
            if "GatewayId" in route:
                return passed
            passed.append(self._subnet_behind(route))
        return None

    def _subnet_behind(self, route: Mapping[str, Any]) -> str:
        if "NatGatewayId" in route:
            return target(self.of("AWS::EC2::NatGateway")[target(route["NatGatewayId"])]["SubnetId"])
        zone = zone_of_endpoint(route["VpcEndpointId"])
        (subnet,) = (name for name, tier in self.tiers.items() if tier == "firewall" and self.zones[name] == zone)
        return subnet

    def connects(self, source: Place, other: Place, port: int) -> bool:
        """Whether ``source`` can open a TCP connection to ``other`` and hear its answers, from any usual client port."""
        if not self.group_allows(source, outbound=True, other=other, port=port):
            return False
        if not self.group_allows(other, outbound=False, other=source, port=port):
            return False
        if source.subnet is not None and other.subnet is not None:
            return self._within(source, other, port)
        if source.subnet is None and other.subnet is None:
            return False
        return self._out(source, other, port) if other.subnet is None else self._in(source, other, port)

    def _within(self, source: Place, other: Place, port: int) -> bool:
        assert source.subnet is not None
        assert other.subnet is not None
        if source.subnet == other.subnet:
            return True
        return (
            self.acl_allows(source.subnet, outbound=True, other=other.address, port=port)
            and self.acl_allows(other.subnet, outbound=False, other=source.address, port=port)
            and all(
                self.acl_allows(other.subnet, outbound=True, other=source.address, port=back)
                and self.acl_allows(source.subnet, outbound=False, other=other.address, port=back)
                for back in EPHEMERAL_SAMPLES
            )
        )

    def _out(self, source: Place, other: Place, port: int) -> bool:
        passed = self.way(source, other.address)
        if passed is None or (passed == [source.subnet] and other.address != STORAGE):
            # A route to the internet gateway is of no use without a public address, and these places have none.
            return False
        # Up to the NAT gateway a packet carries the application's address, behind it the gateway's.
        for hop in passed:
            first, nat = hop == passed[0], self.tiers[hop] == "egress"
            forth_in = first or self.acl_allows(hop, outbound=False, other=source.address, port=port)
            forth_out = self.acl_allows(hop, outbound=True, other=other.address, port=port)
            back_in = all(
                self.acl_allows(hop, outbound=False, other=other.address, port=back) for back in EPHEMERAL_SAMPLES
            )
            back_out = first or all(
                self.acl_allows(hop, outbound=True, other=source.address, port=back) for back in EPHEMERAL_SAMPLES
            )
            if not (forth_in and forth_out and back_in and back_out):
                return False
            if nat:
                return True
        return other.address == STORAGE

    def _in(self, source: Place, other: Place, port: int) -> bool:
        assert other.subnet is not None
        gateways = [route for route in self.routes_of(other.subnet).values() if "GatewayId" in route]
        return (
            bool(gateways)
            and self.acl_allows(other.subnet, outbound=False, other=source.address, port=port)
            and all(
                self.acl_allows(other.subnet, outbound=True, other=source.address, port=back)
                for back in EPHEMERAL_SAMPLES
            )
        )


def target(reference: Any) -> str:
    """The logical id that a Ref or Fn::GetAtt points at."""
    if "Ref" in reference:
        return str(reference["Ref"])
    return str(reference["Fn::GetAtt"][0])


def zone_of_endpoint(expression: Mapping[str, Any]) -> str:
    """The zone whose endpoint the expression picks, found by evaluating it on endpoints of every zone."""
    zones = [f"{region}{letter}" for region in ("eu-central-1", "eu-west-1") for letter in "abc"]
    picked: str = evaluate(expression, [f"{zone}:vpce-{zone}" for zone in zones])
    return picked.removeprefix("vpce-")


def evaluate(expression: Any, endpoint_ids: list[str]) -> Any:
    """The value of an expression of Select, Split, Join and the firewall's endpoint ids."""
    match expression:
        case {"Fn::GetAtt": [_, "EndpointIds"]}:
            return endpoint_ids
        case {"Fn::Join": [separator, parts]}:
            return separator.join(evaluate(parts, endpoint_ids))
        case {"Fn::Split": [separator, text]}:
            return evaluate(text, endpoint_ids).split(separator)
        case {"Fn::Select": [index, parts]}:
            return evaluate(parts, endpoint_ids)[int(index)]
    return expression
