"""Backups: every store is selected, copied away and locked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from assembly import Resource
from gate.control import control
from gate.policies import documents
from gate.world import World, as_list, at, truthy

BACKED_UP = frozenset(
    {
        "AWS::S3::Bucket",
        "AWS::DynamoDB::Table",
        "AWS::RDS::DBCluster",
        "AWS::EFS::FileSystem",
        "AWS::Neptune::DBCluster",
        "AWS::DocDB::DBCluster",
        "AWS::EC2::Volume",
    }
)


def tags_of(resource: Resource, world: World) -> dict[str, str]:
    """The tags that the resource will have, those of its stack included."""
    raw = resource.properties.get("Tags") or resource.properties.get("HostedZoneTags") or []
    own = dict(raw) if isinstance(raw, dict) else {tag["Key"]: tag["Value"] for tag in raw}
    return {**world.stack(resource).tags, **{str(name): world.text(value, resource) for name, value in own.items()}}


def _selected(tags: dict[str, str], selection: dict[str, Any]) -> bool:
    by_tag = [
        tags.get(test["ConditionKey"]) == test["ConditionValue"]
        for test in as_list(selection.get("ListOfTags"))
        if test.get("ConditionType") == "STRINGEQUALS"
    ]
    by_condition = [
        tags.get(str(test["ConditionKey"]).removeprefix("aws:ResourceTag/")) == test["ConditionValue"]
        for test in as_list(at(selection, "Conditions", "StringEquals"))
    ]
    return any(by_tag) or (bool(by_condition) and all(by_condition))


@control("backup.plan.every-store", *BACKED_UP)
def selected(store: Resource, world: World) -> Iterator[str]:
    """Every store of a stage is selected by a backup plan of its account, by its tag.

    Fix: tag the store as the plan's selection asks.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html
    """
    if truthy(store.properties.get("ObjectLockEnabled")):
        return  # evidence has a lock and a lifecycle of its own
    selections = [
        selection.properties.get("BackupSelection", {})
        for selection in world.of_type("AWS::Backup::BackupSelection", near=store, same_region=True)
    ]
    if not selections:
        return  # an account without a plan; backup.account.plan judges that
    tags = tags_of(store, world)
    if store.type == "AWS::S3::Bucket" and tags.get("palisade:backup") == "archived":
        return  # copied elsewhere as it is written, says its owner; storage.archive.object-lock judges evidence
    if not any(_selected(tags, selection) or _named(store, selection, world) for selection in selections):
        yield "no backup plan of its account selects it"


def _named(store: Resource, selection: dict[str, Any], world: World) -> bool:
    arn = world.text({"Fn::GetAtt": [store.logical_id, "Arn"]}, store)
    return any(
        world.text(item, store) == arn for item in as_list(selection.get("Resources")) if not isinstance(item, str)
    )


@control("backup.account.plan", "AWS::RDS::DBCluster", "AWS::DynamoDB::Table")
def account_plan(store: Resource, world: World) -> Iterator[str]:
    """An account that holds a database or a table has a backup plan in the same region.

    Fix: add the stage's backup stack.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/about-backup-plans.html
    """
    if not any(True for _ in world.of_type("AWS::Backup::BackupSelection", near=store, same_region=True)):
        yield "no backup plan exists in its account and region"


@control("backup.selection.role", "AWS::Backup::BackupSelection")
def selection_role(selection: Resource, world: World) -> Iterator[str]:
    """A selection chooses something, with a role of this deployment, for a plan that exists.

    Fix: give IamRoleArn, BackupPlanId and tags to choose by.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/iam-service-roles.html
    """
    body = selection.properties.get("BackupSelection", {})
    if not (body.get("ListOfTags") or body.get("Conditions") or body.get("Resources")):
        yield "it selects nothing"
    if world.target(body.get("IamRoleArn"), selection) is None:
        yield "its role is none of this deployment's"
    if world.target(selection.properties.get("BackupPlanId"), selection) is None:
        yield "its plan is none of this deployment's"


@control("backup.plan.rules", "AWS::Backup::BackupPlan")
def plan_rules(plan: Resource, world: World) -> Iterator[str]:
    """A plan backs up at least once a day, keeps it at least 7 days, continuously where offered, and copies it to another
    account.

    Fix: give each rule a schedule and Lifecycle.DeleteAfterDays, one EnableContinuousBackup, and CopyActions.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/creating-a-backup-plan.html
    """
    rules = at(plan.properties, "BackupPlan", "BackupPlanRule", default=[])
    if not rules:
        yield "it has no rule"
        return
    here = world.stack(plan).account
    away = False
    if not any(
        re.fullmatch(r"cron\(\S+ \S+ (\*|\?) \* (\*|\?) \*\)", str(rule.get("ScheduleExpression"))) for rule in rules
    ):
        yield "no rule runs every day"
    for rule in rules:
        name = rule.get("RuleName", "a rule")
        if at(rule, "Lifecycle", "DeleteAfterDays") is None:
            yield f"{name} keeps backups for ever"
        if not rule.get("ScheduleExpression"):
            yield f"{name} has no schedule"
        vault = world.text(rule.get("TargetBackupVault", ""), plan)
        if world.named("AWS::Backup::BackupVault", vault, account=here) is None and "<" not in vault:
            yield f"{name} keeps backups in {vault}, which is no vault of this deployment"
        days = at(rule, "Lifecycle", "DeleteAfterDays")
        if days is not None and int(days) < 7:
            yield f"{name} keeps backups for {days} days only"
        for copy in rule.get("CopyActions", []):
            destination = world.text(copy.get("DestinationBackupVaultArn"), plan)
            account = destination.split(":")[4] if destination.count(":") >= 6 else here
            away = away or account != here
            kept = at(copy, "Lifecycle", "DeleteAfterDays")
            if kept is None:
                yield f"{name} keeps copies for ever"
            if kept is not None and int(kept) < 7:
                yield f"{name} keeps copies for {kept} days only"
    objects = any(
        "s3" in world.text(arn, selection)
        for selection in world.pointing_at(plan, "BackupPlanId", "AWS::Backup::BackupSelection")
        for arn in as_list(at(selection.properties, "BackupSelection", "Resources"))
    )
    # Databases and tables recover to any second by themselves; buckets only by a continuous rule.
    if objects and not any(truthy(rule.get("EnableContinuousBackup")) for rule in rules):
        yield "no rule keeps continuous backups"
    if not away and _another_account_keeps_backups(plan, world):
        yield "no rule copies to another account, so whoever owns this account owns the backups"
    if not list(world.pointing_at(plan, "BackupPlanId", "AWS::Backup::BackupSelection")):
        yield "it selects nothing"


def _another_account_keeps_backups(plan: Resource, world: World) -> bool:
    """Whether the deployment has vaults elsewhere. AWS Backup copies between accounts of one organization only.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html
    """
    account = world.stack(plan).account
    return any(world.stack(vault).account != account for vault in world.of_type("AWS::Backup::BackupVault"))


@control("backup.region.options", "Custom::SetBackupOptions")
def region_options(options: Resource, world: World) -> Iterator[str]:
    """AWS Backup is told to keep every kind of store that a plan of the region chooses.

    Fix: list the kinds in ResourceTypes.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/working-with-other-services.html
    """
    kept = set(as_list(options.properties.get("ResourceTypes")))
    for selection in world.of_type("AWS::Backup::BackupSelection", near=options, same_region=True):
        for arn in as_list(at(selection.properties, "BackupSelection", "Resources")):
            kind = _KINDS.get(world.text(arn, selection).split(":")[2:3][0])
            if kind is not None and kind not in kept:
                yield f"{kind} is not kept, yet {selection.path} chooses it"


_KINDS = {"rds": "Aurora", "dynamodb": "DynamoDB", "s3": "S3", "elasticfilesystem": "EFS"}


@control("backup.plan.copies", "AWS::Backup::BackupPlan")
def plan_copies(plan: Resource, world: World) -> Iterator[str]:
    """Copies go to vaults of this deployment, and to another region as well as another account.

    Fix: copy to the backup account's vaults in home and recovery region.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/cross-region-backup.html
    """
    here = world.stack(plan)
    standard = any(
        test.get("ConditionValue") == "standard"
        for selection in world.pointing_at(plan, "BackupPlanId", "AWS::Backup::BackupSelection")
        for test in as_list(at(selection.properties, "BackupSelection", "Conditions", "StringEquals"))
    )
    longest = max(
        (
            int(at(copy, "Lifecycle", "DeleteAfterDays", default=0))
            for rule in at(plan.properties, "BackupPlan", "BackupPlanRule", default=[])
            for copy in rule.get("CopyActions", [])
        ),
        default=0,
    )
    if standard and longest < 90:
        yield f"copies of ordinary stores reach back {longest} days only"
    for rule in at(plan.properties, "BackupPlan", "BackupPlanRule", default=[]):
        places = [
            world.text(copy.get("DestinationBackupVaultArn"), plan).split(":") for copy in rule.get("CopyActions", [])
        ]
        elsewhere = any(place[3:4] == [here.region] and place[4:5] != [here.account] for place in places)
        if not elsewhere and _another_account_keeps_backups(plan, world):
            yield f"{rule.get('RuleName', 'a rule')} makes no copy in another account of the region"
        if not any(len(place) > 4 and place[3] != here.region for place in places):
            yield f"{rule.get('RuleName', 'a rule')} makes no copy in another region"
    for copy in [
        copy
        for rule in at(plan.properties, "BackupPlan", "BackupPlanRule", default=[])
        for copy in rule.get("CopyActions", [])
    ]:
        if world.target(copy.get("DestinationBackupVaultArn"), plan) is None:
            yield f"{world.text(copy.get('DestinationBackupVaultArn'), plan)} is no vault of this deployment"


@control("backup.vault.lock", "AWS::Backup::BackupVault")
def vault_locked(vault: Resource, world: World) -> Iterator[str]:
    """A vault that keeps copies of other accounts is locked: nobody shortens or deletes what it keeps. One whose own
    account copies it on takes copies back only to restore from them.

    Fix: set LockConfiguration with MinRetentionDays of at least 7, and ChangeableForDays for compliance mode.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html
    """
    lock = vault.properties.get("LockConfiguration")
    receives = any(
        statement.allows and statement.covers("backup:CopyIntoBackupVault")
        for document in documents(vault, world)
        for statement in document.statements
    )
    if lock is None:
        copied_on = any(True for _ in world.of_type("AWS::Backup::BackupPlan", near=vault))
        if receives and not copied_on:
            yield "it receives copies and is not locked"
        return
    if int(lock.get("MinRetentionDays", 0)) < 7:
        yield f"its lock lets backups go after {lock.get('MinRetentionDays', 0)} days"


@control("backup.vault.no-deletion", "AWS::Backup::BackupVault")
def vault_policy(vault: Resource, world: World) -> Iterator[str]:
    """A vault's policy refuses deletion of recovery points, and lets only bounded callers copy into it.

    Fix: give AccessPolicy a Deny of backup:DeleteRecoveryPoint and of changes to the lock, and bound the Allow.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault-access-policy.html
    """
    statements = [statement for document in documents(vault, world) for statement in document.statements]
    for action in ("backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle"):
        if not any(not statement.allows and statement.anyone and statement.covers(action) for statement in statements):
            yield f"nothing refuses {action}"
    for statement in statements:
        abroad = any(value.endswith(":root") for _, value in statement.principals)
        if statement.allows and (statement.anyone or (abroad and not statement.bounded)):
            yield f"{statement} lets everybody call {', '.join(statement.actions)}"
        if statement.allows and any(action in {"*", "backup:*"} for action in statement.actions):
            yield f"{statement} allows every action"


@control("backup.restore.tested", "AWS::Backup::BackupPlan")
def restore_tested(plan: Resource, world: World) -> Iterator[str]:
    """Where backups are made, restores are rehearsed by a schedule.

    Fix: add a RestoreTestingPlan with a RestoreTestingSelection.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html
    """
    if not any(True for _ in world.of_type("AWS::Backup::RestoreTestingPlan", near=plan)):
        yield "no restore-testing plan exists in its account"
    tested = {
        selection.properties.get("ProtectedResourceType")
        for selection in world.of_type("AWS::Backup::RestoreTestingSelection", near=plan)
    }
    for store, name in (
        ("AWS::RDS::DBCluster", "Aurora"),
        ("AWS::DynamoDB::Table", "DynamoDB"),
        ("AWS::S3::Bucket", "S3"),
    ):
        if name not in tested and any(True for _ in world.of_type(store, near=plan, same_region=True)):
            yield f"no restore of {name} is rehearsed in its account"


@control("backup.restore.schedule", "AWS::Backup::RestoreTestingPlan", "AWS::Backup::RestoreTestingSelection")
def restore_schedule(resource: Resource, world: World) -> Iterator[str]:
    """A restore test runs by a schedule, on what the vaults really hold.

    Fix: give ScheduleExpression and RecoveryPointSelection, and in the selection a role and resources or conditions.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html
    """
    if resource.type == "AWS::Backup::RestoreTestingPlan":
        if not resource.properties.get("ScheduleExpression"):
            yield "it has no schedule"
        if not at(resource.properties, "RecoveryPointSelection", "IncludeVaults"):
            yield "it includes no vault"
        return
    if world.target(resource.properties.get("IamRoleArn"), resource) is None:
        yield "its role is none of this deployment's"
    if not resource.properties.get("ProtectedResourceArns") and not resource.properties.get(
        "ProtectedResourceConditions"
    ):
        yield "it tests nothing"


@control("backup.jobs.alerts", "AWS::Backup::BackupPlan")
def job_alerts(plan: Resource, world: World) -> Iterator[str]:
    """Somebody hears when a backup, a copy or a restore fails, or when a vault, a plan or the settings change.

    Fix: add event rules on aws.backup for jobs that fail, and for changes.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html
    """
    patterns = [
        rule.properties.get("EventPattern", {})
        for rule in world.of_type("AWS::Events::Rule", near=plan, same_region=True)
    ]
    for name in (
        "Backup Job State Change",
        "Copy Job State Change",
        "Restore Job State Change",
        "Backup Vault State Change",
        "Backup Plan State Change",
        "Region Setting State Change",
    ):
        job = " Job " in name
        if not any(
            name in at(pattern, "detail-type", default=[]) and (not job or "FAILED" in str(pattern.get("detail")))
            for pattern in patterns
        ):
            yield f"nobody hears of {name.removesuffix(' State Change').lower()} {'failures' if job else 'changes'}"
