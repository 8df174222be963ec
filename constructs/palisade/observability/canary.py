"""Asks a public address on a schedule, from outside the network, as a customer would."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_synthetics as synthetics

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.identity import ComponentRole
from palisade.observability.retained_log_group import RetainedLogGroup

_SCRIPT = Path(__file__).resolve().parents[3] / "lambda" / "canary" / "availability.js"
_RUNTIME = "syn-nodejs-puppeteer-15.0"
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Synthetics_Library_nodejs_puppeteer.html"""


class Canary(Construct):
    """Each run fails unless ``url`` answers 200 over TLS 1.2 or newer, with a certificate that lasts and full HSTS.

    ``name`` is at most 21 lower-case letters, digits and hyphens. ``every_minutes`` is 1 to 60. Results go to
    ``bucket_name`` under ``key``, logs to a group of ``log_days``. The canary's role can write both and nothing else.

    Control: observability.canary.public
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Synthetics_Canaries_CanaryPermissions.html
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Synthetics_artifact_encryption.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        url: str,
        every_minutes: int,
        bucket_name: str,
        key: kms.IKey,
        log_key: kms.IKey,
        log_days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        self._name = name
        self._every = cdk.Duration.minutes(every_minutes)
        role = ComponentRole(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Canary {name}: ask, and keep the answer",
        )
        objects = f"arn:aws:s3:::{bucket_name}/{name}/*"
        # Synthetics names its function so, and a function's name holds 64 characters, 43 of them its own.
        log_group = f"/aws/lambda/cwsyn-{name[:21]}-"
        log_streams = f"arn:aws:logs:{stack.region}:{stack.account}:log-group:{log_group}*"
        role.allow(
            iam.PolicyStatement(sid="KeepResults", actions=["s3:GetObject", "s3:PutObject"], resources=[objects]),
            iam.PolicyStatement(
                sid="FindBucket", actions=["s3:GetBucketLocation"], resources=[f"arn:aws:s3:::{bucket_name}"]
            ),
            iam.PolicyStatement(
                sid="EncryptResults",
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[key.key_arn],
                conditions={"StringEquals": {"kms:ViaService": f"s3.{stack.region}.amazonaws.com"}},
            ),
            # Not logs:CreateLogGroup: the group below has a key and an end, and the function would make one without.
            iam.PolicyStatement(
                sid="WriteLogs", actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_streams]
            ),
            iam.PolicyStatement(
                sid="PublishOutcome",
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringEquals": {"cloudwatch:namespace": "CloudWatchSynthetics"}},
            ),
            iam.PolicyStatement(sid="FindBuckets", actions=["s3:ListAllMyBuckets"], resources=["*"]),
        )
        acknowledge(
            role.policy,
            f"{name}: Synthetics names each result and its function's log group as it runs; publishing a metric and "
            "listing buckets define no resource type.",
            f"AwsSolutions-IAM5[Resource::{objects}]",
            f"AwsSolutions-IAM5[Resource::{log_streams}]",
            "AwsSolutions-IAM5[Resource::*]",
        )
        self.resource = synthetics.CfnCanary(
            self,
            "Resource",
            name=name,
            runtime_version=_RUNTIME,
            artifact_s3_location=f"s3://{bucket_name}/{name}",
            artifact_config=synthetics.CfnCanary.ArtifactConfigProperty(
                s3_encryption=synthetics.CfnCanary.S3EncryptionProperty(
                    encryption_mode="SSE_KMS", kms_key_arn=key.key_arn
                )
            ),
            code=synthetics.CfnCanary.CodeProperty(handler="index.handler", script=_SCRIPT.read_text(encoding="utf-8")),
            execution_role_arn=role.role.role_arn,
            schedule=synthetics.CfnCanary.ScheduleProperty(
                expression="rate(1 minute)" if every_minutes == 1 else f"rate({every_minutes} minutes)",
                duration_in_seconds="0",
                retry_config=synthetics.CfnCanary.RetryConfigProperty(max_retries=1),
            ),
            run_config=synthetics.CfnCanary.RunConfigProperty(
                timeout_in_seconds=30,
                memory_in_mb=960,
                active_tracing=False,
                environment_variables={"URL_TO_CHECK": url},
            ),
            start_canary_after_creation=True,
            provisioned_resource_cleanup="AUTOMATIC",
            success_retention_period=30,
            failure_retention_period=90,
        )
        # The policy is attached apart from the role; the first run would fail without it.
        self.resource.node.add_dependency(role.policy)
        RetainedLogGroup(
            self,
            "Logs",
            name=f"{log_group}{self.resource.attr_id}",
            key=log_key,
            days=log_days,
        )

    def runs(self, statistic: str) -> cloudwatch.Metric:
        """Its outcomes, 100 or 0 each: ``SampleCount`` counts the runs, ``Sum`` is a hundred times the good ones."""
        return cloudwatch.Metric(
            namespace="CloudWatchSynthetics",
            metric_name="SuccessPercent",
            dimensions_map={"CanaryName": self._name},
            statistic=statistic,
            period=self._every,
        )
