"""Vaults, plans, selections, budgets."""

from __future__ import annotations

import datetime
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


def _vault(backup: Any, resource: Resource, _view: View) -> Any:
    found = backup.describe_backup_vault(BackupVaultName=resource.id)
    made = dict(found)
    if resource.properties.get("AccessPolicy"):
        made["AccessPolicy"] = backup.get_backup_vault_access_policy(BackupVaultName=resource.id)["Policy"]
    lock = dict(resource.properties.get("LockConfiguration") or {})
    if lock and found.get("Locked"):
        lock.update({name: found.get(name) for name in ("MinRetentionDays", "MaxRetentionDays") if name in lock})
        if "ChangeableForDays" in lock:
            seconds = (found["LockDate"] - datetime.datetime.now(datetime.UTC)).total_seconds()
            lock["ChangeableForDays"] = round(seconds / 86400)
        made["LockConfiguration"] = lock
    return made


def _restore_plan(backup: Any, resource: Resource, _view: View) -> Any:
    return backup.get_restore_testing_plan(RestoreTestingPlanName=resource.id)["RestoreTestingPlan"]


def _restore_selection(backup: Any, resource: Resource, _view: View) -> Any:
    plan, _, name = resource.id.partition("|")
    return backup.get_restore_testing_selection(RestoreTestingPlanName=plan, RestoreTestingSelectionName=name)[
        "RestoreTestingSelection"
    ]


described("AWS::Backup::BackupVault", "backup", _vault)
described("AWS::Backup::RestoreTestingPlan", "backup", _restore_plan)
described("AWS::Backup::RestoreTestingSelection", "backup", _restore_selection)
described("AWS::Backup::BackupPlan", "backup", _plan)
described("AWS::Backup::BackupSelection", "backup", _selection)
described("AWS::Budgets::Budget", "budgets", _budget)
