"""Brings each object that arrives in a bucket to a function, through a queue that loses none."""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.compute import Function
from palisade.messaging import EncryptedQueue

MESSAGES_AT_ONCE = 5
FUNCTIONS_AT_ONCE = 5


class QueuedUploads(Construct):
    """EventBridge puts "Object Created" of ``bucket`` into an encrypted queue; ``function`` takes them in batches.

    ``function`` answers with the messages that failed, which alone are delivered again; after five times they wait in
    :attr:`dead_letters`. What EventBridge cannot put into the queue waits in ``undelivered``. ``timeout_seconds`` is the
    function's. ``key`` must let EventBridge use it for queues of this account, and ``bucket`` must send its events to
    EventBridge.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket: s3.IBucket,
        function: Function,
        timeout_seconds: int,
        key: kms.IKey,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        queued = EncryptedQueue(self, "Queue", key=key, visibility_seconds=6 * timeout_seconds)
        self.queue, self.dead_letters = queued.queue, queued.dead_letters
        # Not the Rule construct's queue target: it would open the key, in another stack, to EventBridge of any account.
        rule = events.CfnRule(
            self,
            "Rule",
            description="Each object that arrives",
            event_pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {"bucket": {"name": [bucket.bucket_name]}},
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Queue",
                    arn=self.queue.queue_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=undelivered.queue_arn),
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=24 * 3600, maximum_retry_attempts=185
                    ),
                )
            ],
        )
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="UploadRule",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
            )
        )
        function.component.allow(
            iam.PolicyStatement(
                sid="TakeUploads",
                actions=[
                    "sqs:ChangeMessageVisibility",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:ReceiveMessage",
                ],
                resources=[self.queue.queue_arn],
            ),
            iam.PolicyStatement(
                sid="ReadUploadMessages",
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
            f"{self.node.path}: a mapping of a queue has no such destination; failed messages end in the queue's own "
            "dead-letter queue.",
            "Serverless-LambdaEventSourceMappingDestination",
        )
        # Lambda tries the permissions when the mapping is made.
        mapping.node.add_dependency(function.component.policy)
