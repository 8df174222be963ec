"""What answers at CloudFront's edge: site and status, in front of everything else."""

from __future__ import annotations

from aws_cdk import aws_route53_targets as targets
from aws_cdk import aws_s3 as s3
from palisade.archive import CdnLogDelivery
from palisade.edge import (
    AclScope,
    Origins,
    ServedHost,
    ShieldProtection,
    ShieldResponse,
    SiteDistribution,
    WebAcl,
    WellKnown,
    origin_secret_elsewhere,
)

from constructs import Construct
from stacks.alarms import AlarmsEdge
from stacks.base import StageStack
from stacks.entry import STATUS_PATH, Entry
from stacks.log_archive import LogArchiveEdge
from stacks.names import Log
from stacks.network import EGRESS_DOCUMENT_PATH
from stacks.settings import EDGE_REGION, Deployment, Shield, Stage
from stacks.site import Site

REQUESTS_PER_FIVE_MINUTES = 3000
"""Of one address: a page with its files is some thirty requests, and an office shares an address."""


class Edge(StageStack):
    """The distribution of ``stage.domain.name``, in us-east-1, where CloudFront wants its certificate and web ACL.

    Needs the secrets, the bucket and the load balancer of the home region by their names only.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        stage: Stage,
        alarms: AlarmsEdge,
        archive: LogArchiveEdge,
        site: Site,
        entry: Entry,
    ) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="edge", region=EDGE_REGION)
        for needed in (archive, site, entry):
            self.add_stack_dependency(needed)
        host, zone_id = stage.domain.name, stage.domain.hosted_zone_id
        name = f"{self.names.prefix}-{stage.name}"
        api_host = self.names.api_host(stage)
        self.web_acl = WebAcl(
            self,
            "WebAcl",
            name=f"{name}-edge",
            acl_scope=AclScope.CLOUDFRONT,
            requests_per_five_minutes=REQUESTS_PER_FIVE_MINUTES,
            log_bucket=self.names.delivery_bucket(stage.name, Log.WAF),
        )
        served = ServedHost(self, "Host", host=host, zone_id=zone_id)
        self.site = SiteDistribution(
            self,
            "Site",
            name=name,
            certificate=served.certificate,
            host=host,
            from_origins=Origins(
                site=s3.Bucket.from_bucket_attributes(
                    self, "Files", bucket_name=self.names.site_bucket(stage), region=self.names.home
                ),
                balancer_host=self.names.origin_host(stage),
                balancer_paths=(STATUS_PATH, EGRESS_DOCUMENT_PATH),
                secret=origin_secret_elsewhere(self.names.origin_secret(stage, stage.domain.origin_secrets[-1])),
            ),
            connect_to=[
                f"https://{api_host}",
                f"https://{self.names.sign_in_host(stage)}",
                f"https://{self.names.bucket('documents', stage.account, self.names.home)}"
                f".s3.{self.names.home}.amazonaws.com",
            ],
            web_acl_arn=self.web_acl.arn,
        )
        self.distribution = self.site.distribution
        served.point_at(targets.CloudFrontTarget(self.distribution), ipv6=True)
        CdnLogDelivery(
            self,
            "Log",
            name=name,
            distribution_arn=self.site.arn,
            destination_arn=self.names.cdn_log_destination_arn(stage.name),
        )
        well_known = WellKnown(
            self,
            "WellKnown",
            name=f"{name}-well-known",
            host=host,
            mailbox=deployment.contacts.security,
            pinned_hosts=[host, api_host],
        )
        self.site.answer_at_edge("/.well-known/*", well_known.function)
        self._protect(name, alarms, zone_id)

    def _protect(self, name: str, alarms: AlarmsEdge, zone_id: str) -> None:
        if self.stage.shape.shield is not Shield.ADVANCED:
            return
        ShieldProtection(
            self,
            "DistributionShield",
            name=f"{name}-distribution",
            resource_arn=self.site.arn,
            alarm=self.site.failure_alarm(alarms.topic),
        )
        ShieldProtection(
            self, "ZoneShield", name=f"{name}-zone", resource_arn=f"arn:aws:route53:::hostedzone/{zone_id}"
        )
        ShieldResponse(self, "ShieldResponse", name=self.names.role("shield-response"))
