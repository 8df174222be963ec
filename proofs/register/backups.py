"""Promises about copies: every store has them, young enough, elsewhere, under another key, and they can be restored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache

from assembly.backups import Selection, selections
from proofs.finding import Case, Finding, note, proof
from proofs.model import Node, as_list, truthy
from proofs.register.questions import facts, texts

STORES = ("AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::DynamoDB::Table", "AWS::S3::Bucket")
_RESTORED_AS = {"AWS::RDS::DBCluster": "Aurora", "AWS::DynamoDB::Table": "DynamoDB", "AWS::S3::Bucket": "S3"}


def stores(case: Case) -> Iterator[Node]:
    """What holds data of its own: databases, tables, and buckets that receive no logs and are not copies of a release."""
    known = facts(case)
    evidence = known.evidence_buckets()
    for node in known.model.of(*STORES):
        if node.type == "AWS::RDS::DBInstance" and node.get("DBClusterIdentifier"):
            continue
        if node.type == "AWS::S3::Bucket" and (node in evidence or node.tags.get("palisade:backup") == "archived"):
            continue
        if node.type == "AWS::S3::Bucket" and node.account not in known.stages:
            continue
        yield node


def _covering(case: Case, store: Node) -> list[Selection]:
    return [one for one in _selections(case) if one.covers(store.stack, store.resource)]


@lru_cache(maxsize=2)
def _selections(case: Case) -> list[Selection]:
    try:
        return list(selections(case.assembly))
    except (KeyError, TypeError, AttributeError, ValueError):
        # A plan of another shape than ours: nothing can be said for it.
        return []


@proof("backups.databases-are-kept")
def databases_are_kept(case: Case, finding: Finding) -> None:
    """Every database has automated snapshots, a backup plan, deletion protection, and outlives its stack.

    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/BackupRestoreAurora.html
    """
    for cluster in facts(case).model.of("AWS::RDS::DBCluster"):
        faults = []
        if not _covering(case, cluster):
            faults.append("no backup plan selects it")
        if int(cluster.get("BackupRetentionPeriod", default=1) or 0) < 2:
            faults.append("its automated snapshots are kept for a day at most")
        if not truthy(cluster.get("DeletionProtection")):
            faults.append("deletion protection is off")
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if cluster.resource.definition.get(policy) not in {"Retain", "Snapshot"}:
                faults.append(f"its {policy} loses it with its stack")
        finding.broken += [note(cluster, fault) for fault in faults]
        if not faults:
            days = cluster.get("BackupRetentionPeriod")
            finding.evidence.append(note(cluster, f"snapshots for {days} days, in a backup plan, protected, retained"))


def _copies(selection: Selection) -> dict[str, timedelta]:
    found: dict[str, timedelta] = {}
    for rule in selection.rules:
        for arn in rule.copies:
            if isinstance(arn, str):
                found[arn] = min(found.get(arn, rule.worst_age), rule.worst_age)
    return found


@proof("backups.recovery-point")
def recovery_point(case: Case, finding: Finding) -> None:
    """The newest copy of each store is never older than promised: the longest wait, and the time to start and finish it.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/about-backup-plans.html
    """
    for store in stores(case):
        ages = [age for one in _covering(case, store) for age in _copies(one).values()]
        if not ages:
            finding.broken.append(note(store, "nothing copies it, so that its age has no bound"))
            continue
        worst = max(
            min((age for one in _covering(case, store) for arn, age in _copies(one).items() if arn == vault))
            for vault in {arn for one in _covering(case, store) for arn in _copies(one)}
        )
        if worst > case.terms.rpo:
            finding.broken.append(note(store, f"its copy can be {_hours(worst)} old, over {_hours(case.terms.rpo)}"))
        else:
            finding.evidence.append(note(store, f"its copy is at most {_hours(worst)} old"))


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:g} hours"


@proof("backups.restores-are-tested")
def restores_are_tested(case: Case, finding: Finding) -> None:
    """Every kind of store is restored on a schedule, by a plan over the vault that holds it, and somebody looks at the result.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html
    """
    model = facts(case).model
    for store in stores(case):
        kind = _RESTORED_AS.get(store.type)
        chosen = [
            selection
            for selection in model.of(
                "AWS::Backup::RestoreTestingSelection", account=store.account, region=store.region
            )
            if selection.get("ProtectedResourceType") == kind and "*" in texts(selection.get("ProtectedResourceArns"))
        ]
        plans = [
            plan
            for plan in model.of("AWS::Backup::RestoreTestingPlan", account=store.account, region=store.region)
            if any(plan in model.references(selection) for selection in chosen)
        ]
        if not plans:
            finding.broken.append(note(store, f"no restore test covers {kind or store.type}"))
            continue
        for plan in plans:
            vaults = texts(plan.get("RecoveryPointSelection", "IncludeVaults"))
            if not any(model.find(arn, "AWS::Backup::BackupVault") for arn in vaults) and "*" not in vaults:
                finding.broken.append(note(plan, "it tests no vault of the deployment"))
        finding.evidence.append(note(store, f"restored on {plans[0].get('ScheduleExpression')}"))
    for plan in model.of("AWS::Backup::RestoreTestingPlan"):
        heard = [
            rule
            for rule in model.of("AWS::Events::Rule", account=plan.account, region=plan.region)
            if "aws.backup" in as_list(rule.get("EventPattern", "source"))
            and "Restore" in str(rule.get("EventPattern"))
        ]
        for word, service in (("validates", ":lambda:"), ("tells anybody of a failure of", ":sns:")):
            if any(service in str(target) for rule in heard for target in as_list(rule.get("Targets"))):
                finding.evidence.append(note(plan, f"something {word.replace('anybody', 'somebody')} its restores"))
            else:
                finding.broken.append(note(plan, f"nothing {word} its restores"))
