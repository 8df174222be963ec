"""The network: who reaches whom, by which way, and what watches it, in every shape."""

from __future__ import annotations

import dataclasses
import json
from ipaddress import IPv4Address, IPv4Network
from itertools import permutations
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assembly import Assembly, Stack, load
from proofs.reachability import INTERNET as PUBLIC
from stacks.keys import Keys
from stacks.names import Log, Names
from stacks.network import (
    APPLICATION_PORT,
    DATABASE_PORT,
    Network,
    allowed_outside_names,
    aws_names,
)
from stacks.settings import Deployment, Egress, Shape, check
from stacks.synthesis import new_app
from tests.fixture_deployment import FIXTURE
from tests.stacks.network_model import INTERNET, STORAGE, NetworkModel, Place, evaluate, target

PORTS = (22, 25, 53, 80, 443, 1433, 3306, 3389, 5432, 6379, DATABASE_PORT, 8080, APPLICATION_PORT, 9200, 32768, 65535)
CLOUDFRONT = Place(
    "cloudfront", IPv4Address("198.51.100.30"), prefix_list="com.amazonaws.global.cloudfront.origin-facing"
)
STRANGER = Place("stranger", INTERNET)
BUCKETS = Place("storage", STORAGE, prefix_list=f"com.amazonaws.{FIXTURE.home.name}.s3")
OUTSIDE = (CLOUDFRONT, STRANGER, BUCKETS)

REACHABLE = {
    ("cloudfront", "balancer", 443),
    ("balancer", "application", APPLICATION_PORT),
    ("application", "database", DATABASE_PORT),
    ("application", "endpoint", 443),
    ("application", "cloudfront", 443),
    ("application", "stranger", 443),
    ("application", "storage", 443),
    ("bastion", "database", DATABASE_PORT),
    ("bastion", "endpoint", 443),
    ("bastion", "storage", 443),
}
"""Everything that may open a connection, and to what. There is nothing else."""

OTHER_SHAPES = Shape(nat_gateways=1, endpoint_zones=3, egress=Egress.NETWORK_FIREWALL), Shape(nat_gateways=3)
CUSTOMER_HOSTED = check(
    dataclasses.replace(
        FIXTURE,
        organization=None,
        chat=None,
        accounts=dataclasses.replace(FIXTURE.accounts, management=None),
        stages=tuple(
            dataclasses.replace(stage, shape=shape) for stage, shape in zip(FIXTURE.stages, OTHER_SHAPES, strict=True)
        ),
    )
)
"""The two shapes that the fixture's stages do not have, in a deployment without an organization."""


@pytest.fixture(scope="module")
def customer_hosted(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    directory = tmp_path_factory.mktemp("assembly") / "cdk.out"
    app = new_app(outdir=directory, context={"@aws-cdk/core:validateAgainstDefaultRules": False})
    for stage in CUSTOMER_HOSTED.stages:
        keys = Keys(app, deployment=CUSTOMER_HOSTED, stage=stage)
        Network(app, deployment=CUSTOMER_HOSTED, stage=stage, keys=keys)
    app.synth()
    return load(Path(directory))


@pytest.fixture(scope="module", params=["one-nat-dns", "three-nats-firewall", "one-nat-firewall", "three-nats-dns"])
def case(request: pytest.FixtureRequest) -> tuple[Deployment, str, Stack]:
    """Deployment, stage name and network stack of each shape."""
    own = request.param in {"one-nat-dns", "three-nats-firewall"}
    deployment = FIXTURE if own else CUSTOMER_HOSTED
    assembly: Assembly = request.getfixturevalue("assembly" if own else "customer_hosted")
    stage = deployment.stages[0 if request.param.startswith("one") else 1]
    return deployment, stage.name, assembly[f"{stage.name}-network"]


@pytest.fixture(scope="module")
def stack(case: tuple[Deployment, str, Stack]) -> Stack:
    return case[2]


@pytest.fixture(scope="module")
def shape(case: tuple[Deployment, str, Stack]) -> Shape:
    deployment, stage, _ = case
    return deployment.stage(stage).shape


@pytest.fixture(scope="module")
def model(stack: Stack) -> NetworkModel:
    return NetworkModel(stack)


def inhabitants(model: NetworkModel) -> list[Place]:
    """One interface of every kind in every subnet where it may be."""
    homes = {"public": ["balancer"], "application": ["application", "endpoint", "bastion"], "data": ["database"]}
    return [
        Place(group, block[10 + place], subnet, group)
        for subnet, block in model.subnets.items()
        for place, group in enumerate(homes.get(model.tiers[subnet], []))
    ]


# ------------------------------------------------------------------------------------------------------- reachability


def test_reachable_is_exactly_what_is_written(model: NetworkModel) -> None:
    places = [*inhabitants(model), *OUTSIDE]
    found = {
        (source.name, other.name, port)
        for source in places
        for other in places
        for port in PORTS
        if source is not other and model.connects(source, other, port)
    }
    assert found == REACHABLE


def test_everything_reachable_is_so_between_any_two_zones(model: NetworkModel) -> None:
    places = [*inhabitants(model), *OUTSIDE]
    for source_name, other_name, port in REACHABLE:
        sources = [place for place in places if place.name == source_name]
        others = [place for place in places if place.name == other_name]
        assert sources
        assert others
        assert all(model.connects(source, other, port) for source in sources for other in others), (
            source_name,
            other_name,
        )


def test_acls_alone_already_separate_the_tiers(model: NetworkModel) -> None:
    places = [Place(model.tiers[name], block[9], name) for name, block in model.subnets.items()]
    found = {
        (source.name, other.name, port)
        for source in (*places, STRANGER)
        for other in (*places, STRANGER)
        for port in PORTS
        if source is not other and model.connects(source, other, port)
    }
    within_applications = {("application", "application", port) for port in PORTS if port == 443 or port >= 1024}
    assert found == {
        ("stranger", "public", 443),
        ("public", "application", APPLICATION_PORT),
        ("application", "data", DATABASE_PORT),
        ("application", "stranger", 443),
        *within_applications,
    }


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(address=st.ip_addresses(v=4), port=st.integers(0, 65535))
def test_nobody_outside_reaches_anything_but_through_cloudfront(
    model: NetworkModel, address: IPv4Address, port: int
) -> None:
    if address in model.vpc:
        return
    stranger = Place("stranger", address)
    assert not [place for place in inhabitants(model) if model.connects(stranger, place, port)]
    if not address.is_global:
        return  # nobody on the internet, CloudFront included, has such an address
    through = dataclasses.replace(stranger, prefix_list=CLOUDFRONT.prefix_list)
    reached = {place.name for place in inhabitants(model) if model.connects(through, place, port)}
    assert reached == ({"balancer"} if port == 443 and int(address) in PUBLIC else set())


def test_every_acl_entry_is_needed(stack: Stack) -> None:
    whole = NetworkModel(stack)
    places = [*inhabitants(whole), *OUTSIDE]
    wanted = [
        (source, other, port)
        for source_name, other_name, port in REACHABLE
        for source in places
        for other in places
        if source.name == source_name and other.name == other_name
    ]
    for logical_id, entry in whole.of("AWS::EC2::NetworkAclEntry").items():
        if entry["Protocol"] == 6:
            weakened = NetworkModel(stack, without=logical_id)
            assert not all(weakened.connects(*connection) for connection in wanted), entry


def test_every_group_rule_is_needed(stack: Stack) -> None:
    whole = NetworkModel(stack)
    places = [*inhabitants(whole), *OUTSIDE]
    for kind in ("Ingress", "Egress"):
        for logical_id in whole.of(f"AWS::EC2::SecurityGroup{kind}"):
            weakened = NetworkModel(stack, without=logical_id)
            left = {
                (source.name, other.name, port)
                for source in places
                for other in places
                for port in {port for _, _, port in REACHABLE}
                if source is not other and weakened.connects(source, other, port)
            }
            assert left < REACHABLE, logical_id


# ---------------------------------------------------------------------------------------------------- subnets, routes


def test_every_tier_has_its_own_acl_and_no_subnet_the_default(model: NetworkModel) -> None:
    acls: dict[str, set[str]] = {tier: set() for tier in model.tiers.values()}
    for subnet, tier in model.tiers.items():
        acls[tier].add(model.acl_of(subnet))
        assert model.table_of(subnet)
    assert all(len(found) == 1 for found in acls.values())
    assert len(set.union(*acls.values())) == len(acls)


def test_tiers_span_three_zones_and_no_subnet_gives_public_addresses(model: NetworkModel) -> None:
    for tier in ("public", "application", "data"):
        zones = {model.zones[subnet] for subnet, found in model.tiers.items() if found == tier}
        assert len(zones) == 3, tier
    assert not any(item["MapPublicIpOnLaunch"] for item in model.of("AWS::EC2::Subnet").values())


def test_data_has_no_route_out_of_the_vpc(model: NetworkModel) -> None:
    data = [subnet for subnet, tier in model.tiers.items() if tier == "data"]
    tables = {model.table_of(subnet) for subnet in data}
    assert data
    assert not any(model.routes_of(subnet) for subnet in data)
    for endpoint in model.of("AWS::EC2::VPCEndpoint").values():
        assert tables.isdisjoint(map(target, endpoint.get("RouteTableIds", [])))


def test_each_application_leaves_by_its_zone_where_there_is_a_gateway_for_each(
    model: NetworkModel, shape: Shape
) -> None:
    for place in inhabitants(model):
        if place.name != "application":
            continue
        assert place.subnet is not None
        passed = model.way(place, INTERNET)
        assert passed is not None
        tiers = [model.tiers[subnet] for subnet in passed]
        inspected = shape.egress is Egress.NETWORK_FIREWALL
        assert tiers == ["application", *(["firewall"] if inspected else []), "egress"]
        zones = {model.zones[subnet] for subnet in passed[1:]}
        assert len(zones) == 1
        if shape.nat_gateways == 3:
            assert zones == {model.zones[place.subnet]}


def test_answers_pass_the_same_firewall_endpoint_as_the_calls(model: NetworkModel, shape: Shape) -> None:
    for place in inhabitants(model):
        if place.name != "application" or shape.egress is not Egress.NETWORK_FIREWALL:
            continue
        assert place.subnet is not None
        passed = model.way(place, INTERNET)
        assert passed is not None
        back = model.routes_of(passed[-1])[model.subnets[place.subnet]]
        assert model.zones[model.subnet_behind(back)] == model.zones[passed[1]]


def test_load_balancer_traffic_never_meets_the_firewall(model: NetworkModel) -> None:
    for subnet, tier in model.tiers.items():
        if tier in {"public", "application"}:
            inside = [block for block in model.routes_of(subnet) if block.subnet_of(model.vpc)]
            assert not inside, subnet


# ------------------------------------------------------------------------------------------------------ egress address


def test_published_addresses_are_exactly_those_of_the_gateways(stack: Stack, model: NetworkModel, shape: Shape) -> None:
    addresses = {target(item["AllocationId"]) for item in model.of("AWS::EC2::NatGateway").values()}
    assert len(addresses) == shape.nat_gateways
    assert addresses == set(model.of("AWS::EC2::EIP"))
    (parameter,) = model.of("AWS::SSM::Parameter").values()
    for published in (stack.outputs["EgressAddresses"]["Value"], parameter["Value"]):
        # CDK joins a single address by leaving it as it is.
        separator, parts = published.get("Fn::Join", (",", [published]))
        assert separator == ","
        assert {target(part) for part in parts} == addresses
        assert {part["Fn::GetAtt"][1] for part in parts} == {"PublicIp"}


def test_addresses_outlive_the_stack(stack: Stack) -> None:
    for resource in stack.resources.values():
        if resource.type == "AWS::EC2::EIP":
            assert resource.definition["DeletionPolicy"] == "Retain"
            assert resource.definition["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("gateways", [1, 3])
def test_public_document_is_json_that_fits_a_fixed_response(gateways: int) -> None:
    stage = dataclasses.replace(FIXTURE.stages[0], shape=Shape(nat_gateways=gateways))
    deployment = dataclasses.replace(FIXTURE, stages=(stage,))
    app = cdk.App()
    network = Network(app, deployment=deployment, stage=stage, keys=Keys(app, deployment=deployment, stage=stage))
    document = network.resolve(network.egress_document)

    def text(part: Any) -> str:
        match part:
            case {"Fn::Join": [separator, parts]}:
                return str(separator).join(text(inner) for inner in parts)
            case {"Fn::GetAtt": [_, "PublicIp"]}:
                return "203.0.113.255"
        return str(part)

    content = text(document)
    assert len(content) <= 1024
    assert json.loads(content) == {
        "stage": stage.name,
        "region": deployment.home.name,
        "egress_addresses": ["203.0.113.255"] * gateways,
    }


# ----------------------------------------------------------------------------------------------------------- endpoints


def test_endpoints_serve_only_our_principals_and_our_resources(
    case: tuple[Deployment, str, Stack], model: NetworkModel
) -> None:
    deployment = case[0]
    if deployment.organization is None:
        accounts = list(deployment.account_ids)
        bound: dict[str, object] = {"aws:PrincipalAccount": accounts, "aws:ResourceAccount": accounts}
    else:
        organization = deployment.organization.id
        bound = {"aws:PrincipalOrgID": organization, "aws:ResourceOrgID": organization}
    exceptions = {}
    for endpoint in model.of("AWS::EC2::VPCEndpoint").values():
        service = endpoint["ServiceName"].rpartition(".")[2]
        first, *others = endpoint["PolicyDocument"]["Statement"]
        assert first["Condition"] == {"StringEquals": bound}
        assert first["Action"] == f"{service}:*"
        for statement in others:
            exceptions[statement["Sid"]] = statement
    assert set(exceptions) == {"PackagesAndPatchesOfAws", "PublicDocumentsOfAws"}
    packages, documents = exceptions["PackagesAndPatchesOfAws"], exceptions["PublicDocumentsOfAws"]
    assert packages["Action"] == "s3:GetObject"
    assert all(f"-{deployment.home.name}" in arn and arn.endswith("/*") for arn in packages["Resource"])
    assert all(action.startswith(("ssm:Get", "ssm:Describe")) for action in documents["Action"])
    assert documents["Condition"]["StringEquals"].items() <= bound.items()


def test_interface_endpoints_answer_under_the_services_own_names_in_as_many_zones_as_wanted(
    model: NetworkModel, shape: Shape
) -> None:
    interfaces = [item for item in model.of("AWS::EC2::VPCEndpoint").values() if item["VpcEndpointType"] == "Interface"]
    assert interfaces
    for endpoint in interfaces:
        subnets = [target(subnet) for subnet in endpoint["SubnetIds"]]
        assert endpoint["PrivateDnsEnabled"] is True
        assert [model.tiers[subnet] for subnet in subnets] == ["application"] * shape.endpoint_zones
        assert [target(group) for group in endpoint["SecurityGroupIds"]] == [model.groups["endpoint"]]


def test_gateway_endpoints_serve_every_application_subnet(model: NetworkModel) -> None:
    gateways = [item for item in model.of("AWS::EC2::VPCEndpoint").values() if item["VpcEndpointType"] == "Gateway"]
    tables = {model.table_of(subnet) for subnet, tier in model.tiers.items() if tier == "application"}
    assert {item["ServiceName"].rpartition(".")[2] for item in gateways} == {"s3", "dynamodb"}
    assert all(set(map(target, item["RouteTableIds"])) == tables for item in gateways)


# ------------------------------------------------------------------------------------------------------------- defaults


def test_defaults_of_the_vpc_are_closed_by_a_function_that_can_change_nothing_else(model: NetworkModel) -> None:
    (closed,) = model.of("Custom::CloseDefaults").values()
    (vpc,) = model.of("AWS::EC2::VPC")
    assert closed["SecurityGroupId"] == {"Fn::GetAtt": [vpc, "DefaultSecurityGroup"]}
    assert closed["NetworkAclId"] == {"Fn::GetAtt": [vpc, "DefaultNetworkAcl"]}
    writes = [
        statement
        for policy in model.of("AWS::IAM::ManagedPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if any(action.startswith("ec2:") and "Describe" not in action for action in _listed(statement["Action"]))
    ]
    targets = {
        str(action): statement["Resource"]["Fn::Join"][1][1]["Fn::GetAtt"][1]
        for statement in writes
        for action in _listed(statement["Action"])
    }
    assert targets == {
        "ec2:RevokeSecurityGroupEgress": "DefaultSecurityGroup",
        "ec2:RevokeSecurityGroupIngress": "DefaultSecurityGroup",
        "ec2:DeleteNetworkAclEntry": "DefaultNetworkAcl",
    }


def test_no_group_is_left_with_the_open_way_out_that_aws_adds(model: NetworkModel) -> None:
    groups = model.of("AWS::EC2::SecurityGroup")
    assert groups
    for group in groups.values():
        (nothing,) = group["SecurityGroupEgress"]
        assert nothing["CidrIp"] == "255.255.255.255/32"


def test_public_access_is_blocked_save_where_load_balancers_and_gateways_are(model: NetworkModel) -> None:
    (block,) = model.of("AWS::EC2::VPCBlockPublicAccessOptions").values()
    assert block["InternetGatewayBlockMode"] == "block-bidirectional"
    exempt = {
        target(item["SubnetId"]): item["InternetGatewayExclusionMode"]
        for item in model.of("AWS::EC2::VPCBlockPublicAccessExclusion").values()
    }
    modes = {"public": "allow-bidirectional", "egress": "allow-egress", "firewall": "allow-egress"}
    assert exempt == {subnet: modes[tier] for subnet, tier in model.tiers.items() if tier in modes}


# ----------------------------------------------------------------------------------------------------- logs, firewalls


def test_flows_queries_and_firewall_logs_go_to_the_archive(
    case: tuple[Deployment, str, Stack], model: NetworkModel, shape: Shape
) -> None:
    deployment, stage, _ = case
    names = Names(deployment)
    (vpc,) = model.of("AWS::EC2::VPC")
    (flow,) = model.of("AWS::EC2::FlowLog").values()
    assert flow["TrafficType"] == "ALL"
    assert target(flow["ResourceId"]) == vpc
    assert flow["LogDestination"] == f"arn:aws:s3:::{names.delivery_bucket(stage, Log.FLOW)}"
    (queries,) = model.of("AWS::Route53Resolver::ResolverQueryLoggingConfig").values()
    assert queries["DestinationArn"] == f"arn:aws:s3:::{names.delivery_bucket(stage, Log.RESOLVER)}"
    (association,) = model.of("AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation").values()
    assert target(association["ResourceId"]) == vpc
    logs = model.of("AWS::NetworkFirewall::LoggingConfiguration").values()
    assert len(logs) == (1 if shape.egress is Egress.NETWORK_FIREWALL else 0)
    for configuration in logs:
        destinations = configuration["LoggingConfiguration"]["LogDestinationConfigs"]
        assert {item["LogType"] for item in destinations} == {"ALERT", "FLOW"}
        assert {item["LogDestination"]["bucketName"] for item in destinations} == {
            names.delivery_bucket(stage, Log.FIREWALL)
        }


def test_dns_answers_allowed_names_only_and_threats_never(
    case: tuple[Deployment, str, Stack], model: NetworkModel
) -> None:
    deployment, stage_name, _ = case
    stage = deployment.stage(stage_name)
    lists = model.of("AWS::Route53Resolver::FirewallDomainList")
    (group,) = model.of("AWS::Route53Resolver::FirewallRuleGroup").values()
    rules = sorted(group["FirewallRules"], key=lambda rule: rule["Priority"])
    *threats, allow, last = rules
    assert len(threats) == 2
    for rule in (*threats, last):
        assert (rule["Action"], rule["BlockResponse"]) == ("BLOCK", "NXDOMAIN")
        assert "FirewallDomainRedirectionAction" not in rule
    assert {rule["FirewallDomainListId"]["Fn::GetAtt"][1] for rule in threats} == {
        "AggregateThreats",
        "GuardDutyThreats",
    }
    assert allow["Action"] == "ALLOW"
    assert lists[target(last["FirewallDomainListId"])]["Domains"] == ["*"]
    allowed = lists[target(allow["FirewallDomainListId"])]["Domains"]
    assert set(allowed) == {
        *allowed_outside_names(stage, deployment.home.name),
        *aws_names(stage, deployment.home.name),
    }
    (association,) = model.of("AWS::Route53Resolver::FirewallRuleGroupAssociation").values()
    assert target(association["VpcId"]) in model.of("AWS::EC2::VPC")


def test_allowed_names_are_vendors_issuer_and_services_but_nobodys_machine() -> None:
    stage = FIXTURE.stages[0]
    region = FIXTURE.home.name
    assert allowed_outside_names(stage, region) == ["*.models.example", "api.vendor.example", "login.dev.acme.example"]
    own_users = allowed_outside_names(FIXTURE.stages[1], region)
    assert own_users == ["api.vendor.example", f"cognito-idp.{region}.amazonaws.com", "intake.logs.example"]
    names = aws_names(stage, region)
    for needed in ("sts", "kms", "ssmmessages", "dynamodb", f"{stage.account}.ddb", "s3"):
        assert f"{needed}.{region}.amazonaws.com" in names
    for strangers in (f"ec2-203-0-113-25.{region}.compute.amazonaws.com", f"x.execute-api.{region}.amazonaws.com"):
        assert not any(strangers.endswith(name.removeprefix("*")) for name in names)


def test_firewall_drops_what_no_rule_passes(
    case: tuple[Deployment, str, Stack], model: NetworkModel, shape: Shape
) -> None:
    deployment, stage, _ = case
    if shape.egress is not Egress.NETWORK_FIREWALL:
        assert not model.of("AWS::NetworkFirewall::Firewall")
        return
    (policy,) = model.of("AWS::NetworkFirewall::FirewallPolicy").values()
    rules = policy["FirewallPolicy"]
    assert rules["StatefulEngineOptions"]["RuleOrder"] == "STRICT_ORDER"
    assert any(action.startswith("aws:drop_established") for action in rules["StatefulDefaultActions"])
    assert rules["StatelessDefaultActions"] == ["aws:forward_to_sfe"]
    (group,) = model.of("AWS::NetworkFirewall::RuleGroup").values()
    source = group["RuleGroup"]["RulesSource"]["RulesSourceList"]
    assert source["GeneratedRulesType"] == "ALLOWLIST"
    assert source["TargetTypes"] == ["TLS_SNI"]
    allowed = allowed_outside_names(deployment.stage(stage), deployment.home.name)
    assert source["Targets"] == [name.removeprefix("*") for name in allowed]
    (firewall,) = model.of("AWS::NetworkFirewall::Firewall").values()
    assert firewall["DeleteProtection"] is True
    assert len(firewall["SubnetMappings"]) == shape.nat_gateways


def test_firewall_endpoint_is_found_whatever_order_aws_returns(model: NetworkModel, shape: Shape) -> None:
    routes = [route for route in model.of("AWS::EC2::Route").values() if "VpcEndpointId" in route]
    assert bool(routes) == (shape.egress is Egress.NETWORK_FIREWALL)
    zones = sorted({model.zones[subnet] for subnet, tier in model.tiers.items() if tier == "firewall"})
    for route in routes:
        answers = {
            evaluate(route["VpcEndpointId"], [f"{zone}:vpce-{zone}" for zone in order]) for order in permutations(zones)
        }
        assert len(answers) == 1


def test_blocks_of_subnets_are_disjoint_and_inside_the_vpc(model: NetworkModel) -> None:
    blocks: list[IPv4Network] = list(model.subnets.values())
    assert all(block.subnet_of(model.vpc) for block in blocks)
    assert not any(one.overlaps(other) for one in blocks for other in blocks if one is not other)


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
