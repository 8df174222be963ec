"""Bucket properties that ministack's CloudFormation drops: applied through the S3 API after it made the bucket."""

from __future__ import annotations

from typing import Any

from rehearsal.emulator.engine import fit, operation
from rehearsal.emulator.spec import Context, Props, hook, true
from rehearsal.emulator.tracker import plain


def _put(context: Context, bucket: str, method: str, member: str, value: Any) -> None:
    shape = operation("s3", method).input_shape.members[member]
    getattr(context.client("s3"), method)(Bucket=bucket, **{member: fit(shape, plain(value), set())})


@hook("AWS::S3::Bucket")
def bucket(context: Context, identity: str, props: Props) -> None:
    """Encryption, lock, lifecycle, replication, logging, ownership and tags."""
    if true(props.get("ObjectLockEnabled")):
        _enable_lock(identity)
    if props.get("BucketEncryption"):
        rules = [_encryption(rule) for rule in props["BucketEncryption"]["ServerSideEncryptionConfiguration"]]
        _put(context, identity, "put_bucket_encryption", "ServerSideEncryptionConfiguration", {"Rules": rules})
    if props.get("ObjectLockConfiguration"):
        _put(
            context,
            identity,
            "put_object_lock_configuration",
            "ObjectLockConfiguration",
            dict(props["ObjectLockConfiguration"]),
        )
    if props.get("LifecycleConfiguration"):
        rules = [_lifecycle(rule, number) for number, rule in enumerate(props["LifecycleConfiguration"]["Rules"])]
        _put(context, identity, "put_bucket_lifecycle_configuration", "LifecycleConfiguration", {"Rules": rules})
    if props.get("ReplicationConfiguration"):
        _put(
            context,
            identity,
            "put_bucket_replication",
            "ReplicationConfiguration",
            dict(props["ReplicationConfiguration"]),
        )
    if props.get("LoggingConfiguration"):
        _put(
            context,
            identity,
            "put_bucket_logging",
            "BucketLoggingStatus",
            {"LoggingEnabled": _logging(props["LoggingConfiguration"], identity)},
        )
    if props.get("OwnershipControls"):
        _put(context, identity, "put_bucket_ownership_controls", "OwnershipControls", dict(props["OwnershipControls"]))
    tags = [dict(tag) for tag in props.get("Tags") or [] if not str(tag["Key"]).startswith("aws:")]
    if tags:
        _put(context, identity, "put_bucket_tagging", "Tagging", {"TagSet": tags})


def _enable_lock(name: str) -> None:
    # Only CreateBucket can switch the lock on, and ministack's CloudFormation does not call it.
    from ministack.services import s3

    s3._bucket_object_lock.setdefault(name, {"enabled": True, "default_retention": None})


def _encryption(rule: Props) -> Props:
    default = dict(rule["ServerSideEncryptionByDefault"])
    made: Props = {"ApplyServerSideEncryptionByDefault": default}
    if "BucketKeyEnabled" in rule:
        made["BucketKeyEnabled"] = true(rule["BucketKeyEnabled"])
    if "BlockedEncryptionTypes" in rule:
        made["BlockedEncryptionTypes"] = dict(rule["BlockedEncryptionTypes"])
    return made


def _logging(configuration: Props, own: str) -> Props:
    made: Props = {
        "TargetBucket": configuration.get("DestinationBucketName", own),
        "TargetPrefix": configuration.get("LogFilePrefix", ""),
    }
    if configuration.get("TargetObjectKeyFormat"):
        made["TargetObjectKeyFormat"] = dict(configuration["TargetObjectKeyFormat"])
    return made


def _lifecycle(rule: Props, number: int) -> Props:
    made: Props = {"ID": rule.get("Id") or f"rule-{number}", "Status": rule["Status"]}
    made["Filter"] = _filter(rule)
    expiration: Props = {}
    if rule.get("ExpirationInDays"):
        expiration["Days"] = int(rule["ExpirationInDays"])
    if true(rule.get("ExpiredObjectDeleteMarker")):
        expiration["ExpiredObjectDeleteMarker"] = True
    if expiration:
        made["Expiration"] = expiration
    old = rule.get("NoncurrentVersionExpiration")
    if old:
        made["NoncurrentVersionExpiration"] = {
            "NoncurrentDays": int(old["NoncurrentDays"]),
            **({"NewerNoncurrentVersions": old["NewerNoncurrentVersions"]} if "NewerNoncurrentVersions" in old else {}),
        }
    if rule.get("Transitions"):
        made["Transitions"] = [
            {"StorageClass": item["StorageClass"], "Days": int(item["TransitionInDays"])}
            for item in rule["Transitions"]
        ]
    if rule.get("NoncurrentVersionTransitions"):
        made["NoncurrentVersionTransitions"] = [
            {"StorageClass": item["StorageClass"], "NoncurrentDays": int(item["TransitionInDays"])}
            for item in rule["NoncurrentVersionTransitions"]
        ]
    if rule.get("AbortIncompleteMultipartUpload"):
        made["AbortIncompleteMultipartUpload"] = dict(rule["AbortIncompleteMultipartUpload"])
    return made


def _filter(rule: Props) -> Props:
    parts: Props = {}
    if rule.get("ObjectSizeGreaterThan"):
        parts["ObjectSizeGreaterThan"] = rule["ObjectSizeGreaterThan"]
    if rule.get("ObjectSizeLessThan"):
        parts["ObjectSizeLessThan"] = rule["ObjectSizeLessThan"]
    tags = [dict(tag) for tag in rule.get("TagFilters") or []]
    prefix = rule.get("Prefix", "")
    if len(parts) + len(tags) + bool(prefix) > 1:
        return {"And": {**parts, **({"Prefix": prefix} if prefix else {}), **({"Tags": tags} if tags else {})}}
    if tags:
        return {"Tag": tags[0]}
    return parts or {"Prefix": prefix}
