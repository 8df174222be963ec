"""The one bus that every finding reaches."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs

from constructs import Construct
from palisade.detection.signals import KINDS
from palisade.keys import CustomerKey


class FindingsBus(Construct):
    """Takes findings from rules of ``accounts`` that work as ``sender``, keeps them ``days`` and lets no other event in.

    ``key`` encrypts events, rules and archive. What cannot be decrypted goes to ``undelivered``. Who may send is a role
    that only EventBridge takes; what it may send are the kinds that the rules choose.

    Control: detection.bus.senders
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html
    https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-archives.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        sender: str,
        accounts: Sequence[str],
        key: CustomerKey,
        undelivered: sqs.IQueue,
        days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        arn = f"arn:aws:events:{stack.region}:{stack.account}:event-bus/{name}"
        key.allow_service(
            "events.amazonaws.com",
            sid="FindingsBus",
            actions=("kms:Decrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
            conditions={"StringEquals": {"kms:EncryptionContext:aws:events:event-bus:arn": arn}},
        )
        # There is nothing to encrypt yet when EventBridge asks what kind of key it is.
        key.allow_service(
            "events.amazonaws.com",
            sid="FindingsBusKind",
            actions=("kms:DescribeKey",),
            conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
        )
        self.resource = events.CfnEventBus(
            self,
            "Resource",
            name=name,
            description="Findings of every account and region",
            kms_key_identifier=key.arn,
            policy=iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        sid="FindingsOfOurAccounts",
                        principals=[iam.AccountPrincipal(account) for account in accounts],
                        actions=["events:PutEvents"],
                        resources=[arn],
                        conditions={
                            "ArnEquals": {
                                "aws:PrincipalArn": [f"arn:aws:iam::{account}:role/{sender}" for account in accounts]
                            },
                            "ForAllValues:StringEquals": {"events:detail-type": list(KINDS)},
                        },
                    )
                ]
            ),
            dead_letter_config=events.CfnEventBus.DeadLetterConfigProperty(arn=undelivered.queue_arn),
        )
        self.resource.node.add_dependency(undelivered)
        events.CfnArchive(
            self,
            "Archive",
            source_arn=self.resource.attr_arn,
            description="Every finding, to be read again or replayed",
            retention_days=days,
            kms_key_identifier=key.arn,
        )
