"""Backup selections, restore tests, reports."""

from __future__ import annotations

from rehearsal.emulator.spec import made_up, named, spec

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
    recorded=True,
    attributes={
        "RestoreTestingPlanArn": lambda p, _r, c: c.arn("backup", f"restore-testing-plan:{p['RestoreTestingPlanName']}")
    },
)
spec(
    "AWS::Backup::RestoreTestingSelection",
    "backup",
    "create_restore_testing_selection",
    lambda p, _r, _c: f"{p['RestoreTestingPlanName']}|{p['RestoreTestingSelectionName']}",
    drop=("RestoreTestingPlanName",),
    wrap="RestoreTestingSelection",
    recorded=True,
    extra=lambda p, _c: {"RestoreTestingPlanName": p["RestoreTestingPlanName"]},
)
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
