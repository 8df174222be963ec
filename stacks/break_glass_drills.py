"""Judges break-glass drills, in the security account, and reminds of the next one."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from palisade.acknowledge import acknowledge, in_packs
from palisade.compute import Function, Placement
from palisade.keys import CustomerKey
from palisade.messaging import DeadLetterQueue, EncryptedTopic
from palisade.observability import Alarm, watch_dead_letters

from constructs import Construct
from stacks.base import PalisadeStack
from stacks.log_archive import LogArchiveOrganization
from stacks.names import Workflow
from stacks.settings import Deployment

DRILLS = Workflow.DRILLS
REMINDER = "rate(7 days)"


class BreakGlassDrills(PalisadeStack):
    """A drill is written by whoever did it and witnessed by another, each under their own session's id; the function judges.

    Every week it judges what nobody witnessed, and mails the security team which stages have not passed a drill for too long.

    https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_permissions_emergency_process.html
    """

    def __init__(self, scope: Construct, *, deployment: Deployment, archive: LogArchiveOrganization) -> None:
        super().__init__(
            scope,
            deployment=deployment,
            owner="security",
            subject=DRILLS,
            account=deployment.accounts.security,
            stateful=True,
        )
        self.add_stack_dependency(archive)
        key = CustomerKey(
            self,
            "Key",
            alias=self.names.key_alias(DRILLS),
            description="messages and logs about break-glass drills",
            used_through=["lambda", "logs", "sns", "sqs"],
        )
        key.allow_log_groups()
        key.allow_alarms_and_events()
        undelivered = DeadLetterQueue(self, "Undelivered", key=key.key).queue
        topic = EncryptedTopic(
            self,
            "Team",
            key=key.key,
            name=f"{self.names.prefix}-{DRILLS}",
            mailboxes=[deployment.contacts.security],
            undelivered=undelivered,
            alarms_only=True,
        ).topic
        log = self.decision_log(DRILLS)
        judge = Function(
            self,
            "Judge",
            source="judge_drill",
            description="Judges break-glass drills",
            placement=Placement(
                log_key=key.key,
                environment_key=key.key,
                log_group_prefix=self.names.log_group(DRILLS),
                log_days=deployment.retention.audit_log_days,
            ),
            environment={
                **log.environment,
                "STAGES": " ".join(stage.name for stage in deployment.stages),
                "IDENTITIES": " ".join(deployment.emergency_identities),
                "HEARD_MINUTES": str(deployment.drills.heard_minutes),
                "EVERY_DAYS": str(deployment.drills.every_days),
                "TOPIC_ARN": topic.topic_arn,
            },
            timeout_seconds=120,
            name=self.names.drills,
            role_name=self.names.recorder(DRILLS),
        )
        log.allow_writing(judge.component)
        log.allow_reading(judge.component)
        topic.grant_publish(judge.grantee)
        log.people(self, "Driller", name=self.names.driller, deeds=["drill", "witness"], to=judge.function.function_arn)
        acknowledge(
            judge.component.policy,
            "judge_drill: these are the calls of KMS that a sender to its encrypted topic makes, on its one key.",
            "AwsSolutions-IAM5[Action::kms:GenerateDataKey*]",
        )
        acknowledge(
            judge.function,
            "judge_drill: people wait for its answer, and what fails of a reminder raises the alarm and comes again.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
        )
        acknowledge(
            judge.function,
            "judge_drill: it reaches the archive and a topic, from an account without a network of its own.",
            *in_packs("LambdaInsideVPC"),
        )
        rule = events.CfnRule(
            self,
            "Reminder",
            description="Judge what nobody witnessed, and remind of drills that are due",
            schedule_expression=REMINDER,
            targets=[
                events.CfnRule.TargetProperty(
                    id="Judge",
                    arn=judge.function.function_arn,
                    input=json.dumps({"kind": "remind"}),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=undelivered.queue_arn),
                )
            ],
        )
        lambda_.CfnPermission(
            self,
            "RuleMayCall",
            action="lambda:InvokeFunction",
            function_name=judge.function.function_arn,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
        )
        Alarm(
            judge,
            "Failing",
            description="Drills could not be judged or reminded of. Read the function's log; the same call again goes on.",
            metric=judge.function.metric_errors(period=cdk.Duration.minutes(5), statistic="Sum"),
            threshold=1,
            topic=topic,
        )
        watch_dead_letters(
            self,
            "Lost",
            queue=undelivered,
            topic=topic,
            meaning="A reminder of break-glass drills, or a message about them, reached nobody.",
        )
