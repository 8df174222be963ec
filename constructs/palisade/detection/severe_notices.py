"""Tells the security team of what cannot wait for somebody to look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from constructs import Construct
from palisade.detection.signals import SEVERE
from palisade.observability import EventNotice

_FINDING = ("<$.detail.title>", "Account <$.account>, region <$.region>, at <$.time>.")
_DEED = (
    "Who: <$.detail.userIdentity.arn> (<$.detail.userIdentity.type>), from <$.detail.sourceIPAddress>.",
    "What: <$.detail.eventName> of <$.detail.eventSource>, in account <$.account> and region <$.region>.",
)
_WORDS: Mapping[str, tuple[str, Sequence[str]]] = {
    "GuardDuty": (
        "GuardDuty sees an attack",
        ("<$.detail.type>: <$.detail.title>", "Account <$.detail.accountId>, region <$.detail.region>."),
    ),
    "SecurityHub": (
        "Security Hub has a severe finding",
        (
            "<$.detail.findings[0].Title>",
            "Account <$.detail.findings[0].AwsAccountId>, region <$.detail.findings[0].Region>.",
        ),
    ),
    "Inspector": ("Inspector found a critical vulnerability", _FINDING),
    "Macie": ("Macie found sensitive data or an open bucket", _FINDING),
    "ExternalAccess": (
        "Somebody outside the organization can reach a resource",
        ("<$.detail.resource>", "Account <$.detail.accountId>, region <$.detail.region>."),
    ),
    "Root": ("The root user was used", _DEED),
    "BreakGlass": ("An emergency role was used", _DEED),
}


class SevereNotices(Construct):
    """Each severe finding on the bus called ``bus`` becomes a message to ``topic``.

    Control: detection.findings.heard
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, bus: str, topic: sns.ITopic, undelivered: sqs.IQueue
    ) -> None:
        super().__init__(scope, construct_id)
        for name, pattern in SEVERE.items():
            title, lines = _WORDS[name]
            EventNotice(
                self,
                name,
                description=title,
                pattern=pattern,
                lines=[f"{title}.", *lines],
                topic=topic,
                undelivered=undelivered,
                reads="source" not in pattern,
                bus=bus,
            )
