"""The ways into a stage, in its home region: load balancer and API host, behind one web ACL."""

from __future__ import annotations

import tomllib
from pathlib import Path

from aws_cdk import aws_route53_targets as targets
from palisade.acknowledge import acknowledge, in_packs
from palisade.compute import Function
from palisade.edge import (
    AclScope,
    ApiDomain,
    ApiFront,
    ApiLogging,
    EntryBalancer,
    OriginSecret,
    ServedHost,
    ShieldProtection,
    WebAcl,
)

from constructs import Construct
from stacks.alarms import Alarms
from stacks.base import StageStack
from stacks.keys import Keys
from stacks.log_archive import LogArchiveStage
from stacks.names import Log
from stacks.network import EGRESS_DOCUMENT_PATH, Network
from stacks.settings import EDGE_REGION, Deployment, Shield, Stage

STATUS_PATH = "/status"
"""Where the public asks whether the stage is up."""

_VERSION = tomllib.loads((Path(__file__).resolve().parents[1] / "pyproject.toml").read_text(encoding="utf-8"))


class Entry(StageStack):
    """Only CloudFront gets an answer from the load balancer; APIs of workloads stand behind :attr:`api_front`."""

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        stage: Stage,
        keys: Keys,
        network: Network,
        alarms: Alarms,
        archive: LogArchiveStage,
    ) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="entry")
        # Load balancer and WAF refuse a log bucket that does not exist.
        self.add_stack_dependency(archive)
        zone_id = stage.domain.hosted_zone_id
        origin_host, api_host = self.names.origin_host(stage), self.names.api_host(stage)
        self.web_acl = WebAcl(
            self,
            "WebAcl",
            name=f"{self.names.prefix}-{stage.name}",
            acl_scope=AclScope.REGIONAL,
            # Half of what the throttle lets through of all callers together.
            requests_per_five_minutes=stage.throttle.rate_per_second * 300 // 2,
            log_bucket=self.names.delivery_bucket(stage.name, Log.WAF),
            host_behind_cdn=origin_host,
        )

        origin = ServedHost(self, "Origin", host=origin_host, zone_id=zone_id)
        origin.restrict_issuance()
        self.entry = EntryBalancer(
            self,
            "Balancer",
            name=f"{self.names.prefix}-{stage.name}",
            vpc=network.vpc,
            subnets=network.public_subnets,
            group=network.balancer_group,
            certificate=origin.certificate,
            log_bucket=self.names.delivery_bucket(stage.name, Log.BALANCER),
        )
        self.balancer = self.entry.balancer
        origin.point_at(targets.LoadBalancerTarget(self.balancer))
        self.web_acl.guard("BalancerGuard", self.balancer.load_balancer_arn)
        self.status = Function(
            self,
            "Status",
            source="status",
            description="Says that the way in works",
            placement=network.placement("entry"),
            environment={"VERSION": str(_VERSION["project"]["version"])},
            timeout_seconds=5,
        )
        acknowledge(
            self.status.function,
            f"{stage.name}: the load balancer calls the status function and waits for its answer; nothing is queued that could "
            "be lost.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security"),
            "Serverless-LambdaDLQ",
        )
        secrets = [
            OriginSecret(
                self,
                f"OriginSecret{number}",
                name=self.names.origin_secret(stage, number),
                key=keys.secrets.key,
                also_in=EDGE_REGION if self.region != EDGE_REGION else None,
            ).value
            for number in stage.domain.origin_secrets
        ]
        self.status_targets = self.entry.answer(
            "Status", path=STATUS_PATH, function=self.status.function, origin_secrets=secrets, priority=10
        )
        self.entry.say(
            "EgressAddresses",
            path=EGRESS_DOCUMENT_PATH,
            document=network.egress_document,
            origin_secrets=secrets,
            priority=20,
        )

        api = ServedHost(self, "Api", host=api_host, zone_id=zone_id)
        api.restrict_issuance()
        domain = ApiDomain(self, "ApiDomain", host=api_host, certificate=api.certificate).domain
        api.point_at(targets.ApiGatewayDomain(domain))
        ApiLogging(self, "ApiLogging")
        self.api_front = ApiFront(
            domain=domain,
            web_acl_arn=self.web_acl.arn,
            rate_per_second=stage.throttle.rate_per_second,
            burst=stage.throttle.burst,
            log_key=keys.logs.key,
            log_group_prefix=self.names.log_group("api"),
            log_days=deployment.retention.server_log_days,
        )

        if stage.shape.shield is Shield.ADVANCED:
            ShieldProtection(
                self,
                "Shield",
                name=f"{self.names.prefix}-{stage.name}-balancer",
                resource_arn=self.balancer.load_balancer_arn,
                alarm=self.entry.failure_alarm(alarms.topic),
            )
