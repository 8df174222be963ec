"""Quotas: what AWS would refuse at deployment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from assembly import Resource
from gate.control import control
from gate.policies import raw_documents
from gate.world import World, as_list, at


def _size(document: Any, resource: Resource, world: World) -> int:
    """Characters of the document as AWS counts them: without white space, references at their usual length."""
    text = json.dumps(_rendered(document, resource, world), separators=(",", ":"))
    return len(text)


def _rendered(value: Any, resource: Resource, world: World) -> Any:
    if isinstance(value, dict):
        if len(value) == 1 and (next(iter(value)).startswith("Fn::") or "Ref" in value):
            text = world.text(value, resource)
            return text.replace("<", "").replace(">", "x" * 24) if "<" in text else text
        return {name: _rendered(child, resource, world) for name, child in value.items()}
    if isinstance(value, list):
        return [_rendered(child, resource, world) for child in value]
    return value


_LIMITS = {
    "AWS::IAM::ManagedPolicy": 6144,
    "AWS::IAM::Policy": 10240,
    "AWS::S3::BucketPolicy": 20480,
    "AWS::KMS::Key": 32768,
    "AWS::SQS::QueuePolicy": 65536,
    "AWS::SNS::TopicPolicy": 30720,
    "AWS::EC2::VPCEndpoint": 20480,
    "AWS::SecretsManager::ResourcePolicy": 20480,
    "AWS::Logs::ResourcePolicy": 5120,
    "AWS::Organizations::Policy": 5120,
    "AWS::Backup::BackupVault": 20480,
    "AWS::Lambda::Permission": 20480,
}


@control("quotas.policy.size")
def policy_size(resource: Resource, world: World) -> Iterator[str]:
    """Every policy is within its service's limit of characters.

    Fix: split it, or name resources by a common prefix.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    if resource.type not in _LIMITS and resource.type != "AWS::IAM::Role":
        return
    for path, document in raw_documents(resource.properties):
        limit = _LIMITS.get(resource.type, 10240)
        if path and path[-1] == "AssumeRolePolicyDocument":
            limit = 2048
        if (
            resource.type == "AWS::Organizations::Policy"
            and resource.properties.get("Type") == "SERVICE_CONTROL_POLICY"
        ):
            limit = 10240
        size = _size(document, resource, world)
        if size > limit:
            yield f"{'.'.join(map(str, path))} has {size} characters; {limit} are allowed"


@control("quotas.role.policies", "AWS::IAM::Role")
def role_policies(role: Resource, world: World) -> Iterator[str]:
    """A role has no more than ten managed policies.

    Fix: put the rights into one policy.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    attached = len(as_list(role.properties.get("ManagedPolicyArns"))) + len(
        list(world.pointing_at(role, "Roles", "AWS::IAM::ManagedPolicy"))
    )
    if attached > 10:
        yield f"it has {attached} managed policies"


@control("quotas.acl.rules", "AWS::EC2::NetworkAcl")
def acl_rules(acl: Resource, world: World) -> Iterator[str]:
    """An access list has at most 20 rules each way, each with a number of its own.

    Fix: join address blocks or ports.
    https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    """
    for egress in (False, True):
        numbers = [
            entry.properties.get("RuleNumber")
            for entry in world.pointing_at(acl, "NetworkAclId", "AWS::EC2::NetworkAclEntry")
            if bool(entry.properties.get("Egress", False)) is egress
        ]
        if len(numbers) > 20:
            yield f"it has {len(numbers)} {'outbound' if egress else 'inbound'} rules; 20 are allowed"
        if len(numbers) != len(set(numbers)):
            yield f"two {'outbound' if egress else 'inbound'} rules have one number"


@control("quotas.group.rules", "AWS::EC2::SecurityGroup")
def group_rules(group: Resource, world: World) -> Iterator[str]:
    """A security group has at most 60 rules each way.

    Fix: name a prefix list or another group.
    https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    """
    for direction in ("Ingress", "Egress"):
        count = len(group.properties.get(f"SecurityGroup{direction}", [])) + len(
            list(world.pointing_at(group, "GroupId", f"AWS::EC2::SecurityGroup{direction}"))
        )
        if count > 60:
            yield f"it has {count} {direction.lower()} rules"


@control("quotas.route.entries", "AWS::EC2::RouteTable")
def routes(table: Resource, world: World) -> Iterator[str]:
    """A route table has at most 50 routes.

    Fix: join address blocks.
    https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    """
    count = len(list(world.pointing_at(table, "RouteTableId", "AWS::EC2::Route")))
    if count > 50:
        yield f"it has {count} routes"


@control("quotas.rule.targets", "AWS::Events::Rule")
def rule_targets(rule: Resource, world: World) -> Iterator[str]:
    """A rule has at most five targets and a pattern of 2048 characters, and a firewall ACL 1500 units of capacity.

    Fix: split the rule.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
    """
    if len(as_list(rule.properties.get("Targets"))) > 5:
        yield f"it has {len(rule.properties['Targets'])} targets"
    pattern = rule.properties.get("EventPattern")
    if pattern is not None and _size(pattern, rule, world) > 4096:
        yield "its pattern is too long"


@control("quotas.trail.selectors", "AWS::CloudTrail::Trail")
def selectors(trail: Resource, _world: World) -> Iterator[str]:
    """A trail's advanced selectors hold at most 500 conditions, and plain selectors number at most five.

    Fix: select by type or prefix, not by resource.
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html
    """
    conditions = sum(
        len(values)
        for selector in trail.properties.get("AdvancedEventSelectors", [])
        for field in selector.get("FieldSelectors", [])
        for name, values in field.items()
        if name != "Field" and isinstance(values, list)
    )
    if conditions > 500:
        yield f"its selectors hold {conditions} conditions"
    if len(trail.properties.get("EventSelectors", [])) > 5:
        yield "it has more than five plain selectors"


@control("quotas.function.environment", "AWS::Lambda::Function")
def environment(function: Resource, world: World) -> Iterator[str]:
    """A function's environment is within 4 KB and its layers number at most five.

    Fix: move settings into a parameter.
    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """
    variables = at(function.properties, "Environment", "Variables", default={})
    if _size(variables, function, world) > 4096:
        yield "its environment is larger than 4 KB"
    if len(function.properties.get("Layers", [])) > 5:
        yield "it has more than five layers"
