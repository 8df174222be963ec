"""Where topics and event rules leave what they could not deliver."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs

from constructs import Construct
from palisade.acknowledge import acknowledge


class DeadLetterQueue(Construct):
    """Keeps undelivered notifications and events fourteen days, encrypted with ``key``, over TLS only.

    Topics and, unless ``topics_only``, rules of this account may send to it, and EventBridge on behalf of ``sources``,
    such as rules of other accounts in this region; ``key`` must let EventBridge and SNS use it
    (:meth:`~palisade.keys.CustomerKey.allow_alarms_and_events`). ``name`` is given only where other accounts name it.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        name: str | None = None,
        sources: Sequence[str] = (),
        topics_only: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        self.queue = sqs.Queue(
            self,
            "Resource",
            queue_name=name,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        rules = f"arn:aws:events:{stack.region}:{stack.account}:rule/*"
        senders = [
            ("events", "EventRules", [rules, *sources] if sources else rules),
            ("sns", "Topics", f"arn:aws:sns:{stack.region}:{stack.account}:*"),
        ]
        for service, sid, source in senders[topics_only:]:
            self.queue.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=sid,
                    principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
                    actions=["sqs:SendMessage"],
                    resources=[self.queue.queue_arn],
                    conditions={"ArnLike": {"aws:SourceArn": source}},
                )
            )
        acknowledge(
            self.queue,
            f"{self.node.path} is itself the dead-letter queue of topics and rules; nothing reads it but people.",
            "AwsSolutions-SQS3",
            "Serverless-SQSRedrivePolicy",
        )
