"""Where alarms and security events go: two topics in the home region and two in the region of global services."""

from __future__ import annotations

from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from palisade.keys import CustomerKey
from palisade.messaging import DeadLetterQueue, EncryptedTopic

from constructs import Construct
from stacks.base import StageStack
from stacks.keys import Keys
from stacks.settings import EDGE_REGION, Deployment, Stage


class _Topics(StageStack):
    """``topic`` tells operations that something is broken; ``security`` tells of a deed that wants a look.

    Notifications and events that could not be delivered wait in ``undelivered``.
    """

    topic: sns.ITopic
    security: sns.ITopic
    undelivered: sqs.IQueue

    def _add_topics(self, key: kms.IKey, suffix: str = "") -> None:
        contacts = self.deployment.contacts
        self.undelivered = DeadLetterQueue(self, "Undelivered", key=key).queue
        self.topic = EncryptedTopic(
            self,
            "Operations",
            key=key,
            name=self.names.topic(self.stage, f"alarms{suffix}"),
            mailboxes=[contacts.operations],
            undelivered=self.undelivered,
        ).topic
        self.security = EncryptedTopic(
            self,
            "Security",
            key=key,
            name=self.names.topic(self.stage, f"security{suffix}"),
            mailboxes=[contacts.security],
            undelivered=self.undelivered,
        ).topic


class Alarms(_Topics):
    """The topics that every other stack of the stage may send alarms and events to."""

    def __init__(self, scope: Construct, *, deployment: Deployment, stage: Stage, keys: Keys) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="alarms")
        self._add_topics(keys.messaging.key)


class AlarmsEdge(_Topics):
    """The same topics in us-east-1, with a key of their own.

    CloudFront, its web ACL and Route 53 publish their metrics there, and IAM and sign-in events arrive there; neither
    alarms nor rules reach a topic of another region.
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/programming-cloudwatch-metrics.html
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
    """

    def __init__(self, scope: Construct, *, deployment: Deployment, stage: Stage) -> None:
        super().__init__(
            scope, deployment=deployment, stage=stage, subject="alarms-edge", region=EDGE_REGION, stateful=True
        )
        self.messaging = CustomerKey(
            self,
            "Messaging",
            alias=self.names.key_alias("messaging-edge"),
            description=f"{stage.name}: alarm topics, queues and event logs of global services",
            used_through=["sns", "sqs", "logs"],
        )
        self.messaging.allow_log_groups()
        self.messaging.allow_alarms_and_events()
        self._add_topics(self.messaging.key, "-edge")
