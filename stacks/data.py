"""The stage's database, and its register of tenants."""

from __future__ import annotations

import aws_cdk as cdk
from palisade.data import AuroraPostgres, DatabaseCapacity, DatabaseKeys, DatabaseNetwork
from palisade.storage import BackupClass, PrivateTable

from constructs import Construct
from stacks.base import StageStack
from stacks.keys import Keys
from stacks.network import DATABASE_PORT, Network
from stacks.settings import Deployment, Stage

REGISTER_TAG = ("palisade:holds", "register")
"""Marks a table that tells of tenants and holds nothing of theirs: the platform's functions work on all of it."""


class Data(StageStack):
    """Aurora PostgreSQL in the isolated subnets of three zones, and the register of its tenants.

    The register holds nothing of a tenant's own: names, dates, holds, and how far a deletion is. It outlives its tenants.
    """

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
        self.register = PrivateTable(
            self,
            "Register",
            name=f"{self.names.prefix}-tenants",
            key=keys.data.key,
            partition_key="tenant",
            backup=BackupClass.STANDARD,
            recovery_days=retention.database_backup_days,
        ).table
        cdk.Tags.of(self.register).add(*REGISTER_TAG)
