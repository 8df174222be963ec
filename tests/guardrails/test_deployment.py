"""A whole deployment goes through under the guardrails: every act of the pipeline's roles, for every stack and region.

What CloudFormation does is what each resource type's registry schema says that its handlers need (the source of the bootstrap's
execution policies), asked with those very policies on the resource itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from assembly import Assembly, Stack
from proofs.delivery.judge import plain
from proofs.model import Node, as_list
from proofs.policy import UNKNOWN, PolicySet, Request
from tests.fixture_deployment import FIXTURE
from tests.guardrails.world import OPEN, World

HANDLERS = ("create", "read", "update", "list", "delete")
DEPLOYER = (
    "cloudformation:ContinueUpdateRollback",
    "cloudformation:CreateChangeSet",
    "cloudformation:CreateStack",
    "cloudformation:DeleteChangeSet",
    "cloudformation:DeleteStack",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStacks",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:GetTemplate",
    "cloudformation:RollbackStack",
    "cloudformation:UpdateStack",
    "cloudformation:UpdateTerminationProtection",
)
"""What ``cdk deploy`` and ``cdk destroy`` do as the deploy role.
https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html#bootstrapping-env-roles"""
NEVER = {"iam:DeleteRolePermissionsBoundary"}
"""What a handler could do and must not: a template that takes a boundary away fails at deployment, too."""
WITHOUT_RESOURCE = {"kms:CreateKey", "kms:ListAliases", "kms:ListKeys"}


@pytest.fixture(scope="module")
def world(assembly: Assembly) -> World:
    return World(assembly, FIXTURE)


def owner(stack: Stack) -> str:
    return next(name for name, account in FIXTURE.owners.items() if account == stack.account)


def needed(node: Node) -> set[str]:
    """Actions of the handlers and tags of the resource's type; of its deletion only if it is ever deleted."""
    if node.type.startswith(("Custom::", "AWS::CloudFormation::CustomResource")):
        return {"lambda:InvokeFunction"}
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(node.region, node.type).schema
    handlers = [name for name in HANDLERS if name != "delete" or not node.retained]
    named = {action for name in handlers for action in schema.get("handlers", {}).get(name, {}).get("permissions", ())}
    named |= set(schema.get("tagging", {}).get("permissions", ()))
    return {
        action
        for action in named
        if action.count(":") == 1 and "*" not in action and not action.endswith(("UserPolicy", "GroupPolicy"))
    } - NEVER


def services_of(role: Node) -> set[str]:
    """Services that the role trusts: it is passed to them, not to functions that assume it themselves."""
    return {
        str(name)
        for statement in as_list(role.get("AssumeRolePolicyDocument", "Statement"))
        for name in as_list((statement.get("Principal") or {}).get("Service"))
    }


def asked_of(world: World, node: Node, action: str) -> Iterator[tuple[str, Node | None]]:
    """What an action of a handler is about: the resource, a role or key that it names, or anything."""
    service = action.partition(":")[0]
    if service == "iam" and node.type.startswith("AWS::SSO::"):
        # In the management account Identity Center makes its roles with its caller's rights.
        own = "saml-provider/AWSSSO_x" if "SAMLProvider" in action else "role/aws-reserved/sso.amazonaws.com/x"
        yield f"arn:aws:iam::{node.account}:{own}", None
    elif action in WITHOUT_RESOURCE:
        yield "*", None
    elif action == "iam:PassRole" or (action.endswith("RolePolicy") and node.type != "AWS::IAM::Role"):
        for role in world.model.references(node):
            if role.type == "AWS::IAM::Role" and (action != "iam:PassRole" or services_of(role)):
                yield plain(role.arn), role
    elif service == "kms" and node.type != "AWS::KMS::Key":
        yield from ((plain(key.arn), key) for key in world.model.references(node) if key.type == "AWS::KMS::Key")
    elif node.arn.startswith(f"arn:aws:{service}:"):
        yield plain(node.arn).removesuffix(":*"), node
    else:
        yield "*", None


def context(world: World, node: Node, on: Node | None) -> dict[str, Any]:
    """What CloudFormation's request carries of the template."""
    service = node.type.split("::")[1].lower()
    passed = services_of(on) if on is not None else set()
    known: Mapping[str, Any] = {
        "rds:StorageEncrypted": node.get("StorageEncrypted"),
        "rds:DatabaseEngine": node.get("Engine"),
        "elasticfilesystem:Encrypted": node.get("Encrypted"),
        "lambda:Principal": node.get("Principal") if isinstance(node.get("Principal"), str) else None,
        "secretsmanager:AddReplicaRegions": [each["Region"] for each in as_list(node.get("ReplicaRegions"))] or None,
    }
    return {
        "aws:RequestedRegion": node.region,
        "aws:SecureTransport": True,
        "s3:TlsVersion": "1.3",
        "aws:SourceIp": UNKNOWN,
        "aws:TagKeys": sorted(node.tags),
        **{f"aws:RequestTag/{key}": value for key, value in node.tags.items()},
        **{f"aws:ResourceTag/{key}": value for key, value in (on or node).tags.items()},
        "iam:PermissionsBoundary": f"arn:aws:iam::{node.account}:policy/{world.names.boundary}",
        "iam:PassedToService": min(passed, default=""),
        "kms:GrantIsForAWSResource": True,
        "kms:ViaService": f"{service}.{node.region}.amazonaws.com",
        "kms:CallerAccount": node.account,
        "ec2:Encrypted": True,
        **{key: value for key, value in known.items() if value is not None},
    }


def test_cloudformation_may_do_all_that_every_stack_needs(world: World) -> None:
    refused: dict[str, str] = {}
    asked: set[tuple[str, ...]] = set()
    for node in world.model:
        caller = world.caller(f"cloudformation in {owner(node.stack)}")
        for action in sorted(needed(node)):
            for resource, on in asked_of(world, node, action):
                key = (node.account, node.region, node.type, action, resource)
                if key in asked or (on is not None and on.account != node.account):
                    continue
                asked.add(key)
                decision = world.model.organization.evaluate(
                    Request(
                        principal=caller.principal,
                        action=action,
                        resource=resource,
                        resource_account=node.account,
                        context=context(world, node, on),
                    ),
                    PolicySet(
                        identity_policies=caller.identity,
                        # Whether keys let whoever needs them is another proof's question (proofs/delivery).
                        resource_policy=OPEN if action.startswith("kms:") else None,
                    ),
                )
                if not decision.certainly_allowed:
                    why = "; ".join(f"{r.policy} {r.sid or ''}: {r.reason}" for r in decision.decided_by[:2])
                    refused[f"{owner(node.stack)} {node.region} {node.type} {action} on {resource}"] = why
    assert len(asked) > 1000
    assert {node.account for node in world.model} == {account for account, *_ in asked}
    assert not refused, f"{len(refused)} refused:\n" + "\n".join(f"{what}\n    {why}" for what, why in refused.items())


def test_the_pipeline_may_hand_over_every_stack_and_its_files(world: World) -> None:
    refused: list[str] = []
    for stack in world.assembly.stacks:
        deployer = world.caller(f"pipeline in {owner(stack)}")
        publisher = world.caller(f"asset publisher in {owner(stack)}")
        here = f"{stack.region}:{stack.account}"
        role = f"arn:aws:iam::{stack.account}:role/cdk-hnb659fds-cfn-exec-role-{stack.account}-{stack.region}"
        files = f"arn:aws:s3:::cdk-hnb659fds-assets-{stack.account}-{stack.region}"
        asked = [
            *((deployer, action, f"arn:aws:cloudformation:{here}:stack/{stack.name}/1") for action in DEPLOYER),
            (deployer, "iam:PassRole", role),
            (deployer, "s3:GetObject", f"{files}/x"),
            (deployer, "ssm:GetParameter", f"arn:aws:ssm:{here}:parameter/cdk-bootstrap/hnb659fds/version"),
            (publisher, "s3:PutObject", f"{files}/x"),
            (publisher, "s3:GetBucketLocation", files),
            (publisher, "kms:GenerateDataKey", "*"),
        ]
        for caller, action, resource in asked:
            request = Request(
                principal=caller.principal,
                action=action,
                resource=resource,
                resource_account=stack.account,
                context={
                    "aws:RequestedRegion": stack.region,
                    "aws:SecureTransport": True,
                    "s3:TlsVersion": "1.3",
                    "aws:SourceIp": UNKNOWN,
                    "iam:PassedToService": "cloudformation.amazonaws.com",
                },
            )
            policies = PolicySet(identity_policies=caller.identity)
            if not world.model.organization.evaluate(request, policies).certainly_allowed:
                refused.append(f"{stack.name}: {action} on {resource}")
    assert not refused, "\n".join(refused)
