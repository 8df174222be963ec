"""Stages that people may only look at."""

from __future__ import annotations

from collections.abc import Sequence

from palisade.organization.guardrail import PolicyType, Statement, deny, deny_everyone, guardrail
from palisade.organization.principals import (
    CDK_ROLES,
    CLOUDFORMATION,
    FEDERATED,
    FOUNDER,
    PEOPLE,
    PIPELINE,
    SIGNED_IN,
    USERS,
    Deployment,
)
from palisade.organization.sharing import DATA

_CHANGES = (
    "cloudformation:Activate*",
    "cloudformation:CancelUpdateStack",
    "cloudformation:ContinueUpdateRollback",
    "cloudformation:Create*",
    "cloudformation:Deactivate*",
    "cloudformation:Delete*",
    "cloudformation:Deregister*",
    "cloudformation:Execute*",
    "cloudformation:Import*",
    "cloudformation:Register*",
    "cloudformation:Rollback*",
    "cloudformation:Set*",
    "cloudformation:SignalResource",
    "cloudformation:Update*",
)


@guardrail(PolicyType.SERVICE_CONTROL)
def live_addresses(*, networks: Sequence[str], account: str) -> list[Statement]:
    """People do nothing in this stage from anywhere but the allowed addresses.

    Exempt: requests that an AWS service makes on a person's behalf, because they come from the service's address and
    follow one that came from an allowed address; requests through the stage's own VPC endpoints, which have no public
    address and whose way in was judged before; service and pipeline roles, behind which nobody stands; the break-glass
    role, because an allowed network may be what broke (its every use pages).
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_deny-ip.html
    """
    return [
        deny(
            "OtherAddresses",
            ("*",),
            when={
                "ArnLike": {"aws:PrincipalArn": PEOPLE},
                "NotIpAddressIfExists": {"aws:SourceIp": networks},
                "StringNotEqualsIfExists": {"aws:VpceAccount": account},
                "BoolIfExists": {"aws:ViaAWSService": "false"},
            },
        )
    ]


@guardrail(PolicyType.RESOURCE_CONTROL)
def live_data_addresses(*, networks: Sequence[str], account: str) -> list[Statement]:
    """No person of any account, the management account included, reaches this stage's data or roles from anywhere but the
    allowed addresses.

    Exempt: as in live-addresses, and AWS services in their own name.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    """
    return [
        deny_everyone(
            "DataToOtherAddresses",
            (*DATA, "sts:AssumeRole"),
            when={
                "ArnLike": {"aws:PrincipalArn": PEOPLE},
                "NotIpAddressIfExists": {"aws:SourceIp": networks},
                "StringNotEqualsIfExists": {"aws:VpceAccount": account},
                "BoolIfExists": {"aws:ViaAWSService": "false"},
            },
        )
    ]


@guardrail(PolicyType.SERVICE_CONTROL)
def changes_by_pipeline(*, deployment: Deployment) -> list[Statement]:
    """Nobody changes a stack here: what runs is what was reviewed and approved.

    Exempt: the pipeline's role and CloudFormation at work for it; people in an emergency (break-glass); the founding role,
    for the first deployment and the bootstrap.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/security-best-practices.html
    """
    return [
        deny(
            "ChangesByPeople",
            _CHANGES,
            unless_arn=(PIPELINE, CLOUDFORMATION, *deployment.emergency, FOUNDER),
        )
    ]


@guardrail(PolicyType.RESOURCE_CONTROL)
def pipeline_roles(*, deployment: Deployment) -> list[Statement]:
    """No person becomes the pipeline: CDK's roles are closed to them, whatever account they come from.

    Exempt: the founding role, for the first deployment and the bootstrap; people in an emergency (break-glass).
    https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
    """
    return [
        deny_everyone(
            "PipelineRoles",
            ("sts:AssumeRole",),
            on=(CDK_ROLES,),
            when={
                "ArnLike": {"aws:PrincipalArn": (SIGNED_IN, USERS, FEDERATED)},
                "ArnNotLike": {"aws:PrincipalArn": deployment.job("break-glass")},
            },
        )
    ]


@guardrail(PolicyType.SERVICE_CONTROL)
def own_stacks(*, deployment: Deployment, stage: str) -> list[Statement]:
    """Nobody changes the stage's own stacks or the bootstrap's but through the pipeline's role; stacks of their own they may.

    Exempt: the pipeline's role and CloudFormation at work for it; the break-glass role, in an emergency; the founding role,
    which bootstraps.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/security-best-practices.html
    """
    return [
        deny(
            "OwnStacks",
            _CHANGES,
            on=tuple(
                f"arn:aws:cloudformation:*:*:stack/{name}/*" for name in (f"{stage}-*", "CDKToolkit", "*-bootstrap")
            ),
            unless_arn=(PIPELINE, CLOUDFORMATION, deployment.break_glass, FOUNDER),
        )
    ]
