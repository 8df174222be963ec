"""Restores every store on a schedule, checks what came back, deletes it and tells of a failure."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_backup as backup
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from constructs import Construct
from palisade.acknowledge import acknowledge, in_packs
from palisade.backup.roles import RESTORE_TEST, RestoreRole
from palisade.backup.vault import Vault
from palisade.compute import Function, Placement

RESOURCE_TYPES = ("Aurora", "DynamoDB", "S3")
"""Every type of store that the plans select."""


class RestoreTesting(Construct):
    """Once a month restores the newest recovery point of every protected database, table and bucket of ``vault``.

    ``lambda/validate_restore`` checks that what was restored is there, encrypted and not empty, and reports the result to
    AWS Backup, which deletes the restored resource after at most four hours. A failure goes to ``topic``.
    ``overrides`` are restore metadata by resource type, such as the subnet group of a cluster; ``keys`` are those of the
    stores and the vault.
    Control: backup.restore.tested

    https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html
    https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing-validation.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        vault: Vault,
        keys: Mapping[str, kms.IKey],
        overrides: Mapping[str, Mapping[str, str]],
        placement: Placement,
        topic: sns.ITopic,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        vault_arn = f"arn:aws:backup:{stack.region}:{stack.account}:backup-vault:{vault.name}"
        # Names of restore tests hold letters, digits and underscores only.
        title = name.replace("-", "_")
        role = RestoreRole(self, "Restore", keys=list(keys.values()), vault=vault_arn)
        plan = backup.CfnRestoreTestingPlan(
            self,
            "Resource",
            restore_testing_plan_name=title,
            schedule_expression="cron(0 9 8 * ? *)",
            start_window_hours=24,
            recovery_point_selection=backup.CfnRestoreTestingPlan.RestoreTestingRecoveryPointSelectionProperty(
                algorithm="LATEST_WITHIN_WINDOW",
                include_vaults=[vault_arn],
                recovery_point_types=["SNAPSHOT", "CONTINUOUS"],
                selection_window_days=7,
            ),
        )
        plan.add_resource_dependency(vault.resource)
        for resource_type in RESOURCE_TYPES:
            selection = backup.CfnRestoreTestingSelection(
                self,
                resource_type,
                restore_testing_plan_name=plan.ref,
                restore_testing_selection_name=f"{title}_{resource_type}",
                protected_resource_type=resource_type,
                protected_resource_arns=["*"],
                iam_role_arn=role.role.role_arn,
                restore_metadata_overrides=dict(overrides.get(resource_type, {})) or None,
                validation_window_hours=4,
            )
            selection.node.add_dependency(role)
        self._validate(placement, keys["data"], topic, undelivered)

    def _validate(self, placement: Placement, key: kms.IKey, topic: sns.ITopic, undelivered: sqs.IQueue) -> None:
        stack = cdk.Stack.of(self)
        here = f"{stack.region}:{stack.account}"
        validator = Function(
            self,
            "Validator",
            source="validate_restore",
            description="Checks what a restore test restored",
            placement=placement,
            environment={"TOPIC_ARN": topic.topic_arn},
            timeout_seconds=60,
            dead_letters=undelivered,
        )
        cluster, table, bucket = (
            f"arn:aws:rds:{here}:cluster:{RESTORE_TEST}*",
            f"arn:aws:dynamodb:{here}:table/{RESTORE_TEST}*",
            f"arn:aws:s3:::{RESTORE_TEST}*",
        )
        validator.component.allow(
            iam.PolicyStatement(
                sid="ReportResult",
                actions=["backup:DescribeRestoreJob", "backup:PutRestoreValidationResult"],
                resources=["*"],
            ),
            iam.PolicyStatement(sid="LookAtCluster", actions=["rds:DescribeDBClusters"], resources=[cluster]),
            iam.PolicyStatement(
                sid="LookAtTable", actions=["dynamodb:DescribeTable", "dynamodb:Scan"], resources=[table]
            ),
            iam.PolicyStatement(
                sid="LookAtBucket", actions=["s3:GetEncryptionConfiguration", "s3:ListBucket"], resources=[bucket]
            ),
            iam.PolicyStatement(sid="ReadTable", actions=["kms:Decrypt"], resources=[key.key_arn]),
        )
        topic.grant_publish(validator.grantee)
        rule = events.CfnRule(
            self,
            "Restored",
            description="AWS Backup: a restore is complete",
            event_pattern={
                "source": ["aws.backup"],
                "detail-type": ["Restore Job State Change"],
                "detail": {"status": ["COMPLETED"]},
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Validator",
                    arn=validator.function.function_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=undelivered.queue_arn),
                )
            ],
        )
        lambda_.CfnPermission(
            self,
            "RuleMayCall",
            action="lambda:InvokeFunction",
            function_name=validator.function.function_arn,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
        )
        acknowledge(
            validator.component.policy,
            "Restore tests give what they restore random names behind a fixed beginning.",
            *(f"AwsSolutions-IAM5[Resource::{arn}]" for arn in (cluster, table, bucket)),
        )
        acknowledge(
            validator.component.policy,
            "validate_restore: what cannot be validated waits in an encrypted queue; each pattern is one KMS call's variants.",
            "AwsSolutions-IAM5[Action::kms:GenerateDataKey*]",
            "AwsSolutions-IAM5[Action::kms:ReEncrypt*]",
        )
        acknowledge(
            validator.component.policy.node.find_child("Resource"),
            "validate_restore: restore jobs have no ARN that a policy could name.",
            "AwsSolutions-IAM5[Resource::*]",
        )
        acknowledge(
            validator.function,
            "The validator speaks to AWS services only, never to the restored database, and runs outside the VPC so that a "
            "closed VPC does not need endpoints for one call a month.",
            *in_packs("LambdaInsideVPC"),
        )
