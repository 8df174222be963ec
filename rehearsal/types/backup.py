"""Backup selections, restore tests, reports."""

from __future__ import annotations

from typing import Any

from rehearsal.emulator.spec import Context, Props, hook, made_up, named, spec, text

spec(
    "AWS::Backup::BackupSelection",
    "backup",
    "create_backup_selection",
    lambda p, r, _c: f"{p['BackupPlanId']}|{r['SelectionId']}",
    attributes={"Id": "SelectionId", "SelectionId": "SelectionId", "BackupPlanId": "BackupPlanId"},
    delete="delete_backup_selection",
    delete_with=lambda i, _p, _a: {"BackupPlanId": i.split("|")[0], "SelectionId": i.split("|")[1]},
)
spec(
    "AWS::Backup::RestoreTestingPlan",
    "backup",
    "create_restore_testing_plan",
    named("RestoreTestingPlanName"),
    drop=("Tags",),
    wrap="RestoreTestingPlan",
    attributes={"RestoreTestingPlanArn": "RestoreTestingPlanArn"},
    update="update_restore_testing_plan",
    update_with=lambda i, _p, _a: {"RestoreTestingPlanName": i},
    delete="delete_restore_testing_plan",
    delete_with=lambda i, _p, _a: {"RestoreTestingPlanName": i},
)


def _of_plan(props: Props, _context: Context) -> Props:
    return {"RestoreTestingPlanName": props["RestoreTestingPlanName"]}


def _selection(identity: str, _props: Props, _attributes: Any) -> Props:
    plan, _, name = identity.partition("|")
    return {"RestoreTestingPlanName": plan, "RestoreTestingSelectionName": name}


spec(
    "AWS::Backup::RestoreTestingSelection",
    "backup",
    "create_restore_testing_selection",
    lambda p, _r, _c: f"{p['RestoreTestingPlanName']}|{p['RestoreTestingSelectionName']}",
    drop=("RestoreTestingPlanName",),
    wrap="RestoreTestingSelection",
    extra=_of_plan,
    update="update_restore_testing_selection",
    update_with=_selection,
    delete="delete_restore_testing_selection",
    delete_with=_selection,
)


@hook("AWS::Backup::BackupVault")
def vault(context: Context, identity: str, props: Props) -> None:
    """Access policy and lock."""
    backup = context.client("backup")
    if props.get("AccessPolicy"):
        backup.put_backup_vault_access_policy(BackupVaultName=identity, Policy=text(dict(props["AccessPolicy"])))
    lock = props.get("LockConfiguration")
    if lock:
        days = {name: int(value) for name, value in dict(lock).items()}
        backup.put_backup_vault_lock_configuration(BackupVaultName=identity, **days)


spec(
    "AWS::Backup::LogicallyAirGappedBackupVault",
    "backup",
    "create_logically_air_gapped_backup_vault",
    named("BackupVaultName"),
    recorded=True,
    attributes={"BackupVaultArn": lambda p, _r, c: c.arn("backup", f"backup-vault:{p['BackupVaultName']}")},
)
spec("AWS::Backup::Framework", "backup", "create_framework", made_up("framework-"), recorded=True)
spec("AWS::Backup::ReportPlan", "backup", "create_report_plan", made_up("report-"), recorded=True)
