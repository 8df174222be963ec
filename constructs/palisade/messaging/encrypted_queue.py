"""A queue with a dead-letter queue behind it, both encrypted with a customer key, over TLS only."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs

from constructs import Construct
from palisade.acknowledge import acknowledge


class EncryptedQueue(Construct):
    """Messages that fail ``max_receives`` times move to :attr:`dead_letters`, where they wait fourteen days.

    ``visibility_seconds`` must be at least six times the timeout of a function that reads the queue.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey, visibility_seconds: int = 60, max_receives: int = 5
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        acknowledge(
            self.dead_letters,
            f"{self.node.path}: messages end in this queue; an alarm calls somebody to it.",
            "Serverless-SQSRedrivePolicy",
        )
        self.queue = sqs.Queue(
            self,
            "Resource",
            encryption_master_key=key,
            enforce_ssl=True,
            visibility_timeout=cdk.Duration.seconds(visibility_seconds),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=max_receives),
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
