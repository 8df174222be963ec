"""A function that works off a queue."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.compute.function import Function


class QueueWorker(Construct):
    """``function`` takes messages of ``queue``, encrypted with ``key``, one by one, at most ``at_once`` side by side.

    It answers with the messages that failed, which alone are delivered again until the queue sets them aside.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        queue: sqs.IQueue,
        key: kms.IKey,
        function: Function,
        at_once: int = 2,
    ) -> None:
        super().__init__(scope, construct_id)
        function.component.allow(
            iam.PolicyStatement(
                sid="TakeMessages",
                actions=[
                    "sqs:ChangeMessageVisibility",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:ReceiveMessage",
                ],
                resources=[queue.queue_arn],
            ),
            iam.PolicyStatement(
                sid="ReadMessages",
                actions=["kms:Decrypt"],
                resources=[key.key_arn],
                conditions={"StringEquals": {"kms:EncryptionContext:aws:sqs:arn": queue.queue_arn}},
            ),
        )
        mapping = lambda_.EventSourceMapping(
            self,
            "Resource",
            target=function.function,
            event_source_arn=queue.queue_arn,
            batch_size=1,
            max_concurrency=at_once,
            report_batch_item_failures=True,
        )
        acknowledge(
            mapping,
            f"{self.node.path}: a mapping of a queue has no such destination; what fails ends in the queue's own dead letters.",
            "Serverless-LambdaEventSourceMappingDestination",
        )
        # Lambda tries the permissions when the mapping is made.
        mapping.node.add_dependency(function.component.policy)
