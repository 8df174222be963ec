"""The network, entry by entry and route by route."""

from __future__ import annotations

from typing import Any

from rehearsal.checks import Resource, View, described


def _first(operation: str, member: str, argument: str, rest: str = "") -> Any:
    """Describe one EC2 resource by its id."""

    def ask(ec2: Any, resource: Resource, _view: View) -> Any:
        found = getattr(ec2, operation)(**{argument: [resource.id]})[member]
        if not found or (rest and found[0].get(rest) in ("deleted", "terminated", "shutting-down")):
            raise LookupError(resource.id)
        return found[0]

    return ask


def _vpc(ec2: Any, resource: Resource, view: View) -> Any:
    found = _first("describe_vpcs", "Vpcs", "VpcIds")(ec2, resource, view)
    for name in ("enableDnsSupport", "enableDnsHostnames"):
        answer = ec2.describe_vpc_attribute(VpcId=resource.id, Attribute=name)
        found[name] = answer[name[0].upper() + name[1:]]["Value"]
    return found


def _association(ec2: Any, resource: Resource, _view: View) -> Any:
    for table in ec2.describe_route_tables()["RouteTables"]:
        for association in table.get("Associations", []):
            if association.get("SubnetId") == resource.properties["SubnetId"]:
                return association
    raise LookupError(resource.id)


def _acl_association(ec2: Any, resource: Resource, _view: View) -> Any:
    for acl in ec2.describe_network_acls()["NetworkAcls"]:
        for association in acl.get("Associations", []):
            if association.get("NetworkAclAssociationId") == resource.id:
                return association
    raise LookupError(resource.id)


def _entry(ec2: Any, resource: Resource, _view: View) -> Any:
    wanted = resource.properties
    found = ec2.describe_network_acls(NetworkAclIds=[wanted["NetworkAclId"]])["NetworkAcls"]
    egress = str(wanted.get("Egress", False)).lower() == "true"
    for entry in found[0]["Entries"] if found else []:
        if entry["RuleNumber"] == int(wanted["RuleNumber"]) and entry["Egress"] == egress:
            return {**entry, "NetworkAclId": wanted["NetworkAclId"]}
    raise LookupError(resource.id)


def _route(ec2: Any, resource: Resource, _view: View) -> Any:
    wanted = resource.properties
    found = ec2.describe_route_tables(RouteTableIds=[wanted["RouteTableId"]])["RouteTables"]
    for route in found[0]["Routes"] if found else []:
        for name in ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId"):
            if wanted.get(name) and route.get(name) == wanted[name]:
                gateway = str(route.get("GatewayId", ""))
                return {
                    **route,
                    "RouteTableId": wanted["RouteTableId"],
                    "VpcEndpointId": gateway if gateway.startswith("vpce-") else route.get("VpcEndpointId"),
                }
    raise LookupError(resource.id)


def _group(ec2: Any, resource: Resource, view: View) -> Any:
    found = _first("describe_security_groups", "SecurityGroups", "GroupIds")(ec2, resource, view)
    return {
        **found,
        "GroupDescription": found["Description"],
        "SecurityGroupIngress": _rules(found["IpPermissions"]),
        "SecurityGroupEgress": _rules(found["IpPermissionsEgress"]),
    }


def _rules(permissions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every rule of a group by itself, the way a template writes it."""
    rules = []
    for permission in permissions:
        base = {name: permission[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in permission}
        for member, key, names in (
            ("IpRanges", "CidrIp", ("CidrIp",)),
            ("Ipv6Ranges", "CidrIpv6", ("CidrIpv6",)),
            ("UserIdGroupPairs", "GroupId", ("SourceSecurityGroupId", "DestinationSecurityGroupId")),
            ("PrefixListIds", "PrefixListId", ("SourcePrefixListId", "DestinationPrefixListId")),
        ):
            for peer in permission.get(member, []):
                peers = dict.fromkeys(names, peer.get(key))
                rules.append({**base, **peers, "Description": peer.get("Description")})
    return rules


def _rule(direction: str) -> Any:
    def ask(ec2: Any, resource: Resource, _view: View) -> Any:
        wanted = resource.properties
        found = ec2.describe_security_groups(GroupIds=[wanted["GroupId"]])["SecurityGroups"]
        permissions = found[0]["IpPermissions" if direction == "Ingress" else "IpPermissionsEgress"] if found else []
        names = [name for name in wanted if name.endswith(("Id", "CidrIp", "CidrIpv6")) and name != "GroupId"]
        for rule in _rules(permissions):
            same = all(str(rule.get(name)) == str(wanted[name]) for name in names)
            ports = (
                all(str(rule.get(name, "")) == str(wanted.get(name, "")) for name in ("FromPort", "ToPort"))
                or str(wanted.get("IpProtocol")) == "-1"
            )
            if same and ports and str(rule["IpProtocol"]) == str(wanted.get("IpProtocol", "-1")):
                return {**rule, "GroupId": wanted["GroupId"]}
        raise LookupError(f"{resource.id}: no such rule in {wanted['GroupId']}")

    return ask


def _flow_log(ec2: Any, resource: Resource, _view: View) -> Any:
    found = ec2.describe_flow_logs(FlowLogIds=[resource.id])["FlowLogs"]
    if not found:
        raise LookupError(resource.id)
    return {**found[0], "ResourceType": resource.properties["ResourceType"]}


def _address(ec2: Any, resource: Resource, _view: View) -> Any:
    for address in ec2.describe_addresses()["Addresses"]:
        if address["PublicIp"] == resource.id:
            return address
    raise LookupError(resource.id)


def _nat_gateway(ec2: Any, resource: Resource, view: View) -> Any:
    found = _first("describe_nat_gateways", "NatGateways", "NatGatewayIds", "State")(ec2, resource, view)
    addresses = found.get("NatGatewayAddresses") or [{}]
    return {**found, "AllocationId": addresses[0].get("AllocationId")}


def _attachment(ec2: Any, resource: Resource, _view: View) -> Any:
    wanted = resource.properties
    for gateway in ec2.describe_internet_gateways(InternetGatewayIds=[wanted["InternetGatewayId"]])["InternetGateways"]:
        for attachment in gateway.get("Attachments", []):
            if attachment.get("VpcId") == wanted["VpcId"]:
                return {**attachment, "InternetGatewayId": wanted["InternetGatewayId"]}
    raise LookupError(resource.id)


def _endpoint(ec2: Any, resource: Resource, view: View) -> Any:
    found = _first("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointIds")(ec2, resource, view)
    return {**found, "SecurityGroupIds": [group["GroupId"] for group in found.get("Groups", [])]}


def _domain_list(resolver: Any, resource: Resource, _view: View) -> Any:
    found = resolver.get_firewall_domain_list(FirewallDomainListId=resource.id)["FirewallDomainList"]
    return {**found, "Domains": resolver.list_firewall_domains(FirewallDomainListId=resource.id)["Domains"]}


def _rule_group(resolver: Any, resource: Resource, _view: View) -> Any:
    found = resolver.get_firewall_rule_group(FirewallRuleGroupId=resource.id)["FirewallRuleGroup"]
    return {**found, "FirewallRules": resolver.list_firewall_rules(FirewallRuleGroupId=resource.id)["FirewallRules"]}


def _group_association(resolver: Any, resource: Resource, _view: View) -> Any:
    return resolver.get_firewall_rule_group_association(FirewallRuleGroupAssociationId=resource.id)[
        "FirewallRuleGroupAssociation"
    ]


described("AWS::Route53Resolver::FirewallDomainList", "route53resolver", _domain_list)
described("AWS::Route53Resolver::FirewallRuleGroup", "route53resolver", _rule_group)
described("AWS::Route53Resolver::FirewallRuleGroupAssociation", "route53resolver", _group_association)
described("AWS::EC2::VPC", "ec2", _vpc)
described("AWS::EC2::Subnet", "ec2", _first("describe_subnets", "Subnets", "SubnetIds"))
described("AWS::EC2::RouteTable", "ec2", _first("describe_route_tables", "RouteTables", "RouteTableIds"))
described("AWS::EC2::SubnetRouteTableAssociation", "ec2", _association)
described("AWS::EC2::Route", "ec2", _route)
described("AWS::EC2::NetworkAcl", "ec2", _first("describe_network_acls", "NetworkAcls", "NetworkAclIds"))
described("AWS::EC2::NetworkAclEntry", "ec2", _entry, rename={"Icmp": "IcmpTypeCode"})
described("AWS::EC2::SubnetNetworkAclAssociation", "ec2", _acl_association)
described("AWS::EC2::SecurityGroup", "ec2", _group)
for _direction in ("Ingress", "Egress"):
    described(f"AWS::EC2::SecurityGroup{_direction}", "ec2", _rule(_direction))
described(
    "AWS::EC2::InternetGateway", "ec2", _first("describe_internet_gateways", "InternetGateways", "InternetGatewayIds")
)
described("AWS::EC2::VPCGatewayAttachment", "ec2", _attachment)
described(
    "AWS::EC2::EgressOnlyInternetGateway",
    "ec2",
    _first("describe_egress_only_internet_gateways", "EgressOnlyInternetGateways", "EgressOnlyInternetGatewayIds"),
)
described("AWS::EC2::NatGateway", "ec2", _nat_gateway)
described("AWS::EC2::EIP", "ec2", _address)
described("AWS::EC2::FlowLog", "ec2", _flow_log)
described("AWS::EC2::VPCEndpoint", "ec2", _endpoint)
described("AWS::EC2::PrefixList", "ec2", _first("describe_managed_prefix_lists", "PrefixLists", "PrefixListIds"))
described(
    "AWS::Route53Resolver::ResolverQueryLoggingConfig",
    "route53resolver",
    lambda resolver, r, _v: resolver.get_resolver_query_log_config(ResolverQueryLogConfigId=r.id)[
        "ResolverQueryLogConfig"
    ],
)
described(
    "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation",
    "route53resolver",
    lambda resolver, r, _v: resolver.get_resolver_query_log_config_association(
        ResolverQueryLogConfigAssociationId=r.id
    )["ResolverQueryLogConfigAssociation"],
)
described(
    "AWS::NetworkFirewall::Firewall",
    "network-firewall",
    lambda firewall, r, _v: firewall.describe_firewall(FirewallArn=r.id)["Firewall"],
)
described(
    "AWS::NetworkFirewall::LoggingConfiguration",
    "network-firewall",
    lambda firewall, r, _v: firewall.describe_logging_configuration(FirewallArn=r.id),
)
