"""The way of people to machines and databases."""

from __future__ import annotations

from palisade.access import Bastion, BastionPlacement, DatabaseTunnel, SessionRecording
from palisade.data import AuroraPostgres
from palisade.observability import EventNotice, RetainedLogGroup

from constructs import Construct
from stacks.alarms import Alarms
from stacks.base import StageStack
from stacks.keys import Keys
from stacks.names import SESSION_WRITER, Log
from stacks.network import DATABASE_PORT, Network
from stacks.settings import Deployment, Stage


class Access(StageStack):
    """A bastion that is off until asked for, reached through Session Manager only, every session of it recorded."""

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        stage: Stage,
        keys: Keys,
        network: Network,
        alarms: Alarms,
        database: AuroraPostgres,
    ) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="access")
        self.recording = SessionRecording(
            self,
            "Sessions",
            key=keys.data.key,
            bucket_name=self.names.delivery_bucket(stage.name, Log.SESSION),
            log_group=RetainedLogGroup(
                self,
                "SessionLog",
                name=self.names.log_group("access", "sessions"),
                key=keys.logs.key,
                days=deployment.retention.audit_log_days,
            ),
        )
        self.bastion = Bastion(
            self,
            "Bastion",
            name=self.names.bastion,
            role_name=self.names.role(SESSION_WRITER),
            placement=BastionPlacement(
                subnet_ids=network.vpc.select_subnets(subnet_group_name="application").subnet_ids,
                security_group=network.bastion_group,
            ),
            key=keys.data.key,
            recording=self.recording,
            archive_account=deployment.accounts.log_archive,
        )
        DatabaseTunnel(
            self,
            "DatabaseTunnel",
            name=self.names.database_tunnel,
            host=database.resource.cluster_endpoint.hostname,
            port=str(DATABASE_PORT),
        )
        EventNotice(
            self,
            "Started",
            description="Somebody started the bastion, or it stopped",
            pattern={
                "source": ["aws.autoscaling"],
                "detail": {"AutoScalingGroupName": [self.bastion.group_name]},
            },
            lines=[
                f"Bastion of {stage.name}: <$.detail-type>.",
                "Machine <$.detail.EC2InstanceId>, at <$.time>. <$.detail.Cause>",
            ],
            topic=alarms.security,
            undelivered=alarms.undelivered,
        )
