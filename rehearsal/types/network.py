"""VPC parts, Route 53 Resolver, Network Firewall."""

from __future__ import annotations

from typing import Any

from rehearsal.emulator.spec import Context, Props, made_up, spec, true


def _tags(resource: str) -> Any:
    return lambda props, _context: (
        {"TagSpecifications": [{"ResourceType": resource, "Tags": props["Tags"]}]} if props.get("Tags") else {}
    )


def _with_tags(resource: str, extra: Any) -> Any:
    return lambda props, context: {**extra(props, context), **_tags(resource)(props, context)}


spec(
    "AWS::EC2::EIP",
    "ec2",
    "allocate_address",
    "PublicIp",
    drop=("Tags",),
    extra=_tags("elastic-ip"),
    attributes={"AllocationId": "AllocationId", "PublicIp": "PublicIp"},
    delete="release_address",
    delete_with=lambda _i, _p, a: {"AllocationId": a["AllocationId"]},
)
spec(
    "AWS::EC2::NatGateway",
    "ec2",
    "create_nat_gateway",
    "NatGateway.NatGatewayId",
    drop=("Tags",),
    extra=_tags("natgateway"),
    attributes={"NatGatewayId": "NatGateway.NatGatewayId"},
    delete="delete_nat_gateway",
    delete_with=lambda i, _p, _a: {"NatGatewayId": i},
)
spec(
    "AWS::EC2::EgressOnlyInternetGateway",
    "ec2",
    "create_egress_only_internet_gateway",
    "EgressOnlyInternetGateway.EgressOnlyInternetGatewayId",
    attributes={"Id": "EgressOnlyInternetGateway.EgressOnlyInternetGatewayId"},
    delete="delete_egress_only_internet_gateway",
    delete_with=lambda i, _p, _a: {"EgressOnlyInternetGatewayId": i},
)
spec(
    "AWS::EC2::NetworkAcl",
    "ec2",
    "create_network_acl",
    "NetworkAcl.NetworkAclId",
    drop=("Tags",),
    extra=_tags("network-acl"),
    attributes={"Id": "NetworkAcl.NetworkAclId"},
    delete="delete_network_acl",
    delete_with=lambda i, _p, _a: {"NetworkAclId": i},
)


def _entry(props: Props, _context: Context) -> Props:
    return {"Egress": true(props.get("Egress", False))}


spec(
    "AWS::EC2::NetworkAclEntry",
    "ec2",
    "create_network_acl_entry",
    lambda p, _r, _c: f"{p['NetworkAclId']}|{p['RuleNumber']}|{str(true(p.get('Egress', False))).lower()}",
    rename={"Icmp": "IcmpTypeCode"},
    extra=_entry,
    update="replace_network_acl_entry",
    delete="delete_network_acl_entry",
    delete_with=lambda _i, p, _a: {
        "NetworkAclId": p["NetworkAclId"],
        "RuleNumber": p["RuleNumber"],
        "Egress": true(p.get("Egress", False)),
    },
)
spec(
    "AWS::EC2::FlowLog",
    "ec2",
    "create_flow_logs",
    "FlowLogIds[0]",
    drop=("ResourceId", "Tags"),
    extra=_with_tags("vpc-flow-log", lambda p, _c: {"ResourceIds": [p["ResourceId"]]}),
    attributes={"Id": "FlowLogIds[0]"},
    delete="delete_flow_logs",
    delete_with=lambda i, _p, _a: {"FlowLogIds": [i]},
)


def _permission(props: Props, _context: Context | None = None) -> Props:
    rule: Props = {"IpProtocol": str(props.get("IpProtocol", "-1"))}
    for bound in ("FromPort", "ToPort"):
        if props.get(bound) is not None:
            rule[bound] = int(props[bound])
    text = {"Description": props["Description"]} if props.get("Description") else {}
    for name, member, key in (
        ("SourceSecurityGroupId", "UserIdGroupPairs", "GroupId"),
        ("DestinationSecurityGroupId", "UserIdGroupPairs", "GroupId"),
        ("SourcePrefixListId", "PrefixListIds", "PrefixListId"),
        ("DestinationPrefixListId", "PrefixListIds", "PrefixListId"),
        ("CidrIp", "IpRanges", "CidrIp"),
        ("CidrIpv6", "Ipv6Ranges", "CidrIpv6"),
    ):
        if props.get(name):
            rule[member] = [{key: props[name], **text}]
    return {"GroupId": props["GroupId"], "IpPermissions": [rule]}


for _direction in ("Ingress", "Egress"):
    spec(
        f"AWS::EC2::SecurityGroup{_direction}",
        "ec2",
        f"authorize_security_group_{_direction.lower()}",
        made_up("sgr-"),
        only=(),
        extra=_permission,
        delete=f"revoke_security_group_{_direction.lower()}",
        delete_with=lambda _i, p, _a: _permission(p),
    )

spec(
    "AWS::EC2::VPCCidrBlock",
    "ec2",
    "associate_vpc_cidr_block",
    made_up("vpc-cidr-assoc-"),
    recorded=True,
)
spec(
    "AWS::EC2::PrefixList",
    "ec2",
    "create_managed_prefix_list",
    "PrefixList.PrefixListId",
    drop=("Tags",),
    extra=_tags("prefix-list"),
    attributes={"PrefixListId": "PrefixList.PrefixListId", "Arn": "PrefixList.PrefixListArn"},
    delete="delete_managed_prefix_list",
    delete_with=lambda i, _p, _a: {"PrefixListId": i},
)
spec(
    "AWS::EC2::VPCBlockPublicAccessOptions",
    "ec2",
    "modify_vpc_block_public_access_options",
    lambda _p, _r, c: c.account,
    recorded=True,
    update="create",
)

# -- Route 53 Resolver: moto keeps query logging; nobody here knows the DNS firewall.
spec(
    "AWS::Route53Resolver::ResolverQueryLoggingConfig",
    "route53resolver",
    "create_resolver_query_log_config",
    "ResolverQueryLogConfig.Id",
    extra=lambda _p, c: {"CreatorRequestId": c.logical_id},
    attributes={"Id": "ResolverQueryLogConfig.Id", "Arn": "ResolverQueryLogConfig.Arn"},
    delete="delete_resolver_query_log_config",
    delete_with=lambda i, _p, _a: {"ResolverQueryLogConfigId": i},
)
spec(
    "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation",
    "route53resolver",
    "associate_resolver_query_log_config",
    "ResolverQueryLogConfigAssociation.Id",
    attributes={"Id": "ResolverQueryLogConfigAssociation.Id"},
    delete="disassociate_resolver_query_log_config",
    delete_with=lambda _i, p, _a: {
        "ResolverQueryLogConfigId": p["ResolverQueryLogConfigId"],
        "ResourceId": p["ResourceId"],
    },
)
spec(
    "AWS::Route53Resolver::FirewallDomainList",
    "route53resolver",
    "create_firewall_domain_list",
    made_up("rslvr-fdl-"),
    drop=("Domains",),
    extra=lambda p, c: {"CreatorRequestId": c.logical_id, "Name": p.get("Name") or c.name()},
    attributes={
        "Id": made_up("rslvr-fdl-"),
        "Arn": lambda p, r, c: c.arn("route53resolver", "firewall-domain-list/" + made_up("rslvr-fdl-")(p, r, c)),
    },
    recorded=True,
)


def _rule_group(props: Props, context: Context) -> Props:
    from rehearsal.emulator.engine import fit, operation, problems

    rules = [
        {**rule, "FirewallRuleGroupId": "rslvr-frg-checked", "Name": rule.get("Name", "rule"), "CreatorRequestId": "x"}
        for rule in props.get("FirewallRules") or []
    ]
    shape = operation("route53resolver", "create_firewall_rule").input_shape
    wrong = [text for rule in rules for text in problems(shape, fit(shape, rule, set()))]
    if wrong:
        raise ValueError(f"route53resolver would refuse the rules of {context.logical_id}: {'; '.join(wrong)}")
    return {"CreatorRequestId": context.logical_id, "Name": props.get("Name") or context.name()}


spec(
    "AWS::Route53Resolver::FirewallRuleGroup",
    "route53resolver",
    "create_firewall_rule_group",
    made_up("rslvr-frg-"),
    drop=("FirewallRules",),
    extra=_rule_group,
    attributes={
        "Id": made_up("rslvr-frg-"),
        "Arn": lambda p, r, c: c.arn("route53resolver", "firewall-rule-group/" + made_up("rslvr-frg-")(p, r, c)),
    },
    recorded=True,
)
spec(
    "AWS::Route53Resolver::FirewallRuleGroupAssociation",
    "route53resolver",
    "associate_firewall_rule_group",
    made_up("rslvr-frgassoc-"),
    attributes={"Id": made_up("rslvr-frgassoc-")},
    extra=lambda p, c: {"CreatorRequestId": c.logical_id, "Name": p.get("Name") or c.name()},
    recorded=True,
)
spec(
    "AWS::Route53Resolver::FirewallConfig",
    "route53resolver",
    "update_firewall_config",
    made_up("rslvr-fc-"),
    recorded=True,
)
spec(
    "AWS::Route53Resolver::ResolverDNSSECConfig",
    "route53resolver",
    "update_resolver_dnssec_config",
    made_up("rdsc-"),
    extra=lambda _p, _c: {"Validation": "ENABLE"},
    recorded=True,
)

# -- Network Firewall: moto keeps the firewall and its logging; policies and rule groups are only recorded.


def _firewall_arn(kind: str, prop: str) -> Any:
    return lambda p, _r, c: c.arn("network-firewall", f"{kind}/{p[prop]}")


spec(
    "AWS::NetworkFirewall::RuleGroup",
    "network-firewall",
    "create_rule_group",
    _firewall_arn("stateful-rulegroup", "RuleGroupName"),
    attributes={"RuleGroupArn": _firewall_arn("stateful-rulegroup", "RuleGroupName")},
    recorded=True,
)
spec(
    "AWS::NetworkFirewall::FirewallPolicy",
    "network-firewall",
    "create_firewall_policy",
    _firewall_arn("firewall-policy", "FirewallPolicyName"),
    attributes={"FirewallPolicyArn": _firewall_arn("firewall-policy", "FirewallPolicyName")},
    recorded=True,
)


def _endpoint_ids(props: Props, _answer: Any, context: Context) -> list[str]:
    return [
        f"{context.region}{'abc'[index % 3]}:vpce-{made_up('')(props, None, context)}{index}"
        for index, _ in enumerate(props.get("SubnetMappings") or [])
    ]


spec(
    "AWS::NetworkFirewall::Firewall",
    "network-firewall",
    "create_firewall",
    "Firewall.FirewallArn",
    attributes={"FirewallArn": "Firewall.FirewallArn", "FirewallId": made_up("fw-"), "EndpointIds": _endpoint_ids},
)
spec(
    "AWS::NetworkFirewall::LoggingConfiguration",
    "network-firewall",
    "update_logging_configuration",
    lambda p, _r, _c: p["FirewallArn"],
    update="create",
)
