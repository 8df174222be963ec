"""What is watched in us-east-1: CloudFront's metrics, and the events of services that have no region."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudwatch as cloudwatch
from palisade.observability import DEEDS, TROUBLES, Alarm, SecurityNotices, ServiceNotices, watch_dead_letters

from constructs import Construct
from stacks.alarms import AlarmsEdge
from stacks.base import StageStack
from stacks.settings import EDGE_REGION, Deployment, Stage

_FIVE_MINUTES = cdk.Duration.minutes(5)


class ObservabilityEdge(StageStack):
    """Notices and alarms of global services; those of the home region are Observability's."""

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        stage: Stage,
        alarms: AlarmsEdge,
        distribution: cloudfront.IDistribution,
    ) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="observability-edge", region=EDGE_REGION)
        # Where home is us-east-1, the home region's notices are already here.
        if deployment.home.name != EDGE_REGION:
            SecurityNotices(
                self,
                "Deeds",
                where=f"{stage.name}, global",
                deeds=DEEDS,
                topic=alarms.security,
                undelivered=alarms.undelivered,
                log_name=f"/aws/events/{self.names.prefix}/security",
                log_key=alarms.messaging.key,
                log_days=deployment.retention.audit_log_days,
            )
            ServiceNotices(
                self,
                "Troubles",
                where=f"{stage.name}, global",
                troubles=[trouble for trouble in TROUBLES if trouble.world_wide],
                topic=alarms.topic,
                undelivered=alarms.undelivered,
            )
        watch_dead_letters(
            self,
            "UndeliveredNotices",
            queue=alarms.undelivered,
            topic=alarms.topic,
            meaning="A notice or event did not reach its topic or mailbox.",
        )
        Alarm(
            self,
            "SiteErrors",
            description="CloudFront fails one request in twenty for a quarter of an hour. Look at its origins.",
            metric=cloudwatch.Metric(
                namespace="AWS/CloudFront",
                metric_name="5xxErrorRate",
                dimensions_map={"DistributionId": distribution.distribution_id, "Region": "Global"},
                statistic="Average",
                period=_FIVE_MINUTES,
            ),
            threshold=5,
            periods=3,
            topic=alarms.topic,
        )
        Alarm(
            self,
            "FirewallBlocks",
            description="CloudFront's web ACL blocks a thousand requests in five minutes: somebody is at it.",
            metric=cloudwatch.Metric(
                namespace="AWS/WAFV2",
                metric_name="BlockedRequests",
                # Without a region: https://docs.aws.amazon.com/waf/latest/developerguide/waf-metrics.html
                dimensions_map={"WebACL": f"{self.names.prefix}-{stage.name}-edge", "Rule": "ALL"},
                statistic="Sum",
                period=_FIVE_MINUTES,
            ),
            threshold=1000,
            topic=alarms.security,
        )
