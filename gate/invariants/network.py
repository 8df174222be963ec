"""Networks: tiers that cannot reach further than they need, names that are filtered, traffic that is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from assembly import Resource
from gate.control import control
from gate.policies import documents
from gate.world import World, as_list, at, key_of, truthy


def _port_range(entry: Resource) -> tuple[int, int]:
    if (
        str(entry.properties.get("Protocol")) in {"1", "58"}
        and int(at(entry.properties, "Icmp", "Type", default=-1)) == 3
    ):
        return 443, 443  # "destination unreachable", which path MTU discovery needs, is as narrow as one port
    if str(entry.properties.get("Protocol")) == "-1":
        return 0, 65535
    return int(at(entry.properties, "PortRange", "From", default=0)), int(
        at(entry.properties, "PortRange", "To", default=65535)
    )


@control("network.acl.restrictive", "AWS::EC2::NetworkAclEntry")
def acl_restrictive(entry: Resource, world: World) -> Iterator[str]:
    """No access list allows everything: an open source or destination is let through on one port, or as return traffic.

    Fix: name ports and blocks; return traffic is ports 1024 to 65535.
    https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html
    """
    if entry.properties.get("RuleAction") != "allow":
        return
    low, high = _port_range(entry)
    block = world.text(entry.properties.get("CidrBlock") or entry.properties.get("Ipv6CidrBlock") or "", entry)
    if str(entry.properties.get("Protocol")) == "-1":
        yield f"it allows every protocol to or from {block}"
    elif low < 1024 and high - low > 100:
        yield f"it allows ports {low} to {high} to or from {block}"
    if (
        block in {"0.0.0.0/0", "::/0"}
        and low < 1024
        and (low, high) != (443, 443)
        and not (truthy(entry.properties.get("Egress")) and (low, high) == (443, 443))
    ):
        yield f"it lets the internet through on ports {low} to {high}"


@control("network.acl.isolation", "AWS::EC2::NetworkAclEntry")
def acl_isolation(entry: Resource, world: World) -> Iterator[str]:
    """The access list of subnets without a route out names no open block.

    Fix: name the blocks of the tiers that need to reach it.
    https://docs.aws.amazon.com/vpc/latest/userguide/infrastructure-security.html
    """
    if entry.properties.get("RuleAction") != "allow":
        return
    block = world.text(entry.properties.get("CidrBlock") or entry.properties.get("Ipv6CidrBlock") or "", entry)
    if block not in {"0.0.0.0/0", "::/0"}:
        return
    acl = world.target(entry.properties.get("NetworkAclId"), entry)
    if acl is None:
        return
    subnets = [
        world.target(association.properties.get("SubnetId"), association)
        for association in world.pointing_at(acl, "NetworkAclId", "AWS::EC2::SubnetNetworkAclAssociation")
    ]
    if subnets and not any(subnet is not None and _has_way_out(subnet, world) for subnet in subnets):
        low, high = _port_range(entry)
        if low < 1024 or high < 65535 or not truthy(entry.properties.get("Egress")):
            yield f"its subnets are isolated, yet it allows {block} on ports {low} to {high}"


@control("network.acl.order", "AWS::EC2::NetworkAclEntry")
def acl_order(entry: Resource, world: World) -> Iterator[str]:
    """What an access list opens to everywhere stands behind its refusal of the network's own block, so that it opens nothing
    between tiers; outwards it opens one well-known port or return traffic.

    Fix: name the tier's block, or give the rule a higher number than the refusal.
    https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html
    """
    if entry.properties.get("RuleAction") != "allow" or entry.properties.get("CidrBlock") != "0.0.0.0/0":
        return
    low, high = _port_range(entry)
    if "Icmp" not in entry.properties and (low, high) not in {(443, 443), (1024, 65535)}:
        yield f"it opens ports {low} to {high} to everywhere"
    acl = world.target(entry.properties.get("NetworkAclId"), entry)
    if acl is None or "Icmp" in entry.properties:
        return
    for other in world.pointing_at(acl, "NetworkAclId", "AWS::EC2::NetworkAclEntry"):
        if (
            other.properties.get("RuleAction") == "deny"
            and truthy(other.properties.get("Egress")) == truthy(entry.properties.get("Egress"))
            and int(other.properties.get("RuleNumber", 0)) > int(entry.properties.get("RuleNumber", 0))
        ):
            yield f"it lets {other.properties.get('CidrBlock')} through before {other.path} refuses it"


def _routes(subnet: Resource, world: World) -> Iterator[Resource]:
    for association in world.pointing_at(subnet, "SubnetId", "AWS::EC2::SubnetRouteTableAssociation"):
        table = world.target(association.properties.get("RouteTableId"), association)
        if table is not None:
            yield from world.pointing_at(table, "RouteTableId", "AWS::EC2::Route")


def _has_way_out(subnet: Resource, world: World) -> bool:
    return any(
        route.properties.get("DestinationCidrBlock") == "0.0.0.0/0" or "GatewayId" in route.properties
        for route in _routes(subnet, world)
    )


@control("network.acl.per-tier", "AWS::EC2::Subnet")
def subnet_acl(subnet: Resource, world: World) -> Iterator[str]:
    """Every subnet has an access list of its own tier, because the default one allows everything, and a route table.

    Fix: associate the tier's network ACL and a route table with the subnet.
    https://docs.aws.amazon.com/vpc/latest/userguide/default-network-acl.html
    """
    if not list(world.pointing_at(subnet, "SubnetId", "AWS::EC2::SubnetNetworkAclAssociation")):
        yield "it falls back to the default network ACL"
    if not list(world.pointing_at(subnet, "SubnetId", "AWS::EC2::SubnetRouteTableAssociation")):
        yield "it falls back to the main route table"


@control("network.subnet.tier", "AWS::EC2::Route")
def route_tier(route: Resource, world: World) -> Iterator[str]:
    """Only public subnets, which hold load balancers and NAT alone, route to the internet gateway; the data tier nowhere.

    Fix: route application subnets through a NAT gateway or firewall, and data subnets nowhere.
    https://docs.aws.amazon.com/vpc/latest/userguide/route-table-options.html
    """
    table = world.target(route.properties.get("RouteTableId"), route)
    if table is None:
        yield "its route table is none of this deployment's"
        return
    gateway = world.target(route.properties.get("GatewayId"), route)
    subnets = [
        world.target(association.properties.get("SubnetId"), association)
        for association in world.pointing_at(table, "RouteTableId", "AWS::EC2::SubnetRouteTableAssociation")
    ]
    for subnet in subnets:
        if subnet is None:
            continue
        for name, users in (("a database", "AWS::RDS::DBSubnetGroup"),):
            for group in world.of_type(users, near=route):
                if any(
                    found.logical_id == subnet.logical_id
                    for found in world.targets(group.properties.get("SubnetIds", []), group)
                ):
                    yield f"{subnet.path} holds {name} and must be isolated"
        if gateway is not None and gateway.type == "AWS::EC2::InternetGateway":
            for user in world.of_type("AWS::Lambda::Function", "AWS::EC2::Instance", near=route):
                inside = [
                    *world.targets(at(user.properties, "VpcConfig", "SubnetIds", default=[]), user),
                    *world.targets(user.properties.get("SubnetId"), user),
                ]
                if any((one.stack, one.logical_id) == (subnet.stack, subnet.logical_id) for one in inside):
                    yield f"{subnet.path} holds {user.path}, and routes to the internet gateway"


@control("network.flow-log.all-traffic", "AWS::EC2::VPC")
def flow_log(vpc: Resource, world: World) -> Iterator[str]:
    """All traffic of a network, accepted and rejected, is recorded.

    Fix: add a flow log with TrafficType ALL.
    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html
    """
    logs = list(world.pointing_at(vpc, "ResourceId", "AWS::EC2::FlowLog"))
    if not logs:
        yield "its traffic is not recorded"
    for log in logs:
        if log.properties.get("TrafficType") != "ALL":
            yield f"{log.path} records {log.properties.get('TrafficType')} traffic only"


@control("network.flow-log.place", "AWS::EC2::FlowLog")
def flow_log_place(log: Resource, world: World) -> Iterator[str]:
    """Flow logs go to a place of this deployment, at most ten minutes late, with the fields that say who talked to whom.

    Fix: set LogDestination to the archive's bucket, MaxAggregationInterval to 60 or 600, and a LogFormat.
    https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
    """
    destination = log.properties.get("LogDestination") or log.properties.get("LogGroupName")
    if world.target(destination, log) is None:
        yield f"it goes to {world.text(destination, log) if destination else 'nowhere'}, none of this deployment's places"
    form = str(log.properties.get("LogFormat", ""))
    if not form:
        yield "it records AWS's short default fields only"
    else:
        missing = [
            name for name in ("srcaddr", "dstaddr", "action", "pkt-srcaddr", "flow-direction") if name not in form
        ]
        if missing:
            yield f"its format lacks {', '.join(missing)}"


@control("network.resolver-log.all-queries", "AWS::EC2::VPC")
def resolver_log(vpc: Resource, world: World) -> Iterator[str]:
    """Every name that a network asks for is recorded, and judged by a DNS firewall.

    Fix: associate a resolver query log configuration and a DNS firewall rule group with the network.
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs.html
    """
    if not list(world.pointing_at(vpc, "ResourceId", "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation")):
        yield "the names it asks for are not recorded"
    if not list(world.pointing_at(vpc, "VpcId", "AWS::Route53Resolver::FirewallRuleGroupAssociation")):
        yield "no DNS firewall judges the names it asks for"


@control("network.resolver-log.place", "AWS::Route53Resolver::ResolverQueryLoggingConfig")
def resolver_log_place(config: Resource, world: World) -> Iterator[str]:
    """Query logs go to a place of this deployment.

    Fix: set DestinationArn to the archive's bucket or a log group.
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs.html
    """
    if world.target(config.properties.get("DestinationArn"), config) is None:
        yield f"it goes to {world.text(config.properties.get('DestinationArn', ''), config)}, none of this deployment's places"


@control("network.dns-firewall.default-block", "AWS::Route53Resolver::FirewallRuleGroup")
def dns_firewall(group: Resource, world: World) -> Iterator[str]:
    """The DNS firewall lets through the names on the list and blocks every other, the last rule blocking all.

    Fix: order rules as block lists, allow list, then a rule that blocks "*.".
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall-rule-groups.html
    """
    rules = sorted(group.properties.get("FirewallRules", []), key=lambda rule: int(rule.get("Priority", 0)))
    if not rules:
        yield "it has no rule"
        return
    if rules[-1].get("Action") != "BLOCK":
        yield "its last rule does not block"
    allowed = next((index for index, rule in enumerate(rules) if rule.get("Action") == "ALLOW"), len(rules) - 1)
    if sum(rule.get("Action") == "BLOCK" for rule in rules[:allowed]) < 2:
        yield "fewer than two block lists stand before the allow list"
    for rule in rules:
        if rule.get("Action") == "ALERT":
            yield f"the rule of priority {rule.get('Priority')} only alerts"
        if rule.get("Action") == "ALLOW":
            domains = world.target(rule.get("FirewallDomainListId"), group)
            if domains is None:
                yield f"the rule of priority {rule.get('Priority')} allows a list that is none of this deployment's"
            elif any(str(name).strip(".") in {"*", ""} for name in domains.properties.get("Domains", [])):
                yield f"the rule of priority {rule.get('Priority')} allows every name"
    blocked = world.target(rules[-1].get("FirewallDomainListId"), group)
    if blocked is not None and not any(str(name).strip(".") == "*" for name in blocked.properties.get("Domains", [])):
        yield "its last rule does not block every name"


@control("network.dns-firewall.closed", "AWS::Route53Resolver::FirewallConfig")
def dns_firewall_closed(resource: Resource, world: World) -> Iterator[str]:
    """When the DNS firewall cannot answer, names are refused.

    Fix: set FirewallFailOpen to DISABLED.
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall-vpc-configuration.html
    """
    if resource.properties.get("FirewallFailOpen") != "DISABLED":
        yield "it lets every name through when it fails"


@control("network.egress-firewall.allow-list", "AWS::NetworkFirewall::Firewall", "AWS::NetworkFirewall::FirewallPolicy")
def network_firewall(resource: Resource, world: World) -> Iterator[str]:
    """A network firewall cannot be deleted by accident, logs, and drops what no rule allows.

    Fix: set DeleteProtection, a LoggingConfiguration, and a default action of aws:drop_established or drop_strict.
    https://docs.aws.amazon.com/network-firewall/latest/developerguide/stateful-rule-evaluation.html
    """
    if resource.type.endswith("Policy"):
        body = resource.properties.get("FirewallPolicy", {})
        if body.get("StatelessDefaultActions") != ["aws:forward_to_sfe"]:
            yield "packets pass without the stateful rules"
        if body.get("StatelessFragmentDefaultActions") not in (["aws:forward_to_sfe"], ["aws:drop"]):
            yield "fragments pass without the stateful rules"
        if not any(str(action).startswith("aws:drop") for action in body.get("StatefulDefaultActions", [])):
            yield "what no rule names passes"
        if not body.get("StatefulRuleGroupReferences"):
            yield "it has no stateful rule group"
        return
    if not truthy(resource.properties.get("DeleteProtection")):
        yield "DeleteProtection is off"
    logged = {
        item.get("LogType")
        for config in world.pointing_at(resource, "FirewallArn", "AWS::NetworkFirewall::LoggingConfiguration")
        for item in at(config.properties, "LoggingConfiguration", "LogDestinationConfigs", default=[])
    }
    if "ALERT" not in logged:
        yield "what it drops is not recorded"


@control("network.firewall.log-place", "AWS::NetworkFirewall::LoggingConfiguration")
def firewall_log_place(config: Resource, world: World) -> Iterator[str]:
    """The firewall's alerts go to a bucket or group of this deployment.

    Fix: name it in each LogDestinationConfig.
    https://docs.aws.amazon.com/network-firewall/latest/developerguide/firewall-logging.html
    """
    configs = at(config.properties, "LoggingConfiguration", "LogDestinationConfigs", default=[])
    if not configs:
        yield "it goes nowhere"
    for item in configs:
        places = at(item, "LogDestination", default={}) if isinstance(item, dict) else {}
        named = next((places[name] for name in ("bucketName", "logGroup", "deliveryStream") if name in places), None)
        if named is None or world.target(named, config) is None:
            yield f"{named or 'nothing'} is no place of this deployment"
    for kind in ("ALERT", "FLOW"):
        if kind not in {at(item, "LogType") for item in configs}:
            yield f"its {kind} records are kept nowhere"


@control("network.endpoints.perimeter", "AWS::EC2::VPCEndpoint")
def endpoint_policy(endpoint: Resource, world: World) -> Iterator[str]:
    """An endpoint serves only principals of this organization or account, so that nobody else's credentials work through it.

    Fix: give each Allow a condition on aws:PrincipalOrgID or aws:PrincipalAccount, and on aws:ResourceOrgID or
    aws:ResourceAccount where AWS's own resources are not needed.
    https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
    """
    found = list(documents(endpoint, world))
    if not found and endpoint.properties.get("VpcEndpointType") != "GatewayLoadBalancer":
        yield "it has no policy, so any credentials reach any resource through it"
    for document in found:
        for statement in document.statements:
            if not statement.allows:
                continue
            keys = {condition.key.lower() for condition in statement.conditions if condition.bounds}
            principal = keys & {
                "aws:principalorgid",
                "aws:principalaccount",
                "aws:principalorgpaths",
                "aws:principalarn",
            }
            named = not statement.anyone or bool(principal)
            # AWS's own public buckets, such as those of packages and patches, are read by machines unsigned.
            public = set(statement.actions) <= {"s3:GetObject"} and "*" not in statement.resources
            if not named and not public:
                yield f"{statement} serves principals of any organization"
            bound_resource = keys & {"aws:resourceorgid", "aws:resourceaccount", "aws:resourceorgpaths"}
            if "*" in statement.actions:
                yield f"{statement} allows actions of every service"
            elif not bound_resource and any("*" in action for action in statement.actions):
                yield f"{statement} allows {', '.join(statement.actions)} on resources of any organization"
            if (
                "*" in statement.resources
                and not keys & {"aws:resourceorgid", "aws:resourceaccount", "aws:resourceorgpaths"}
                and (not statement.actions or any(action in {"*"} for action in statement.actions))
            ):
                yield f"{statement} reaches resources of any organization"


@control("network.endpoint.private-names", "AWS::EC2::VPCEndpoint")
def endpoint_names(endpoint: Resource, world: World) -> Iterator[str]:
    """An interface endpoint answers to the service's ordinary name, behind a security group.

    Fix: set PrivateDnsEnabled and SecurityGroupIds.
    https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html
    """
    kind = endpoint.properties.get("VpcEndpointType", "Gateway")
    if kind == "Interface":
        if not truthy(endpoint.properties.get("PrivateDnsEnabled")):
            yield "calls by the service's ordinary name leave the network"
        if not endpoint.properties.get("SecurityGroupIds"):
            yield "it is in the default security group"
    elif kind == "Gateway" and not endpoint.properties.get("RouteTableIds"):
        yield "no route table leads to it"


@control("network.vpc.names", "AWS::EC2::VPC")
def vpc_names(vpc: Resource, _world: World) -> Iterator[str]:
    """Private names work in a network, which endpoints and databases need, and its hosts are its own.

    Fix: set EnableDnsSupport and EnableDnsHostnames, and InstanceTenancy default.
    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html
    """
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        if not truthy(vpc.properties.get(name)):
            yield f"{name} is off"


@control("network.peering.none", "AWS::EC2::VPCPeeringConnection", "AWS::EC2::TransitGateway", "AWS::EC2::VPNGateway")
def peering(resource: Resource, world: World) -> Iterator[str]:
    """Networks of stages are not joined, and a transit gateway takes no attachment unasked.

    Fix: reach another stage through its public interface, or set AutoAcceptSharedAttachments to disable.
    https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_network_protection_layered.html
    """
    if resource.type == "AWS::EC2::TransitGateway":
        if resource.properties.get("AutoAcceptSharedAttachments") == "enable":
            yield "it accepts attachments unasked"
    elif resource.type == "AWS::EC2::VPCPeeringConnection":
        yield "it joins two networks"


@control("network.zone.spread", "AWS::RDS::DBSubnetGroup", "AWS::ElasticLoadBalancingV2::LoadBalancer")
def zone_spread(resource: Resource, world: World) -> Iterator[str]:
    """What must survive the loss of a zone stands in three.

    Fix: name one subnet of each zone.
    https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/rel_fault_isolation_multiaz_region_system.html
    """
    prop = "SubnetIds" if resource.type.endswith("SubnetGroup") else "Subnets"
    subnets: list[Any] = as_list(resource.properties.get(prop))
    zones = {
        world.text(subnet.properties.get("AvailabilityZone", ""), subnet)
        for subnet in world.targets(subnets, resource)
        if subnet.type == "AWS::EC2::Subnet"
    }
    if zones and len(zones) < 3:
        yield f"it stands in {len(zones)} zones: {', '.join(sorted(zones))}"


@control("network.zone.together", "AWS::Lambda::Function", "AWS::EC2::VPCEndpoint")
def zone_together(resource: Resource, world: World) -> Iterator[str]:
    """Functions stand in as many zones as the other functions of their network, endpoints in as many as the other endpoints.

    Fix: name the same subnets for each of them.
    https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/rel_fault_isolation_multiaz_region_system.html
    """
    mine = _zones_of(resource)
    if mine:
        most = max(_zones_of(other) for other in world.of_type(resource.type, near=resource, same_region=True))
        if mine < most:
            yield f"it stands in {mine} subnets, its like in {most}"


def _zones_of(resource: Resource) -> int:
    holder = resource.properties.get("VpcConfig", {}) if resource.type.endswith("Function") else resource.properties
    return len(as_list(holder.get("SubnetIds")))


@control("network.public-access.blocked", "AWS::EC2::VPC")
def public_access_blocked(vpc: Resource, world: World) -> Iterator[str]:
    """Where a network is, its account and region block traffic of the internet, whatever routes and groups say; only subnets
    of load balancers take traffic in.

    Fix: add VPCBlockPublicAccessOptions with block-bidirectional, and exclusions for the public tier alone.
    https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html
    """
    options = list(world.of_type("AWS::EC2::VPCBlockPublicAccessOptions", near=vpc, same_region=True))
    if not any(one.properties.get("InternetGatewayBlockMode") == "block-bidirectional" for one in options):
        yield "its account and region do not block public access"


@control("network.public-access.exclusions", "AWS::EC2::VPCBlockPublicAccessExclusion")
def public_access_exclusions(exclusion: Resource, world: World) -> Iterator[str]:
    """Only subnets that hold an internet-facing load balancer take traffic in past the block; no whole network is exempt.

    Fix: exclude subnets one by one, with allow-egress unless they hold the load balancer.
    https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa-basics.html
    """
    subnet = world.target(exclusion.properties.get("SubnetId"), exclusion)
    if subnet is None:
        yield "it exempts a whole network, or a subnet that is none of this deployment's"
        return
    if exclusion.properties.get("InternetGatewayExclusionMode") == "allow-egress":
        return
    holds = any(
        balancer.properties.get("Scheme") == "internet-facing" and key_of(subnet) == key_of(one)
        for balancer in world.of_type("AWS::ElasticLoadBalancingV2::LoadBalancer", near=exclusion)
        for one in world.targets(balancer.properties.get("Subnets", []), balancer)
    )
    if not holds:
        yield f"{subnet.path} takes traffic in and holds no load balancer"
