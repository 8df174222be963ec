"""The network of one template by tier, zone and name, over the model of reachability."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from assembly import Assembly, Stack
from proofs import reachability
from proofs.model import Model
from proofs.reachability import Reachability, address
from proofs.reachability.sets import Ranges

INTERNET = IPv4Address("203.0.113.25")
STORAGE = IPv4Address("52.218.1.1")
ANY_GROUP = "any"


@dataclass(frozen=True)
class Place:
    """An interface in a subnet with a security group; or, without a subnet, an address outside the VPC.

    ``prefix_list`` is the list of AWS that holds an outside address.
    """

    name: str
    address: IPv4Address
    subnet: str | None = None
    group: str = ANY_GROUP
    prefix_list: str = ""


class NetworkModel:
    """Answers whether a TCP connection can be opened and answered."""

    def __init__(self, stack: Stack, *, without: str | None = None) -> None:
        """Read the template, ``without`` one resource if its logical id is given."""
        resources = {name: body for name, body in stack.template["Resources"].items() if name != without}
        self.stack = dataclasses.replace(stack, template={**stack.template, "Resources": resources})
        self._by_type: dict[str, dict[str, Mapping[str, Any]]] = {}
        for logical_id, resource in self.stack.resources.items():
            self._by_type.setdefault(resource.type, {})[logical_id] = resource.properties
        self.reach = Reachability(Model(Assembly(directory=Path(), stacks=(self.stack,))))
        self._seen: dict[Place, reachability.Place] = {}
        self._outside: dict[str, reachability.Place] = {}

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

    def _place(self, place: Place) -> reachability.Place:
        if place not in self._seen:
            number = address(str(place.address))
            if place.subnet is None:
                made = self._outside.setdefault(
                    place.prefix_list, reachability.Place(place.name, prefix_list=place.prefix_list)
                )
            else:
                group = self.groups.get(place.group)
                made = reachability.Place(
                    place.name,
                    subnets=(self._id(place.subnet),),
                    groups=None if place.group == ANY_GROUP else (self._id(group or place.group),),
                    public=self.tiers[place.subnet] == "public",
                )
            assert place.subnet is None or number in self.reach.network.subnets[self._id(place.subnet)].addresses
            self._seen[place] = made
        return self._seen[place]

    def _id(self, logical_id: str) -> str:
        return f"<{self.stack.name}/{logical_id}>"

    def connects(self, source: Place, other: Place, port: int) -> bool:
        """Whether ``source`` can open a TCP connection to ``other`` and hear its answers, from any usual client port."""
        return any(
            port in flow.ports
            and flow.complete
            and address(str(source.address)) in flow.sources
            and address(str(other.address)) in flow.destinations
            for flow in self.reach.flows(self._place(source), self._place(other))
        )

    def way(self, source: Place, destination: IPv4Address) -> list[str]:
        """Subnets that a packet passes on its way from ``source`` to the internet."""
        assert source.subnet is not None
        number = address(str(destination))
        (way,) = self.reach.ways(self._id(source.subnet), Ranges(((number, number),)))
        return [self._logical_id(subnet.id) for subnet in (self.reach.network.subnets[self._id(source.subnet)], *way)]

    def subnet_behind(self, route: Mapping[str, Any]) -> str:
        """The subnet of the firewall endpoint that the route leads to."""
        value = self.reach.model.resolver.value(route["VpcEndpointId"], self.stack)
        found = self.reach.network.middlebox_subnet(value)
        assert found is not None
        return self._logical_id(found.id)

    @staticmethod
    def _logical_id(identity: str) -> str:
        return identity.strip("<>").rpartition("/")[2]


def target(reference: Any) -> str:
    """The logical id that a Ref or Fn::GetAtt points at."""
    if "Ref" in reference:
        return str(reference["Ref"])
    return str(reference["Fn::GetAtt"][0])


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
