"""The stage's database."""

from __future__ import annotations

from palisade.data import AuroraPostgres, DatabaseCapacity, DatabaseKeys, DatabaseNetwork

from constructs import Construct
from stacks.base import StageStack
from stacks.keys import Keys
from stacks.network import DATABASE_PORT, Network
from stacks.settings import Deployment, Stage


class Data(StageStack):
    """Aurora PostgreSQL in the isolated subnets of three zones."""

    def __init__(self, scope: Construct, *, deployment: Deployment, stage: Stage, keys: Keys, network: Network) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="data", stateful=True)
        retention, shape = deployment.retention, stage.shape
        self.cluster = AuroraPostgres(
            self,
            "Database",
            name=self.names.database(stage),
            schema=self.names.prefix,
            network=DatabaseNetwork(
                vpc=network.vpc,
                subnets=network.data_subnets,
                zones=deployment.home.zones,
                security_group=network.database_group,
                port=DATABASE_PORT,
            ),
            keys=DatabaseKeys(data=keys.data.key, secrets=keys.secrets.key, logs=keys.logs.key),
            capacity=DatabaseCapacity(
                instances=shape.aurora_instances, minimum=shape.aurora_min_capacity, maximum=shape.aurora_max_capacity
            ),
            recovery_days=retention.database_backup_days,
            log_days=retention.audit_log_days,
        )
