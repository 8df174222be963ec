"""Where findings of every account and region end, and who hears of them."""

from __future__ import annotations

from palisade.detection import FindingsBus, SevereNotices
from palisade.keys import CustomerKey
from palisade.messaging import DeadLetterQueue, EncryptedTopic
from palisade.observability import TROUBLES, ServiceNotices, watch_dead_letters

from constructs import Construct
from stacks.base import PalisadeStack
from stacks.names import FINDINGS_SENDER, Names
from stacks.settings import Deployment

SECURITY = "security"


class Findings(PalisadeStack):
    """The security team's topic and the queue of undelivered findings in each region; at home the bus itself.

    Where AWS has trouble of its own, detectors may be blind: the security team hears of that, too.
    """

    def __init__(self, scope: Construct, *, deployment: Deployment, region: str) -> None:
        at_home = region == deployment.home.name
        super().__init__(
            scope,
            deployment=deployment,
            owner=SECURITY,
            subject=f"findings{Names(deployment).place(region)}",
            account=deployment.accounts.security,
            region=region,
            stateful=True,
        )
        key = CustomerKey(
            self,
            "Key",
            alias=self.names.key_alias("findings"),
            description="findings, and messages about them",
            used_through=["events", "sns", "sqs"],
        )
        key.allow_alarms_and_events()
        undelivered = DeadLetterQueue(
            self,
            "Undelivered",
            key=key.key,
            name=self.names.findings_undelivered,
            sources=[
                *(f"arn:aws:events:{region}:{account}:rule/*" for account in deployment.account_ids),
                *([self.names.findings_bus_arn] if at_home else []),
            ],
        ).queue
        topic = EncryptedTopic(
            self,
            "Security",
            key=key.key,
            name=self.names.security_topic,
            mailboxes=[deployment.contacts.security],
            undelivered=undelivered,
        ).topic
        watch_dead_letters(
            self,
            "Lost",
            queue=undelivered,
            topic=topic,
            meaning="Findings did not reach the findings bus, or a message about them nobody.",
        )
        ServiceNotices(
            self,
            "Troubles",
            where=SECURITY,
            troubles=[trouble for trouble in TROUBLES if trouble.name == "AwsHealth"],
            topic=topic,
            undelivered=undelivered,
        )
        if at_home:
            bus = FindingsBus(
                self,
                "Bus",
                name=self.names.findings_bus,
                sender=self.names.role(FINDINGS_SENDER),
                accounts=deployment.account_ids,
                key=key,
                undelivered=undelivered,
                days=deployment.retention.audit_log_days,
            )
            SevereNotices(self, "Severe", bus=bus.resource.ref, topic=topic, undelivered=undelivered)
