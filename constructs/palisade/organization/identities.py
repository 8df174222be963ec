"""The roles by which guardrails tell who acts, and the limits of every other role."""

from __future__ import annotations

from collections.abc import Sequence

from palisade.organization.guardrail import PolicyType, Statement, deny, guardrail
from palisade.organization.principals import (
    CDK_ROLES,
    CLOUDFORMATION,
    FOUNDER,
    PIPELINE,
    SIGNED_IN,
    Deployment,
)

_RUNS_CODE = (
    "cloudformation.amazonaws.com",
    "codebuild.amazonaws.com",
    "ec2.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "glue.amazonaws.com",
    "lambda.amazonaws.com",
    "sagemaker.amazonaws.com",
    "ssm.amazonaws.com",
    "states.amazonaws.com",
)
_WRITES = (
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole*",
    "iam:DetachRolePolicy",
    "iam:PutRole*",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole*",
)


@guardrail(PolicyType.SERVICE_CONTROL)
def own_roles(*, deployment: Deployment) -> list[Statement]:
    """Nobody makes, changes or deletes a role or policy that guardrails rely on: the deployment's own, CDK's, the founding
    role, and people's roles of IAM Identity Center.

    Exempt: CloudFormation at work for the pipeline for the deployment's own roles; the function that contains incidents, which
    ends their sessions by an inline refusal and whose boundary leaves it nothing else; the founding role for CDK's roles and
    the deployment's policies, which the bootstrap makes; the gatekeeper for policies, of which its boundary and its own policy
    leave it the gates; IAM Identity Center, whose service-linked role no policy binds.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_iam.html
    """
    return [
        deny("OwnRoles", _WRITES, on=(deployment.roles,), unless_arn=(CLOUDFORMATION, deployment.containment)),
        deny(
            "RolesOfTemplates",
            _WRITES,
            on=("arn:aws:iam::*:role/*",),
            when={"StringEquals": {"aws:ResourceTag/palisade:deployment": deployment.name}},
            unless_arn=(CLOUDFORMATION, deployment.containment),
        ),
        deny("RolesOfTheBootstrap", _WRITES, on=(CDK_ROLES, FOUNDER, SIGNED_IN), unless_arn=(FOUNDER,)),
        deny(
            "OwnPolicies",
            ("iam:CreatePolicy*", "iam:DeletePolicy*", "iam:SetDefaultPolicyVersion", "iam:*agPolicy"),
            on=(deployment.policies,),
            unless_arn=(CLOUDFORMATION, FOUNDER, deployment.gatekeeper),
        ),
    ]


@guardrail(PolicyType.SERVICE_CONTROL)
def boundaries(*, deployment: Deployment) -> list[Statement]:
    """No role is made without the permissions boundary, none loses it, and the boundary itself is not changed.

    Exempt: the founding role, which makes the bootstrap's roles and the boundary; service-linked roles and those of IAM
    Identity Center, which AWS makes.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    return [
        deny(
            "RolesWithoutBoundary",
            ("iam:CreateRole", "iam:PutRolePermissionsBoundary"),
            when={
                "ArnNotLike": {"iam:PermissionsBoundary": deployment.boundary, "aws:PrincipalArn": FOUNDER},
            },
        ),
        deny(
            "BoundaryTakenOff",
            ("iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary"),
            unless_arn=(FOUNDER,),
        ),
        deny(
            "BoundaryChanged",
            ("iam:CreatePolicyVersion", "iam:DeletePolicy*", "iam:SetDefaultPolicyVersion"),
            on=(deployment.boundary,),
            unless_arn=(FOUNDER,),
        ),
    ]


@guardrail(PolicyType.SERVICE_CONTROL)
def work_of_templates(*, deployment: Deployment, owners: Sequence[str]) -> list[Statement]:
    """Nobody puts other code behind a role of the templates: their functions are not changed, their roles are not handed to
    a machine, function or build of somebody's own.

    Exempt: CloudFormation at work for the pipeline; the founding role, which bootstraps.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """
    return [
        deny(
            "Functions",
            (
                "lambda:AddPermission",
                "lambda:DeleteAlias",
                "lambda:DeleteEventSourceMapping",
                "lambda:DeleteFunction",
                "lambda:DeleteFunctionEventInvokeConfig",
                "lambda:DeleteFunctionUrlConfig",
                "lambda:PutFunctionEventInvokeConfig",
                "lambda:UpdateFunction*",
            ),
            when={"StringEquals": {"aws:ResourceTag/palisade:deployment": deployment.name}},
            unless_arn=(CLOUDFORMATION,),
        ),
        deny(
            "RolesPassed",
            ("iam:PassRole",),
            on=(deployment.roles, *(f"arn:aws:iam::*:role/{owner}-*" for owner in owners)),
            when={"StringEquals": {"iam:PassedToService": _RUNS_CODE}},
            unless_arn=(CLOUDFORMATION, FOUNDER),
        ),
    ]


@guardrail(PolicyType.SERVICE_CONTROL)
def marks_of_templates() -> list[Statement]:
    """Nobody marks a role, or a session, as made by the templates, nor passes CloudFormation's role to work of their own.

    Exempt: CloudFormation at work for the pipeline, which tags what it makes; the pipeline's role, which hands CloudFormation
    its role; the founding role, which bootstraps.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html
    """
    return [
        deny(
            "MarkedRoles",
            ("iam:CreateRole", "iam:CreateUser", "iam:TagRole", "iam:TagUser", "iam:UntagRole", "sts:TagSession"),
            when={"ForAnyValue:StringLike": {"aws:TagKeys": "palisade:*"}},
            unless_arn=(CLOUDFORMATION, FOUNDER),
        ),
        deny(
            "CloudFormationsRole",
            ("iam:PassRole",),
            on=(CLOUDFORMATION,),
            unless_arn=(PIPELINE, FOUNDER),
        ),
    ]
