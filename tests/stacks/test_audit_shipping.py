"""What a log service gets: only with a service, only its stage's audit logs, and somebody hears when it gets none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assembly import Assembly, Resource
from gate.invariants.evidence import REDACTOR
from stacks.names import AUDIT_SHIPPER, Log, Names
from stacks.network import allowed_outside_names
from stacks.settings import Stage
from tests.fixture_deployment import FIXTURE

NAMES = Names(FIXTURE)
STAGES = pytest.mark.parametrize("stage", FIXTURE.stages, ids=lambda stage: stage.name)
SHIPPED = [stage for stage in FIXTURE.stages if stage.log_service is not None]
shipped = pytest.mark.parametrize("stage", SHIPPED, ids=lambda stage: stage.name)


def _of(assembly: Assembly, stage: Stage, kind: str) -> list[Resource]:
    return [r for r in assembly[f"{stage.name}-audit-shipping"].resources.values() if r.type == kind]


def _function(assembly: Assembly, stage: Stage) -> dict[str, Any]:
    (function,) = _of(assembly, stage, "AWS::Lambda::Function")
    return dict(function.properties)


@STAGES
def test_only_a_stage_with_a_log_service_ships(assembly: Assembly, stage: Stage) -> None:
    there = f"{stage.name}-audit-shipping" in {one.name for one in assembly.stacks}
    assert there == (stage.log_service is not None)


@shipped
def test_reads_the_archive_of_its_own_stage_and_no_failures(assembly: Assembly, stage: Stage) -> None:
    variables = _function(assembly, stage)["Environment"]["Variables"]
    assert variables["BUCKET_NAME"] == NAMES.archive_bucket(stage.name, Log.AUDIT)
    assert variables["FOLDERS"].split() == [f"AWSLogs/{stage.account}/audit/", f"AWSLogs/{stage.account}/sign-ins/"]
    (role,) = _of(assembly, stage, "AWS::IAM::Role")
    assert role.properties["RoleName"] == NAMES.role(AUDIT_SHIPPER)
    statements = {
        s["Sid"]: s
        for p in _of(assembly, stage, "AWS::IAM::ManagedPolicy")
        for s in p.properties["PolicyDocument"]["Statement"]
    }
    assert statements["ReadAuditLogs"]["Action"] == ["s3:GetObject", "s3:ListBucket"]
    bucket = f"arn:aws:s3:::{variables['BUCKET_NAME']}"
    objects = [f"{bucket}/{folder}*" for folder in variables["FOLDERS"].split()]
    assert statements["ReadAuditLogs"]["Resource"] == [bucket, *objects]
    assert not any("-failed" in json.dumps(statement) for statement in statements.values())


@shipped
def test_every_folder_that_streams_deliver_into_is_shipped(assembly: Assembly, stage: Stage) -> None:
    folders = _function(assembly, stage)["Environment"]["Variables"]["FOLDERS"].split()
    for resource in assembly[f"{stage.name}-audit"].resources.values():
        if resource.type == "AWS::KinesisFirehose::DeliveryStream":
            prefix = resource.properties["ExtendedS3DestinationConfiguration"]["Prefix"]
            assert any(prefix.startswith(folder) for folder in folders)


@shipped
def test_no_secret_stands_in_a_template_or_environment(assembly: Assembly, stage: Stage) -> None:
    (secret,) = _of(assembly, stage, "AWS::SecretsManager::Secret")
    assert secret.properties["Name"] == NAMES.log_service_secret(stage)
    assert "SecretString" not in secret.properties
    variables = _function(assembly, stage)["Environment"]["Variables"]
    assert variables["SECRET_ARN"] == {"Ref": secret.logical_id}


@shipped
def test_the_network_lets_out_to_the_service_and_the_function_stands_in_it(assembly: Assembly, stage: Stage) -> None:
    assert stage.log_service is not None
    assert stage.log_service.host in allowed_outside_names(stage, FIXTURE.home.name)
    assert _function(assembly, stage)["VpcConfig"]["SubnetIds"]


@shipped
def test_a_run_ends_before_the_next(assembly: Assembly, stage: Stage) -> None:
    (rule,) = _of(assembly, stage, "AWS::Events::Rule")
    assert rule.properties["ScheduleExpression"] == "rate(5 minutes)"
    assert _function(assembly, stage)["Timeout"] < 300


@shipped
def test_somebody_hears_of_an_hour_without_delivery_also_when_nothing_runs(assembly: Assembly, stage: Stage) -> None:
    (measured,) = [
        f
        for f in _of(assembly, stage, "AWS::Logs::MetricFilter")
        if f.properties["MetricTransformations"][0]["MetricValue"] == "$.oldest_seconds"
    ]
    (late,) = [
        a
        for a in _of(assembly, stage, "AWS::CloudWatch::Alarm")
        if a.properties.get("MetricName") == measured.properties["MetricTransformations"][0]["MetricName"]
    ]
    assert late.properties["Threshold"] == 3600
    assert late.properties["TreatMissingData"] == "breaching"
    assert late.properties["AlarmActions"]


@STAGES
def test_every_stream_redacts_with_the_right_to_and_tries_for_long(assembly: Assembly, stage: Stage) -> None:
    audit = assembly[f"{stage.name}-audit"].resources
    for stream in audit.values():
        if stream.type != "AWS::KinesisFirehose::DeliveryStream":
            continue
        processors = stream.properties["ExtendedS3DestinationConfiguration"]["ProcessingConfiguration"]["Processors"]
        kinds = [one["Type"] for one in processors]
        assert kinds in (
            ["Decompression", "Lambda", "AppendDelimiterToRecord"],
            ["Lambda", "AppendDelimiterToRecord"],
        )
        (redactor,) = [one for one in processors if one["Type"] == "Lambda"]
        parameters = {one["ParameterName"]: one["ParameterValue"] for one in redactor["Parameters"]}
        function = audit[parameters["LambdaArn"]["Fn::GetAtt"][0]]
        assert function.properties["Handler"] == REDACTOR
        assert function.properties["Timeout"] <= 300
        assert parameters["NumberOfRetries"] == "300"
        allowed = [
            p
            for p in audit.values()
            if p.type == "AWS::IAM::ManagedPolicy"
            and any(
                s["Sid"] == "Redact" and s["Resource"] == parameters["LambdaArn"]
                for s in p.properties["PolicyDocument"]["Statement"]
            )
            and {"Ref": parameters["RoleArn"]["Fn::GetAtt"][0]} in p.properties["Roles"]
        ]
        assert allowed
        assert {one.logical_id for one in allowed} <= set(stream.definition["DependsOn"])
