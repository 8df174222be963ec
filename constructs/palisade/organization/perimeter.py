"""The data perimeter: our identities, our resources, our networks."""

from __future__ import annotations

from collections.abc import Sequence

from palisade.organization.guardrail import PolicyType, Statement, deny, deny_everyone, guardrail
from palisade.organization.sharing import DATA

_ROLES = (
    "sts:AssumeRole",
    "sts:GetFederationToken",
    "sts:GetServiceBearerToken",
    "sts:GetSessionToken",
    "sts:SetContext",
)


@guardrail(PolicyType.RESOURCE_CONTROL)
def our_identities(*, organization: str) -> list[Statement]:
    """Nobody outside the organization, and nobody anonymous, reaches a bucket, key, queue, secret, table, log, image or role.

    Exempt: AWS services in their own name, which the next guardrail holds to our own accounts.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_data-perimeters.html
    """
    return [
        deny_everyone(
            "OurIdentities",
            (*DATA, *_ROLES),
            when={
                "StringNotEqualsIfExists": {"aws:PrincipalOrgID": organization},
                "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
            },
        )
    ]


@guardrail(PolicyType.RESOURCE_CONTROL)
def services_on_our_behalf(*, organization: str, accounts: Sequence[str]) -> list[Statement]:
    """No AWS service reaches our resources on behalf of somebody else's account (the confused deputy).

    Exempt: services that do not say on whose behalf they act; bucket, key and role policies name their sources instead.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    return [
        deny_everyone(
            "ServicesForOthers",
            (*DATA, "sts:AssumeRole"),
            when={
                # A service may know the account and not its organization.
                "StringNotEqualsIfExists": {"aws:SourceOrgID": organization, "aws:SourceAccount": accounts},
                "Null": {"aws:SourceAccount": "false"},
                "Bool": {"aws:PrincipalIsAWSService": "true"},
            },
        )
    ]


@guardrail(PolicyType.SERVICE_CONTROL)
def our_resources(*, organization: str, buckets_of_aws: Sequence[str]) -> list[Statement]:
    """Nobody sends data to, or takes it from, a store, queue, topic, key, function or role outside the organization.

    Exempt: AWS's buckets of packages and patches, which machines read; requests that an AWS service makes with somebody's
    rights, to resources of its own.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_data-perimeters.html
    """
    return [
        deny(
            "OurResources",
            (
                "dynamodb:*",
                "ecr:BatchGetImage",
                "ecr:PutImage",
                "events:PutEvents",
                "firehose:Put*",
                "kms:Decrypt",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:ReEncrypt*",
                "lambda:InvokeFunction",
                "s3:Delete*",
                "s3:GetObject*",
                "s3:ListBucket*",
                "s3:PutBucket*",
                "s3:PutObject*",
                "s3:PutReplicationConfiguration",
                "s3:Replicate*",
                "secretsmanager:*",
                "sns:Publish",
                "sqs:*",
                "sts:AssumeRole",
            ),
            not_on=tuple(f"arn:aws:s3:::{bucket}/*" for bucket in buckets_of_aws),
            when={
                "StringNotEqualsIfExists": {"aws:ResourceOrgID": organization},
                "BoolIfExists": {"aws:ViaAWSService": "false"},
            },
        )
    ]


@guardrail(PolicyType.SERVICE_CONTROL)
def our_networks() -> list[Statement]:
    """The credentials of a machine are of no use outside its own VPC: data, keys, secrets and roles answer them only
    through that VPC's endpoints.

    Exempt: requests that an AWS service makes with the machine's rights. People are held to addresses where that is
    promised (live-addresses).
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-ec2instancesourcevpc
    """
    return [
        deny(
            "OurNetworks",
            (
                "dynamodb:*",
                "kms:Decrypt",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "s3:*",
                "secretsmanager:*",
                "sqs:*",
                "ssm:GetParameter*",
                "sts:AssumeRole",
            ),
            when={
                "Null": {"ec2:SourceInstanceARN": "false"},
                "StringNotEqualsIfExists": {"aws:SourceVpc": "${aws:EC2InstanceSourceVPC}"},
                "BoolIfExists": {"aws:ViaAWSService": "false"},
            },
        )
    ]
