"""Tells the security team of deeds in this account and region."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from constructs import Construct
from palisade.observability.alarm import Alarm
from palisade.observability.deeds import Deed
from palisade.observability.event_notice import EventNotice
from palisade.observability.retained_log_group import RetainedLogGroup


class SecurityNotices(Construct):
    """Each of ``deeds`` becomes a message to ``topic`` within minutes, with who, what, when and from where.

    Deeds that matter only in number are collected in a log group called ``log_name`` and counted; an alarm speaks for
    them. Their pattern needs a trail in the account and region, which the organization's is.

    Control: observability.deeds.noticed
    https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        where: str,
        deeds: Sequence[Deed],
        topic: sns.ITopic,
        undelivered: sqs.IQueue,
        log_name: str,
        log_key: kms.IKey,
        log_days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self._where, self._topic, self._undelivered = where, topic, undelivered
        self._log = RetainedLogGroup(self, "Log", name=log_name, key=log_key, days=log_days)
        self._let_rules_write()
        for deed in deeds:
            if deed.at_least > 1:
                self._count(deed)
            else:
                self._tell(deed)

    def _tell(self, deed: Deed) -> None:
        EventNotice(
            self,
            deed.name,
            description=deed.title,
            pattern=deed.pattern,
            lines=[
                f"{deed.title} ({self._where}).",
                "Who: <$.detail.userIdentity.arn> (<$.detail.userIdentity.type>), from <$.detail.sourceIPAddress>.",
                "What: <$.detail.eventName> of <$.detail.eventSource>, in account <$.account> and region <$.region>.",
                "When: <$.detail.eventTime>. Event in the trail: <$.detail.eventID>.",
                deed.advice.replace('"', "'"),
            ],
            topic=self._topic,
            undelivered=self._undelivered,
            reads=deed.reads,
        )

    def _count(self, deed: Deed) -> None:
        rule = events.CfnRule(
            self,
            deed.name,
            description=deed.title,
            event_pattern=dict(deed.pattern),
            state="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" if deed.reads else "ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Log",
                    arn=cdk.Stack.of(self).format_arn(
                        service="logs",
                        resource="log-group",
                        resource_name=self._log.name,
                        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                    ),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self._undelivered.queue_arn),
                )
            ],
        )
        rule.node.add_dependency(self._log)
        Alarm(
            self,
            f"{deed.name}Rate",
            description=f"{deed.title} ({self._where}): {deed.at_least} or more in five minutes. {deed.advice}",
            metric=cloudwatch.Metric(
                namespace="AWS/Events",
                metric_name="TriggeredRules",
                dimensions_map={"RuleName": rule.ref},
                statistic="Sum",
                period=cdk.Duration.minutes(5),
            ),
            threshold=deed.at_least,
            topic=self._topic,
        )

    def _let_rules_write(self) -> None:
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-cloudwatchlogs-permissions
        stack = cdk.Stack.of(self)
        logs.ResourcePolicy(
            self,
            "RulesWrite",
            resource_policy_name=f"{cdk.Names.unique_resource_name(self, max_length=64)}-rules",
            policy_statements=[
                iam.PolicyStatement(
                    sid="EventRules",
                    principals=[
                        iam.ServicePrincipal("events.amazonaws.com"),
                        iam.ServicePrincipal("delivery.logs.amazonaws.com"),
                    ],
                    actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                    resources=[f"arn:aws:logs:{stack.region}:{stack.account}:log-group:{self._log.name}:*"],
                )
            ],
        )
