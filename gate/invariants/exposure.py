"""Public exposure: what the internet can reach, and resource policies that let anybody in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, ip_network
from typing import Any

from assembly import Resource
from gate.control import control
from gate.policies import Statement, documents
from gate.world import World, at, leaves, truthy

OPEN = frozenset({"0.0.0.0/0", "::/0"})
_JUDGED_ELSEWHERE = frozenset(
    {"AWS::S3::BucketPolicy", "AWS::KMS::Key", "AWS::Backup::BackupVault", "AWS::Backup::LogicallyAirGappedBackupVault"}
)


def rules_of(resource: Resource, direction: str) -> Iterator[Mapping[str, Any]]:
    """The ingress or egress rules that a security group, or a rule of its own, states."""
    if resource.type == "AWS::EC2::SecurityGroup":
        yield from resource.properties.get(f"SecurityGroup{direction}", [])
    elif resource.type == f"AWS::EC2::SecurityGroup{direction}":
        yield resource.properties


def _ports(rule: Mapping[str, Any]) -> tuple[int, int]:
    if str(rule.get("IpProtocol")) == "-1":
        return 0, 65535
    return int(rule.get("FromPort", 0)), int(rule.get("ToPort", 65535))


def balancer_groups(world: World) -> set[tuple[str, str]]:
    """Security groups that belong to internet-facing load balancers."""
    return {
        (group.stack, group.logical_id)
        for balancer in world.of_type("AWS::ElasticLoadBalancingV2::LoadBalancer")
        if balancer.properties.get("Scheme") == "internet-facing"
        for group in world.targets(balancer.properties.get("SecurityGroups", []), balancer)
    }


@control("exposure.group.ingress", "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress")
def group_ingress(resource: Resource, world: World) -> Iterator[str]:
    """The internet reaches nothing but port 443 of an internet-facing load balancer without a distribution before it.

    Fix: name the source group, prefix list (CloudFront's, for an origin) or address block that needs to reach it.
    https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
    """
    for rule in rules_of(resource, "Ingress"):
        source = world.text(rule.get("CidrIp") or rule.get("CidrIpv6") or "", resource)
        if source not in OPEN:
            continue
        group = resource if resource.type == "AWS::EC2::SecurityGroup" else world.target(rule.get("GroupId"), resource)
        public = (
            group is not None
            and (group.stack, group.logical_id) in balancer_groups(world)
            # Behind a distribution, an open balancer lets everybody around the edge's firewall and cache.
            and not any(True for _ in world.of_type("AWS::CloudFront::Distribution", near=resource))
        )
        if not (public and _ports(rule) == (443, 443) and str(rule.get("IpProtocol")) in {"tcp", "6", "17", "udp"}):
            yield f"anybody reaches {rule.get('IpProtocol')} {rule.get('FromPort', 'all')} to {rule.get('ToPort', 'all')}"


@control(
    "network.groups.least-reach",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::SecurityGroupEgress",
)
def group_breadth(resource: Resource, world: World) -> Iterator[str]:
    """A rule opens one service: one protocol, one port or a narrow range, to sources no wider than the network.

    Fix: give FromPort and ToPort, and a peer group, prefix list or block.
    https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
    """
    for direction in ("Ingress", "Egress"):
        for rule in rules_of(resource, direction):
            if _closed(rule):
                continue
            low, high = _ports(rule)
            if str(rule.get("IpProtocol")) not in {"icmp", "icmpv6", "1", "58"} and high - low > 100:
                yield f"{direction.lower()} of ports {low} to {high}, protocol {rule.get('IpProtocol')}"
            text = world.text(rule.get("CidrIp") or "", resource)
            if direction == "Ingress" and text not in OPEN and _wider_than_network(text, resource, world):
                yield f"ingress from {text}, wider than any network of its account"


def _closed(rule: Mapping[str, Any]) -> bool:
    """CDK's spelling of "no egress at all"."""
    return rule.get("CidrIp") == "255.255.255.255/32"


def _wider_than_network(text: str, resource: Resource, world: World) -> bool:
    try:
        block = ip_network(text, strict=False)
    except ValueError:
        return False
    if not isinstance(block, IPv4Network):
        return block.prefixlen < 48
    networks = [
        ip_network(vpc.properties["CidrBlock"])
        for vpc in world.of_type("AWS::EC2::VPC", near=resource)
        if isinstance(vpc.properties.get("CidrBlock"), str)
    ]
    return bool(networks) and block.prefixlen < min(network.prefixlen for network in networks)


@control("exposure.group.egress", "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupEgress")
def group_egress(resource: Resource, world: World) -> Iterator[str]:
    """Nothing may call everywhere except over TLS on port 443, which the egress allow-list then judges by name.

    Fix: name the peer; for the internet, port 443 only.
    https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
    """
    if (
        resource.type == "AWS::EC2::SecurityGroup"
        and not resource.properties.get("SecurityGroupEgress")
        # A rule of its own also removes the default one.
        and not list(world.pointing_at(resource, "GroupId", "AWS::EC2::SecurityGroupEgress"))
    ):
        yield "no egress rule is stated, so EC2 allows everything"
    for rule in rules_of(resource, "Egress"):
        text = world.text(rule.get("CidrIp") or rule.get("CidrIpv6") or "", resource)
        if text in OPEN and _ports(rule) != (443, 443):
            yield f"it may call anybody on {rule.get('IpProtocol')} {rule.get('FromPort', 'all')} to {rule.get('ToPort', 'all')}"


_GROUPS = re.compile(r"\w*SecurityGroup(Id)?s?|Groups|GroupId")


def leaves_named(value: Any, name: re.Pattern[str]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every scalar below a property whose own name fits, with its path."""
    for path, leaf in leaves(value):
        if name.fullmatch(next((part for part in reversed(path) if isinstance(part, str)), "")):
            yield path, leaf


@control("exposure.group.default-closed", "AWS::EC2::VPC")
def default_group(vpc: Resource, world: World) -> Iterator[str]:
    """The default security group of a network has no rules.

    Fix: close it where the network is made.
    https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
    """
    closed = list(
        world.of_type(
            "Custom::VpcRestrictDefaultSG",
            "Custom::CloseDefaults",
            "Custom::ClosedDefaults",
            "Custom::DefaultsClosed",
            near=vpc,
        )
    )
    closed += [
        custom
        for stack_resource in world.of_type("AWS::CloudFormation::CustomResource", near=vpc)
        for custom in [stack_resource]
        if "DefaultSecurityGroup" in str(custom.properties)
    ]
    if not closed:
        yield "its default security group still lets its members reach each other and everybody"
    for custom in closed:
        if custom.type == "Custom::CloseDefaults":
            for prop, attribute in (("SecurityGroupId", "DefaultSecurityGroup"), ("NetworkAclId", "DefaultNetworkAcl")):
                if not str(world.text(custom.properties.get(prop, ""), custom)).endswith(f".{attribute}>"):
                    yield f"{custom.path} does not close its {attribute}"


@control(
    "exposure.group.known",
    "AWS::AutoScaling::LaunchConfiguration",
    "AWS::EC2::LaunchTemplate",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::VPCEndpoint",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::Lambda::Function",
    "AWS::RDS::DBCluster",
)
def known_groups(resource: Resource, world: World) -> Iterator[str]:
    """Security groups are those of this deployment, whose rules are judged.

    Fix: reference the group where it is made.
    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
    """
    for path, value in leaves_named(resource.properties, _GROUPS):
        if isinstance(value, str) and value.startswith("sg-"):
            yield f"{'.'.join(map(str, path))} is {value}, whose rules nobody here knows"


@control("exposure.subnet.addresses", "AWS::EC2::Subnet")
def subnet_addresses(subnet: Resource, _world: World) -> Iterator[str]:
    """No subnet gives public addresses away.

    Fix: set MapPublicIpOnLaunch to false.
    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-ip-addressing.html
    """
    if truthy(subnet.properties.get("MapPublicIpOnLaunch")):
        yield "whatever starts in it gets a public address"
    if truthy(subnet.properties.get("AssignIpv6AddressOnCreation")):
        yield "whatever starts in it gets a public IPv6 address"


@control("exposure.instance.address", "AWS::EC2::Instance", "AWS::EC2::LaunchTemplate", "AWS::EC2::EIPAssociation")
def instance_address(resource: Resource, _world: World) -> Iterator[str]:
    """No instance has a public address or a key pair.

    Fix: remove AssociatePublicIpAddress and KeyName; use Session Manager.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager.html
    """
    if resource.type == "AWS::EC2::EIPAssociation":
        if "InstanceId" in resource.properties:
            yield "it gives an instance a public address"
        return
    body = resource.properties.get("LaunchTemplateData", resource.properties)
    if any(truthy(interface.get("AssociatePublicIpAddress")) for interface in body.get("NetworkInterfaces", [])):
        yield "it has a public address"
    if "KeyName" in body:
        yield "it lets the holder of a key pair in"


@control("exposure.function.callers", "AWS::Lambda::Permission")
def function_callers(permission: Resource, world: World) -> Iterator[str]:
    """A function is called by named services on behalf of this deployment only.

    Fix: set Principal, and SourceArn, SourceAccount or PrincipalOrgID.
    https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
    """
    principal = world.text(permission.properties.get("Principal", ""), permission)
    bound = [
        name
        for name in ("SourceArn", "SourceAccount", "PrincipalOrgID")
        if permission.properties.get(name) is not None and world.text(permission.properties[name], permission) != "*"
    ]
    if principal in {"*", ""} and "PrincipalOrgID" not in bound:
        yield "anybody may call the function"
    elif principal.endswith("amazonaws.com") and not bound:
        yield f"{principal} may call the function on behalf of any AWS customer"
    elif principal.endswith("amazonaws.com") and "SourceArn" not in bound:
        yield f"any {principal.split('.')[0]} resource of the account may call the function"
    if world.text(permission.properties.get("Action", ""), permission) not in {
        "lambda:InvokeFunction",
        "lambda:InvokeFunctionUrl",
    }:
        yield f"it allows {permission.properties.get('Action')}"
    if "SourceArn" in bound and world.text(permission.properties["SourceArn"], permission) in {
        "*",
        "arn:*",
        "arn:aws:*",
    }:
        yield "its SourceArn is everything"
    elif "SourceArn" in bound and principal.endswith("amazonaws.com"):
        source = world.text(permission.properties["SourceArn"], permission)
        owner = source.split(":")[4] if source.count(":") >= 5 else ""
        if owner and owner.isdigit() and owner not in world.scope.accounts:
            yield f"{principal} may call the function on behalf of account {owner}"
        elif not owner and world.target(permission.properties["SourceArn"], permission) is None:
            yield f"{principal} may call the function on behalf of {source}, which is none of this deployment's"


@control("exposure.function.url", "AWS::Lambda::Url")
def function_url(url: Resource, _world: World) -> Iterator[str]:
    """A function's own address asks for IAM signatures.

    Fix: set AuthType to AWS_IAM.
    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    """
    if url.properties.get("AuthType") != "AWS_IAM":
        yield "anybody may call it"


@control("exposure.policy.callers")
def policy_callers(resource: Resource, world: World) -> Iterator[str]:
    """No resource policy lets everybody in, a service act for just anybody, or a foreign account come.

    Fix: name principals, and bound services by aws:SourceAccount, aws:SourceArn or aws:SourceOrgID.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    if resource.type in _JUDGED_ELSEWHERE:
        return
    for document in documents(resource, world):
        if document.kind != "resource":
            continue
        for statement in document.statements:
            if not statement.allows:
                continue
            if statement.anyone and not statement.bounded and not _identified_later(resource, statement):
                yield f"{statement} lets everybody call {', '.join(statement.actions) or 'everything but a few'}"
            if statement.services and not statement.bounded and not _unconditional(resource, statement):
                yield f"{statement} lets {', '.join(statement.services)} act on behalf of any AWS customer"
            for service in statement.half_bound:
                yield f"{statement} binds {service} by account or resource only, not by both"
            if statement.not_actions or any(re.fullmatch(r"\*|[a-z0-9-]+:\*", action) for action in statement.actions):
                yield f"{statement} allows every action"


def _identified_later(resource: Resource, statement: Statement) -> bool:
    """A public API lets every caller up to its methods, each of which asks who calls (``edge.api.methods``).

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
    """
    return (
        resource.type == "AWS::ApiGateway::RestApi"
        and statement.actions == ("execute-api:Invoke",)
        and all(name.startswith("execute-api:/") and name != "execute-api:/*" for name in statement.resources)
    )


def _unconditional(resource: Resource, statement: Statement) -> bool:
    """EventBridge sends to topics and log groups without a condition key: a policy with one would refuse it.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    """
    allowed = {
        "AWS::SNS::TopicPolicy": ({"events.amazonaws.com"}, {"sns:Publish"}),
        "AWS::Logs::ResourcePolicy": (
            {"events.amazonaws.com", "delivery.logs.amazonaws.com"},
            {"logs:CreateLogStream", "logs:PutLogEvents"},
        ),
    }.get(resource.type)
    return (
        allowed is not None
        and set(statement.services) <= allowed[0]
        and set(statement.actions) <= allowed[1]
        and not any(name == "*" or name.endswith("log-group:*") for name in statement.resources)
    )


@control("exposure.endpoint.private", "AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")
def api_endpoint(api: Resource, _world: World) -> Iterator[str]:
    """An API answers at its own domain only, not at AWS's default address with its older TLS.

    Fix: set DisableExecuteApiEndpoint to true.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-disable-default-endpoint.html
    """
    if not truthy(api.properties.get("DisableExecuteApiEndpoint")):
        yield "its default endpoint is open"


@control("exposure.snapshot.private", "AWS::EC2::SnapshotBlockPublicAccess")
def snapshots(resource: Resource, _world: World) -> Iterator[str]:
    """Snapshots cannot be made public.

    Fix: set State to block-all-sharing.
    https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots.html
    """
    if resource.properties.get("State") != "block-all-sharing":
        yield f"its state is {resource.properties.get('State')}"


@control("exposure.instance.metadata", "AWS::EC2::Instance", "AWS::EC2::LaunchTemplate")
def metadata(resource: Resource, world: World) -> Iterator[str]:
    """An instance's credentials cannot be fetched by a forged request: version 2 of the metadata service, one hop.

    Fix: set MetadataOptions HttpTokens required and HttpPutResponseHopLimit 1, in the instance or its launch template.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
    """
    if resource.type == "AWS::EC2::LaunchTemplate":
        options = at(resource.properties, "LaunchTemplateData", "MetadataOptions", default={})
    else:
        options = resource.properties.get("MetadataOptions", {})
        template = world.target(
            at(resource.properties, "LaunchTemplate", "LaunchTemplateId")
            or at(resource.properties, "LaunchTemplate", "LaunchTemplateName"),
            resource,
        )
        if template is None and "LaunchTemplate" in resource.properties:
            name = world.text(at(resource.properties, "LaunchTemplate", "LaunchTemplateName", default=""), resource)
            template = next(
                (
                    one
                    for one in world.of_type("AWS::EC2::LaunchTemplate", near=resource)
                    if world.text(one.properties.get("LaunchTemplateName", ""), one) == name
                ),
                None,
            )
        if template is not None:
            options = {**at(template.properties, "LaunchTemplateData", "MetadataOptions", default={}), **options}
    if options.get("HttpTokens") != "required" and options.get("HttpEndpoint") != "disabled":
        yield "version 1 of the metadata service answers"
    if int(options.get("HttpPutResponseHopLimit", 1)) > 2:
        yield "the metadata service answers over more than two hops"
    if options.get("InstanceMetadataTags") == "enabled":
        yield "the instance's tags are readable from inside"
