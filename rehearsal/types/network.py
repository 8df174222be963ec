"""VPC parts, Route 53 Resolver, Network Firewall."""

from __future__ import annotations

from typing import Any

from rehearsal.emulator.engine import fit, operation, problems
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

# -- Route 53 Resolver, kept by rehearsal.emulator.resolver.
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


def _fill_list(context: Context, identity: str, props: Props, _answer: Any) -> None:
    context.client("route53resolver").update_firewall_domains(
        FirewallDomainListId=identity, Operation="REPLACE", Domains=list(props.get("Domains") or [])
    )


spec(
    "AWS::Route53Resolver::FirewallDomainList",
    "route53resolver",
    "create_firewall_domain_list",
    "FirewallDomainList.Id",
    drop=("Domains",),
    extra=lambda p, c: {"CreatorRequestId": c.logical_id, "Name": p.get("Name") or c.name()},
    after=_fill_list,
    attributes={"Id": "FirewallDomainList.Id", "Arn": "FirewallDomainList.Arn"},
    update="update_firewall_domains",
    update_with=lambda i, p, _a: {
        "FirewallDomainListId": i,
        "Operation": "REPLACE",
        "Domains": list(p.get("Domains") or []),
    },
    delete="delete_firewall_domain_list",
    delete_with=lambda i, _p, _a: {"FirewallDomainListId": i},
)


def _fill_group(context: Context, identity: str, props: Props, _answer: Any) -> None:
    resolver = context.client("route53resolver")
    _empty_group(context, identity, props)
    shape = operation("route53resolver", "create_firewall_rule").input_shape
    for number, rule in enumerate(props.get("FirewallRules") or []):
        fitted = fit(shape, dict(rule), set())
        wrong = problems(shape, fitted)
        if wrong:
            raise ValueError(f"route53resolver would refuse rule {number}: {'; '.join(wrong)}")
        name = {"Name": f"rule-{number}", "CreatorRequestId": f"{context.logical_id}-{number}"}
        resolver.create_firewall_rule(**{**name, **fitted, "FirewallRuleGroupId": identity})


def _empty_group(context: Context, identity: str, _props: Props) -> None:
    resolver = context.client("route53resolver")
    for rule in resolver.list_firewall_rules(FirewallRuleGroupId=identity)["FirewallRules"]:
        which = {name: rule[name] for name in ("FirewallDomainListId", "FirewallThreatProtectionId") if name in rule}
        resolver.delete_firewall_rule(FirewallRuleGroupId=identity, **which)


spec(
    "AWS::Route53Resolver::FirewallRuleGroup",
    "route53resolver",
    "create_firewall_rule_group",
    "FirewallRuleGroup.Id",
    drop=("FirewallRules",),
    extra=lambda p, c: {"CreatorRequestId": c.logical_id, "Name": p.get("Name") or c.name()},
    after=_fill_group,
    attributes={"Id": "FirewallRuleGroup.Id", "Arn": "FirewallRuleGroup.Arn"},
    update="get_firewall_rule_group",
    update_with=lambda i, _p, _a: {"FirewallRuleGroupId": i},
    before_delete=_empty_group,
    delete="delete_firewall_rule_group",
    delete_with=lambda i, _p, _a: {"FirewallRuleGroupId": i},
)
spec(
    "AWS::Route53Resolver::FirewallRuleGroupAssociation",
    "route53resolver",
    "associate_firewall_rule_group",
    "FirewallRuleGroupAssociation.Id",
    attributes={"Id": "FirewallRuleGroupAssociation.Id", "Arn": "FirewallRuleGroupAssociation.Arn"},
    extra=lambda p, c: {"CreatorRequestId": c.logical_id, "Name": p.get("Name") or c.name()},
    update="update_firewall_rule_group_association",
    update_with=lambda i, _p, _a: {"FirewallRuleGroupAssociationId": i},
    delete="disassociate_firewall_rule_group",
    delete_with=lambda i, _p, _a: {"FirewallRuleGroupAssociationId": i},
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

spec(
    "AWS::EC2::VPCBlockPublicAccessExclusion",
    "ec2",
    "create_vpc_block_public_access_exclusion",
    made_up("vpcbpa-exclude-"),
    attributes={"ExclusionId": made_up("vpcbpa-exclude-")},
    recorded=True,
)
