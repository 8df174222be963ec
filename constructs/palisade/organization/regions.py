"""Where anything may be done, and where customer data may lie."""

from __future__ import annotations

from collections.abc import Sequence

from palisade.organization.guardrail import PolicyType, Statement, deny, guardrail
from palisade.organization.principals import FOUNDER

_GLOBAL = (
    "account:*",
    "artifact:*",
    "aws-portal:*",
    "billing:*",
    "budgets:*",
    "ce:*",
    "cloudfront:*",
    "consolidatedbilling:*",
    "cur:*",
    "freetier:*",
    "health:*",
    "iam:*",
    "invoicing:*",
    "organizations:*",
    "payments:*",
    "pricing:*",
    "route53:*",
    "route53domains:*",
    "s3:GetAccountPublicAccessBlock",
    "s3:ListAllMyBuckets",
    "s3:PutAccountPublicAccessBlock",
    "savingsplans:*",
    "shield:*",
    "sts:*",
    "support:*",
    "supportplans:*",
    "tax:*",
    "trustedadvisor:*",
)
_STORES = (
    "backup:CreateBackupVault",
    "backup:CreateLogicallyAirGappedBackupVault",
    "backup:StartBackupJob",
    "backup:StartRestoreJob",
    "dynamodb:CreateGlobalTable",
    "dynamodb:CreateTable",
    "dynamodb:CreateTableReplica",
    "dynamodb:ImportTable",
    "dynamodb:RestoreTable*",
    "ec2:CopyImage",
    "ec2:CopySnapshot",
    "ec2:CreateSnapshot*",
    "ec2:CreateVolume",
    "ec2:ImportImage",
    "ec2:ImportSnapshot",
    "ec2:RunInstances",
    "elasticfilesystem:CreateFileSystem",
    "elasticfilesystem:CreateReplicationConfiguration",
    "es:CreateDomain",
    "rds:CopyDB*",
    "rds:CreateDB*",
    "rds:CreateGlobalCluster",
    "rds:RestoreDB*",
    "redshift:CreateCluster",
)


@guardrail(PolicyType.SERVICE_CONTROL)
def regions(*, allowed: Sequence[str]) -> list[Statement]:
    """Nothing is done in any region but the allowed ones.

    Exempt: services that have one endpoint for the whole world, because their requests name the region of that endpoint.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html
    """
    return [
        deny(
            "OtherRegions",
            but=_GLOBAL,
            when={"StringNotEquals": {"aws:RequestedRegion": allowed}},
        )
    ]


@guardrail(PolicyType.SERVICE_CONTROL)
def residency(*, homes: Sequence[str], allowed: Sequence[str], assets: str) -> list[Statement]:
    """No store of data, copy or replica is made outside the home and recovery regions, us-east-1 included, where only
    what CloudFront needs may be.

    Exempt: the bootstrap's bucket of templates, and the founding role, which makes it; secrets and keys may be replicated
    to us-east-1, where CloudFront's origin secret is read.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requestedregion
    """
    vaults = [f"arn:aws:backup:{region}:*:backup-vault:*" for region in homes]
    return [
        deny(
            "StoresElsewhere",
            _STORES,
            when={"StringNotEquals": {"aws:RequestedRegion": homes}},
        ),
        deny(
            "BucketsElsewhere",
            ("s3:CreateBucket",),
            not_on=(f"arn:aws:s3:::{assets}*",),
            when={"StringNotEquals": {"aws:RequestedRegion": homes}},
            unless_arn=(FOUNDER,),
        ),
        deny("BackupsElsewhere", ("backup:CopyIntoBackupVault",), not_on=vaults),
        deny(
            "KeysElsewhere",
            ("kms:ReplicateKey",),
            when={"StringNotEquals": {"kms:ReplicaRegion": allowed}},
        ),
        deny(
            "SecretsElsewhere",
            ("secretsmanager:CreateSecret", "secretsmanager:ReplicateSecretToRegions"),
            when={"ForAnyValue:StringNotEquals": {"secretsmanager:AddReplicaRegions": allowed}},
        ),
    ]
