"""Reachability: sets are exact, AWS's documented behaviour is kept, and each promise breaks where it should."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import proofs.all_proofs  # noqa: F401
from assembly import Assembly, Resource
from proofs.finding import PROOFS, Case, Finding, Verdict
from proofs.model import changed, put, without
from proofs.reachability import INTERNET, Boxes, Ranges, Reachability, address, block, ports
from proofs.reachability.sets import PORTS
from tests.proofs.networks import flows, gateway, joined, reach, resource, route, vpc

# --------------------------------------------------------------------------------------------------------------- sets

spans = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=5)


def numbers(ranges: Ranges) -> set[int]:
    return {number for low, high in ranges.spans for number in range(low, high + 1)}


@given(spans, spans)
def test_ranges_are_sets(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    one, two = Ranges.of(first), Ranges.of(second)
    assert numbers(one | two) == numbers(one) | numbers(two)
    assert numbers(one & two) == numbers(one) & numbers(two)
    assert numbers(one - two) == numbers(one) - numbers(two)
    assert (one <= two) == (numbers(one) <= numbers(two))
    assert len(one) == len(numbers(one))
    assert all(low > before + 1 for (_, before), (low, _) in zip(one.spans, one.spans[1:], strict=False))


boxes = st.lists(st.tuples(spans, spans), max_size=3)


def pairs(found: Boxes) -> set[tuple[int, int]]:
    return {(a, p) for addresses, ports_ in found.parts for a in numbers(addresses) for p in numbers(ports_)}


@given(boxes, boxes)
def test_boxes_are_sets_of_pairs(first: Any, second: Any) -> None:
    one, two = (Boxes.of((Ranges.of(a), Ranges.of(p)) for a, p in given) for given in (first, second))
    assert pairs(one & two) == pairs(one) & pairs(two)
    assert pairs(one | two) == pairs(one) | pairs(two)
    assert pairs(one - two) == pairs(one) - pairs(two)


def test_addresses_of_both_kinds_share_one_line() -> None:
    assert address("255.255.255.255") + 1 == address("::")
    assert not block("10.0.0.0/8") & INTERNET
    assert address("8.8.8.8") in INTERNET
    assert address("2600::1") in INTERNET


# ---------------------------------------------------------------------------------------------------- internet, routes


def test_machine_is_reached_only_with_gateway_route_and_public_address() -> None:
    address_ = resource("EC2::EIP", InstanceId={"Ref": "A"})
    whole = reach(vpc("A", "10.0.0.0/24"), gateway("A"), Address=address_)
    (flow,) = flows(whole, "the internet", "A")
    assert flow.ports == ports(22, 23)
    assert flow.sources <= INTERNET
    assert flow.complete
    assert not joined(reach(vpc("A", "10.0.0.0/24"), gateway("A")), "the internet", "A")
    no_route = {name: body for name, body in gateway("A").items() if name != "Out"}
    assert not joined(reach(vpc("A", "10.0.0.0/24"), no_route, Address=address_), "the internet", "A")


def test_subnet_that_gives_public_addresses_counts_as_public() -> None:
    network = vpc("A", "10.0.0.0/24")
    network["ASubnet"]["Properties"]["MapPublicIpOnLaunch"] = True
    assert joined(reach(network, gateway("A")), "the internet", "A")


def test_blocked_public_access_stands_before_everything_save_exclusions() -> None:
    address_ = resource("EC2::EIP", InstanceId={"Ref": "A"})
    blocked = resource("EC2::VPCBlockPublicAccessOptions", InternetGatewayBlockMode="block-bidirectional")

    def exempt(mode: str) -> dict[str, Any]:
        return resource(
            "EC2::VPCBlockPublicAccessExclusion", SubnetId={"Ref": "ASubnet"}, InternetGatewayExclusionMode=mode
        )

    parts = (vpc("A", "10.0.0.0/24"), gateway("A"))
    assert not joined(reach(*parts, Address=address_, Blocked=blocked), "the internet", "A")
    out_only = reach(*parts, Address=address_, Blocked=blocked, Exempt=exempt("allow-egress"))
    assert not joined(out_only, "the internet", "A")
    assert joined(out_only, "A", "the internet")
    both = reach(*parts, Address=address_, Blocked=blocked, Exempt=exempt("allow-bidirectional"))
    assert joined(both, "the internet", "A")


def test_longest_prefix_decides_and_a_more_specific_route_diverts() -> None:
    nat = {
        "Nat": resource("EC2::NatGateway", SubnetId={"Ref": "PublicSubnet"}, AllocationId="eipalloc-1"),
        "PublicSubnet": resource(
            "EC2::Subnet", VpcId={"Ref": "AVpc"}, CidrBlock="10.0.1.0/24", AvailabilityZone="eu-west-1a"
        ),
        "PublicTable": resource("EC2::RouteTable", VpcId={"Ref": "AVpc"}),
        "InPublic": resource(
            "EC2::SubnetRouteTableAssociation",
            SubnetId={"Ref": "PublicSubnet"},
            RouteTableId={"Ref": "PublicTable"},
        ),
    }
    parts = {**vpc("A", "10.0.0.0/24"), **gateway("A"), **nat}
    parts["Out"] = resource(
        "EC2::Route",
        RouteTableId={"Ref": "PublicTable"},
        DestinationCidrBlock="0.0.0.0/0",
        GatewayId={"Ref": "Gateway"},
    )
    parts["ToNat"] = route("A", "198.51.100.0/24", NatGatewayId={"Ref": "Nat"})
    (flow,) = flows(reach(parts), "A", "the internet")
    assert flow.destinations == block("198.51.100.0/24")
    assert flow.passes == ("net/PublicSubnet",)
    assert not joined(reach(parts), "the internet", "A")


def test_route_whose_target_nobody_knows_is_taken_for_a_way_out_and_said_so() -> None:
    found = reach(vpc("A", "10.0.0.0/24"), Odd=route("A", "0.0.0.0/0", NetworkInterfaceId="eni-1"))
    (flow,) = flows(found, "A", "the internet")
    assert "where the route leads is not told" in flow.doubtful


# ------------------------------------------------------------------------------------------------ groups, network ACLs


def acl(*entries: tuple[bool, str, str, tuple[int, int] | None]) -> dict[str, dict[str, Any]]:
    made = {
        "Acl": resource("EC2::NetworkAcl", VpcId={"Ref": "AVpc"}),
        "InAcl": resource("EC2::SubnetNetworkAclAssociation", SubnetId={"Ref": "ASubnet"}, NetworkAclId={"Ref": "Acl"}),
    }
    for number, (egress, action, cidr, numbers_) in enumerate(entries):
        made[f"Entry{number}"] = resource(
            "EC2::NetworkAclEntry",
            NetworkAclId={"Ref": "Acl"},
            Egress=egress,
            RuleAction=action,
            CidrBlock=cidr,
            RuleNumber=number + 1,
            Protocol=6,
            **({"PortRange": {"From": numbers_[0], "To": numbers_[1]}} if numbers_ else {}),
        )
    return made


ADDRESS = {"Address": resource("EC2::EIP", InstanceId={"Ref": "A"})}


def test_network_acls_are_stateless_and_ordered() -> None:
    def found(*entries: Any) -> list[Any]:
        return flows(reach(vpc("A", "10.0.0.0/24"), gateway("A"), ADDRESS, acl(*entries)), "the internet", "A")

    anywhere, some = "0.0.0.0/0", "198.51.100.0/24"
    assert not found((False, "allow", anywhere, (22, 22)))  # no answer comes back
    (flow,) = found((False, "allow", anywhere, (22, 22)), (True, "allow", anywhere, (1024, 65535)))
    assert (flow.ports, flow.complete) == (ports(22), True)
    (flow,) = found((False, "allow", anywhere, (22, 22)), (True, "allow", anywhere, (32768, 60999)))
    assert not flow.complete
    assert flow.client_ports == ports(32768, 60999)
    (flow,) = found(
        (False, "deny", some, None), (False, "allow", anywhere, None), (True, "allow", anywhere, (1024, 65535))
    )
    assert not flow.sources & block(some)
    assert flow.ports == ports(22, 23)


def test_groups_by_reference_match_the_group_and_no_address() -> None:
    network = {**vpc("A", "10.0.0.0/24"), "BGroup": resource("EC2::SecurityGroup", VpcId={"Ref": "AVpc"})}
    network["B"] = resource("EC2::Instance", SubnetId={"Ref": "ASubnet"}, SecurityGroupIds=[{"Ref": "BGroup"}])
    network["C"] = resource("EC2::Instance", SubnetId={"Ref": "ASubnet"}, SecurityGroupIds=["sg-other"])
    network["AGroup"]["Properties"]["SecurityGroupIngress"] = []
    network["Rule"] = resource(
        "EC2::SecurityGroupIngress",
        GroupId={"Ref": "AGroup"},
        IpProtocol="tcp",
        FromPort=5432,
        ToPort=5432,
        SourceSecurityGroupId={"Ref": "BGroup"},
    )
    found = reach(network)
    assert [flow.ports for flow in flows(found, "B", "A")] == [ports(5432)]
    assert not joined(found, "C", "A")
    assert not joined(found, "A", "B")


def test_outbound_is_open_until_a_rule_says_otherwise() -> None:
    network = {**vpc("A", "10.0.0.0/24"), **gateway("A"), **ADDRESS}
    assert flows(reach(network), "A", "the internet")[0].ports == PORTS
    network["AGroup"]["Properties"]["SecurityGroupEgress"] = [
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}
    ]
    assert [flow.ports for flow in flows(reach(network), "A", "the internet")] == [ports(443)]


def test_prefix_lists_of_the_templates_are_read_and_those_of_aws_stay_what_they_are() -> None:
    network = {**vpc("A", "10.0.0.0/24"), **gateway("A"), **ADDRESS}
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    network["List"] = resource("EC2::PrefixList", Entries=[{"Cidr": "198.51.100.0/24"}])
    network["AGroup"]["Properties"]["SecurityGroupIngress"] = [
        {**rule, "SourcePrefixListId": {"Fn::GetAtt": ["List", "PrefixListId"]}},
        {**rule, "SourcePrefixListId": "pl-3b927c52", "FromPort": 8443, "ToPort": 8443},
    ]
    found = reach(network)
    (flow,) = flows(found, "the internet", "A")
    assert (flow.sources, flow.ports) == (block("198.51.100.0/24"), ports(443))
    assert {flow.ports for flow in flows(found, "prefix list pl-3b927c52", "A")} == {ports(443), ports(8443)}


def test_what_a_rule_does_not_tell_counts_as_everything_and_is_said() -> None:
    network = {**vpc("A", "10.0.0.0/24"), **gateway("A"), **ADDRESS}
    network["AGroup"]["Properties"]["SecurityGroupIngress"] = [
        {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "CidrIp": {"Ref": "Office"}}
    ]
    found = reach(network)
    assert joined(found, "the internet", "A")
    assert any("net/AGroup" in doubt for doubt in found.network.doubts)


def test_ipv6_is_public_wherever_it_is_routed() -> None:
    network = {**vpc("A", "10.0.0.0/24"), **gateway("A")}
    network["ASubnet"]["Properties"]["Ipv6CidrBlock"] = "2001:db8::/64"
    network["Out6"] = resource(
        "EC2::Route",
        RouteTableId={"Ref": "ATable"},
        DestinationIpv6CidrBlock="::/0",
        GatewayId={"Ref": "Gateway"},
    )
    network["AGroup"]["Properties"]["SecurityGroupIngress"] = [
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv6": "::/0"}
    ]
    (flow,) = flows(reach(network), "the internet", "A")
    assert flow.destinations == block("2001:db8::/64")
    network["Out6"]["Properties"] = {
        **network["Out6"]["Properties"],
        "EgressOnlyInternetGatewayId": "eigw-1",
    }
    del network["Out6"]["Properties"]["GatewayId"]
    assert not joined(reach(network), "the internet", "A")
    assert joined(reach(network), "A", "the internet")


# ------------------------------------------------------------------------------------------------- between networks


def peered(*, back: bool = True) -> Reachability:
    more = {
        "Peering": resource("EC2::VPCPeeringConnection", VpcId={"Ref": "AVpc"}, PeerVpcId={"Ref": "BVpc"}),
        "Forth": route("A", "10.1.0.0/24", VpcPeeringConnectionId={"Ref": "Peering"}),
    }
    if back:
        more["Back"] = route("B", "10.0.0.0/25", VpcPeeringConnectionId={"Ref": "Peering"})
    return reach(vpc("A", "10.0.0.0/24"), vpc("B", "10.1.0.0/24"), more)


def test_peering_joins_exactly_the_addresses_routed_both_ways() -> None:
    (flow,) = flows(peered(), "A", "B")
    assert flow.sources == block("10.0.0.0/25")
    assert flow.destinations == block("10.1.0.0/24")
    assert not joined(peered(back=False), "A", "B")


def transit(**more: dict[str, Any]) -> Reachability:
    """Clients B and C and the service A on a transit gateway: A's table knows both, theirs know only A."""
    parts: dict[str, dict[str, Any]] = {
        "Hub": resource(
            "EC2::TransitGateway", DefaultRouteTableAssociation="disable", DefaultRouteTablePropagation="disable"
        )
    }
    for name, tables in (("A", ("Clients",)), ("B", ("Service",)), ("C", ("Service",))):
        parts[f"{name}Attached"] = resource(
            "EC2::TransitGatewayAttachment",
            TransitGatewayId={"Ref": "Hub"},
            VpcId={"Ref": f"{name}Vpc"},
            SubnetIds=[{"Ref": f"{name}Subnet"}],
        )
        own = "Service" if name == "A" else "Clients"
        parts[f"{name}Associated"] = resource(
            "EC2::TransitGatewayRouteTableAssociation",
            TransitGatewayAttachmentId={"Ref": f"{name}Attached"},
            TransitGatewayRouteTableId={"Ref": f"{own}Hub"},
        )
        for table in tables:
            parts[f"{name}In{table}"] = resource(
                "EC2::TransitGatewayRouteTablePropagation",
                TransitGatewayAttachmentId={"Ref": f"{name}Attached"},
                TransitGatewayRouteTableId={"Ref": f"{table}Hub"},
            )
        parts[f"{name}ToHub"] = route(name, "10.0.0.0/8", TransitGatewayId={"Ref": "Hub"})
    for table in ("Clients", "Service"):
        parts[f"{table}Hub"] = resource("EC2::TransitGatewayRouteTable", TransitGatewayId={"Ref": "Hub"})
    blocks = {"A": "10.0.0.0/24", "B": "10.1.0.0/24", "C": "10.2.0.0/24"}
    return reach(*(vpc(name, cidr) for name, cidr in blocks.items()), parts, more)


def test_transit_gateway_route_tables_keep_clients_apart() -> None:
    found = transit()
    assert joined(found, "B", "A")
    assert joined(found, "C", "A")
    assert joined(found, "A", "B")
    assert not joined(found, "B", "C")
    assert not joined(found, "C", "B")


def test_one_propagation_too_many_one_way_is_not_enough_but_two_join_clients() -> None:
    def propagated(name: str) -> dict[str, Any]:
        return resource(
            "EC2::TransitGatewayRouteTablePropagation",
            TransitGatewayAttachmentId={"Ref": f"{name}Attached"},
            TransitGatewayRouteTableId={"Ref": "ClientsHub"},
        )

    assert not joined(transit(More=propagated("C")), "B", "C")
    assert joined(transit(More=propagated("C"), Other=propagated("B")), "B", "C")


def test_black_hole_stands_before_propagation() -> None:
    hole = resource(
        "EC2::TransitGatewayRoute",
        TransitGatewayRouteTableId={"Ref": "ClientsHub"},
        DestinationCidrBlock="10.0.0.0/24",
        Blackhole=True,
    )
    assert not joined(transit(Hole=hole), "B", "A")


def test_vpn_reaches_what_its_static_routes_and_the_propagated_routes_join() -> None:
    parts = {
        "Door": resource("EC2::VPNGateway"),
        "DoorAttached": resource("EC2::VPCGatewayAttachment", VpcId={"Ref": "AVpc"}, VpnGatewayId={"Ref": "Door"}),
        "Propagated": resource(
            "EC2::VPNGatewayRoutePropagation", RouteTableIds=[{"Ref": "ATable"}], VpnGatewayId={"Ref": "Door"}
        ),
        "Tunnel": resource("EC2::VPNConnection", VpnGatewayId={"Ref": "Door"}, StaticRoutesOnly=True),
        "Office": resource(
            "EC2::VPNConnectionRoute", VpnConnectionId={"Ref": "Tunnel"}, DestinationCidrBlock="192.168.7.0/24"
        ),
    }
    found = reach(vpc("A", "10.0.0.0/24"), parts)
    (flow,) = flows(found, "network behind <net/Door>", "A")
    assert flow.sources == block("192.168.7.0/24")
    assert joined(found, "A", "network behind <net/Door>")
    del parts["Propagated"]
    assert not joined(reach(vpc("A", "10.0.0.0/24"), parts), "network behind <net/Door>", "A")


def test_vpn_on_a_transit_gateway_reaches_only_what_tables_join() -> None:
    tunnel = resource("EC2::VPNConnection", TransitGatewayId={"Ref": "Hub"}, StaticRoutesOnly=True)
    office = resource("EC2::VPNConnectionRoute", VpnConnectionId={"Ref": "Tunnel"}, DestinationCidrBlock="10.77.0.0/24")
    attached = {"Fn::GetAtt": ["Tunnel", "TransitGatewayAttachmentId"]}
    associated = resource(
        "EC2::TransitGatewayRouteTableAssociation",
        TransitGatewayAttachmentId=attached,
        TransitGatewayRouteTableId={"Ref": "ClientsHub"},
    )
    back = resource(
        "EC2::TransitGatewayRoute",
        TransitGatewayRouteTableId={"Ref": "ServiceHub"},
        DestinationCidrBlock="10.77.0.0/24",
        TransitGatewayAttachmentId=attached,
    )
    clients = transit(Tunnel=tunnel, Office=office, TunnelAssociated=associated, Back=back)
    # Clients' table knows B and C in this network only if propagated; A is not in it, so nobody answers the office.
    assert not joined(clients, "network behind net/Tunnel", "B")
    (flow,) = flows(clients, "network behind net/Tunnel", "A")
    assert flow.sources == block("10.77.0.0/24")


def test_users_of_a_client_vpn_reach_only_what_is_authorized() -> None:
    network = {**vpc("A", "10.0.0.0/24"), "VpnGroup": resource("EC2::SecurityGroup", VpcId={"Ref": "AVpc"})}
    network["Vpn"] = resource(
        "EC2::ClientVpnEndpoint", SecurityGroupIds=[{"Ref": "VpnGroup"}], ClientCidrBlock="172.16.0.0/22"
    )
    network["InSubnet"] = resource(
        "EC2::ClientVpnTargetNetworkAssociation",
        ClientVpnEndpointId={"Ref": "Vpn"},
        SubnetId={"Ref": "ASubnet"},
    )
    assert not joined(reach(network), "Vpn", "A")
    network["Allowed"] = resource(
        "EC2::ClientVpnAuthorizationRule", ClientVpnEndpointId={"Ref": "Vpn"}, TargetNetworkCidr="10.0.0.16/28"
    )
    (flow,) = flows(reach(network), "Vpn", "A")
    assert flow.destinations == block("10.0.0.16/28")


def test_balancers_relay_to_their_targets() -> None:
    network = {**vpc("A", "10.0.0.0/24"), **gateway("A")}
    network["Front"] = resource(
        "ElasticLoadBalancingV2::LoadBalancer", Subnets=[{"Ref": "ASubnet"}], SecurityGroups=[{"Ref": "AGroup"}]
    )
    network["Targets"] = resource("ElasticLoadBalancingV2::TargetGroup", Targets=[{"Id": {"Ref": "A"}}], Port=80)
    network["Listener"] = resource(
        "ElasticLoadBalancingV2::Listener",
        LoadBalancerArn={"Ref": "Front"},
        Port=22,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}],
    )
    found = reach(network)
    assert not joined(found, "the internet", "A")
    relayed = found.through_balancers(found.places["net/A"])
    assert {(flow.source.name, flow.target.name, flow.ports) for flow in relayed} >= {
        ("the internet", "net/Front", ports(22))
    }


# ----------------------------------------------------------------------------------------------------- the deployment


@pytest.fixture(scope="module")
def whole(assembly: Assembly) -> Case:
    return Case(assembly)


def proofs_of(subject: str) -> list[str]:
    return [name for name in PROOFS if name.startswith(subject)]


@pytest.mark.parametrize("name", proofs_of("reachability."))
def test_promises_hold_on_the_fixture(name: str, whole: Case) -> None:
    finding = PROOFS[name](whole)
    assert finding.verdict is Verdict.HOLDS, str(finding)
    assert finding.evidence


def test_database_is_reached_by_the_application_and_the_bastion_alone(whole: Case) -> None:
    for stage in ("dev", "prod"):
        (database,) = whole.reach.named(f"{stage}-data/Database/Resource/Resource")
        found = whole.reach.reaching(database)
        assert {flow.source.name.split("/")[0] for flow in found} == {
            f"{stage}-access",
            f"{stage}-entry",
            f"{stage}-documents",
            f"{stage}-database",
            # Functions among the applications: a connection they may open, the database lets none of them in.
            f"{stage}-audit",
            f"{stage}-debug-export",
            f"{stage}-offboarding",
            f"{stage}-vault",
            *(["prod-audit-shipping", "prod-users"] if stage == "prod" else []),
        }
        assert {(flow.protocol, flow.ports) for flow in found} == {(6, ports(6432))}


def found_in(assembly: Assembly, path: str) -> Resource:
    return next(item for _, item in assembly.resources() if item.path == path)


def test_opened_group_breaks_privacy_and_is_named(assembly: Assembly) -> None:
    rule = found_in(assembly, "prod-network/Groups/DatabaseFromApplication")
    opened = {name: value for name, value in rule.properties.items() if name != "SourceSecurityGroupId"}
    weaker = changed(assembly, rule, to={**opened, "CidrIp": "10.128.0.0/16"})
    acl_entry = found_in(weaker, "prod-network/Vpc/DataAcl/Inbound1")
    weaker = changed(weaker, acl_entry, "CidrBlock", to="0.0.0.0/0")
    # Still private: nothing outside is routed to the data subnets.
    assert PROOFS["reachability.stores-are-private"](Case(weaker)).verdict is Verdict.HOLDS


def _break(assembly: Assembly, *changes: tuple[str, tuple[str | int, ...], Any]) -> Assembly:
    for path, place, new in changes:
        assembly = changed(assembly, found_in(assembly, path), *place, to=new)
    return assembly


def test_public_database_is_found_once_routes_groups_and_acls_let_it_be(assembly: Assembly) -> None:
    gateway_id = found_in(assembly, "prod-network/Vpc/InternetGateway").logical_id
    rule = found_in(assembly, "prod-network/Groups/DatabaseFromApplication")
    opened = {name: value for name, value in rule.properties.items() if name != "SourceSecurityGroupId"}
    table = next(
        item
        for item in assembly["prod-network"].resources.values()
        if item.type == "AWS::EC2::RouteTable" and "/Data" in item.path
    )
    stack = assembly["prod-network"]
    out = {
        "Type": "AWS::EC2::Route",
        "Properties": {
            "RouteTableId": {"Ref": table.logical_id},
            "DestinationCidrBlock": "0.0.0.0/0",
            "GatewayId": {"Ref": gateway_id},
        },
    }
    template = put(stack.template, ("Resources", "Leak"), out)
    block_ = found_in(assembly, "prod-network/BlockedPublicAccess/Resource")
    template = put(template, ("Resources", block_.logical_id, "Properties", "InternetGatewayBlockMode"), "off")
    weaker = Assembly(
        directory=assembly.directory,
        stacks=tuple(
            dataclasses.replace(item, template=template) if item.name == stack.name else item
            for item in assembly.stacks
        ),
    )
    weaker = _break(
        weaker,
        (rule.path, (), {**opened, "CidrIp": "0.0.0.0/0"}),
        ("prod-network/Vpc/DataAcl/Inbound1", ("CidrBlock",), "0.0.0.0/0"),
        ("prod-network/Vpc/DataAcl/Outbound1", ("CidrBlock",), "0.0.0.0/0"),
    )
    instance = next(item for _, item in weaker.resources("AWS::RDS::DBInstance") if item.path.startswith("prod-data"))
    weaker = changed(weaker, instance, "PubliclyAccessible", to=True)
    finding = PROOFS["reachability.stores-are-private"](Case(weaker))
    assert finding.verdict is Verdict.BROKEN
    assert any(item.where == rule.path and "the internet" in item.what for item in finding.broken), str(finding)


def test_balancer_open_to_all_is_found_and_its_rule_named(assembly: Assembly) -> None:
    rule = next(
        item
        for _, item in assembly.resources("AWS::EC2::SecurityGroupIngress")
        if item.path.startswith("dev-") and "SourcePrefixListId" in item.properties
    )
    opened = {name: value for name, value in rule.properties.items() if name != "SourcePrefixListId"}
    finding = PROOFS["reachability.only-the-edge-is-open"](
        Case(changed(assembly, rule, to={**opened, "CidrIp": "0.0.0.0/0"}))
    )
    assert finding.verdict is Verdict.BROKEN
    assert {item.where for item in finding.broken} == {rule.path}


def test_peering_between_stages_is_found(assembly: Assembly) -> None:
    def block_of(stage: str) -> tuple[str, str]:
        (found,) = (item for item in assembly[f"{stage}-network"].resources.values() if item.type == "AWS::EC2::VPC")
        return f"<{stage}-network/{found.logical_id}>", found.properties["CidrBlock"]

    (dev, dev_block), (prod, prod_block) = block_of("dev"), block_of("prod")
    stacks = []
    for stack in assembly.stacks:
        template = stack.template
        if stack.name in {"dev-network", "prod-network"}:
            mine = stack.name.startswith("dev")
            if mine:
                template = put(
                    template,
                    ("Resources", "Peering"),
                    resource("EC2::VPCPeeringConnection", VpcId=dev, PeerVpcId=prod, PeerOwnerId="200000000002"),
                )
            tables = [item for item in stack.resources.values() if item.type == "AWS::EC2::RouteTable"]
            for table in tables:
                template = put(
                    template,
                    ("Resources", f"To{table.logical_id}"),
                    resource(
                        "EC2::Route",
                        RouteTableId={"Ref": table.logical_id},
                        DestinationCidrBlock=prod_block if mine else dev_block,
                        VpcPeeringConnectionId="<dev-network/Peering>",
                    ),
                )
        stacks.append(dataclasses.replace(stack, template=template))
    finding = PROOFS["reachability.stages-are-apart"](
        Case(Assembly(directory=assembly.directory, stacks=tuple(stacks)))
    )
    assert finding.verdict is Verdict.BROKEN
    assert "dev-network/Peering" in {item.where for item in finding.broken}


@pytest.mark.parametrize("path", ["dev-network/Vpc/DataAcl/Outbound1", "prod-network/Vpc/DataAcl/Inbound1"])
def test_acl_that_swallows_calls_or_answers_is_found(assembly: Assembly, path: str) -> None:
    finding = PROOFS["reachability.what-is-wanted-works"](Case(without(assembly, found_in(assembly, path))))
    assert finding.verdict is Verdict.BROKEN
    assert all("Database" in item.what for item in finding.broken)


def test_acl_with_too_few_ports_for_answers_is_found(assembly: Assembly) -> None:
    entry = found_in(assembly, "prod-network/Vpc/DataAcl/Outbound1")
    finding = PROOFS["reachability.what-is-wanted-works"](Case(changed(assembly, entry, "PortRange", "From", to=32768)))
    assert any("only some client ports" in item.what for item in finding.broken)


def test_empty_assemblies_prove_nothing() -> None:
    empty = Case(Assembly(directory=Path(), stacks=()))
    for name in proofs_of("reachability."):
        finding: Finding = PROOFS[name](empty)
        assert finding.verdict is Verdict.PARTIAL
