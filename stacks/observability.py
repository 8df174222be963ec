"""What is watched in a stage, who hears of it, and whether the availability that was promised holds."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from palisade.observability import (
    BURN_RATES,
    DEEDS,
    TROUBLES,
    Alarm,
    AvailabilityObjective,
    Canary,
    SecurityNotices,
    ServiceNotices,
    watch_dead_letters,
)
from palisade.storage import BackupClass, PrivateBucket

from constructs import Construct
from stacks.access_logs import AccessLogs
from stacks.alarms import Alarms
from stacks.base import StageStack
from stacks.keys import Keys
from stacks.settings import EDGE_REGION, Deployment, Stage

AVAILABILITY_PERCENT = 99.9
"""Promised over thirty days: 43 minutes of failure in all."""

_GIB = 1024**3
_FIVE_MINUTES = cdk.Duration.minutes(5)


class Observability(StageStack):
    """Alarms, notices, canary, objective and dashboard of the home region.

    ``apis`` are those whose answers count towards the objective, besides what the canary sees.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        stage: Stage,
        keys: Keys,
        alarms: Alarms,
        access_logs: AccessLogs,
        apis: Sequence[apigateway.RestApi],
    ) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="observability", stateful=True)
        self._alarms, self._apis = alarms, apis
        self._name = f"{self.names.prefix}-{stage.name}"
        self._notices(keys, deployment)
        self.canary = self._canary(keys, access_logs)
        self._watched = [*self._watch_functions(), *self._watch_apis(), *self._watch_database(), *self._watch_edges()]
        self.objective = self._objective()
        self._dashboard()

    def _notices(self, keys: Keys, deployment: Deployment) -> None:
        # Where home is us-east-1, nothing else watches the services that report there.
        deeds = [deed for deed in DEEDS if not deed.world_wide or self.region == EDGE_REGION]
        SecurityNotices(
            self,
            "Deeds",
            where=self.stage.name,
            deeds=deeds,
            topic=self._alarms.security,
            undelivered=self._alarms.undelivered,
            log_name=f"/aws/events/{self.names.prefix}/security",
            log_key=keys.logs.key,
            log_days=deployment.retention.audit_log_days,
        )
        ServiceNotices(
            self,
            "Troubles",
            where=self.stage.name,
            troubles=TROUBLES,
            topic=self._alarms.topic,
            undelivered=self._alarms.undelivered,
        )

    def _canary(self, keys: Keys, access_logs: AccessLogs) -> Canary:
        bucket_name = self.names.bucket("canary", self.stage.account, self.region)
        results = PrivateBucket(
            self,
            "CanaryResults",
            name=bucket_name,
            key=keys.data.key,
            access_logs=access_logs.bucket,
            backup=BackupClass.ARCHIVED,
            expire_days=30,
            noncurrent_days=1,
        )
        canary = Canary(
            self,
            "Canary",
            name=self._name[:21].rstrip("-"),
            url=f"https://{self.stage.domain.name}/status",
            every_minutes=self.stage.shape.canary_minutes,
            bucket_name=bucket_name,
            key=keys.data.key,
            log_key=keys.logs.key,
            log_days=self.deployment.retention.server_log_days,
        )
        canary.node.add_dependency(results)
        return canary

    def _watch_functions(self) -> list[Alarm]:
        def of_all_functions(name: str) -> cloudwatch.Metric:
            return cloudwatch.Metric(namespace="AWS/Lambda", metric_name=name, statistic="Sum", period=_FIVE_MINUTES)

        return [
            Alarm(
                self,
                "FunctionErrors",
                description="Functions of this account raise errors. Their log groups say which and why.",
                metric=of_all_functions("Errors"),
                threshold=5,
                topic=self._alarms.topic,
            ),
            Alarm(
                self,
                "FunctionThrottles",
                description="Functions are refused for lack of concurrency. Look for a loop first, then ask for more quota.",
                metric=of_all_functions("Throttles"),
                threshold=1,
                topic=self._alarms.topic,
            ),
            watch_dead_letters(
                self,
                "UndeliveredNotices",
                queue=self._alarms.undelivered,
                topic=self._alarms.topic,
                meaning="A notice or event did not reach its topic or mailbox.",
            ),
        ]

    def _watch_apis(self) -> list[Alarm]:
        watched = []
        for api in self._apis:
            name = api.node.path.split("/")[0].removeprefix(f"{self.stage.name}-").title().replace("-", "")
            requests = api.metric_count(statistic="Sum", period=_FIVE_MINUTES)
            refused = api.metric_client_error(statistic="Sum", period=_FIVE_MINUTES)
            watched += [
                Alarm(
                    self,
                    f"{name}Refusals",
                    description=(
                        f"{api.rest_api_name} refuses half of at least a hundred requests for a quarter of an hour: a "
                        "broken client, an expired key or somebody trying."
                    ),
                    metric=cloudwatch.MathExpression(
                        expression="IF(requests >= 100, refused / requests, 0)",
                        using_metrics={"requests": requests, "refused": refused},
                        period=_FIVE_MINUTES,
                        label="share refused",
                    ),
                    threshold=0.5,
                    periods=3,
                    topic=self._alarms.topic,
                ),
                Alarm(
                    self,
                    f"{name}Latency",
                    description=f"{api.rest_api_name}: one request in twenty takes three seconds or longer.",
                    metric=api.metric_latency(statistic="p95", period=_FIVE_MINUTES),
                    threshold=3000,
                    periods=3,
                    topic=self._alarms.topic,
                ),
            ]
        return watched

    def _watch_database(self) -> list[Alarm]:
        shape = self.stage.shape
        memory = shape.aurora_max_capacity * 2 * _GIB
        # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html
        connections = min(memory / 9531392, 2000 if shape.aurora_min_capacity <= 0.5 else 5000)

        def of_cluster(name: str, statistic: str = "Average") -> cloudwatch.Metric:
            return cloudwatch.Metric(
                namespace="AWS/RDS",
                metric_name=name,
                dimensions_map={"DBClusterIdentifier": self.names.database(self.stage)},
                statistic=statistic,
                period=_FIVE_MINUTES,
            )

        return [
            Alarm(
                self,
                "DatabaseLoad",
                description="The database's processors are 80 % busy for a quarter of an hour. Look for a costly query.",
                metric=of_cluster("CPUUtilization"),
                threshold=80,
                periods=3,
                topic=self._alarms.topic,
            ),
            Alarm(
                self,
                "DatabaseCapacity",
                description="The database is as large as it may get for a quarter of an hour. Raise aurora_max_capacity.",
                metric=of_cluster("ACUUtilization"),
                threshold=90,
                periods=3,
                topic=self._alarms.topic,
            ),
            Alarm(
                self,
                "DatabaseConnections",
                description="The database holds 80 % of the connections it can. Look for a client that leaks them.",
                metric=of_cluster("DatabaseConnections", "Maximum"),
                threshold=int(connections * 0.8),
                periods=3,
                topic=self._alarms.topic,
            ),
            Alarm(
                self,
                "DatabaseMemory",
                description="Even at its largest the database would have less than a tenth of its memory free.",
                metric=of_cluster("FreeableMemory", "Minimum"),
                threshold=int(memory / 10),
                comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
                periods=3,
                topic=self._alarms.topic,
            ),
        ]

    def _watch_edges(self) -> list[Alarm]:
        return [
            Alarm(
                self,
                "EgressPortErrors",
                description="A NAT gateway has no ports left: connections to a vendor fail. Look for one that is never closed.",
                metric=cloudwatch.MathExpression(
                    expression='SELECT SUM(ErrorPortAllocation) FROM SCHEMA("AWS/NATGateway", NatGatewayId)',
                    period=_FIVE_MINUTES,
                    label="connections refused",
                ),
                threshold=1,
                topic=self._alarms.topic,
            ),
            Alarm(
                self,
                "FirewallBlocks",
                description="The home region's web ACL blocks a thousand requests in five minutes: somebody is at it.",
                metric=cloudwatch.Metric(
                    namespace="AWS/WAFV2",
                    metric_name="BlockedRequests",
                    dimensions_map={"WebACL": self._name, "Region": self.region, "Rule": "ALL"},
                    statistic="Sum",
                    period=_FIVE_MINUTES,
                ),
                threshold=1000,
                topic=self._alarms.security,
            ),
        ]

    def _objective(self) -> AvailabilityObjective:
        counts: dict[str, cloudwatch.Metric] = {
            "runs": self.canary.runs("SampleCount"),
            "good": self.canary.runs("Sum"),
        }
        failed, asked = ["FILL(runs, 0) - FILL(good, 0) / 100"], ["FILL(runs, 0)"]
        for index, api in enumerate(self._apis):
            counts[f"errors{index}"] = api.metric_server_error(statistic="Sum")
            counts[f"requests{index}"] = api.metric_count(statistic="Sum")
            failed.append(f"FILL(errors{index}, 0)")
            asked.append(f"FILL(requests{index}, 0)")
        return AvailabilityObjective(
            self,
            "Availability",
            percent=AVAILABILITY_PERCENT,
            counts=counts,
            failed=" + ".join(failed),
            asked=" + ".join(asked),
            topic=self._alarms.topic,
        )

    def _dashboard(self) -> None:
        board = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=self._name, default_interval=cdk.Duration.days(1)
        )
        board.add_widgets(
            cloudwatch.AlarmStatusWidget(
                title="Now", alarms=[alarm.alarm for alarm in self._watched], width=24, height=4
            )
        )
        board.add_widgets(
            *(
                cloudwatch.GraphWidget(
                    title=f"Burn of the error budget, {burn.short.to_human_string()} at a time",
                    left=[self.objective.burn_rate(burn.short)],
                    left_annotations=[cloudwatch.HorizontalAnnotation(value=burn.rate, label="alarm")],
                )
                for burn in BURN_RATES
            ),
            cloudwatch.GraphWidget(title="What the canary sees", left=[self.canary.runs("Average")]),
        )
        for api in self._apis:
            board.add_widgets(
                cloudwatch.GraphWidget(
                    title=f"{api.rest_api_name}: answers",
                    left=[api.metric_count(statistic="Sum")],
                    right=[api.metric_client_error(statistic="Sum"), api.metric_server_error(statistic="Sum")],
                    width=12,
                ),
                cloudwatch.GraphWidget(
                    title=f"{api.rest_api_name}: milliseconds",
                    left=[api.metric_latency(statistic=statistic) for statistic in ("p50", "p95", "p99")],
                    width=12,
                ),
            )
        board.add_widgets(
            *(
                cloudwatch.GraphWidget(
                    title=title,
                    left=[alarm.alarm.metric for alarm in self._watched if alarm.node.id.startswith(beginning)],
                    width=12,
                )
                for title, beginning in (("Functions", "Function"), ("Database", "Database"))
            )
        )
