"""A topic that alarms and event rules of this account can really publish to, over TLS only."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

from constructs import Construct


class EncryptedTopic(Construct):
    """Messages are encrypted with ``key``, whose policy must let the publishing services use it.

    The topic's policy lets CloudWatch alarms and EventBridge rules of this account publish, and refuses plain HTTP.
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey, name: str) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Resource", topic_name=name, master_key=key, enforce_ssl=True)
        stack = cdk.Stack.of(self)
        for service, sid, source in (
            ("cloudwatch", "Alarms", f"arn:aws:cloudwatch:{stack.region}:{stack.account}:alarm:*"),
            ("events", "EventRules", f"arn:aws:events:{stack.region}:{stack.account}:rule/*"),
        ):
            self.topic.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=sid,
                    principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
                    actions=["sns:Publish"],
                    resources=[self.topic.topic_arn],
                    conditions={
                        "StringEquals": {"aws:SourceAccount": stack.account},
                        "ArnLike": {"aws:SourceArn": source},
                    },
                )
            )
