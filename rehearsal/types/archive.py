"""CloudTrail, Athena's named queries, Config."""

from __future__ import annotations

from typing import Any

from rehearsal.emulator.spec import Context, Props, named, spec, text, true


def _trail_started(context: Context, identity: str, props: Props, _answer: Any) -> None:
    cloudtrail = context.client("cloudtrail")
    if true(props.get("IsLogging")):
        cloudtrail.start_logging(Name=identity)
    basic = [
        {
            "ReadWriteType": item.get("ReadWriteType", "All"),
            "IncludeManagementEvents": true(item.get("IncludeManagementEvents", True)),
            "DataResources": [
                {"Type": data["Type"], "Values": list(data.get("Values") or [])}
                for data in item.get("DataResources") or []
            ],
            "ExcludeManagementEventSources": list(item.get("ExcludeManagementEventSources") or []),
        }
        for item in props.get("EventSelectors") or []
    ]
    advanced = [
        {
            **({"Name": item["Name"]} if item.get("Name") else {}),
            "FieldSelectors": [dict(field) for field in item["FieldSelectors"]],
        }
        for item in props.get("AdvancedEventSelectors") or []
    ]
    if basic:
        cloudtrail.put_event_selectors(TrailName=identity, EventSelectors=basic)
    if advanced:
        cloudtrail.put_event_selectors(TrailName=identity, AdvancedEventSelectors=advanced)
    insights = [{"InsightType": item["InsightType"]} for item in props.get("InsightSelectors") or []]
    if insights:
        cloudtrail.put_insight_selectors(TrailName=identity, InsightSelectors=insights)


spec(
    "AWS::CloudTrail::Trail",
    "cloudtrail",
    "create_trail",
    "Name",
    rename={"KMSKeyId": "KmsKeyId", "Tags": "TagsList"},
    drop=("TrailName", "EventSelectors", "AdvancedEventSelectors", "IsLogging", "InsightSelectors"),
    extra=lambda p, c: {"Name": p.get("TrailName") or c.name(128)},
    attributes={"Arn": "TrailARN"},
    after=_trail_started,
    update="update_trail",
    update_with=lambda i, _p, _a: {"Name": i},
    delete="delete_trail",
    delete_with=lambda i, _p, _a: {"Name": i},
)
spec(
    "AWS::Athena::NamedQuery",
    "athena",
    "create_named_query",
    "NamedQueryId",
    extra=lambda p, c: {"Name": p.get("Name") or c.name()},
    attributes={"NamedQueryId": "NamedQueryId"},
    delete="delete_named_query",
    delete_with=lambda i, _p, _a: {"NamedQueryId": i},
)


def _recorder(props: Props, context: Context) -> Props:
    group = dict(props.get("RecordingGroup") or {})
    return {
        "ConfigurationRecorder": {
            "name": props.get("Name") or context.name(),
            "roleARN": props["RoleARN"],
            "recordingGroup": {
                "allSupported": true(group.get("AllSupported", True)),
                "includeGlobalResourceTypes": true(group.get("IncludeGlobalResourceTypes", False)),
            },
        }
    }


def _snapshots(props: Props) -> Props:
    chosen = props.get("ConfigSnapshotDeliveryProperties")
    return {"configSnapshotDeliveryProperties": {"deliveryFrequency": chosen["DeliveryFrequency"]}} if chosen else {}


spec(
    "AWS::Config::ConfigurationRecorder",
    "config",
    "put_configuration_recorder",
    named("Name"),
    only=(),
    extra=_recorder,
    update="create",
    delete="delete_configuration_recorder",
    delete_with=lambda i, _p, _a: {"ConfigurationRecorderName": i},
)
spec(
    "AWS::Config::DeliveryChannel",
    "config",
    "put_delivery_channel",
    named("Name"),
    only=(),
    extra=lambda p, c: {
        "DeliveryChannel": {
            "name": p.get("Name") or c.name(),
            "s3BucketName": p["S3BucketName"],
            **({"s3KmsKeyArn": p["S3KmsKeyArn"]} if p.get("S3KmsKeyArn") else {}),
            **({"s3KeyPrefix": p["S3KeyPrefix"]} if p.get("S3KeyPrefix") else {}),
            **_snapshots(p),
        }
    },
    update="create",
    delete="delete_delivery_channel",
    delete_with=lambda i, _p, _a: {"DeliveryChannelName": i},
)
spec(
    "AWS::Config::ConfigRule",
    "config",
    "put_config_rule",
    named("ConfigRuleName"),
    only=(),
    extra=lambda p, c: {
        "ConfigRule": {
            "ConfigRuleName": p.get("ConfigRuleName") or c.name(),
            "Source": dict(p["Source"]),
            **({"InputParameters": text(p["InputParameters"])} if p.get("InputParameters") else {}),
        }
    },
    update="create",
    delete="delete_config_rule",
    delete_with=lambda i, _p, _a: {"ConfigRuleName": i},
)
