"""What CloudFormation may do in an account: the least that the account's templates need."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from assembly import Stack

POLICY_SIZE = 6144
"""Characters of one managed policy. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
POLICIES_A_ROLE = 10

_ROLE_WRITES = frozenset(
    {
        "iam:AttachRolePolicy",
        "iam:CreateRole",
        "iam:DetachRolePolicy",
        "iam:PutRolePermissionsBoundary",
        "iam:PutRolePolicy",
    }
)
"""Only on roles that carry the boundary."""

_ALWAYS = frozenset(
    {"cloudformation:DescribeStacks", "ssm:GetParameters", "iam:GetRole", "iam:CreateServiceLinkedRole"}
)
_UNPUBLISHED: Mapping[str, frozenset[str]] = {
    "AWS::Logs::DeliverySource": frozenset({"cloudfront:AllowVendedLogDeliveryForResource"}),
}
"""What handlers need beyond what their schemas say, for the resources that templates here make.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html"""

_RECEIVERS: Mapping[str, frozenset[str]] = {
    "AWS::Backup::RestoreTestingSelection": frozenset({"restore-testing.backup.amazonaws.com"}),
    "AWS::RDS::DBInstance": frozenset({"rds.amazonaws.com"}),
    "AWS::Synthetics::Canary": frozenset({"synthetics.amazonaws.com"}),
}
"""Services that take a role to hand it to the service that the role trusts.
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupFullAccess.html
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/CloudWatchSyntheticsFullAccess.html"""

_IDENTITY_CENTER = ("AWS::SSO::Assignment", "AWS::SSO::PermissionSet")
_IDENTITY_CENTER_ROLES = (
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:GetRole",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "iam:PutRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
)
_IDENTITY_CENTER_PROVIDERS = ("iam:CreateSAMLProvider", "iam:GetSAMLProvider", "iam:UpdateSAMLProvider")
"""In the management account, and there alone, Identity Center makes the roles of its sets with its caller's rights.
https://docs.aws.amazon.com/singlesignon/latest/userguide/iam-auth-access-using-id-policies.html
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSSSOServiceRolePolicy.html"""

_USE_OF_KEYS = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")


class ExecutionPolicyError(Exception):
    """The rights cannot be computed; the message says for which resource types."""


def execution_policies(stacks: Sequence[Stack], *, boundary: str) -> list[dict[str, Any]]:
    """Policy documents for the CloudFormation execution role, each within the size of one managed policy.

    The rights are those that each resource type's registry schema names for its handlers and tags, for the types in
    ``stacks``, and the few that schemas are known to leave out.
    Roles can be made and changed only with the managed policy ``boundary`` on them, and the boundary itself never.

    Raises:
        ExecutionPolicyError: a type without a published schema, or more rights than ten policies can hold.

    https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html#schema-properties-handlers
    https://docs.aws.amazon.com/cdk/v2/guide/customize-permissions-boundaries.html
    """
    account = stacks[0].account
    boundary_arn = f"arn:aws:iam::{account}:policy/{boundary}"
    actions = _needed(stacks)
    plain = sorted(
        action
        for action in actions - _ROLE_WRITES - {"iam:PassRole", "kms:CreateGrant", *_IDENTITY_CENTER_PROVIDERS}
        if not any(fnmatch.fnmatchcase(action, use) for use in _USE_OF_KEYS)
    )
    guarded: list[dict[str, Any]] = [
        {
            "Sid": "RolesOnlyWithTheBoundary",
            "Effect": "Allow",
            "Action": sorted(_ROLE_WRITES),
            "Resource": f"arn:aws:iam::{account}:role/*",
            "Condition": {"StringEquals": {"iam:PermissionsBoundary": boundary_arn}},
        },
        {
            "Sid": "RolesOnlyToServices",
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": f"arn:aws:iam::{account}:role/*",
            "Condition": {"StringEquals": {"iam:PassedToService": sorted(_trusted_services(stacks))}},
        },
        {
            "Sid": "KeysOnlyThroughServices",
            "Effect": "Allow",
            "Action": list(_USE_OF_KEYS),
            "Resource": f"arn:aws:kms:*:{account}:key/*",
            "Condition": {"StringLike": {"kms:ViaService": "*.amazonaws.com"}},
        },
        {
            "Sid": "GrantsOnlyForServices",
            "Effect": "Allow",
            "Action": "kms:CreateGrant",
            "Resource": f"arn:aws:kms:*:{account}:key/*",
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        },
        {
            "Sid": "NeverItsOwnLimits",
            "Effect": "Deny",
            "Action": [
                "iam:CreatePolicyVersion",
                "iam:DeletePolicy",
                "iam:DeletePolicyVersion",
                "iam:SetDefaultPolicyVersion",
            ],
            "Resource": [
                boundary_arn,
                f"arn:aws:iam::{account}:policy/{boundary.removesuffix('-boundary')}-execution-*",
            ],
        },
        {
            "Sid": "NeverTheBootstrapRoles",
            "Effect": "Deny",
            "Action": [
                "iam:AttachRolePolicy",
                "iam:DeleteRole",
                "iam:DeleteRolePermissionsBoundary",
                "iam:PutRole*",
                "iam:UpdateAssumeRolePolicy",
            ],
            "Resource": f"arn:aws:iam::{account}:role/cdk-*",
        },
        {
            "Sid": "NeverTakeTheBoundaryOff",
            "Effect": "Deny",
            "Action": [
                "iam:CreateAccessKey",
                "iam:CreateUser",
                "iam:DeleteRolePermissionsBoundary",
                "iam:DeleteUserPermissionsBoundary",
            ],
            "Resource": "*",
        },
    ]
    if any(resource.type in _IDENTITY_CENTER for stack in stacks for resource in stack.resources.values()):
        guarded += _identity_center(account)
    documents = [_document(guarded), *(_document([statement]) for statement in _packed(plain))]
    if len(documents) > POLICIES_A_ROLE:
        raise ExecutionPolicyError(
            f"account {account}: {len(plain)} actions need {len(documents)} managed policies, but a role holds "
            f"{POLICIES_A_ROLE}. Split the account's stacks over two accounts, or ask AWS for a higher quota."
        )
    return documents


def _identity_center(account: str) -> list[dict[str, Any]]:
    """The roles and the identity provider that Identity Center keeps in the management account, by their names."""
    return [
        {
            "Sid": "IdentityCenterMakesItsRoles",
            "Effect": "Allow",
            "Action": list(_IDENTITY_CENTER_ROLES),
            "Resource": f"arn:aws:iam::{account}:role/aws-reserved/sso.amazonaws.com/*",
        },
        {
            "Sid": "IdentityCenterMakesItsProvider",
            "Effect": "Allow",
            "Action": list(_IDENTITY_CENTER_PROVIDERS),
            "Resource": f"arn:aws:iam::{account}:saml-provider/AWSSSO_*",
        },
    ]


def _needed(stacks: Sequence[Stack]) -> set[str]:
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError  # noqa: PLC0415 - slow import

    actions, unknown = set(_ALWAYS), set()
    for region, resource_type in sorted({(s.region, r.type) for s in stacks for r in s.resources.values()}):
        if resource_type.startswith(("Custom::", "AWS::CDK::")):
            actions.add("lambda:InvokeFunction")
            continue
        try:
            schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, resource_type).schema
        except ResourceNotFoundError:
            unknown.add(resource_type)
            continue
        for handler in schema.get("handlers", {}).values():
            actions.update(permission for permission in handler.get("permissions", []) if ":" in permission)
        # CloudFormation puts the stack's tags on every resource, whose handlers need not name the right to.
        actions.update(schema.get("tagging", {}).get("permissions", []))
        actions.update(_UNPUBLISHED.get(resource_type, ()))
    if unknown:
        raise ExecutionPolicyError(
            f"no schema names the rights that these types need: {', '.join(sorted(unknown))}. "
            "Correct the type, or update cfn-lint."
        )
    # The schema of managed policies also serves users and groups, which no template here makes.
    return {action for action in actions if not action.endswith(("UserPolicy", "GroupPolicy"))}


def _trusted_services(stacks: Iterable[Stack]) -> set[str]:
    services: set[str] = set()
    for stack in stacks:
        for resource in stack.resources.values():
            services.update(_RECEIVERS.get(resource.type, ()))
            if resource.type == "AWS::IAM::Role":
                for statement in resource.properties["AssumeRolePolicyDocument"]["Statement"]:
                    found = statement.get("Principal", {}).get("Service", [])
                    services.update([found] if isinstance(found, str) else found)
    return services or {"cloudformation.amazonaws.com"}


def _packed(actions: Sequence[str]) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = []
    part: list[str] = []
    for action in actions:
        if part and _size([*part, action]) > POLICY_SIZE:
            statements.append(_statement(part))
            part = []
        part.append(action)
    return [*statements, _statement(part)]


def _statement(actions: list[str]) -> dict[str, Any]:
    return {"Sid": "WhatTheTemplatesNeed", "Effect": "Allow", "Action": actions, "Resource": "*"}


def _document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def _size(actions: list[str]) -> int:
    return len(json.dumps(_document([_statement(actions)]), separators=(",", ":")))
