"""Notices that somebody changed by hand what a template says."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from constructs import Construct
from palisade.account.drift_reads import ACTIONS
from palisade.acknowledge import acknowledge, in_packs
from palisade.compute import Function, Placement
from palisade.observability import Alarm

NAMESPACE = "Palisade/Drift"
"""Of the metrics ``StacksDrifted`` and ``StacksNotCompared``."""

_THROUGH_CLOUDFORMATION = {"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}}

_REPORTED = cdk.Duration.hours(3)


class DriftDetection(Construct):
    """Compares every stack of ``owner`` (``<owner>-...``) in ``regions`` with its template twice a day, counts once an hour
    those that differ, and tells ``topic`` of any, of any not compared for a day and a half, and of three hours' silence.

    CloudFormation reads with the function's rights, which the function cannot use otherwise, and which show configuration
    and never content: values of secrets stay unread, and of parameters only those that match the ARN ``parameters`` are
    compared.

    Control: account.drift.noticed
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        owner: str,
        regions: Sequence[str],
        parameters: str,
        placement: Placement,
        topic: sns.ITopic,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._function = Function(
            self,
            "Function",
            source="detect_drift",
            description="Compares stacks with their templates",
            placement=placement,
            environment={"OWNER": owner, "REGIONS": ",".join(regions), "NAMESPACE": NAMESPACE},
            timeout_seconds=300,
        )
        self._allow(owner, regions, parameters)
        self._every_hour(undelivered)

        def count(name: str) -> cloudwatch.Metric:
            return cloudwatch.Metric(namespace=NAMESPACE, metric_name=name, statistic="Maximum", period=_REPORTED)

        Alarm(
            self,
            "Drifted",
            description=(
                f"Stacks of {owner} differ from their templates, or could not be compared. The log group of detect-drift "
                "names them: take the change back, or write it into the template."
            ),
            metric=cloudwatch.MathExpression(
                expression="drifted + unknown",
                using_metrics={"drifted": count("StacksDrifted"), "unknown": count("StacksNotCompared")},
                period=_REPORTED,
                label="stacks to look at",
            ),
            threshold=1,
            topic=topic,
            silence=cloudwatch.TreatMissingData.BREACHING,
        )

    def _allow(self, owner: str, regions: Sequence[str], parameters: str) -> None:
        account = cdk.Stack.of(self).account
        stacks = [f"arn:aws:cloudformation:{region}:{account}:stack/{owner}-*/*" for region in regions]
        keys = f"arn:aws:kms:*:{account}:key/*"
        self._function.component.allow(
            iam.PolicyStatement(sid="ListStacks", actions=["cloudformation:ListStacks"], resources=["*"]),
            iam.PolicyStatement(
                sid="CompareStacks",
                actions=["cloudformation:DetectStackDrift", "cloudformation:DetectStackResourceDrift"],
                resources=stacks,
            ),
            iam.PolicyStatement(
                sid="Count",
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
            ),
            iam.PolicyStatement(
                sid="ReadConfiguration", actions=list(ACTIONS), resources=["*"], conditions=_THROUGH_CLOUDFORMATION
            ),
            iam.PolicyStatement(
                sid="ReadParameters",
                actions=["ssm:GetParameters"],
                resources=[parameters],
                conditions=_THROUGH_CLOUDFORMATION,
            ),
            iam.PolicyStatement(
                # Lambda shows a function's environment, which holds names only, to whoever may use its key.
                sid="ReadEnvironments",
                actions=["kms:Decrypt"],
                resources=[keys],
                conditions={
                    "StringLike": {"kms:ViaService": "lambda.*.amazonaws.com"},
                    "ArnLike": {
                        "kms:EncryptionContext:aws:lambda:FunctionArn": f"arn:aws:lambda:*:{account}:function:*"
                    },
                },
            ),
        )
        policy = self._function.component.policy
        acknowledge(
            policy.node.find_child("Resource"),
            f"detect_drift of {owner}: CloudFormation compares whatever the stacks hold with the caller's rights, and "
            "they name configuration only; an asterisk stands where no such action shows content.",
            "AwsSolutions-IAM5[Resource::*]",
            *(f"AwsSolutions-IAM5[Action::{action}]" for action in ACTIONS if action.endswith("*")),
            *(f"AwsSolutions-IAM5[Resource::{arn}]" for arn in (*stacks, keys, parameters)),
        )
        acknowledge(
            self._function.function,
            f"detect_drift of {owner}: a run that failed is nothing to keep, since the next one an hour later does the same, "
            "and three hours without a count alarm.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
        )
        acknowledge(
            self._function.function,
            f"detect_drift of {owner}: it asks CloudFormation in every region of the account, and no network of one region "
            "reaches the others.",
            *in_packs("LambdaInsideVPC"),
        )

    def _every_hour(self, undelivered: sqs.IQueue) -> None:
        rule = events.CfnRule(
            self,
            "Hourly",
            description="Count stacks that differ from their templates",
            schedule_expression="rate(1 hour)",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Function",
                    arn=self._function.function.function_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=undelivered.queue_arn),
                )
            ],
        )
        lambda_.CfnPermission(
            self,
            "RuleMayCall",
            action="lambda:InvokeFunction",
            function_name=self._function.function.function_arn,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
        )
