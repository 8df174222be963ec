"""What is promised about ends: of documents, of logs, of evidence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from proofs.finding import Case, Finding, note, proof
from proofs.model import Model, Node, as_list, at, truthy
from proofs.resilience.regions import selections_of
from proofs.retention.clock import FOR_EVER, LIFECYCLE_LAG, Lifecycle, life_of_item, life_of_object

PERSONAL = "documents"
"""The backup tag of stores that hold what is promised to end."""


def _documents(model: Model) -> Iterator[Node]:
    for node in model.of("AWS::S3::Bucket", "AWS::DynamoDB::Table"):
        if node.tags.get("palisade:backup") == PERSONAL or node.tags.get("data-class") == PERSONAL:
            yield node


def backup_days(model: Model, store: Node) -> int:
    """For how many days the longest-kept backup of the store stays, copies and continuous ones included."""
    longest = 0
    for selection in selections_of(model, store):
        plan = model.find(selection.get("BackupPlanId"), "AWS::Backup::BackupPlan")
        for rule in as_list(plan.get("BackupPlan", "BackupPlanRule")) if plan else []:
            for lifecycle in (
                at(rule, "Lifecycle"),
                *(at(copy, "Lifecycle") for copy in as_list(at(rule, "CopyActions"))),
            ):
                days = at(lifecycle, "DeleteAfterDays")
                longest = max(longest, days if isinstance(days, int) else FOR_EVER)
    return longest


def _lifetime(model: Model, table: Node) -> int | None:
    """For how many days its writers keep an item, by the setting that they are deployed with; None if one has none."""
    writers = model.referrers(table, "AWS::Lambda::Function")
    found = [
        int(value)
        for writer in writers
        if str(value := writer.get("Environment", "Variables", "RETENTION_DAYS", default="")).isdigit()
    ]
    return max(found, default=None)


@proof("retention.documents-end")
def documents_end(case: Case, finding: Finding) -> None:
    """Nothing is left of a document when its time is over: no version, no item, no recovery point, no copy.

    The clock runs for a document that is never touched and for one deleted on request on its first day.
    """
    promised = case.terms.data_days
    for store in _documents(case.model):
        backups = backup_days(case.model, store)
        if store.type == "AWS::S3::Bucket":
            lives = [life_of_object(store, backups), life_of_object(store, backups, deleted_on=1)]
            if Lifecycle.of(store).aborts is None:
                finding.broken.append(note(store, "keeps unfinished uploads for ever"))
        else:
            lives = [life_of_item(store, backups, _lifetime(case.model, store))]
        worst = max(lives, key=lambda life: life.last_day)
        if worst.last_day > promised:
            finding.broken.append(note(store, f"promised gone on day {promised}: {worst}"))
        else:
            finding.evidence.append(note(store, f"gone on day {worst.last_day}: {worst}"))
    finding.assumptions += [
        f"Expiry takes effect within {LIFECYCLE_LAG} days, deletion of expired items too.",
        "Functions that write items set the expiry that their RETENTION_DAYS says; their own tests show it.",
    ]


@proof("retention.logs-end")
def logs_end(case: Case, finding: Finding) -> None:
    """Every log group ends its events on the day that its class of log is promised to, and on no other.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html
    """
    promised = {case.terms.log_days, case.terms.audit_log_days, case.terms.network_log_days}
    for group in case.model.of("AWS::Logs::LogGroup"):
        days = group.get("RetentionInDays")
        wanted = _class_of_log(case, group)
        if not isinstance(days, int):
            finding.broken.append(note(group, "keeps its events for ever"))
        elif wanted is not None and days != wanted:
            finding.broken.append(note(group, f"keeps its events for {days} days; promised {wanted}"))
        elif days not in promised:
            finding.broken.append(note(group, f"keeps its events for {days} days; promised {sorted(promised)}"))
        else:
            finding.evidence.append(note(group, f"{days} days"))


def _class_of_log(case: Case, group: Node) -> int | None:
    """The days promised to logs of what writes into the group: functions and APIs server logs, databases audit logs."""
    if group.name.startswith("/aws/rds/"):
        return case.terms.audit_log_days
    for writer in case.model.referrers(group, "AWS::Lambda::Function", "AWS::ApiGateway::Stage"):
        subnets = as_list(writer.get("VpcConfig", "SubnetIds"))
        if writer.type == "AWS::ApiGateway::Stage" or subnets:
            return case.terms.log_days
    return None


@proof("retention.evidence-stays")
def evidence_stays(case: Case, finding: Finding) -> None:
    """Evidence is locked for as long as promised, ends after that, and nothing ends it sooner.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
    """
    receiving = _receiving(case.model)
    for bucket in case.model.of("AWS::S3::Bucket"):
        if truthy(bucket.get("ObjectLockEnabled")):
            faults = list(_faults_of_lock(bucket, sorted(case.terms.evidence_days)))
            found = f"locked {_locked_days(bucket)} days, gone after {Lifecycle.of(bucket).expires}"
        elif bucket.get("ReplicationConfiguration") is not None:
            faults = list(_faults_of_landing(bucket))
            found = f"hands everything on, gone after {Lifecycle.of(bucket).expires}"
        elif bucket in receiving:
            faults, found = ([f"is not locked, though {receiving[bucket].path} sends evidence there"], "")
        else:
            continue
        finding.broken.extend(note(bucket, fault) for fault in faults)
        if not faults:
            finding.evidence.append(note(bucket, found))


def _receiving(model: Model) -> dict[Node, Node]:
    """Buckets where trails and landing buckets send what they have, by sender."""
    found: dict[Node, Node] = {}
    for trail in model.of("AWS::CloudTrail::Trail"):
        bucket = model.find(trail.get("S3BucketName"), "AWS::S3::Bucket", near=trail)
        if bucket is not None:
            found[bucket] = trail
    for landing in model.of("AWS::S3::Bucket"):
        for rule in as_list(landing.get("ReplicationConfiguration", "Rules")):
            bucket = model.find(at(rule, "Destination", "Bucket"), "AWS::S3::Bucket")
            if bucket is not None and landing.tags.get("palisade:backup") == "archived":
                found[bucket] = landing
    return found


def _locked_days(bucket: Node) -> Any:
    retention = bucket.get("ObjectLockConfiguration", "Rule", "DefaultRetention", default={})
    years = at(retention, "Years")
    return at(retention, "Days", default=365 * years if isinstance(years, int) else 0)


def _faults_of_lock(bucket: Node, promised: list[int]) -> Iterator[str]:
    days, rules = _locked_days(bucket), Lifecycle.of(bucket)
    mode = bucket.get("ObjectLockConfiguration", "Rule", "DefaultRetention", "Mode")
    if days not in promised:
        yield f"locks for {days} days; promised {' or '.join(map(str, promised))}"
    if (
        mode not in {"COMPLIANCE", "GOVERNANCE"}
        or bucket.get("ObjectLockConfiguration", "ObjectLockEnabled") != "Enabled"
    ):
        yield f"does not lock what arrives (mode {mode})"
    if bucket.get("VersioningConfiguration", "Status") != "Enabled":
        yield "keeps no versions, which a lock needs"
    if rules.expires is None:
        yield "keeps its objects for ever"
    elif isinstance(days, int) and rules.expires < days:
        yield f"hides its objects on day {rules.expires}, before their lock ends on day {days}"


def _faults_of_landing(bucket: Node) -> Iterator[str]:
    rules = as_list(bucket.get("ReplicationConfiguration", "Rules"))
    if not any(at(rule, "Status") == "Enabled" for rule in rules):
        yield "hands nothing on to the archive: its replication is off"
    own = bucket.get(
        "BucketEncryption", "ServerSideEncryptionConfiguration", 0, "ServerSideEncryptionByDefault", default={}
    )
    if at(own, "SSEAlgorithm") == "aws:kms" and not any(
        at(rule, "SourceSelectionCriteria", "SseKmsEncryptedObjects", "Status") == "Enabled" for rule in rules
    ):
        yield "hands nothing on to the archive: replication leaves encrypted objects out"
    if Lifecycle.of(bucket).expires is None:
        yield "keeps its objects for ever"


@proof("retention.no-conflict")
def no_conflict(case: Case, finding: Finding) -> None:
    """What must end and what must stay do not meet in one place: no lock outlives a promised deletion, no plan breaks a lock.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html
    """
    for store in _documents(case.model):
        if truthy(store.get("ObjectLockEnabled")):
            finding.broken.append(note(store, "is locked and promised to end"))
        else:
            finding.evidence.append(note(store, "is not locked"))
    for plan in case.model.of("AWS::Backup::BackupPlan"):
        for rule in as_list(plan.get("BackupPlan", "BackupPlanRule")):
            places = [(at(rule, "TargetBackupVault"), at(rule, "Lifecycle"))] + [
                (at(copy, "DestinationBackupVaultArn"), at(copy, "Lifecycle"))
                for copy in as_list(at(rule, "CopyActions"))
            ]
            for name, lifecycle in places:
                vault = case.model.find(name, "AWS::Backup::BackupVault", near=plan)
                lock = {} if vault is None else vault.get("LockConfiguration", default={})
                days = at(lifecycle, "DeleteAfterDays")
                low, high = (at(lock, "MinRetentionDays", default=0), at(lock, "MaxRetentionDays", default=FOR_EVER))
                if vault is None or not isinstance(days, int):
                    continue
                if low <= days <= high:
                    finding.evidence.append(note(plan, f"{at(rule, 'RuleName')}: {days} days fit {vault.path}"))
                else:
                    text = (
                        f"{at(rule, 'RuleName')} keeps {days} days; {vault.path} takes {low} to {high}: its jobs fail"
                    )
                    finding.broken.append(note(plan, text))
