"""Backups: every store, often enough, out of reach, inside the residency area, gone in time, and proven to come back."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from palisade.storage import BACKUP_TAG, BackupClass

from assembly import Assembly, Resource, Stack
from assembly.backups import STORES, Selection, selections, tags_of
from stacks.names import Names
from stacks.settings import DELETION_LAG_DAYS, RESIDENCY_AREAS, LockMode
from tests.fixture_deployment import FIXTURE

RECOVERY_POINT_OBJECTIVE = timedelta(hours=24)
TIME_TO_COPY = timedelta(hours=8)
NAMES = Names(FIXTURE)


def _stage_stores(assembly: Assembly) -> list[tuple[Stack, Resource]]:
    """Every store of every stage account that is not a log bucket on its way to the archive or a cluster's instance."""
    accounts = {stage.account for stage in FIXTURE.stages}
    return [
        (stack, store)
        for stack, store in assembly.resources(*STORES)
        if stack.account in accounts
        and "ReplicationConfiguration" not in store.properties
        and "DBClusterIdentifier" not in (store.properties if store.type == "AWS::RDS::DBInstance" else {})
        and tags_of(store).get(BACKUP_TAG) != BackupClass.ARCHIVED.value
    ]


@pytest.fixture(scope="module")
def every_selection(assembly: Assembly) -> list[Selection]:
    return list(selections(assembly))


def test_every_store_is_in_exactly_one_plan(assembly: Assembly, every_selection: list[Selection]) -> None:
    stores = _stage_stores(assembly)
    assert len(stores) >= len(FIXTURE.stages), "no store was found"
    for stack, store in stores:
        covering = [selection.path for selection in every_selection if selection.covers(stack, store)]
        assert len(covering) == 1, f"{store}: selected by {covering or 'no plan'}; give it one {BACKUP_TAG} tag"


def test_the_newest_copy_is_never_older_than_a_day(assembly: Assembly, every_selection: list[Selection]) -> None:
    for stack, store in _stage_stores(assembly):
        (selection,) = (selection for selection in every_selection if selection.covers(stack, store))
        for vault in _vaults(stack.account):
            ages = [rule.worst_age for rule in selection.rules if vault in rule.copies]
            assert ages, f"{store}: never copied to {vault}"
            assert min(ages) + TIME_TO_COPY <= RECOVERY_POINT_OBJECTIVE, f"{store}: {min(ages)} to {vault}"


def test_copies_leave_the_account_and_the_region(every_selection: list[Selection]) -> None:
    for selection in every_selection:
        for rule in selection.rules:
            assert set(rule.copies) == _vaults(selection.stack.account), f"{selection.path}: {rule.name}"


def _vaults(account: str) -> set[str]:
    (stage,) = (stage for stage in FIXTURE.stages if stage.account == account)
    return {
        NAMES.backup_vault_arn(stage.name, FIXTURE.accounts.backup, region.name)
        for region in (FIXTURE.home, FIXTURE.recovery)
    }


def test_copies_stay_in_the_residency_area(every_selection: list[Selection]) -> None:
    regions = {
        vault.split(":")[3] for selection in every_selection for rule in selection.rules for vault in rule.copies
    }
    assert regions <= RESIDENCY_AREAS[FIXTURE.residency]


def test_every_vault_that_receives_copies_exists_and_admits_its_stage(
    assembly: Assembly, every_selection: list[Selection]
) -> None:
    vaults = {
        f"arn:aws:backup:{stack.region}:{stack.account}:backup-vault:{vault.properties['BackupVaultName']}": vault
        for stack, vault in assembly.resources("AWS::Backup::BackupVault")
    }
    for selection in every_selection:
        for rule in selection.rules:
            for arn in rule.copies:
                (admission,) = (
                    statement
                    for statement in vaults[arn].properties["AccessPolicy"]["Statement"]
                    if statement["Effect"] == "Allow"
                )
                assert admission["Action"] == "backup:CopyIntoBackupVault"
                assert admission["Principal"] == {"AWS": f"arn:aws:iam::{selection.stack.account}:root"}
                assert admission["Condition"]["StringEquals"]["aws:PrincipalOrgID"] == "o-fixture1234"


def test_nobody_deletes_a_recovery_point_by_hand(assembly: Assembly) -> None:
    for _, vault in assembly.resources("AWS::Backup::BackupVault"):
        denied = [s for s in vault.properties["AccessPolicy"]["Statement"] if s["Effect"] == "Deny"]
        assert any(
            "backup:DeleteRecoveryPoint" in s["Action"] and s["Principal"] == {"AWS": "*"} and "Condition" not in s
            for s in denied
        ), vault


def test_copies_are_locked_for_as_long_as_they_are_kept(assembly: Assembly, every_selection: list[Selection]) -> None:
    kept = [days for selection in every_selection for rule in selection.rules for days in rule.copies.values()]
    locked = 0
    for stack, vault in assembly.resources("AWS::Backup::BackupVault"):
        if stack.account != FIXTURE.accounts.backup:
            continue
        locked += 1
        lock = vault.properties["LockConfiguration"]
        assert lock["MinRetentionDays"] <= min(kept), vault
        assert lock["MaxRetentionDays"] >= max(kept), vault
        (stage,) = (s for s in FIXTURE.stages if NAMES.backup_vault(s.name) == vault.properties["BackupVaultName"])
        assert ("ChangeableForDays" in lock) == (stage.lock_mode is LockMode.COMPLIANCE), vault
    assert locked == 2 * len(FIXTURE.stages)


def test_vaults_and_their_keys_outlive_their_stacks(assembly: Assembly) -> None:
    for stack, vault in assembly.resources("AWS::Backup::BackupVault"):
        assert vault.definition["DeletionPolicy"] == vault.definition["UpdateReplacePolicy"] == "Retain"
        assert stack.termination_protection


def test_backups_of_documents_are_gone_when_documents_are_promised_to_be(
    assembly: Assembly, every_selection: list[Selection]
) -> None:
    promised = FIXTURE.retention.documents_days
    plans = [s for s in every_selection if s.tags.get(BACKUP_TAG) == BackupClass.DOCUMENTS.value]
    assert plans
    longest = max(days for plan in plans for rule in plan.rules for days in (rule.days, *rule.copies.values()))
    assert FIXTURE.retention.document_live_days + DELETION_LAG_DAYS + longest <= promised
    for _, store in _stage_stores(assembly):
        if tags_of(store).get(BACKUP_TAG) != BackupClass.DOCUMENTS.value:
            continue
        if store.type == "AWS::S3::Bucket":
            rules = store.properties["LifecycleConfiguration"]["Rules"]
            live = max(rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule)
            old = max(
                r["NoncurrentVersionExpiration"]["NoncurrentDays"] for r in rules if "NoncurrentVersionExpiration" in r
            )
            # Lifecycle rounds each of the two up to the next midnight.
            assert live + 1 + old + 1 + longest <= promised, store
        else:
            recovery = store.properties["PointInTimeRecoverySpecification"]["RecoveryPeriodInDays"]
            assert FIXTURE.retention.document_live_days + DELETION_LAG_DAYS + recovery <= promised, store


def test_what_can_recover_to_any_second_does(assembly: Assembly, every_selection: list[Selection]) -> None:
    for stack, store in _stage_stores(assembly):
        (selection,) = (selection for selection in every_selection if selection.covers(stack, store))
        if store.type == "AWS::S3::Bucket":
            assert any(rule.continuous for rule in selection.rules), store
            assert store.properties["VersioningConfiguration"]["Status"] == "Enabled", store
            events = store.properties["NotificationConfiguration"]["EventBridgeConfiguration"]
            assert events["EventBridgeEnabled"] is True, store
        elif store.type == "AWS::DynamoDB::Table":
            assert store.properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True, store
        else:
            assert store.properties["BackupRetentionPeriod"] > 1, store


def test_continuous_backups_are_kept_no_longer_than_the_service_allows(every_selection: list[Selection]) -> None:
    for selection in every_selection:
        assert all(rule.days <= 35 for rule in selection.rules if rule.continuous), selection.path


def test_keys_of_copies_are_administered_by_the_backup_account_alone(assembly: Assembly) -> None:
    keys = [
        key
        for stack, key in assembly.resources("AWS::KMS::Key")
        if stack.name.startswith("backup-") and not stack.name.startswith("backup-account")
    ]
    assert len(keys) == 2 * len(FIXTURE.stages)
    for key in keys:
        for statement in key.properties["KeyPolicy"]["Statement"]:
            principal = statement["Principal"].get("AWS", "")
            if statement["Effect"] == "Allow" and FIXTURE.accounts.backup not in principal:
                roles = statement["Condition"]["ArnEquals"]["aws:PrincipalArn"]
                assert all("AWSServiceRoleForBackup" in role or ":role/acme-backup-" in role for role in roles), (
                    statement
                )


def test_every_kind_of_store_is_restored_on_a_schedule(assembly: Assembly) -> None:
    of_type = {"AWS::RDS::DBCluster": "Aurora", "AWS::DynamoDB::Table": "DynamoDB", "AWS::S3::Bucket": "S3"}
    for stage in FIXTURE.stages:
        stack = assembly[f"{stage.name}-backup"]
        tested = {
            resource.properties["ProtectedResourceType"]
            for resource in stack.resources.values()
            if resource.type == "AWS::Backup::RestoreTestingSelection"
            and resource.properties["ProtectedResourceArns"] == ["*"]
        }
        present = {of_type[store.type] for owner, store in _stage_stores(assembly) if owner.account == stage.account}
        assert present <= tested


@pytest.mark.parametrize("kind", ["AWS::Backup::BackupSelection", "AWS::Backup::RestoreTestingSelection"])
def test_selections_wait_for_the_rights_that_the_service_tries(assembly: Assembly, kind: str) -> None:
    found = list(assembly.resources(kind))
    assert found
    for stack, selection in found:
        waited_for = {stack.resources[logical_id].type for logical_id in _listed(selection.definition["DependsOn"])}
        assert {"AWS::IAM::ManagedPolicy", "AWS::IAM::Role"} <= waited_for, selection


def test_failed_jobs_reach_the_alarm_topic(assembly: Assembly) -> None:
    for stage in FIXTURE.stages:
        rules = [r for r in assembly[f"{stage.name}-backup"].resources.values() if r.type == "AWS::Events::Rule"]
        watched = {kind for rule in rules for kind in rule.properties["EventPattern"]["detail-type"]}
        assert {"Backup Job State Change", "Copy Job State Change", "Restore Job State Change"} <= watched
        for rule in rules:
            assert all("DeadLetterConfig" in target for target in rule.properties["Targets"]), rule


def test_a_store_that_lost_its_tag_or_belongs_to_another_account_is_noticed(
    assembly: Assembly, every_selection: list[Selection]
) -> None:
    stack, store = _stage_stores(assembly)[0]
    untagged = dataclasses.replace(store, properties={**store.properties, "Tags": []})
    elsewhere = dataclasses.replace(stack, account=FIXTURE.accounts.security)
    assert any(selection.covers(stack, store) for selection in every_selection)
    assert not any(selection.covers(stack, untagged) for selection in every_selection)
    assert not any(selection.covers(elsewhere, store) for selection in every_selection)


def test_a_daily_schedule_would_not_meet_the_objective(every_selection: list[Selection]) -> None:
    rule = dataclasses.replace(every_selection[0].rules[0], schedule="cron(0 5 * * ? *)")
    assert rule.worst_age + TIME_TO_COPY > RECOVERY_POINT_OBJECTIVE


def test_table_backups_are_fully_managed_before_they_are_copied(assembly: Assembly) -> None:
    options = list(assembly.resources("Custom::SetBackupOptions"))
    assert {stack.account for stack, _ in options} == {stage.account for stage in FIXTURE.stages}
    for _, option in options:
        assert option.properties["FullyManaged"] == ["DynamoDB"]
        assert set(option.properties["ResourceTypes"]) == {"Aurora", "DynamoDB", "S3"}


def _statements(assembly: Assembly, *path: str) -> list[dict[str, Any]]:
    found = [
        statement
        for _, policy in assembly.resources("AWS::IAM::ManagedPolicy")
        if policy.path.split("/")[1:-2] == list(path)
        for statement in policy.properties["PolicyDocument"]["Statement"]
    ]
    assert found, f"no policy at {path}"
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_the_restore_role_writes_and_deletes_under_test_names_only(assembly: Assembly) -> None:
    harmless = ("Describe", "List", "Get")
    for statement in _statements(assembly, "RestoreTesting", "Restore", "Role"):
        for action in _listed(statement["Action"]):
            service, _, verb = action.partition(":")
            if service == "kms" or verb.startswith(harmless):
                continue
            for resource in _listed(statement["Resource"]):
                reads_from = (":cluster-snapshot:awsbackup:", ":cluster-pg:", ":og:", ":subgrp:")
                assert "awsbackup-restore-test-" in resource or (
                    action == "rds:RestoreDBClusterFromSnapshot" and any(part in resource for part in reads_from)
                ), f"{action} on {resource}"


def test_the_backup_role_deletes_neither_stores_nor_recovery_points(assembly: Assembly) -> None:
    deleting = {
        action
        for statement in _statements(assembly, "Backups", "Role")
        for action in _listed(statement["Action"])
        if "Delete" in action or action.endswith(("PutObject", "PutItem"))
    }
    # Its own snapshots on the way to a copy, and the rule by which it follows a bucket.
    assert deleting == {"rds:DeleteDBClusterSnapshot", "events:DeleteRule"}
