"""Vaults, plans, selections, budgets."""

from __future__ import annotations

from typing import Any

from rehearsal.checks import Resource, View, described


def _plan(backup: Any, resource: Resource, _view: View) -> Any:
    found = backup.get_backup_plan(BackupPlanId=resource.id)["BackupPlan"]
    rules = [{**rule, "TargetBackupVault": rule["TargetBackupVaultName"]} for rule in found["Rules"]]
    return {"BackupPlan": {**found, "BackupPlanRule": rules}}


def _selection(backup: Any, resource: Resource, _view: View) -> Any:
    plan, number = resource.id.split("|")
    found = backup.get_backup_selection(BackupPlanId=plan, SelectionId=number)
    return {"BackupSelection": found["BackupSelection"], "BackupPlanId": plan}


def _budget(budgets: Any, resource: Resource, _view: View) -> Any:
    return {"Budget": budgets.describe_budget(AccountId=resource.account, BudgetName=resource.id)["Budget"]}


described(
    "AWS::Backup::BackupVault", "backup", lambda backup, r, _v: backup.describe_backup_vault(BackupVaultName=r.id)
)
described("AWS::Backup::BackupPlan", "backup", _plan)
described("AWS::Backup::BackupSelection", "backup", _selection)
described("AWS::Budgets::Budget", "budgets", _budget)
