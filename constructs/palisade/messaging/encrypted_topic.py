"""A topic that alarms and event rules of this account can really publish to, over TLS only."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from constructs import Construct


class EncryptedTopic(Construct):
    """Messages are encrypted with ``key``, whose policy must let the publishing services use it.

    The topic's policy lets CloudWatch alarms of this account and, unless ``alarms_only``, EventBridge publish, and refuses
    plain HTTP.
    ``mailboxes`` receive every message once each has confirmed its subscription; what they cannot be sent goes to
    ``undelivered``, whose policy and key must let SNS in.

    Control: messaging.topic.senders
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        name: str,
        mailboxes: Sequence[str] = (),
        undelivered: sqs.IQueue | None = None,
        alarms_only: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        resource = sns.Topic(self, "Resource", topic_name=name, master_key=key, enforce_ssl=True)
        stack = cdk.Stack.of(self)
        resource.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Alarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[resource.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{stack.region}:{stack.account}:alarm:*"},
                },
            )
        )
        if not alarms_only:
            resource.add_to_resource_policy(
                iam.PolicyStatement(
                    # Without conditions, because EventBridge documents that topic policies for it cannot have any: with one,
                    # every event would be dropped in silence. Rules of other accounts publish as a role of theirs, never as
                    # the service, so this statement does not let them in.
                    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sns-permissions
                    sid="EventRules",
                    principals=[iam.ServicePrincipal("events.amazonaws.com")],
                    actions=["sns:Publish"],
                    resources=[resource.topic_arn],
                )
            )
        for index, address in enumerate(dict.fromkeys(mailboxes), start=1):
            mailbox = sns.CfnSubscription(
                self, f"Mailbox{index}", topic_arn=resource.topic_arn, protocol="email", endpoint=address
            )
            if undelivered is not None:
                mailbox.redrive_policy = {"deadLetterTargetArn": undelivered.queue_arn}
        # Handed out as an import: a grant then changes the publisher's policy alone. On the resource itself it would
        # add a statement without conditions to the key.
        self.topic: sns.ITopic = sns.Topic.from_topic_attributes(
            self, "Imported", topic_arn=resource.topic_arn, key_arn=key.key_arn
        )
