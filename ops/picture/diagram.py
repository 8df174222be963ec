"""Turns an assembly into a diagram: accounts, regions, stacks, and what flows between accounts."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from assembly import Assembly, Stack
from ops.places import OWNER_TAG

THINGS: Mapping[str, str] = {
    "AWS::ApiGateway::RestApi": "REST API",
    "AWS::AutoScaling::AutoScalingGroup": "bastion",
    "AWS::Athena::NamedQuery": "query",
    "AWS::Backup::BackupPlan": "backup plan",
    "AWS::Backup::BackupVault": "vault",
    "AWS::Backup::RestoreTestingPlan": "restore test",
    "AWS::CloudFront::Distribution": "CloudFront",
    "AWS::CloudTrail::Trail": "trail",
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::Cognito::UserPool": "user pool",
    "AWS::DynamoDB::Table": "table",
    "AWS::EC2::NatGateway": "NAT gateway",
    "AWS::EC2::Subnet": "subnet",
    "AWS::EC2::VPC": "VPC",
    "AWS::EC2::VPCEndpoint": "endpoint",
    "AWS::ECR::Repository": "image repository",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "load balancer",
    "AWS::Events::Rule": "event rule",
    "AWS::KMS::Key": "key",
    "AWS::Lambda::Function": "function",
    "AWS::NetworkFirewall::Firewall": "network firewall",
    "AWS::RDS::DBCluster": "Aurora",
    "AWS::RDS::DBInstance": "instance",
    "AWS::Route53Resolver::FirewallRuleGroup": "DNS firewall",
    "AWS::S3::Bucket": "bucket",
    "AWS::SNS::Topic": "topic",
    "AWS::SQS::Queue": "queue",
    "AWS::Synthetics::Canary": "canary",
    "AWS::WAFv2::WebACL": "web ACL",
}
"""What a person looks for in the picture, in the order of their names."""

SHOWN = 6
COLUMNS = 4


def diagram(assembly: Assembly) -> str:
    """D2 source of the picture. https://d2lang.com/tour/intro"""
    lines = ["direction: right", "users: People {shape: person}", ""]
    owners: dict[str, list[Stack]] = defaultdict(list)
    for stack in assembly.stacks:
        owners[_owner_of(stack)].append(stack)
    for owner, stacks in owners.items():
        lines.extend(_owner(owner, stacks))
    for arrow, labels in _arrows(assembly).items():
        lines.append(f"{arrow}: {', '.join(labels)}")
    return "\n".join(lines) + "\n"


def _arrows(assembly: Assembly) -> dict[str, list[str]]:
    """Arrows between people and accounts, each with what flows along it, said once."""
    arrows: dict[str, list[str]] = {}
    flows = [("users", _owner_of(stack), "HTTPS") for stack in assembly.stacks if _faces_the_internet(stack)]
    flows += [(_owner_of(source), _owner_of(target), label) for source, target, label in _flows(assembly)]
    for source, target, label in flows:
        labels = arrows.setdefault(f'"{source}" -> "{target}"', [])
        if label not in labels:
            labels.append(label)
    return arrows


def _owner(owner: str, stacks: list[Stack]) -> Iterator[str]:
    accounts = ", ".join(dict.fromkeys(stack.account for stack in stacks))
    yield f'"{owner}": {{'
    yield f'  label: "{owner}  ({accounts})"'
    for region in dict.fromkeys(stack.region for stack in stacks):
        here = [stack for stack in stacks if stack.region == region]
        yield f'  "{region}": {{'
        yield f"    grid-columns: {min(COLUMNS, len(here))}"
        for stack in here:
            yield f'    "{stack.name}": "{_label(owner, stack)}"'
        yield "  }"
    yield "}"


def _label(owner: str, stack: Stack) -> str:
    counted = Counter(THINGS[resource.type] for resource in stack.resources.values() if resource.type in THINGS)
    things = [f"{count} {_plural(name, count)}" for name, count in counted.most_common(SHOWN)]
    return "\\n".join([stack.name.removeprefix(f"{owner}-").upper(), *things])


def _plural(name: str, count: int) -> str:
    if count == 1 or name in {"Aurora", "CloudFront"}:
        return name
    return name[:-1] + "ies" if name.endswith("ry") else name + "s"


def _owner_of(stack: Stack) -> str:
    return stack.tags.get(OWNER_TAG, stack.account)


def _faces_the_internet(stack: Stack) -> bool:
    return any(
        resource.type == "AWS::CloudFront::Distribution"
        or (resource.type == "AWS::ApiGateway::RestApi" and "REGIONAL" in json.dumps(resource.properties))
        or (
            resource.type == "AWS::ElasticLoadBalancingV2::LoadBalancer"
            and resource.properties.get("Scheme") == "internet-facing"
        )
        for resource in stack.resources.values()
    )


def _flows(assembly: Assembly) -> Iterator[tuple[Stack, Stack, str]]:
    """Arrows between accounts: whose template names a bucket or vault of another account."""
    destinations: list[tuple[str, Stack, str]] = []
    for stack, resource in assembly.resources("AWS::S3::Bucket", "AWS::Backup::BackupVault"):
        name = resource.properties.get("BucketName")
        if isinstance(name, str):
            destinations.append((name, stack, "logs"))
        vault = resource.properties.get("BackupVaultName")
        if isinstance(vault, str):
            destinations.append((f"{stack.region}:{stack.account}:backup-vault:{vault}", stack, "copies"))
    texts = {stack.name: json.dumps(stack.template["Resources"]) for stack in assembly.stacks}
    for stack in assembly.stacks:
        drawn: set[str] = set()
        for name, target, label in destinations:
            if target.account != stack.account and target.name not in drawn and name in texts[stack.name]:
                drawn.add(target.name)
                yield (stack, target, label) if not _is_archive(stack) else (target, stack, label)


def _is_archive(stack: Stack) -> bool:
    return stack.tags.get(OWNER_TAG) == "log-archive"
