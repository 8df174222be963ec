"""An Aurora PostgreSQL cluster that spans zones, speaks TLS only and writes down who did what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs import Construct
from palisade.acknowledge import acknowledge, in_packs
from palisade.identity import ComponentRole
from palisade.observability import RetainedLogGroup
from palisade.storage import BackupClass

_ENGINE = rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.VER_17_9)

_EXPORTS = ("postgresql", "iam-db-auth-error", "instance")
"""https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.CloudWatch.html"""

_PARAMETERS = {
    "rds.force_ssl": "1",
    "ssl_min_protocol_version": "TLSv1.2",
    "password_encryption": "scram-sha-256",
    "rds.accepted_password_auth_method": "scram",
    "shared_preload_libraries": "pg_stat_statements,pgaudit",
    "pgaudit.log": "read,write,role,ddl",
    # Catalogue look-ups of every driver would drown the rest; parameters may hold personal data.
    "pgaudit.log_catalog": "0",
    "pgaudit.log_parameter": "0",
    # pgaudit blanks passwords in statements, log_statement would write them in clear.
    "log_statement": "none",
    "log_connections": "1",
    "log_disconnections": "1",
}
"""https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Reference.ParameterGroups.html"""


@dataclass(frozen=True, kw_only=True)
class DatabaseNetwork:
    """Where the cluster lives: isolated ``subnets`` in the ``zones``, reached on ``port`` through ``security_group``."""

    vpc: ec2.IVpc
    subnets: ec2.SubnetSelection
    zones: Sequence[str]
    security_group: ec2.ISecurityGroup
    port: int


@dataclass(frozen=True, kw_only=True)
class DatabaseKeys:
    """The keys of data and insights, of the owner's password, and of logs."""

    data: kms.IKey
    secrets: kms.IKey
    logs: kms.IKey


@dataclass(frozen=True, kw_only=True)
class DatabaseCapacity:
    """``instances`` (one per zone at most) of ``minimum`` to ``maximum`` Aurora capacity units; 0 pauses when idle.

    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html
    """

    instances: int
    minimum: float
    maximum: float


class AuroraPostgres(Construct):
    """A cluster whose storage spans three zones and whose instances are in different ones.

    Storage, backups and insights are encrypted with customer keys. Clients authenticate with IAM, and with TLS 1.2 or
    newer; plain connections are refused. pgaudit writes reads, writes, grants and schema changes to log groups of set
    retention. Deletion is refused until protection is lifted, and then leaves a final snapshot. RDS makes, keeps and
    rotates the owner's password every seven days; it is for migrations and emergencies.

    ``name`` is the cluster's identifier; owner and database are called ``schema``, which must not be a reserved word.
    ``recovery_days`` (1 to 35) is how far point-in-time recovery reaches back; ``log_days`` a CloudWatch value.
    Control: data.database.protection

    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.BestPractices.Security.html
    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-secrets-manager.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        schema: str,
        network: DatabaseNetwork,
        keys: DatabaseKeys,
        capacity: DatabaseCapacity,
        recovery_days: int,
        log_days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name, self._keys, self._network = name, keys, network
        self.database = schema
        self.subnet_group_name = name
        log_groups = [
            RetainedLogGroup(
                self,
                f"{export.title().replace('-', '')}Logs",
                name=f"/aws/rds/cluster/{name}/{export}",
                key=keys.logs,
                days=log_days,
            )
            for export in _EXPORTS
        ]
        monitoring = self._monitoring(log_days)
        self.resource = rds.DatabaseCluster(
            self,
            "Resource",
            engine=_ENGINE,
            cluster_identifier=name,
            default_database_name=schema,
            port=network.port,
            credentials=rds.Credentials.from_username(f"{schema}_owner", encryption_key=keys.secrets),
            manage_master_user_password=True,
            iam_authentication=True,
            storage_encryption_key=keys.data,
            parameter_group=rds.ParameterGroup(
                self,
                "Parameters",
                engine=_ENGINE,
                description=f"{name}: TLS only, audited",
                parameters=_PARAMETERS,
            ),
            vpc=network.vpc,
            subnet_group=rds.SubnetGroup(
                self,
                "Subnets",
                subnet_group_name=name,
                description=f"{name}: isolated subnets of three zones",
                vpc=network.vpc,
                vpc_subnets=network.subnets,
            ),
            security_groups=[network.security_group],
            writer=self._instance(0),
            readers=[self._instance(index) for index in range(1, capacity.instances)],
            serverless_v2_min_capacity=capacity.minimum,
            serverless_v2_max_capacity=capacity.maximum,
            serverless_v2_auto_pause_duration=cdk.Duration.minutes(30) if capacity.minimum == 0 else None,
            backup=rds.BackupProps(retention=cdk.Duration.days(recovery_days), preferred_window="22:00-22:30"),
            preferred_maintenance_window="sun:03:00-sun:04:00",
            copy_tags_to_snapshot=True,
            delete_automated_backups=False,
            deletion_protection=True,
            removal_policy=cdk.RemovalPolicy.SNAPSHOT,
            cloudwatch_logs_exports=["postgresql"],
            database_insights_mode=rds.DatabaseInsightsMode.STANDARD,
            enable_performance_insights=True,
            performance_insight_encryption_key=keys.data,
            monitoring_interval=cdk.Duration.seconds(60),
            monitoring_role=monitoring.role,
        )
        template = self.resource.node.default_child
        assert isinstance(template, rds.CfnDBCluster)
        template.enable_cloudwatch_logs_exports = list(_EXPORTS)
        # RDS would otherwise make the groups itself, without key and without end.
        # And it refuses a monitoring role whose rights are not there yet.
        self.resource.node.add_dependency(*log_groups, monitoring)
        BackupClass.STANDARD.mark(template)
        for instance in (
            child for child in self.resource.node.children if child.node.id.startswith(("Writer", "Reader"))
        ):
            where = f"{name}, {instance.node.id.lower()}"
            acknowledge(
                instance,
                f"{where}: an Aurora instance holds no data of its own; the backup plan selects its cluster.",
                *in_packs("RDSInBackupPlan", "NIST.800.53.R5", "HIPAA.Security"),
            )
            acknowledge(
                instance,
                f"{where}: placed in a zone of its own by configuration, so that no two instances share one.",
                "CloudFormation-Validate::W3010",
            )

    @property
    def secret(self) -> secretsmanager.ISecret:
        """The owner's user name and password, which RDS rotates."""
        secret = self.resource.secret
        assert secret is not None
        return secret

    def _instance(self, index: int) -> rds.IClusterInstance:
        return rds.ClusterInstance.serverless_v2(
            "Writer" if index == 0 else f"Reader{index}",
            availability_zone=self._network.zones[index],
            auto_minor_version_upgrade=True,
            enable_performance_insights=True,
            performance_insight_encryption_key=self._keys.data,
            ca_certificate=rds.CaCertificate.RDS_CA_ECC384_G1,
            publicly_accessible=False,
            # A reader that scales with the writer can take over from it without a cold start.
            scale_with_writer=None if index == 0 else True,
        )

    def _monitoring(self, log_days: int) -> ComponentRole:
        # The name is fixed by the service and shared by every database of the account.
        metrics = RetainedLogGroup(self, "SystemMetrics", name="RDSOSMetrics", key=self._keys.logs, days=log_days)
        stack = cdk.Stack.of(self)
        streams = f"arn:aws:logs:{stack.region}:{stack.account}:log-group:{metrics.name}:*"
        component = ComponentRole(
            self,
            "Monitoring",
            assumed_by=iam.ServicePrincipal(
                "monitoring.rds.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            ),
            description=f"{self._name}: writes the operating system's metrics",
        )
        component.allow(
            iam.PolicyStatement(
                sid="WriteSystemMetrics",
                actions=[
                    "logs:CreateLogStream",
                    "logs:DescribeLogStreams",
                    "logs:GetLogEvents",
                    "logs:PutLogEvents",
                ],
                resources=[streams],
            ),
        )
        acknowledge(
            component.policy,
            f"{self._name}: the streams of one log group, each named by RDS when an instance starts.",
            f"AwsSolutions-IAM5[Resource::{streams}]",
        )
        component.node.add_dependency(metrics)
        return component
