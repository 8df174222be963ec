"""Tells of every backup, copy and restore that failed, and of every change to vaults, plans and settings."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from constructs import Construct
from palisade.observability import EventNotice

_FAILED = ["ABORTED", "EXPIRED", "FAILED", "PARTIAL"]
_CHANGED = ["DELETED", "MODIFIED"]

_WATCHED: Mapping[str, tuple[str, Mapping[str, list[str]]]] = {
    # Backup and copy jobs report "state", restore jobs "status".
    "BackupFailed": ("Backup Job State Change", {"state": _FAILED}),
    "CopyFailed": ("Copy Job State Change", {"state": _FAILED}),
    "RestoreFailed": ("Restore Job State Change", {"status": _FAILED}),
    "VaultChanged": ("Backup Vault State Change", {"state": _CHANGED}),
    "PlanChanged": ("Backup Plan State Change", {"state": _CHANGED}),
    "SettingsChanged": ("Region Setting State Change", {}),
}


class JobAlerts(Construct):
    """Sends to ``topic`` what AWS Backup reports as failed or changed; what cannot be sent waits in ``undelivered``.

    A job that never started within its window is reported as expired.
    Control: backup.jobs.alerts

    https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, topic: sns.ITopic, undelivered: sqs.IQueue) -> None:
        super().__init__(scope, construct_id)
        for name, (detail_type, detail) in _WATCHED.items():
            EventNotice(
                self,
                name,
                description=f"AWS Backup: {detail_type}",
                pattern={
                    "source": ["aws.backup"],
                    "detail-type": [detail_type],
                    **({"detail": dict(detail)} if detail else {}),
                },
                lines=(
                    f"AWS Backup: {detail_type} in account <$.account>, region <$.region>, at <$.time>.",
                    "State: <$.detail.state><$.detail.status>. <$.detail.statusMessage>",
                    "Resource: <$.detail.resourceArn><$.detail.backupVaultName><$.detail.backupPlanId>",
                    "What to do: docs/howto/restore.md, section on failed jobs.",
                ),
                topic=topic,
                undelivered=undelivered,
            )
