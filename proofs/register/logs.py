"""Promises about records: every access, every request, out of reach of those whom they are about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import Node, as_list, at, truthy
from proofs.register.questions import Facts, facts, texts

TAMPERING = (
    "s3:GetObject",
    "s3:PutObject",
    "s3:GetObjectVersion",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:PutBucketPolicy",
    "s3:DeleteBucketPolicy",
    "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration",
    "s3:PutEncryptionConfiguration",
    "s3:PutObjectRetention",
    "s3:BypassGovernanceRetention",
    "s3:DeleteBucket",
)
"""What reads, changes or removes evidence, or the bucket's care for it."""


@proof("logs.flow-logs-are-out-of-reach")
def flow_logs_are_out_of_reach(case: Case, finding: Finding) -> None:
    """Flow logs go to another account, are locked there, and no administrator of a workload account reads or changes them.

    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html
    """
    known = facts(case)
    workloads = known.stages
    for arrow, refused in known.deliveries("flow log to"):
        bucket = arrow.receiver
        if bucket is None or bucket.type != "AWS::S3::Bucket" or refused is not None:
            where = refused.where if refused else arrow.sender
            finding.broken.append(note(where, f"{arrow} does not arrive: {refused.text if refused else 'no bucket'}"))
            continue
        if bucket.account in workloads:
            finding.broken.append(note(arrow.sender, f"its log stays in a workload account: {bucket.path}"))
            continue
        kept = known.replicas.get(bucket, bucket)
        for place in dict.fromkeys((bucket, kept)):
            _out_of_reach(known, place, workloads, finding)
        if kept.get("ObjectLockConfiguration", "Rule", "DefaultRetention", "Mode") is None:
            finding.broken.append(note(kept, "its objects are not locked"))
        else:
            finding.evidence.append(note(kept, f"flow logs of {arrow.sender.path} end here, locked"))
    logged = {str(arrow.sender.get("ResourceId")) for arrow, _ in known.deliveries("flow log to")}
    for vpc in known.model.of("AWS::EC2::VPC"):
        if vpc.id not in logged:
            finding.broken.append(note(vpc, "it has no flow log"))


def _out_of_reach(known: Facts, bucket: Node, workloads: Mapping[str, str], finding: Finding) -> None:
    doubt = known.unsure(bucket)
    if doubt is not None:
        finding.missing.append(note(bucket, doubt))
    for account in known.guests(bucket, workloads):
        for caller in known.callers(account, bucket):
            for action in TAMPERING:
                inside = "Object" in action or "Retention" in action
                objects = (f"{bucket.arn}/1", f"{bucket.arn}/AWSLogs/{account}/1") if inside else (bucket.arn,)
                if any(known.may(caller, action, bucket, resource) for resource in objects):
                    policy = next(known.model_policy(bucket), bucket)
                    finding.broken.append(note(policy, f"{caller} may {action} on {bucket.arn}"))
                    return
    finding.evidence.append(
        note(bucket, f"administrators of {', '.join(sorted(workloads))} can neither read nor change it")
    )


@proof("logs.trail-cannot-be-stopped")
def trail_cannot_be_stopped(case: Case, finding: Finding) -> None:
    """One trail records every account and region, validated, into a locked bucket, and no member can touch it.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-trail-organization.html
    """
    known = facts(case)
    workloads = known.stages
    trails = list(known.model.of("AWS::CloudTrail::Trail"))
    for account, stage in workloads.items():
        covering = [t for t in trails if t.account == account or truthy(t.get("IsOrganizationTrail"))]
        if not covering:
            where = note(trails[0], "") if trails else Note(stage, "")
            finding.broken.append(
                Note(where.where, f"account {account} of {stage} is recorded by no trail", where.type)
            )
        for trail in covering:
            if trail.account == account:
                finding.broken.append(note(trail, f"administrators of its own account {account} can stop it"))
    for trail in trails:
        _whole_and_safe(known, trail, workloads, finding)


def _whole_and_safe(known: Facts, trail: Node, workloads: Mapping[str, str], finding: Finding) -> None:
    for name in ("IsLogging", "IsMultiRegionTrail", "IncludeGlobalServiceEvents", "EnableLogFileValidation"):
        if not truthy(trail.get(name)):
            finding.broken.append(note(trail, f"{name} is not on"))
    if not _management_events(trail):
        finding.broken.append(note(trail, "it does not record every management event"))
    for arrow, refused in known.deliveries("trail to"):
        if arrow.sender is trail and refused is not None:
            finding.broken.append(note(refused.where, f"{arrow} does not arrive: {refused.text}"))
    bucket = known.model.find(trail.get("S3BucketName"), "AWS::S3::Bucket")
    if bucket is None:
        finding.broken.append(note(trail, f"its bucket {trail.get('S3BucketName')} is in no template"))
        return
    if bucket.get("ObjectLockConfiguration", "Rule", "DefaultRetention", "Mode") is None:
        finding.broken.append(note(bucket, "the trail's objects are not locked"))
    _out_of_reach(known, bucket, workloads, finding)
    key = known.model.find(trail.get("KMSKeyId"), "AWS::KMS::Key", near=trail)
    for account in () if key is None else known.guests(key, workloads):
        for action in ("kms:DisableKey", "kms:ScheduleKeyDeletion", "kms:PutKeyPolicy"):
            if key is not None and known.may(f"arn:aws:iam::{account}:role/administrator", action, key):
                finding.broken.append(note(key, f"account {account} may {action}"))
    finding.evidence.append(
        note(trail, "records every account and region, signed, into a bucket that no workload can empty")
    )


def _management_events(trail: Node) -> bool:
    selectors = as_list(trail.get("AdvancedEventSelectors"))
    if not selectors:
        return all(
            truthy(at(item, "IncludeManagementEvents", default=True)) for item in as_list(trail.get("EventSelectors"))
        )
    return any(
        [at(field, "Field") for field in as_list(at(selector, "FieldSelectors"))] == ["eventCategory"]
        and _matches(at(selector, "FieldSelectors", 0), "Management")
        for selector in selectors
    )


def _matches(field: Any, value: str) -> bool:
    return value in texts(at(field, "Equals"))
