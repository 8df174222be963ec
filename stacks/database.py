"""The inside of the stage's database: its schema, its roles, and the policies that keep tenants apart."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from palisade.acknowledge import acknowledge
from palisade.compute import DatabaseLayer, Function
from palisade.data import MigrationSchedule

from constructs import Construct
from stacks.alarms import Alarms
from stacks.base import StageStack
from stacks.data import Data
from stacks.keys import Keys
from stacks.network import DATABASE_PORT, Network
from stacks.settings import Deployment, Stage


class Database(StageStack):
    """Migrates after every deployment of this stack, and asks once a day whether every table still keeps tenants apart."""

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        stage: Stage,
        keys: Keys,
        network: Network,
        alarms: Alarms,
        data: Data,
    ) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="database")
        cluster = data.cluster
        migrator = Function(
            self,
            "Migrator",
            source="migrate_database",
            description="Brings the database to the present schema and verifies its isolation",
            placement=network.placement("database"),
            environment={
                "HOST": cluster.resource.cluster_endpoint.hostname,
                "PORT": str(DATABASE_PORT),
                "DATABASE": cluster.database,
                "SECRET_ARN": cluster.secret.secret_arn,
            },
            timeout_seconds=300,
            layers=[DatabaseLayer(self, "DatabaseLayer").layer],
            dead_letters=alarms.undelivered,
        )
        here = f"{self.region}:{self.account}"
        secrets = f"arn:aws:secretsmanager:{here}:secret:rds!cluster-*"
        migrator.component.allow(
            iam.PolicyStatement(
                sid="ReadOwnersPassword",
                actions=["secretsmanager:GetSecretValue"],
                # RDS invents the secret's name and tags it with the cluster.
                # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-secrets-manager.html
                resources=[secrets],
                conditions={
                    "StringEquals": {
                        "aws:ResourceTag/aws:rds:primaryDBClusterArn": f"arn:aws:rds:{here}:cluster:{self.names.database(stage)}"
                    }
                },
            ),
            iam.PolicyStatement(
                sid="OpenOwnersPassword",
                actions=["kms:Decrypt"],
                resources=[keys.secrets.arn],
                conditions={"StringEquals": {"kms:ViaService": f"secretsmanager.{self.region}.amazonaws.com"}},
            ),
        )
        acknowledge(
            migrator.component.policy,
            f"{stage.name}: RDS invents the name of the owner's secret; a tag that only RDS writes binds it to the one cluster.",
            f"AwsSolutions-IAM5[Resource::{secrets}]",
        )
        MigrationSchedule(self, "Schedule", migrator=migrator, undelivered=alarms.undelivered)
        failed = migrator.function.metric_errors(statistic="Sum", period=cdk.Duration.minutes(5)).create_alarm(
            self,
            "MigratorErrors",
            threshold=0,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"{stage.name} database: a migration failed, or a table no longer keeps tenants apart.",
        )
        for act in (failed.add_alarm_action, failed.add_ok_action):
            act(actions.SnsAction(alarms.topic))
