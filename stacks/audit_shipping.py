"""Takes a stage's audit logs on to the log service of its choice."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from palisade.archive import AuditShipper, Destination, LogTarget, Records
from palisade.compute import Placement
from palisade.observability import Alarm, count_events, largest_value
from palisade.storage import BackupClass, PrivateTable

from constructs import Construct
from stacks.alarms import Alarms
from stacks.audit import Audit
from stacks.base import StageStack
from stacks.keys import Keys
from stacks.names import AUDIT_SHIPPER, Log
from stacks.network import Network
from stacks.settings import Deployment, LogService, Stage

LATE_SECONDS = 3600
"""Records reach the archive within minutes and the service minutes later; after an hour somebody should look."""


class AuditShipping(StageStack):
    """What the archive has, the log service gets; what it cannot take waits in the archive, for as long as it takes."""

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        stage: Stage,
        service: LogService,
        keys: Keys,
        alarms: Alarms,
        network: Network,
        audit: Audit,
    ) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="audit-shipping", stateful=True)
        self.add_stack_dependency(audit)
        receipts = PrivateTable(
            self,
            "Receipts",
            name=self.names.audit_receipts,
            key=keys.data.key,
            partition_key="day",
            sort_key="object",
            backup=BackupClass.STANDARD,
        )
        shipper = AuditShipper(
            self,
            "Shipper",
            source=Destination(
                bucket_name=self.names.archive_bucket(stage.name, Log.AUDIT),
                account=deployment.accounts.log_archive,
                key_alias=self.names.archive_key_alias(stage.name),
            ),
            folders=[f"AWSLogs/{stage.account}/{records.value}/" for records in Records],
            receipts=receipts,
            target=LogTarget(
                url=service.url,
                form=service.format.value,
                secret_name=self.names.log_service_secret(stage),
                secret_key=keys.secrets.key,
            ),
            placement=Placement(
                log_key=keys.logs.key,
                environment_key=keys.secrets.key,
                log_group_prefix=self.names.log_group("audit"),
                log_days=deployment.retention.server_log_days,
                vpc=network.vpc,
                subnets=network.application_subnets,
                security_group=network.application_group,
            ),
            role_name=self.names.role(AUDIT_SHIPPER),
        )
        shipper.run_on_schedule(alarms.undelivered)
        namespace, log_group = f"{self.names.prefix}/audit", shipper.function.log_group
        Alarm(
            self,
            "Late",
            description=(
                f"{stage.name}: audit logs have waited an hour for {service.host}, or nothing has tried to send them. They are "
                "safe in the archive and follow as soon as it takes them. docs/howto/audit-stream.md says what to look at."
            ),
            metric=largest_value(
                self,
                "OldestUnshippedSeconds",
                log_group=log_group,
                namespace=namespace,
                event="shipping.measured",
                field="oldest_seconds",
            ),
            threshold=LATE_SECONDS,
            topic=alarms.topic,
            periods=2,
            silence=cloudwatch.TreatMissingData.BREACHING,
        )
        Alarm(
            self,
            "Refused",
            description=(
                f"{stage.name}: {service.host} refused a record for what it is, and got a note of its place in the archive "
                "instead. The log group of ship-audit names it."
            ),
            metric=count_events(
                self, "RecordsRefused", log_group=log_group, namespace=namespace, event="record.refused"
            ),
            threshold=1,
            topic=alarms.topic,
        )
        Alarm(
            self,
            "Failing",
            description=f"{stage.name}: audit logs could not be read or sent. Read the log group of ship-audit.",
            metric=shipper.function.function.metric_errors(period=cdk.Duration.minutes(5), statistic="Sum"),
            threshold=1,
            topic=alarms.topic,
            periods=3,
        )
