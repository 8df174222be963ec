"""Where a stage's backups are copied: out of its account, and out of its region."""

from __future__ import annotations

from palisade.backup import LockedVault, VaultLock
from palisade.keys import CustomerKey

from constructs import Construct
from stacks.backup_service import BackupService
from stacks.base import PalisadeStack
from stacks.settings import AccountId, Deployment, LockMode, Stage

_CHANGEABLE_DAYS = 7
"""How long a compliance lock can still be taken back after it was made; AWS asks for at least three days."""


class BackupVault(PalisadeStack):
    """One locked vault under a key of its own, in the backup account; one in the home region, one for recovery.

    AWS Backup copies between accounts of one organization only. A deployment without an organization has its locked vault
    in the recovery region of the stage's own account.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html
    """

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        stage: Stage,
        account: AccountId,
        region: str,
        service: BackupService | None,
    ) -> None:
        apart = account != stage.account
        recovery = region == deployment.recovery.name
        super().__init__(
            scope,
            deployment=deployment,
            owner="backup" if apart else stage.name,
            subject=(f"{stage.name}-recovery" if recovery else stage.name) if apart else "backup-recovery",
            account=account,
            region=region,
            stateful=True,
        )
        self.account_id = account
        retention = deployment.retention
        key = CustomerKey(
            self,
            "Key",
            alias=self.names.key_alias(f"backup-{stage.name}"),
            description=f"{stage.name}: copies of backups",
            used_through=["backup", "rds", "dynamodb", "s3"],
        )
        if apart:
            key.allow_backup_roles(stage.account, sid="StageCopies", names=[self.names.backup_role(stage)])
        LockedVault(
            self,
            "Vault",
            name=self.names.backup_vault(stage.name),
            key=key.key,
            copies_from=[stage.account] if apart else [],
            organization_id=None if deployment.organization is None else deployment.organization.id,
            lock=VaultLock(
                min_days=min(retention.copied_backup_days, retention.document_backup_days),
                max_days=retention.monthly_backup_days,
                changeable_days=_CHANGEABLE_DAYS if stage.lock_mode is LockMode.COMPLIANCE else None,
            ),
        )
        if service is not None:
            self.add_stack_dependency(service)

    @staticmethod
    def places(deployment: Deployment, stage: Stage) -> tuple[tuple[AccountId, str], ...]:
        """Account and region of every vault that the stage's backups are copied to."""
        if deployment.organization is None:
            return ((stage.account, deployment.recovery.name),)
        backup = deployment.accounts.backup
        return ((backup, deployment.home.name), (backup, deployment.recovery.name))
