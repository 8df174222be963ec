"""Takes the audit logs of a stage's applications to the archive."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from palisade.archive import AuditStream, Destination
from palisade.observability import RetainedLogGroup

from constructs import Construct
from stacks.alarms import Alarms
from stacks.base import StageStack
from stacks.keys import Keys
from stacks.log_archive import LogArchiveStage
from stacks.names import AUDIT_WRITER, Log
from stacks.settings import Deployment, Stage

LATE_SECONDS = 1800
"""Records wait at most five minutes for company; half an hour means that they cannot be delivered."""


class Audit(StageStack):
    """One stream into the archive for every audited log group of the stage's workloads."""

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        stage: Stage,
        keys: Keys,
        alarms: Alarms,
        archive: LogArchiveStage,
    ) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="audit")
        self.add_stack_dependency(archive)
        self.stream = AuditStream(
            self,
            "Stream",
            name=f"{self.names.prefix}-audit",
            role_name=self.names.role(AUDIT_WRITER),
            key=keys.logs.key,
            destination=Destination(
                bucket_name=self.names.delivery_bucket(stage.name, Log.AUDIT),
                account=deployment.accounts.log_archive,
            ),
            errors=RetainedLogGroup(
                self,
                "Errors",
                name=self.names.log_group("audit", "delivery"),
                key=keys.logs.key,
                days=deployment.retention.server_log_days,
            ),
        )
        late = cloudwatch.Metric(
            namespace="AWS/Firehose",
            metric_name="DeliveryToS3.DataFreshness",
            dimensions_map={"DeliveryStreamName": self.stream.name},
            statistic="Maximum",
            period=cdk.Duration.minutes(5),
        ).create_alarm(
            self,
            "Late",
            threshold=LATE_SECONDS,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"{stage.name}: audit logs have not reached the archive for half an hour; after a day "
            "they are lost.",
        )
        for act in (late.add_alarm_action, late.add_ok_action):
            act(actions.SnsAction(alarms.topic))

    def keep(self, workload: cdk.Stack, logs: Mapping[str, tuple[RetainedLogGroup, str]]) -> None:
        """Archive the log groups ``logs`` of ``workload``: by construct id, each with the pattern of what is evidence."""
        # By name, so that the workload can be changed and deleted without this stack in its way.
        self.add_stack_dependency(workload)
        for construct_id, (log_group, pattern) in logs.items():
            self.stream.subscribe(construct_id, log_group=log_group.name, pattern=pattern)
