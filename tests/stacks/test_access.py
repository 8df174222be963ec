"""The bastion: no way in but a recorded session, and no life of its own."""

from __future__ import annotations

import re
from typing import Any

import pytest

from assembly import Assembly, Resource
from stacks.names import SESSION_WRITER, Log, Names
from tests.fixture_deployment import FIXTURE

NAMES = Names(FIXTURE)
STAGES = pytest.mark.parametrize("stage", FIXTURE.stages, ids=lambda stage: stage.name)


def _only(assembly: Assembly, stack: str, kind: str) -> list[Resource]:
    return [resource for resource in assembly[stack].resources.values() if resource.type == kind]


def _template(assembly: Assembly, stage: Any) -> Any:
    (template,) = _only(assembly, f"{stage.name}-access", "AWS::EC2::LaunchTemplate")
    return template.properties["LaunchTemplateData"]


def _statements(assembly: Assembly, stage: Any) -> dict[str, Any]:
    (policy,) = _only(assembly, f"{stage.name}-access", "AWS::IAM::ManagedPolicy")
    return {s["Sid"]: s for s in policy.properties["PolicyDocument"]["Statement"]}


@STAGES
def test_has_no_key_pair_and_no_public_address(assembly: Assembly, stage: Any) -> None:
    data = _template(assembly, stage)
    assert "KeyName" not in data
    (interface,) = data["NetworkInterfaces"]
    assert interface["AssociatePublicIpAddress"] is False


@STAGES
def test_nothing_may_open_a_connection_to_it(assembly: Assembly, stage: Any) -> None:
    (group,) = [g for g in _only(assembly, f"{stage.name}-network", "AWS::EC2::SecurityGroup") if "/Bastion" in g.path]
    assert not group.properties.get("SecurityGroupIngress")
    for rule in _only(assembly, f"{stage.name}-network", "AWS::EC2::SecurityGroupIngress"):
        assert rule.properties["GroupId"] != {"Fn::GetAtt": [group.logical_id, "GroupId"]}, rule


@STAGES
def test_metadata_needs_a_token_and_disks_a_customer_key(assembly: Assembly, stage: Any) -> None:
    data = _template(assembly, stage)
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    for device in data["BlockDeviceMappings"]:
        assert device["Ebs"]["Encrypted"] is True
        assert "GetAttData" in str(device["Ebs"]["KmsKeyId"])
        assert device["Ebs"]["DeleteOnTermination"] is True


@STAGES
def test_each_start_takes_the_newest_image_and_patches_it(assembly: Assembly, stage: Any) -> None:
    assert _template(assembly, stage)["ImageId"].startswith("resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-")
    (patch,) = _only(assembly, f"{stage.name}-access", "AWS::SSM::Association")
    assert patch.properties["Name"] == "AWS-RunPatchBaseline"
    assert patch.properties["Parameters"]["Operation"] == ["Install"]
    assert "ScheduleExpression" not in patch.properties
    (group,) = _only(assembly, f"{stage.name}-access", "AWS::AutoScaling::AutoScalingGroup")
    (target,) = patch.properties["Targets"]
    assert {"Key": "PatchGroup", "Value": target["Values"][0], "PropagateAtLaunch": True} in group.properties["Tags"]
    assert target["Key"] == "tag:PatchGroup"


@STAGES
def test_is_off_until_asked_for_and_stops_when_idle(assembly: Assembly, stage: Any) -> None:
    stack = f"{stage.name}-access"
    (group,) = _only(assembly, stack, "AWS::AutoScaling::AutoScalingGroup")
    assert (group.properties["MinSize"], group.properties["MaxSize"]) == ("0", "1")
    assert "DesiredCapacity" not in group.properties, "a deployment would stop the bastion under somebody's session"
    (idle,) = _only(assembly, stack, "AWS::CloudWatch::Alarm")
    (policy,) = _only(assembly, stack, "AWS::AutoScaling::ScalingPolicy")
    assert idle.properties["AlarmActions"] == [{"Ref": policy.logical_id}]
    assert idle.properties["EvaluationPeriods"] * idle.properties["Period"] == 3600
    assert idle.properties["TreatMissingData"] == "notBreaching"
    (step,) = policy.properties["StepAdjustments"]
    assert policy.properties["AdjustmentType"] == "ExactCapacity"
    assert step == {"MetricIntervalUpperBound": 0, "ScalingAdjustment": 0}
    (nightly,) = _only(assembly, stack, "AWS::AutoScaling::ScheduledAction")
    assert nightly.properties["DesiredCapacity"] == 0


@STAGES
def test_every_shell_is_encrypted_limited_and_recorded_twice(assembly: Assembly, stage: Any) -> None:
    (preferences,) = [
        document
        for document in _only(assembly, f"{stage.name}-access", "AWS::SSM::Document")
        if document.properties["Name"] == "SSM-SessionManagerRunShell"
    ]
    inputs = preferences.properties["Content"]["inputs"]
    assert inputs["kmsKeyId"]
    assert inputs["s3BucketName"] == NAMES.archive_bucket(stage.name, Log.SESSION)
    assert inputs["s3EncryptionEnabled"] is inputs["cloudWatchEncryptionEnabled"] is True
    assert inputs["cloudWatchStreamingEnabled"] is True
    assert 1 <= int(inputs["idleSessionTimeout"]) <= 60
    assert 1 <= int(inputs["maxSessionDuration"]) <= 1440
    (log_group,) = _only(assembly, f"{stage.name}-access", "AWS::Logs::LogGroup")
    assert inputs["cloudWatchLogGroupName"] == log_group.properties["LogGroupName"]


@STAGES
def test_can_write_a_recording_but_never_read_one(assembly: Assembly, stage: Any) -> None:
    (role,) = _only(assembly, f"{stage.name}-access", "AWS::IAM::Role")
    assert role.properties["RoleName"] == NAMES.role(SESSION_WRITER)
    statements = _statements(assembly, stage)
    bucket = f"arn:aws:s3:::{NAMES.archive_bucket(stage.name, Log.SESSION)}"
    on_bucket = {
        action
        for statement in statements.values()
        if bucket in str(statement["Resource"])
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert on_bucket == {"s3:PutObject", "s3:PutObjectAcl", "s3:GetEncryptionConfiguration"}
    # Without kms:Decrypt the recording of a long session, uploaded in parts, is lost.
    assert set(statements["EncryptForArchive"]["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert not [s for s in statements.values() if "rds-db:connect" in str(s["Action"])], (
        "people connect, not the machine"
    )


@STAGES
def test_the_network_lets_it_reach_what_its_role_allows(assembly: Assembly, stage: Any) -> None:
    endpoints = {
        str(endpoint.properties["ServiceName"]).rpartition(".")[2]: endpoint.properties
        for endpoint in _only(assembly, f"{stage.name}-network", "AWS::EC2::VPCEndpoint")
    }
    services = {
        action.partition(":")[0]
        for statement in _statements(assembly, stage).values()
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert services == {"kms", "logs", "s3", "ssm", "ssmmessages"} <= set(endpoints)
    opened = {
        resource
        for statement in endpoints["s3"]["PolicyDocument"]["Statement"]
        if "Condition" not in statement
        for resource in statement["Resource"]
    }
    assert set(_statements(assembly, stage)["ReadUpdates"]["Resource"]) <= opened


@STAGES
def test_the_tunnel_reaches_the_database_and_nothing_else(assembly: Assembly, stage: Any) -> None:
    (tunnel,) = [
        document
        for document in _only(assembly, f"{stage.name}-access", "AWS::SSM::Document")
        if document.properties["Name"] == NAMES.database_tunnel
    ]
    content = tunnel.properties["Content"]
    assert set(content["parameters"]) == {"localPortNumber"}, "the caller must not choose host or remote port"
    assert "EndpointAddress" in str(content["properties"]["host"])
    (cluster,) = _only(assembly, f"{stage.name}-data", "AWS::RDS::DBCluster")
    assert content["properties"]["portNumber"] == str(cluster.properties["Port"])
    pattern = content["parameters"]["localPortNumber"]["allowedPattern"]
    accepted = [
        port for port in ("0", "1", "5432", "65535", "65536", "70000", "-1", "", "22;id") if re.search(pattern, port)
    ]
    assert accepted == ["0", "1", "5432", "65535"]


@STAGES
def test_the_key_lets_both_ends_of_a_session_and_auto_scaling_in(assembly: Assembly, stage: Any) -> None:
    (key,) = [k for k in _only(assembly, f"{stage.name}-keys", "AWS::KMS::Key") if "/Data/" in k.path]
    statements = {s["Sid"]: s for s in key.properties["KeyPolicy"]["Statement"]}
    assert statements["Sessions"]["Condition"]["Null"] == {"kms:EncryptionContext:aws:ssm:SessionId": "false"}
    role = f"arn:aws:iam::{stage.account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    for sid in ("AutoScaling", "AutoScalingGrants"):
        assert statements[sid]["Condition"]["StringEquals"] == {
            "aws:PrincipalArn": role,
            "kms:CallerAccount": stage.account,
        }
    assert statements["AutoScalingGrants"]["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}


@STAGES
def test_somebody_hears_when_it_starts(assembly: Assembly, stage: Any) -> None:
    (rule,) = _only(assembly, f"{stage.name}-access", "AWS::Events::Rule")
    (group,) = _only(assembly, f"{stage.name}-access", "AWS::AutoScaling::AutoScalingGroup")
    assert rule.properties["EventPattern"]["detail"] == {"AutoScalingGroupName": [{"Ref": group.logical_id}]}
    (target,) = rule.properties["Targets"]
    assert "Security" in str(target["Arn"])
    assert target["DeadLetterConfig"]["Arn"]
