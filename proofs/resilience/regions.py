"""The loss of a region: which copy of each store is left, how old it can be, who may bring it back, and how long that takes.

Sources: https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html,
https://docs.aws.amazon.com/aws-backup/latest/devguide/cross-region-backup.html,
https://docs.aws.amazon.com/aws-backup/latest/devguide/restoring-a-backup.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from assembly.backups import longest_gap
from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import Model, Node, Unresolved, as_list, at, truthy
from proofs.model.policies import allows, documents_of

DATA = ("AWS::DocDB::DBCluster", "AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table", "AWS::EC2::Volume",
        "AWS::EFS::FileSystem", "AWS::Neptune::DBCluster", "AWS::RDS::DBCluster", "AWS::RDS::DBInstance",
        "AWS::S3::Bucket")  # fmt: skip
_SERVICE: Mapping[str, str] = {
    "AWS::DocDB::DBCluster": "rds", "AWS::Neptune::DBCluster": "rds", "AWS::RDS::DBCluster": "rds",
    "AWS::RDS::DBInstance": "rds", "AWS::DynamoDB::GlobalTable": "dynamodb", "AWS::DynamoDB::Table": "dynamodb",
    "AWS::S3::Bucket": "s3", "AWS::EFS::FileSystem": "elasticfilesystem", "AWS::EC2::Volume": "ec2",
}  # fmt: skip
_RESTORES: Mapping[str, str] = {
    "rds": "rds:RestoreDBClusterFromSnapshot",
    "dynamodb": "dynamodb:RestoreTableFromAwsBackup",
    "s3": "s3:PutObject",
    "elasticfilesystem": "elasticfilesystem:Restore",
    "ec2": "ec2:CreateVolume",
}

COPY_TIME = timedelta(hours=8)
DEPLOY_TIME = timedelta(hours=2)
COPY_BACK_TIME = timedelta(hours=2)
RESTORE_TIME: Mapping[str, timedelta] = {
    "rds": timedelta(hours=2),
    "dynamodb": timedelta(hours=3),
    "s3": timedelta(hours=3),
    "elasticfilesystem": timedelta(hours=3),
    "ec2": timedelta(hours=1),
}
ASSUMPTIONS = (
    f"A copy to another region is finished within {COPY_TIME} after its backup.",
    f"Deploying a stage in the recovery region takes {DEPLOY_TIME}, copying a recovery point back {COPY_BACK_TIME}, and "
    "restoring a store of at most 100 GB (tables, databases) or a million objects two to three hours; restore tests measure it.",
    "Stores are restored side by side. Queues, secrets and parameters hold nothing that deployment does not make anew.",
)


@dataclass(frozen=True, kw_only=True)
class Copy:
    """Where the copies of one rule go, how old the newest can be, and for how many days each stays."""

    rule: str
    plan: Node
    vault: str
    age: timedelta | None
    """None: the schedule could not be read."""
    days: int | None


def is_evidence(bucket: Node) -> bool:
    """Whether the bucket holds evidence under lock, or hands everything on to one that does: a lifecycle of its own."""
    return bucket.type == "AWS::S3::Bucket" and (
        truthy(bucket.get("ObjectLockEnabled"))
        or bucket.get("ReplicationConfiguration") is not None
        or bucket.tags.get("palisade:backup") == "archived"
    )


def stores(model: Model) -> Iterator[Node]:
    """Every resource that holds data which deployment cannot make anew; a cluster stands for its instances."""
    for node in model.of(*DATA):
        if node.type == "AWS::RDS::DBInstance" and node.get("DBClusterIdentifier") is not None:
            continue
        if not is_evidence(node):
            yield node


def selections_of(model: Model, store: Node) -> list[Node]:
    """The backup selections that choose the store.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html
    """
    return [
        selection
        for selection in model.of("AWS::Backup::BackupSelection", account=store.account, region=store.region)
        if _selects(selection.get("BackupSelection", default={}), store)
    ]


def _selects(body: Any, store: Node) -> bool:
    def named(patterns: Any) -> bool:
        return any(isinstance(item, str) and fnmatchcase(store.arn, item) for item in as_list(patterns))

    conditions = at(body, "Conditions", default={})
    tests: list[bool] = []
    for operator, agree in (
        ("StringEquals", True),
        ("StringNotEquals", False),
        ("StringLike", True),
        ("StringNotLike", False),
    ):
        for item in as_list(at(conditions, operator)):
            value = store.tags.get(str(at(item, "ConditionKey")).removeprefix("aws:ResourceTag/"))
            tests.append((value is not None and fnmatchcase(value, str(at(item, "ConditionValue")))) is agree)
    by_tag = any(
        store.tags.get(str(at(item, "ConditionKey"))) == at(item, "ConditionValue")
        for item in as_list(at(body, "ListOfTags"))
    )
    if named(at(body, "NotResources")) or not all(tests):
        return False
    resources = at(body, "Resources")
    return by_tag or (named(resources) if resources is not None else bool(tests))


def copies_of(model: Model, store: Node) -> Iterator[Copy]:
    """Every copy that the plans of the store make."""
    for selection in selections_of(model, store):
        plan = model.find(selection.get("BackupPlanId"), "AWS::Backup::BackupPlan")
        for rule in as_list(plan.get("BackupPlan", "BackupPlanRule")) if plan else []:
            for action in as_list(at(rule, "CopyActions")):
                if plan is not None:
                    yield Copy(
                        rule=str(at(rule, "RuleName")),
                        plan=plan,
                        vault=str(at(action, "DestinationBackupVaultArn")),
                        age=worst_age(rule),
                        days=at(action, "Lifecycle", "DeleteAfterDays"),
                    )


def worst_age(rule: Any) -> timedelta | None:
    """How old the newest finished backup of a rule can get; None if its schedule cannot be read.

    Without windows AWS Backup takes eight hours to start and seven days to finish.
    """
    schedule = at(rule, "ScheduleExpression")
    if isinstance(schedule, Unresolved) or schedule is None:
        return None
    rate = str(schedule).removeprefix("rate(").removesuffix(")").split()
    units = {"hour": 60, "hours": 60, "day": 1440, "days": 1440, "minute": 1, "minutes": 1}
    try:
        gap = (
            timedelta(minutes=int(rate[0]) * units[rate[1]])
            if str(schedule).startswith("rate(")
            else longest_gap(str(schedule))
        )
        start = timedelta(minutes=int(at(rule, "StartWindowMinutes", default=480)))
        return gap + start + timedelta(minutes=int(at(rule, "CompletionWindowMinutes", default=10080)))
    except (ValueError, KeyError, IndexError, TypeError):
        return None


@proof("resilience.region-loss")
def region_loss(case: Case, finding: Finding) -> None:
    """After the loss of its region every store has a copy in another region of the residency area, no older than the RPO at
    worst, in a vault whose key is there, and a role that may restore it there.
    """
    restorers: dict[tuple[str, str], bool] = {}
    for store in stores(case.model):
        copies = list(copies_of(case.model, store))
        away = [copy for copy in copies if _region(copy.vault) not in {store.region, ""}]
        if not copies:
            chosen = selections_of(case.model, store)
            text = "is copied nowhere by its plan" if chosen else "is in no backup plan"
            finding.broken.append(note(store, f"{text}: nothing of it is left without {store.region}"))
            continue
        if not away:
            finding.broken.append(note(copies[0].plan, f"copies {store.path} nowhere outside {store.region}"))
            continue
        best = min(away, key=lambda copy: copy.age or timedelta.max)
        for copy in away:
            if case.terms.residency and _region(copy.vault) not in case.terms.residency:
                finding.broken.append(
                    note(copy.plan, f"copies {store.path} to {_region(copy.vault)}, outside the residency area")
                )
        if best.age is None:
            finding.missing.append(note(best.plan, f"the schedule of {best.rule} cannot be read"))
            continue
        age = best.age + COPY_TIME
        if age > case.terms.rpo:
            finding.broken.append(
                note(
                    best.plan,
                    f"the newest copy of {store.path} in {_region(best.vault)} can be {age} old; promised {case.terms.rpo}",
                )
            )
            continue
        if not _restorable(case, finding, store, best, restorers):
            continue
        finding.evidence.append(
            note(store, f"a copy at most {age} old in {best.vault} ({best.rule}), for {best.days} days, with its key")
        )
    finding.assumptions += ASSUMPTIONS[:1] + ASSUMPTIONS[2:]


def _region(arn: str) -> str:
    parts = arn.split(":")
    return parts[3] if len(parts) > 6 else ""


def _restorable(case: Case, finding: Finding, store: Node, copy: Copy, restorers: dict[tuple[str, str], bool]) -> bool:
    vault = case.model.find(copy.vault, "AWS::Backup::BackupVault")
    if vault is None:
        finding.broken.append(note(copy.plan, f"copies {store.path} to {copy.vault}, which is in no template"))
        return False
    key = case.model.find(vault.get("EncryptionKeyArn"), "AWS::KMS::Key", "AWS::KMS::ReplicaKey")
    if key is None:
        finding.broken.append(note(vault, "is encrypted by no key of these templates"))
        return False
    if (key.account, key.region) != (vault.account, vault.region):
        finding.broken.append(note(vault, f"needs {key.path} in {key.account} {key.region} to be opened"))
        return False
    if truthy(key.get("Enabled", default=True)) is False:
        finding.broken.append(note(key, f"is disabled; {vault.path} cannot be opened"))
        return False
    service = _SERVICE[store.type]
    place = (service, vault.region)
    if place not in restorers:
        restorers[place] = any(_may_restore(case.model, role, *place) for role in case.model.of("AWS::IAM::Role"))
    if not restorers[place]:
        finding.missing.append(
            Note(
                vault.path,
                f"no role may restore {service} in {vault.region} until a stage is deployed there",
                vault.type,
            )
        )
    return True


def _may_restore(model: Model, role: Node, service: str, region: str) -> bool:
    trusts = allows(as_list(role.get("AssumeRolePolicyDocument")), "sts:AssumeRole", None)
    principals = str(role.get("AssumeRolePolicyDocument"))
    if not trusts or "backup.amazonaws.com" not in principals:
        return False
    if any("AWSBackupServiceRolePolicyForRestores" in str(arn) for arn in as_list(role.get("ManagedPolicyArns"))):
        return True
    place = ":::" if service == "s3" else f":{region}:{role.account}:"
    documents = documents_of(model, role)
    return any(
        fnmatchcase(f"arn:aws:{service}{place}", _prefix(resource))
        for resource in allows(documents, _RESTORES[service], None)
        if "awsbackup-restore-test-" not in resource
    )


def _prefix(resource: str) -> str:
    """The service, region and account of an ARN pattern."""
    if resource == "*":
        return "*"
    return ":".join(resource.split(":")[:5]) + ":"


@proof("resilience.recovery-time")
def recovery_time(case: Case, finding: Finding) -> None:
    """Every store is back in another region within the recovery time objective, by a model whose assumptions are stated."""
    for store in stores(case.model):
        away = [copy for copy in copies_of(case.model, store) if _region(copy.vault) not in {store.region, ""}]
        if not away:
            finding.broken.append(note(store, "no copy in another region to recover from"))
            continue
        total = DEPLOY_TIME + COPY_BACK_TIME + RESTORE_TIME[_SERVICE[store.type]]
        if total > case.terms.rto:
            finding.broken.append(note(store, f"back after {total}; promised {case.terms.rto}"))
        else:
            finding.evidence.append(note(store, f"back after {total}: deploy, copy back, restore"))
    finding.assumptions += ASSUMPTIONS[1:]


@proof("resilience.recovery-points")
def recovery_points(case: Case, finding: Finding) -> None:
    """Every database, table and bucket can be rolled back to any second of its last days.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/point-in-time-recovery.html
    """
    for store in stores(case.model):
        if store.type.endswith("DBCluster") or store.type == "AWS::RDS::DBInstance":
            days = store.get("BackupRetentionPeriod", default=1)
            good = isinstance(days, int) and days >= _promised(case, store)
            text = f"any second of the last {days} days"
        elif store.type.startswith("AWS::DynamoDB::"):
            specification = store.get("PointInTimeRecoverySpecification", default={})
            days = at(specification, "RecoveryPeriodInDays", default=35)
            enabled = truthy(at(specification, "PointInTimeRecoveryEnabled"))
            good = enabled and isinstance(days, int) and days >= _promised(case, store)
            text = f"any second of the last {days if enabled else 0} days"
        elif store.type == "AWS::S3::Bucket":
            rules = [
                rule
                for selection in selections_of(case.model, store)
                for rule in as_list(_plan_rules(case.model, selection))
                if truthy(at(rule, "EnableContinuousBackup"))
            ]
            good = bool(rules) and store.get("VersioningConfiguration", "Status") == "Enabled"
            text = f"any second of the last {at(rules[0], 'Lifecycle', 'DeleteAfterDays')} days" if rules else ""
        else:
            continue
        if good:
            finding.evidence.append(note(store, text))
        else:
            finding.broken.append(
                note(store, f"cannot be rolled back {_promised(case, store)} days ({text or 'not at all'})")
            )


def _promised(case: Case, store: Node) -> int:
    documents = store.tags.get("palisade:backup") == "documents"
    return case.terms.documents_rollback_days if documents else case.terms.rollback_days


def _plan_rules(model: Model, selection: Node) -> Any:
    plan = model.find(selection.get("BackupPlanId"), "AWS::Backup::BackupPlan")
    return None if plan is None else plan.get("BackupPlan", "BackupPlanRule")


@proof("resilience.evidence-elsewhere")
def evidence_elsewhere(case: Case, finding: Finding) -> None:
    """Locked evidence is in another account than what it tells of, and outlives the loss of its region.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html
    """
    holders = {store.account: store for store in stores(case.model)}
    for bucket in case.model.of("AWS::S3::Bucket"):
        if not truthy(bucket.get("ObjectLockEnabled")):
            continue
        if bucket.account in holders:
            finding.broken.append(
                note(bucket, f"is in the account of {holders[bucket.account].path}, whose deeds it tells")
            )
            continue
        regions = {
            target.region
            for rule in as_list(bucket.get("ReplicationConfiguration", "Rules"))
            if (target := case.model.find(at(rule, "Destination", "Bucket"), "AWS::S3::Bucket")) is not None
        } - {bucket.region}
        if regions:
            finding.evidence.append(note(bucket, f"in an account of its own, and in {', '.join(sorted(regions))}"))
        else:
            finding.missing.append(note(bucket, f"in an account of its own, but in {bucket.region} alone"))
