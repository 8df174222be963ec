"""A vault whose recovery points outlive everybody's wish to delete them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_backup as backup
from aws_cdk import aws_kms as kms

from constructs import Construct
from palisade.backup.vault import Vault


@dataclass(frozen=True, kw_only=True)
class VaultLock:
    """Recovery points are kept at least ``min_days`` and at most ``max_days``; jobs that ask otherwise fail.

    In compliance mode the lock itself becomes immutable ``changeable_days`` (at least 3) after it was made. None means
    governance mode: principals with the right to delete the lock can.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html
    """

    min_days: int
    max_days: int
    changeable_days: int | None


class LockedVault(Vault):
    """A :class:`Vault` under a vault lock: no recovery point can be deleted before its time, not even by root.

    Control: backup.vault.lock
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        key: kms.IKey,
        copies_from: Sequence[str],
        organization_id: str | None,
        lock: VaultLock,
    ) -> None:
        super().__init__(
            scope, construct_id, name=name, key=key, copies_from=copies_from, organization_id=organization_id
        )
        self.resource.lock_configuration = backup.CfnBackupVault.LockConfigurationTypeProperty(
            min_retention_days=lock.min_days,
            max_retention_days=lock.max_days,
            changeable_for_days=lock.changeable_days,
        )
