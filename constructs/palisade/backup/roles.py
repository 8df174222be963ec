"""The roles under which AWS Backup reads stores, writes recovery points and restores them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.identity import ComponentRole

RESTORE_TEST = "awsbackup-restore-test-"
"""Begins the name of everything that a restore test makes.
https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing-inferred-metadata.html"""


def _service() -> iam.IPrincipal:
    # No condition: AWS documents none for AWS Backup, which refuses a selection whose role it cannot assume. A role can be
    # passed to a service within its own account only, so no other customer's plan can name this one.
    # https://docs.aws.amazon.com/aws-backup/latest/devguide/iam-service-roles.html
    return iam.ServicePrincipal("backup.amazonaws.com")


def _wildcards(statements: Iterable[iam.PolicyStatement]) -> list[str]:
    return sorted({resource for statement in statements for resource in statement.resources if "*" in resource})


class BackupRole(Construct):
    """Reads databases, tables and buckets whose names begin with ``prefix`` and writes and copies recovery points.

    ``name`` is fixed, because the keys of other accounts name the role. ``keys`` encrypt the stores and the vault;
    ``vaults`` are ARNs of the stage's own vault and of those that copies go to. It cannot delete a store, a
    recovery point or a vault.

    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForBackup.html
    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForS3Backup.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        prefix: str,
        keys: Sequence[kms.IKey],
        vaults: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        account, region = stack.account, stack.region
        component = ComponentRole(
            self,
            "Role",
            assumed_by=_service(),
            description="AWS Backup: reads stores, writes and copies recovery points",
            name=name,
        )
        self.role = component.role
        elsewhere = sorted({(vault.split(":")[3], vault.split(":")[4]) for vault in vaults} - {(region, account)})
        regions = sorted({region, *(where for where, _ in elsewhere)})
        snapshots = [f"arn:aws:rds:{where}:{account}:cluster-snapshot:awsbackup:*" for where in regions]
        recovery_points = [f"arn:aws:backup:{where}:{account}:recovery-point:*" for where in regions]
        buckets, tables = f"arn:aws:s3:::{prefix}-*", f"arn:aws:dynamodb:{region}:{account}:table/{prefix}-*"
        local_keys = [key.key_arn for key in keys]
        copy_keys = [f"arn:aws:kms:{where}:{owner}:key/*" for where, owner in elsewhere]
        statements = [
            iam.PolicyStatement(
                sid="FindStores",
                actions=["cloudwatch:GetMetricData", "events:ListRules", "s3:ListAllMyBuckets", "tag:GetResources"],
                resources=["*"],
            ),
            iam.PolicyStatement(
                sid="Databases",
                actions=[
                    "rds:AddTagsToResource",
                    "rds:CopyDBClusterSnapshot",
                    "rds:CreateDBClusterSnapshot",
                    "rds:DeleteDBClusterSnapshot",
                    "rds:DescribeDBClusterSnapshots",
                    "rds:DescribeDBClusters",
                    "rds:ListTagsForResource",
                    "rds:ModifyDBClusterSnapshotAttribute",
                ],
                resources=[f"arn:aws:rds:{region}:{account}:cluster:{prefix}-*", *snapshots],
            ),
            iam.PolicyStatement(
                sid="Tables",
                actions=["dynamodb:DescribeTable", "dynamodb:ListTagsOfResource", "dynamodb:StartAwsBackupJob"],
                resources=[tables],
            ),
            iam.PolicyStatement(
                sid="Buckets",
                actions=[
                    "s3:GetBucketAcl",
                    "s3:GetBucketLocation",
                    "s3:GetBucketNotification",
                    "s3:GetBucketTagging",
                    "s3:GetBucketVersioning",
                    "s3:GetInventoryConfiguration",
                    "s3:ListBucket",
                    "s3:ListBucketVersions",
                    "s3:ListTagsForResource",
                    "s3:PutBucketNotification",
                    "s3:PutInventoryConfiguration",
                ],
                resources=[buckets],
            ),
            iam.PolicyStatement(
                sid="Objects",
                actions=[
                    "s3:GetObject",
                    "s3:GetObjectAcl",
                    "s3:GetObjectTagging",
                    "s3:GetObjectVersion",
                    "s3:GetObjectVersionAcl",
                    "s3:GetObjectVersionTagging",
                ],
                resources=[f"{buckets}/*"],
            ),
            iam.PolicyStatement(
                sid="FollowBuckets",
                actions=[
                    "events:DeleteRule",
                    "events:DescribeRule",
                    "events:DisableRule",
                    "events:EnableRule",
                    "events:ListTargetsByRule",
                    "events:PutRule",
                    "events:PutTargets",
                    "events:RemoveTargets",
                ],
                resources=[f"arn:aws:events:{region}:{account}:rule/AwsBackupManagedRule*"],
            ),
            iam.PolicyStatement(
                sid="Vaults",
                actions=["backup:CopyIntoBackupVault", "backup:DescribeBackupVault"],
                resources=list(vaults),
            ),
            iam.PolicyStatement(
                sid="RecoveryPoints",
                actions=["backup:CopyFromBackupVault", "backup:TagResource"],
                resources=[*recovery_points, *snapshots],
            ),
            iam.PolicyStatement(
                sid="UseKeys",
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                resources=[*local_keys, *copy_keys],
            ),
            iam.PolicyStatement(
                sid="GrantsForServices",
                actions=["kms:CreateGrant"],
                resources=[*local_keys, *copy_keys],
                conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
            ),
        ]
        component.allow(*statements)
        acknowledge(
            component.policy,
            f"{name}: stores are found by their tags, so they are named by prefix; recovery points, their snapshots and "
            "the keys of vaults in another account get their names from AWS.",
            *(f"AwsSolutions-IAM5[Resource::{resource}]" for resource in _wildcards(statements)),
        )


class RestoreRole(Construct):
    """Restores recovery points under names that begin with ``awsbackup-restore-test-``, and deletes those again.

    It can neither write to nor delete a store of the stage.
    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForRestores.html
    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForS3Restore.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, keys: Sequence[kms.IKey], vault: str) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        here = f"{stack.region}:{stack.account}"
        component = ComponentRole(
            self,
            "Role",
            assumed_by=_service(),
            description="AWS Backup: restores recovery points under test names",
        )
        self.role = component.role
        snapshots = f"arn:aws:rds:{here}:cluster-snapshot:awsbackup:*"
        statements = [
            iam.PolicyStatement(
                sid="RestoreDatabases",
                actions=[
                    "rds:AddTagsToResource",
                    "rds:CreateDBInstance",
                    "rds:DeleteDBCluster",
                    "rds:DeleteDBInstance",
                    "rds:ListTagsForResource",
                    "rds:RestoreDBClusterFromSnapshot",
                ],
                resources=[f"arn:aws:rds:{here}:cluster:{RESTORE_TEST}*", f"arn:aws:rds:{here}:db:{RESTORE_TEST}*"],
            ),
            iam.PolicyStatement(
                sid="FromSnapshots",
                actions=[
                    "rds:DescribeDBClusterSnapshots",
                    "rds:ListTagsForResource",
                    "rds:RestoreDBClusterFromSnapshot",
                ],
                resources=[
                    snapshots,
                    f"arn:aws:rds:{here}:cluster-pg:*",
                    f"arn:aws:rds:{here}:og:*",
                    f"arn:aws:rds:{here}:subgrp:*",
                ],
            ),
            iam.PolicyStatement(
                sid="LookAround",
                actions=[
                    "ec2:DescribeAccountAttributes",
                    "ec2:DescribeAvailabilityZones",
                    "ec2:DescribeInternetGateways",
                    "ec2:DescribeSecurityGroups",
                    "ec2:DescribeSubnets",
                    "ec2:DescribeVpcs",
                    "rds:DescribeDBClusters",
                    "rds:DescribeDBInstances",
                ],
                resources=["*"],
            ),
            iam.PolicyStatement(
                sid="RestoreTables",
                actions=[
                    "dynamodb:BatchWriteItem",
                    "dynamodb:DeleteItem",
                    "dynamodb:DeleteTable",
                    "dynamodb:DescribeTable",
                    "dynamodb:GetItem",
                    "dynamodb:PutItem",
                    "dynamodb:Query",
                    "dynamodb:RestoreTableFromAwsBackup",
                    "dynamodb:Scan",
                    "dynamodb:UpdateItem",
                ],
                resources=[f"arn:aws:dynamodb:{here}:table/{RESTORE_TEST}*"],
            ),
            iam.PolicyStatement(
                sid="RestoreBuckets",
                actions=[
                    "s3:CreateBucket",
                    "s3:DeleteBucket",
                    "s3:GetBucketLocation",
                    "s3:GetBucketOwnershipControls",
                    "s3:GetBucketVersioning",
                    "s3:ListBucket",
                    "s3:ListBucketVersions",
                    "s3:PutBucketOwnershipControls",
                    "s3:PutBucketVersioning",
                ],
                resources=[f"arn:aws:s3:::{RESTORE_TEST}*"],
            ),
            iam.PolicyStatement(
                sid="RestoreObjects",
                actions=[
                    "s3:DeleteObject",
                    "s3:DeleteObjectVersion",
                    "s3:GetObject",
                    "s3:GetObjectAcl",
                    "s3:GetObjectTagging",
                    "s3:GetObjectVersion",
                    "s3:GetObjectVersionAcl",
                    "s3:ListMultipartUploadParts",
                    "s3:PutObject",
                    "s3:PutObjectAcl",
                    "s3:PutObjectTagging",
                    "s3:PutObjectVersionAcl",
                ],
                resources=[f"arn:aws:s3:::{RESTORE_TEST}*/*"],
            ),
            iam.PolicyStatement(sid="Vault", actions=["backup:DescribeBackupVault"], resources=[vault]),
            iam.PolicyStatement(
                sid="UseKeys",
                actions=[
                    "kms:Decrypt",
                    "kms:DescribeKey",
                    "kms:Encrypt",
                    "kms:GenerateDataKey",
                    "kms:GenerateDataKeyWithoutPlaintext",
                    "kms:ReEncryptFrom",
                    "kms:ReEncryptTo",
                ],
                resources=[key.key_arn for key in keys],
            ),
            iam.PolicyStatement(
                sid="GrantsForServices",
                actions=["kms:CreateGrant"],
                resources=[key.key_arn for key in keys],
                conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
            ),
        ]
        component.allow(*statements)
        acknowledge(
            component.policy,
            "Restore tests get random names behind a fixed beginning, snapshots theirs from AWS Backup, and what a restored "
            "cluster is placed in is looked up.",
            *(f"AwsSolutions-IAM5[Resource::{resource}]" for resource in _wildcards(statements)),
        )
