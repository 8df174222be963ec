"""The stage's backups: what is backed up when, for how long, where it is copied, and the proof that it comes back."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from palisade.backup import BackupOptions, BackupPlan, BackupRole, BackupRule, Copy, JobAlerts, RestoreTesting, Vault
from palisade.compute import Placement
from palisade.storage import BackupClass

from constructs import Construct
from stacks.alarms import Alarms
from stacks.backup_vault import BackupVault
from stacks.base import StageStack
from stacks.data import Data
from stacks.keys import Keys
from stacks.network import Network
from stacks.settings import Deployment, Retention, Stage

_TWICE_A_DAY = "cron(0 5,17 * * ? *)"
_MONTHLY = "cron(0 7 1 * ? *)"


class Backup(StageStack):
    """Plans that select every store by its tag, and copy each backup into the vaults of :class:`BackupVault`.

    Aurora and DynamoDB recover to any second by themselves, S3 by a continuous rule; snapshots twice a day serve the
    copies. A backup starts within one hour and takes at most three, so the newest copy is never older than sixteen hours
    plus the time that copying takes.
    """

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
        copies: Sequence[BackupVault],
    ) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="backup", stateful=True)
        self._vaults = [self.names.backup_vault_arn(stage.name, vault.account_id, vault.region) for vault in copies]
        self._vault = Vault(
            self,
            "Vault",
            name=self.names.backup_vault(stage.name),
            key=keys.backup.key,
            copies_from=sorted({vault.account_id for vault in copies} - {stage.account}),
            organization_id=None if deployment.organization is None else deployment.organization.id,
        )
        self._role = BackupRole(
            self,
            "Backups",
            name=self.names.backup_role(stage),
            prefix=self.names.prefix,
            keys=[keys.data.key, keys.backup.key],
            vaults=[*self._vaults, self.names.backup_vault_arn(stage.name, stage.account, self.region)],
        )

        here = f"{self.region}:{stage.account}"
        clusters, tables = f"arn:aws:rds:{here}:cluster:*", f"arn:aws:dynamodb:{here}:table/*"
        buckets = "arn:aws:s3:::*"
        retention = deployment.retention
        self.longest: dict[BackupClass, int] = {}
        """For how many days the last backup of a store of each class is kept, wherever it is."""
        for backup_class, rules, days in (
            (BackupClass.STANDARD, self._standard(retention), retention.database_backup_days),
            (BackupClass.DOCUMENTS, self._documents(retention), retention.document_backup_days),
        ):
            self.longest[backup_class] = max(
                days, *(kept for rule in rules for kept in (rule.days, *(copy.days for copy in rule.copies)))
            )
            self._plan(f"{backup_class.value}-databases", [clusters, tables], backup_class, rules)
            # Continuous backup is the bucket's own way back in time; databases have theirs without AWS Backup.
            self._plan(f"{backup_class.value}-buckets", [buckets], backup_class, _continuous(rules, days))

        for vault in copies:
            self.add_stack_dependency(vault)
        placement = Placement(
            log_key=keys.logs.key,
            environment_key=keys.secrets.key,
            log_group_prefix=self.names.log_group("backup"),
            log_days=retention.server_log_days,
        )
        BackupOptions(self, "Options", placement=placement)
        JobAlerts(self, "JobAlerts", topic=alarms.topic, undelivered=alarms.undelivered)
        RestoreTesting(
            self,
            "RestoreTesting",
            name=self.names.backup_vault(stage.name),
            vault=self._vault,
            keys={"data": keys.data.key, "backup": keys.backup.key},
            overrides={
                "Aurora": {
                    "dbSubnetGroupName": data.cluster.subnet_group_name,
                    "vpcSecurityGroupIds": f'["{network.database_group.security_group_id}"]',
                },
                "DynamoDB": {"encryptionType": "KMS", "kmsMasterKeyArn": keys.data.arn},
            },
            placement=placement,
            topic=alarms.topic,
            undelivered=alarms.undelivered,
        )

    def _standard(self, retention: Retention) -> list[BackupRule]:
        return [
            BackupRule(
                name="twice-a-day",
                schedule=_TWICE_A_DAY,
                days=retention.copied_backup_days,
                copies=self._copies(retention.copied_backup_days),
            ),
            BackupRule(
                name="monthly",
                schedule=_MONTHLY,
                days=retention.copied_backup_days,
                copies=self._copies(retention.monthly_backup_days),
            ),
        ]

    def _documents(self, retention: Retention) -> list[BackupRule]:
        return [
            BackupRule(
                name="twice-a-day",
                schedule=_TWICE_A_DAY,
                days=retention.document_backup_days,
                copies=self._copies(retention.document_backup_days),
            )
        ]

    def _copies(self, days: int) -> list[Copy]:
        return [Copy(vault_arn=vault, days=days) for vault in self._vaults]

    def _plan(self, title: str, resources: list[str], backup_class: BackupClass, rules: list[BackupRule]) -> None:
        BackupPlan(
            self,
            "".join(word.capitalize() for word in title.split("-")),
            name=f"{self.names.prefix}-{title}",
            vault=self._vault,
            role=self._role,
            resources=resources,
            backup_class=backup_class,
            rules=rules,
        )


def _continuous(rules: list[BackupRule], days: int) -> list[BackupRule]:
    """The rules, the first of them with recovery to any second of the last ``days``."""
    return [dataclasses.replace(rules[0], continuous=True, days=days), *rules[1:]]
