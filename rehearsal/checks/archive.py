"""Buckets, the trail, Athena and Glue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.checks import Resource, View, check, described, refused


def _or_nothing(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            raise
        return {}


def _bucket(s3: Any, resource: Resource, _view: View) -> Any:
    name = resource.id
    s3.head_bucket(Bucket=name)
    asked: dict[str, Any] = {
        "encryption": lambda: s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"],
        "versioning": lambda: s3.get_bucket_versioning(Bucket=name),
        "lock": lambda: s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"],
        "public": lambda: s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"],
        "lifecycle": lambda: s3.get_bucket_lifecycle_configuration(Bucket=name),
        "replication": lambda: s3.get_bucket_replication(Bucket=name)["ReplicationConfiguration"],
        "logging": lambda: s3.get_bucket_logging(Bucket=name).get("LoggingEnabled", {}),
        "ownership": lambda: s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"],
        "tags": lambda: s3.get_bucket_tagging(Bucket=name)["TagSet"],
        "notifications": lambda: s3.get_bucket_notification_configuration(Bucket=name),
    }
    got = {part: _or_nothing(call) for part, call in asked.items()}
    rules = [
        {**rule, "ServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"]}
        for rule in got["encryption"].get("Rules", [])
    ]
    notifications = got["notifications"]
    return {
        "BucketName": name,
        "BucketEncryption": {"ServerSideEncryptionConfiguration": rules},
        "VersioningConfiguration": got["versioning"],
        "ObjectLockEnabled": got["lock"].get("ObjectLockEnabled") == "Enabled",
        "ObjectLockConfiguration": got["lock"],
        "PublicAccessBlockConfiguration": got["public"],
        "LifecycleConfiguration": {"Rules": [_rule(rule) for rule in got["lifecycle"].get("Rules", [])]},
        "ReplicationConfiguration": got["replication"],
        "LoggingConfiguration": {
            "DestinationBucketName": got["logging"].get("TargetBucket"),
            "LogFilePrefix": got["logging"].get("TargetPrefix"),
            "TargetObjectKeyFormat": got["logging"].get("TargetObjectKeyFormat"),
        },
        "OwnershipControls": got["ownership"],
        "Tags": got["tags"],
        "NotificationConfiguration": {
            "EventBridgeConfiguration": {"EventBridgeEnabled": "EventBridgeConfiguration" in notifications},
            "LambdaConfigurations": notifications.get("LambdaFunctionConfigurations"),
            "QueueConfigurations": notifications.get("QueueConfigurations"),
            "TopicConfigurations": notifications.get("TopicConfigurations"),
        },
    }


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    """A lifecycle rule the way the template writes it."""
    chosen = rule.get("Filter") or {}
    both = {**chosen, **chosen.get("And", {})}
    return {
        "Id": rule.get("ID"),
        "Status": rule["Status"],
        "Prefix": both.get("Prefix", ""),
        "TagFilters": both.get("Tags") or ([both["Tag"]] if both.get("Tag") else []),
        "ObjectSizeGreaterThan": both.get("ObjectSizeGreaterThan"),
        "ObjectSizeLessThan": both.get("ObjectSizeLessThan"),
        "ExpirationInDays": rule.get("Expiration", {}).get("Days"),
        "ExpiredObjectDeleteMarker": rule.get("Expiration", {}).get("ExpiredObjectDeleteMarker"),
        "NoncurrentVersionExpiration": rule.get("NoncurrentVersionExpiration"),
        "Transitions": [
            {"StorageClass": item["StorageClass"], "TransitionInDays": item["Days"]}
            for item in rule.get("Transitions", [])
        ],
        "NoncurrentVersionTransitions": [
            {"StorageClass": item["StorageClass"], "TransitionInDays": item["NoncurrentDays"]}
            for item in rule.get("NoncurrentVersionTransitions", [])
        ],
        "AbortIncompleteMultipartUpload": rule.get("AbortIncompleteMultipartUpload"),
    }


described("AWS::S3::Bucket", "s3", _bucket)
described(
    "AWS::S3::BucketPolicy",
    "s3",
    lambda s3, r, _v: {
        "Bucket": r.properties["Bucket"],
        "PolicyDocument": s3.get_bucket_policy(Bucket=r.properties["Bucket"])["Policy"],
    },
)


@check("AWS::S3::BucketPolicy", says="refuses plaintext transport")
def refuses_plaintext(resource: Resource, view: View) -> None:
    s3 = view.client("s3", resource)
    answer = str(s3.get_bucket_policy(Bucket=resource.properties["Bucket"])["Policy"])
    assert "aws:SecureTransport" in answer, "no statement on aws:SecureTransport"


@check("AWS::S3::Bucket", says="keeps a locked object version from its owner")
def keeps_locked_objects(resource: Resource, view: View) -> None:
    retention = (resource.properties.get("ObjectLockConfiguration") or {}).get("Rule", {}).get("DefaultRetention")
    if not retention:
        return
    s3 = view.client("s3", resource)
    version = s3.put_object(Bucket=resource.id, Key="rehearsal/evidence", Body=b"evidence")["VersionId"]
    found = s3.get_object_retention(Bucket=resource.id, Key="rehearsal/evidence", VersionId=version)["Retention"]
    assert found["Mode"] == retention["Mode"], f"locked in mode {found['Mode']}, not {retention['Mode']}"
    refused(
        lambda: s3.delete_object(Bucket=resource.id, Key="rehearsal/evidence", VersionId=version),
        because="AccessDenied",
    )


def _trail(cloudtrail: Any, resource: Resource, _view: View) -> Any:
    found = cloudtrail.describe_trails(trailNameList=[resource.id])["trailList"]
    if not found:
        raise LookupError(resource.id)
    selectors = cloudtrail.get_event_selectors(TrailName=resource.id)
    return {
        **found[0],
        "TrailName": found[0]["Name"],
        "EnableLogFileValidation": found[0]["LogFileValidationEnabled"],
        "IsLogging": cloudtrail.get_trail_status(Name=resource.id)["IsLogging"],
        "InsightSelectors": cloudtrail.get_insight_selectors(TrailName=resource.id).get("InsightSelectors"),
        "EventSelectors": selectors.get("EventSelectors"),
        "AdvancedEventSelectors": selectors.get("AdvancedEventSelectors"),
    }


def _work_group(athena: Any, resource: Resource, _view: View) -> Any:
    found = athena.get_work_group(WorkGroup=resource.id)["WorkGroup"]
    return {**found, "WorkGroupConfiguration": found.get("Configuration")}


described("AWS::CloudTrail::Trail", "cloudtrail", _trail)
described("AWS::Athena::WorkGroup", "athena", _work_group)
described(
    "AWS::Athena::NamedQuery",
    "athena",
    lambda athena, r, _v: athena.get_named_query(NamedQueryId=r.id)["NamedQuery"],
)
described(
    "AWS::Glue::Database",
    "glue",
    lambda glue, r, _v: {"DatabaseInput": glue.get_database(Name=r.id)["Database"], "CatalogId": r.account},
)
described(
    "AWS::Glue::Table",
    "glue",
    lambda glue, r, _v: {
        "TableInput": glue.get_table(DatabaseName=r.properties["DatabaseName"], Name=r.id.split("|")[-1])["Table"],
        "CatalogId": r.account,
        "DatabaseName": r.properties["DatabaseName"],
    },
)
described(
    "AWS::Config::ConfigurationRecorder",
    "config",
    lambda config, r, _v: config.describe_configuration_recorders(ConfigurationRecorderNames=[r.id])[
        "ConfigurationRecorders"
    ][0],
)
described(
    "AWS::Config::DeliveryChannel",
    "config",
    lambda config, r, _v: config.describe_delivery_channels(DeliveryChannelNames=[r.id])["DeliveryChannels"][0],
)
