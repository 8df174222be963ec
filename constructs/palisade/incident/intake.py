"""Brings every finding on the findings bus to a function, through a queue that loses none."""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.compute import Function
from palisade.detection.signals import KINDS
from palisade.messaging import EncryptedQueue

MESSAGES_AT_ONCE = 5
FUNCTIONS_AT_ONCE = 5


class FindingsIntake(Construct):
    """EventBridge puts every kind of finding on the bus called ``bus`` into an encrypted queue; ``function`` takes them.

    ``function`` answers with the messages that failed, which alone are delivered again; after five times they wait in
    :attr:`dead_letters`. What EventBridge cannot put into the queue waits in ``undelivered``. ``timeout_seconds`` is the
    function's. ``key`` must let EventBridge use it for queues of this account.

    Control: incident.intake.every-kind
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bus: str,
        function: Function,
        timeout_seconds: int,
        key: kms.IKey,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        queued = EncryptedQueue(self, "Queue", key=key, visibility_seconds=6 * timeout_seconds)
        self.queue, self.dead_letters = queued.queue, queued.dead_letters
        rule = events.CfnRule(
            self,
            "Rule",
            description="Every finding to the intake of incidents",
            event_bus_name=bus,
            event_pattern={"detail-type": list(KINDS)},
            # An emergency role that only reads is used all the same.
            state="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Queue",
                    arn=self.queue.queue_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=undelivered.queue_arn),
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=86400, maximum_retry_attempts=185
                    ),
                )
            ],
        )
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="FindingsRule",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
            )
        )
        function.component.allow(
            iam.PolicyStatement(
                sid="TakeFindings",
                actions=[
                    "sqs:ChangeMessageVisibility",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:ReceiveMessage",
                ],
                resources=[self.queue.queue_arn],
            ),
            iam.PolicyStatement(
                sid="ReadFindings",
                actions=["kms:Decrypt"],
                resources=[key.key_arn],
                conditions={"StringEquals": {"kms:EncryptionContext:aws:sqs:arn": self.queue.queue_arn}},
            ),
        )
        mapping = lambda_.EventSourceMapping(
            self,
            "Mapping",
            target=function.function,
            event_source_arn=self.queue.queue_arn,
            batch_size=MESSAGES_AT_ONCE,
            max_concurrency=FUNCTIONS_AT_ONCE,
            report_batch_item_failures=True,
        )
        acknowledge(
            mapping,
            f"{self.node.path}: findings that fail end in the queue's own dead-letter queue; a mapping of a queue has no "
            "destination besides.",
            "Serverless-LambdaEventSourceMappingDestination",
        )
        # Lambda tries the permissions when the mapping is made.
        mapping.node.add_dependency(function.component.policy)
