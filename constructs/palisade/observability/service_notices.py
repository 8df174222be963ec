"""Tells operations of what services report only as events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from constructs import Construct
from palisade.observability.event_notice import EventNotice


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """An event, what to call it, which parts of it to quote, and what to do.

    ``world_wide`` trouble is also reported in us-east-1, where CloudFront's certificates are and global services report.
    """

    name: str
    title: str
    pattern: Mapping[str, Any]
    quote: Sequence[str]
    advice: str
    world_wide: bool = False


TROUBLES: Sequence[Trouble] = (
    Trouble(
        # https://docs.aws.amazon.com/acm/latest/userguide/supported-events.html
        name="CertificateEnd",
        title="A certificate is about to end or was not renewed",
        pattern={
            "source": ["aws.acm"],
            "detail-type": [
                "ACM Certificate Approaching Expiration",
                "ACM Certificate Expired",
                "ACM Certificate Renewal Action Required",
            ],
        },
        quote=["<$.detail-type>: <$.detail.CommonName>", "<$.resources[0]>", "days left: <$.detail.DaysToExpiry>"],
        advice="ACM renews by DNS: see that its validation record still stands in the zone and that CAA allows Amazon.",
        world_wide=True,
    ),
    Trouble(
        # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_Events.Messages.html
        name="DatabaseTrouble",
        title="The database failed, failed over, ran low or was deleted",
        pattern={
            "source": ["aws.rds"],
            "detail": {"EventCategories": ["deletion", "failover", "failure", "low storage"]},
        },
        quote=["<$.detail.SourceIdentifier>: <$.detail.Message>"],
        advice="After a failover, see that clients reconnected.",
    ),
    Trouble(
        # https://docs.aws.amazon.com/health/latest/ug/cloudwatch-events-health.html
        name="AwsHealth",
        title="AWS reports trouble of its own",
        pattern={
            "source": ["aws.health"],
            "detail-type": ["AWS Health Event"],
            "detail": {"eventTypeCategory": ["issue"]},
        },
        quote=["<$.detail.service>: <$.detail.eventTypeCode>", "since <$.detail.startTime>"],
        advice="See the Health Dashboard before looking for a fault of ours.",
        world_wide=True,
    ),
)


class ServiceNotices(Construct):
    """Each of ``troubles`` becomes a message to ``topic`` when a service of this account and region reports it.

    Control: observability.troubles.noticed
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        where: str,
        troubles: Sequence[Trouble],
        topic: sns.ITopic,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        for trouble in troubles:
            EventNotice(
                self,
                trouble.name,
                description=trouble.title,
                pattern=trouble.pattern,
                lines=[
                    f"{trouble.title} ({where}).",
                    *trouble.quote,
                    "Account <$.account>, region <$.region>, at <$.time>.",
                    trouble.advice,
                ],
                topic=topic,
                undelivered=undelivered,
            )
