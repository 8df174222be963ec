"""Sends audit logs from the archive to a log service outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs

from constructs import Construct
from palisade.acknowledge import acknowledge, in_packs
from palisade.archive.replication import Destination
from palisade.compute import Function, Placement
from palisade.storage import PrivateTable

MINUTES = 5
TIMEOUT_SECONDS = 280
"""Less than :data:`MINUTES`, so that a run ends before the next begins."""


@dataclass(frozen=True, kw_only=True)
class LogTarget:
    """The log service: its URL, its format (``generic``, ``datadog``, ``splunk``), and its secret by name and key."""

    url: str
    form: str
    secret_name: str
    secret_key: kms.IKey


class AuditShipper(Construct):
    """Every five minutes, what lies under ``folders`` of ``source`` and ``receipts`` do not name goes to ``target``.

    The archive is the queue: what the service does not take stays there, however long, and is sent when it takes again,
    at least once and under ids that never change. ``role_name`` is the role that the archive admits. The secret is made
    with a random value, which signs what a generic service gets; people replace it by the token of any other.

    https://docs.aws.amazon.com/firehose/latest/dev/retry.html (why not a stream: it gives up after two hours)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source: Destination,
        folders: Sequence[str],
        receipts: PrivateTable,
        target: LogTarget,
        placement: Placement,
        role_name: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._secret = self._make_secret(target)
        self.function = Function(
            self,
            "Function",
            source="ship_audit",
            description="Sends audit logs from the archive to the log service",
            placement=placement,
            environment={
                "BUCKET_NAME": source.bucket_name,
                "FOLDERS": " ".join(folders),
                "TABLE_NAME": receipts.table.table_name,
                "URL": target.url,
                "FORMAT": target.form,
                "SECRET_ARN": self._secret.secret_arn,
            },
            timeout_seconds=TIMEOUT_SECONDS,
            memory_mb=512,
            role_name=role_name,
        )
        self._allow(source, folders, receipts, target)
        acknowledge(
            self.function.function,
            "ship_audit: a run that failed is nothing to keep; the next one, five minutes later, finds the same in the "
            "archive, and an hour without a run that says so alarms.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
        )

    def run_on_schedule(self, undelivered: sqs.IQueue) -> None:
        """Begin; what EventBridge cannot hand over waits in ``undelivered``."""
        arn = self.function.function.function_arn
        rule = events.CfnRule(
            self,
            "Schedule",
            description="Send audit logs to the log service",
            schedule_expression=f"rate({MINUTES} minutes)",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Function",
                    arn=arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=undelivered.queue_arn),
                )
            ],
        )
        lambda_.CfnPermission(
            self,
            "ScheduleMayCall",
            action="lambda:InvokeFunction",
            function_name=arn,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
        )

    def _make_secret(self, target: LogTarget) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            "Secret",
            secret_name=target.secret_name,
            description="Proves to the log service who sends audit logs",
            # By reference: the L2 would give the whole account CreateGrant in the key's policy.
            encryption_key=kms.Key.from_key_arn(self, "SecretKey", target.secret_key.key_arn),
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True),
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        acknowledge(
            secret,
            f"{target.secret_name}: the log service issues the token or must learn the signing key, so that no function can "
            "replace it alone; docs/howto/audit-stream.md says how people do.",
            "AwsSolutions-SMG4",
            *in_packs("SecretsManagerRotationEnabled", "NIST.800.53.R5", "HIPAA.Security"),
        )
        return secret

    def _allow(self, source: Destination, folders: Sequence[str], receipts: PrivateTable, target: LogTarget) -> None:
        region = cdk.Stack.of(self).region
        bucket = f"arn:aws:s3:::{source.bucket_name}"
        keys = f"arn:aws:kms:{region}:{source.account}:key/*"
        objects = [f"{bucket}/{folder}*" for folder in folders]
        key = receipts.table.encryption_key
        assert key is not None
        self.function.component.allow(
            iam.PolicyStatement(
                sid="ReadAuditLogs", actions=["s3:GetObject", "s3:ListBucket"], resources=[bucket, *objects]
            ),
            iam.PolicyStatement(
                sid="DecryptAuditLogs",
                actions=["kms:Decrypt"],
                resources=[keys],
                conditions={
                    "StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"},
                    "ForAnyValue:StringEquals": {"kms:ResourceAliases": source.key_alias},
                },
            ),
            iam.PolicyStatement(
                sid="KeepReceipts",
                actions=["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
                resources=[receipts.table.table_arn],
            ),
            iam.PolicyStatement(
                sid="KeyOfReceipts",
                actions=["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"],
                resources=[key.key_arn],
                conditions={
                    "StringEquals": {
                        "kms:ViaService": f"dynamodb.{region}.amazonaws.com",
                        "kms:EncryptionContext:aws:dynamodb:tableName": receipts.table.table_name,
                    }
                },
            ),
            iam.PolicyStatement(
                sid="ReadSecret", actions=["secretsmanager:GetSecretValue"], resources=[self._secret.secret_arn]
            ),
            iam.PolicyStatement(
                sid="DecryptSecret",
                actions=["kms:Decrypt"],
                resources=[target.secret_key.key_arn],
                conditions={
                    "StringEquals": {
                        "kms:ViaService": f"secretsmanager.{region}.amazonaws.com",
                        "kms:EncryptionContext:SecretARN": self._secret.secret_arn,
                    }
                },
            ),
        )
        acknowledge(
            self.function.component.policy,
            "ship_audit reads objects that streams name as they come, under a key of the archive account that is known here "
            "by its alias only.",
            *(f"AwsSolutions-IAM5[Resource::{arn}]" for arn in (*objects, keys)),
        )
