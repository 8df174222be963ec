"""Promises about the addresses that calls come from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from proofs.finding import Case, Finding, note, proof
from proofs.model import INVENTED, Model, Node, as_list
from proofs.register.questions import facts, texts

_EVERYWHERE = frozenset({"0.0.0.0/0", "::/0"})
_CALLERS = (
    ("AWS::Lambda::Function", ("VpcConfig", "SubnetIds")),
    ("AWS::AutoScaling::AutoScalingGroup", ("VPCZoneIdentifier",)),
    ("AWS::EC2::Instance", ("SubnetId",)),
    ("AWS::Synthetics::Canary", ("VPCConfig", "SubnetIds")),
)


@proof("egress.addresses-are-static-and-published")
def addresses_are_static_and_published(case: Case, finding: Finding) -> None:
    """Workloads in the network call out by elastic addresses alone, and exactly these are published, as parameter and file.

    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html
    """
    model = facts(case).model
    for vpc in model.of("AWS::EC2::VPC"):
        addresses: dict[str, Node] = {}
        subnets = [subnet for subnet in model.of("AWS::EC2::Subnet") if subnet.get("VpcId") == vpc.id]
        exits = {subnet.id: list(_exits(model, subnet)) for subnet in subnets}
        for subnet in subnets:
            for route in exits[subnet.id]:
                gateway = model.find(route.get("NatGatewayId"), "AWS::EC2::NatGateway")
                address = model.find(gateway.get("AllocationId"), "AWS::EC2::EIP") if gateway else None
                if address is not None:
                    addresses[f"<{address.resource.stack}/{address.resource.logical_id}.PublicIp>"] = address
                elif gateway is not None and gateway.get("ConnectivityType") != "private":
                    finding.broken.append(note(gateway, "it has no elastic address, so that its own may change"))
        for caller in _callers(model, set(exits)):
            for subnet_id in _subnets(caller):
                for route in exits.get(subnet_id, []):
                    gateway = model.find(route.get("NatGatewayId"), "AWS::EC2::NatGateway")
                    if gateway is None and not _inspected(route):
                        finding.broken.append(note(route, f"{caller.path} calls out by another way than a NAT gateway"))
        for address in addresses.values():
            finding.evidence.append(note(address, f"connections out of {vpc.path} come from it"))
        _published(model, vpc, addresses, finding)


def _exits(model: Model, subnet: Node) -> Iterator[Node]:
    for association in model.of("AWS::EC2::SubnetRouteTableAssociation", account=subnet.account, region=subnet.region):
        if association.get("SubnetId") == subnet.id:
            for route in model.of("AWS::EC2::Route", account=subnet.account, region=subnet.region):
                to = {str(route.get("DestinationCidrBlock")), str(route.get("DestinationIpv6CidrBlock"))}
                if route.get("RouteTableId") == association.get("RouteTableId") and to & _EVERYWHERE:
                    yield route


def _inspected(route: Node) -> bool:
    """A route through a firewall's endpoint leads on to where the firewall's own subnet calls out."""
    return route.get("VpcEndpointId") is not None


def _subnets(caller: Node) -> list[str]:
    path = dict(_CALLERS)[caller.type]
    return texts(caller.get(*path))


def _callers(model: Model, subnets: set[str]) -> Iterator[Node]:
    for resource_type, _ in _CALLERS:
        for node in model.of(resource_type):
            if set(_subnets(node)) & subnets:
                yield node


def _published(model: Model, vpc: Node, addresses: dict[str, Node], finding: Finding) -> None:
    wanted = set(addresses)
    if not wanted:
        finding.missing.append(note(vpc, "nothing in it calls out by an elastic address"))
        return
    found = {"parameter": False, "file": False}
    places = [("parameter", node, node.get("Value")) for node in model.of("AWS::SSM::Parameter", account=vpc.account)]
    for rule in model.of("AWS::ElasticLoadBalancingV2::ListenerRule", account=vpc.account):
        for action in as_list(rule.get("Actions")):
            places.append(("file", rule, action.get("FixedResponseConfig", {}).get("MessageBody")))
    for kind, node, text in places:
        listed = {match[0] for match in INVENTED.finditer(text)} if isinstance(text, str) else set()
        listed = {item for item in listed if item.endswith(".PublicIp>")}
        if not listed:
            continue
        found[kind] = True
        literal = re.findall(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", str(text))
        if listed != wanted or literal:
            finding.broken.append(note(node, f"lists {len(listed)} addresses, calls come from {len(wanted)}"))
        else:
            finding.evidence.append(note(node, f"the {kind} lists exactly the {len(wanted)} addresses"))
    for kind, there in found.items():
        if not there:
            finding.broken.append(note(vpc, f"its egress addresses are published in no {kind}"))
