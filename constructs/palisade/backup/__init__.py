"""Backups: vaults, plans, the roles they work under, restore tests and what tells of a failure."""

from palisade.backup.job_alerts import JobAlerts
from palisade.backup.locked_vault import LockedVault, VaultLock
from palisade.backup.options import BackupOptions
from palisade.backup.plan import BackupPlan, BackupRule, Copy
from palisade.backup.restore_testing import RestoreTesting
from palisade.backup.roles import BackupRole, RestoreRole
from palisade.backup.vault import Vault

__all__ = [
    "BackupOptions",
    "BackupPlan",
    "BackupRole",
    "BackupRule",
    "Copy",
    "JobAlerts",
    "LockedVault",
    "RestoreRole",
    "RestoreTesting",
    "Vault",
    "VaultLock",
]
