"""Audit logs reach the archive, encrypted all the way, under the one role that the archive admits."""

from __future__ import annotations

import pytest

from assembly import Assembly, Resource
from stacks.names import AUDIT_WRITER, SIGN_IN_WRITER, Log, Names
from stacks.settings import Stage
from tests.fixture_deployment import FIXTURE

NAMES = Names(FIXTURE)
STAGES = pytest.mark.parametrize("stage", FIXTURE.stages, ids=lambda stage: stage.name)


def _resources(assembly: Assembly, stage: Stage, kind: str) -> list[Resource]:
    return [r for r in assembly[f"{stage.name}-audit"].resources.values() if r.type == kind]


@STAGES
def test_the_stream_delivers_where_the_archive_admits_it(assembly: Assembly, stage: Stage) -> None:
    roles = {r.logical_id: r.properties.get("RoleName") for r in _resources(assembly, stage, "AWS::IAM::Role")}
    writers = []
    for stream in _resources(assembly, stage, "AWS::KinesisFirehose::DeliveryStream"):
        target = stream.properties["ExtendedS3DestinationConfiguration"]
        assert target["BucketARN"] == f"arn:aws:s3:::{NAMES.delivery_bucket(stage.name, Log.AUDIT)}"
        for prefix in (target["Prefix"], target["ErrorOutputPrefix"]):
            assert prefix.startswith(f"AWSLogs/{stage.account}/")
        writers.append(str(roles[target["RoleARN"]["Fn::GetAtt"][0]]))
    own_users = [NAMES.role(SIGN_IN_WRITER)] if stage.issuer is None else []
    assert sorted(writers) == sorted([NAMES.role(AUDIT_WRITER), *own_users])


@STAGES
def test_the_writer_asks_for_what_the_archive_grants_and_no_more(assembly: Assembly, stage: Stage) -> None:
    bucket = NAMES.delivery_bucket(stage.name, Log.AUDIT)
    policies = [
        p
        for p in _resources(assembly, stage, "AWS::IAM::ManagedPolicy")
        if "WriteObjects" in {s["Sid"] for s in p.properties["PolicyDocument"]["Statement"]}
    ]
    asked = [
        {
            action
            for s in policy.properties["PolicyDocument"]["Statement"]
            if s["Sid"] in {"WriteObjects", "FindBucket"}
            for action in s["Action"]
        }
        for policy in policies
    ]
    archive = assembly[f"log-archive-{stage.name}"]
    (landing,) = [r for r in archive.resources.values() if r.properties.get("BucketName") == bucket]
    statements = [
        s
        for r in archive.resources.values()
        if r.type == "AWS::S3::BucketPolicy" and r.properties["Bucket"] == {"Ref": landing.logical_id}
        for s in r.properties["PolicyDocument"]["Statement"]
        if s["Effect"] == "Allow"
    ]
    granted = [
        {action for s in statements if s["Sid"].startswith(sid) for action in s["Action"]}
        for sid in ("AuditStream", *(["SignInStream"] if stage.issuer is None else []))
    ]
    assert asked == granted


@STAGES
def test_records_wait_encrypted_with_a_customer_key(assembly: Assembly, stage: Stage) -> None:
    for stream in _resources(assembly, stage, "AWS::KinesisFirehose::DeliveryStream"):
        waiting = stream.properties["DeliveryStreamEncryptionConfigurationInput"]
        assert waiting["KeyType"] == "CUSTOMER_MANAGED_CMK"
        assert "KeyARN" in waiting


@STAGES
def test_subscribes_log_groups_that_exist_before_it(assembly: Assembly, stage: Stage) -> None:
    groups = {
        r.properties["LogGroupName"]: s.name
        for s, r in assembly.resources("AWS::Logs::LogGroup")
        if s.account == stage.account and isinstance(r.properties["LogGroupName"], str)
    }
    filters = _resources(assembly, stage, "AWS::Logs::SubscriptionFilter")
    assert len(filters) == 7
    for subscription in filters:
        home = groups[subscription.properties["LogGroupName"]]
        assert home in assembly[f"{stage.name}-audit"].dependencies
    (requests,) = [f for f in filters if f.properties["FilterPattern"] == ""]
    assert requests.properties["LogGroupName"].endswith("/v1")


@STAGES
def test_somebody_hears_when_audit_logs_do_not_arrive(assembly: Assembly, stage: Stage) -> None:
    alarms = [
        alarm
        for alarm in _resources(assembly, stage, "AWS::CloudWatch::Alarm")
        if alarm.properties["MetricName"] == "DeliveryToS3.DataFreshness"
    ]
    streams = _resources(assembly, stage, "AWS::KinesisFirehose::DeliveryStream")
    watched = sorted(alarm.properties["Dimensions"][0]["Value"] for alarm in alarms)
    assert watched == sorted(stream.properties["DeliveryStreamName"] for stream in streams)
    for alarm in alarms:
        assert alarm.properties["Threshold"] < 24 * 3600
        assert alarm.properties["AlarmActions"]
