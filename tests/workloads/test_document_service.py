"""The document service's stack: tenants apart, nothing outlives the promise, every message has a way on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assembly import Assembly, Resource, Stack
from stacks.settings import DELETION_LAG_DAYS
from tests.fixture_deployment import FIXTURE

TENANT = "${aws:PrincipalTag/tenant}"


@pytest.fixture(params=[stage.name for stage in FIXTURE.stages])
def stack(request: pytest.FixtureRequest, assembly: Assembly) -> Stack:
    return assembly[f"{request.param}-documents"]


def _of(stack: Stack, kind: str, part: str = "") -> list[Resource]:
    found = [item for item in stack.resources.values() if item.type == f"AWS::{kind}" and f"/{part}" in item.path]
    assert found, f"{kind} {part}"
    return found


def _only(stack: Stack, kind: str, part: str = "") -> Resource:
    (found,) = _of(stack, kind, part)
    return found


def _statements(stack: Stack, part: str) -> dict[str, dict[str, Any]]:
    policy = _only(stack, "IAM::ManagedPolicy", part)
    return {statement["Sid"]: statement for statement in policy.properties["PolicyDocument"]["Statement"]}


def test_tenant_session_reaches_items_of_its_tenant_only(stack: Stack) -> None:
    items = _statements(stack, "Tenant/")["ItemsOfTheTenant"]
    assert items["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [TENANT]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
    assert not {"dynamodb:Scan", "dynamodb:BatchGetItem", "dynamodb:PartiQLSelect"} & set(items["Action"])


def test_tenant_session_reaches_objects_of_its_tenant_only(stack: Stack) -> None:
    statements = _statements(stack, "Tenant/")
    assert statements["ObjectsOfTheTenant"]["Resource"]["Fn::Join"][1][-1] == f"/{TENANT}/*"
    assert statements["VersionsOfTheTenant"]["Condition"] == {"StringLike": {"s3:prefix": f"{TENANT}/*"}}
    used = statements["DataKeysOfTheTenant"]["Condition"]["StringEquals"]
    assert used["kms:EncryptionContext:tenant"] == TENANT
    assert used["kms:ViaService"] == f"s3.{FIXTURE.home.name}.amazonaws.com"


def test_tenant_session_has_no_right_without_a_bound_to_the_tenant(stack: Stack) -> None:
    for sid, statement in _statements(stack, "Tenant/").items():
        assert TENANT in json.dumps(statement) or sid == "KeyOfTheTable", sid
        assert "*" not in json.dumps(statement["Action"]), sid


def test_only_the_two_functions_open_a_tenant_session_and_only_with_the_tag(stack: Stack) -> None:
    trust = _only(stack, "IAM::Role", "Tenant/").properties["AssumeRolePolicyDocument"]["Statement"]
    actions = {statement["Action"]: statement for statement in trust}
    assert set(actions) == {"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"}
    for statement in trust:
        roles = [principal["Fn::GetAtt"][0] for principal in statement["Principal"]["AWS"]]
        assert sorted(stack.resources[role].path.split("/")[1] for role in roles) == ["Analysis", "Service"]
    for action in ("sts:AssumeRole", "sts:TagSession"):
        assert actions[action]["Condition"]["StringLike"] == {"aws:RequestTag/tenant": "?*"}
        assert actions[action]["Condition"]["ForAllValues:StringEquals"]["aws:TagKeys"] == ["tenant"]


def test_functions_reach_no_store_but_through_a_tenant_session(stack: Stack) -> None:
    for part in ("Authorizer/", "Service/", "Analysis/"):
        for sid, statement in _statements(stack, part).items():
            actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
            assert not [action for action in actions if action.split(":")[0] in ("s3", "dynamodb")], f"{part}{sid}"


def test_each_object_has_a_data_key_of_its_own(stack: Stack) -> None:
    (rule,) = _only(stack, "S3::Bucket").properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["BucketKeyEnabled"] is False
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"


def test_nothing_outlives_the_promise(stack: Stack) -> None:
    retention = FIXTURE.retention
    rules = {rule["Id"]: rule for rule in _only(stack, "S3::Bucket").properties["LifecycleConfiguration"]["Rules"]}
    current = rules["Expiry"]["ExpirationInDays"]
    noncurrent = rules["Leftovers"]["NoncurrentVersionExpiration"]["NoncurrentDays"]
    table = _only(stack, "DynamoDB::Table").properties
    recoverable = table["PointInTimeRecoverySpecification"]["RecoveryPeriodInDays"]
    service = _only(stack, "Lambda::Function", "Service").properties["Environment"]["Variables"]
    item_lives = int(service["RETENTION_DAYS"])
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert noncurrent + 2 <= DELETION_LAG_DAYS, "two midnights are rounded up to"
    assert max(item_lives, current) + DELETION_LAG_DAYS + retention.document_backup_days <= retention.documents_days
    assert recoverable <= retention.document_backup_days
    assert min(item_lives, current) > 0


def test_stores_are_marked_for_short_lived_backups_and_kept_when_the_stack_goes(stack: Stack) -> None:
    for store in (_only(stack, "S3::Bucket"), _only(stack, "DynamoDB::Table")):
        assert {"Key": "palisade:backup", "Value": "documents"} in store.properties["Tags"], store
        assert store.definition["DeletionPolicy"] == "Retain", store
    assert stack.termination_protection


def test_uploads_reach_the_queue_and_the_queue_the_function(stack: Stack) -> None:
    rule = _only(stack, "Events::Rule")
    (target,) = rule.properties["Targets"]
    queue = stack.resources[target["Arn"]["Fn::GetAtt"][0]]
    assert rule.properties["EventPattern"]["detail-type"] == ["Object Created"]
    assert target["DeadLetterConfig"]["Arn"], "what cannot be queued must not be lost"
    (policy,) = (
        item for item in _of(stack, "SQS::QueuePolicy") if item.properties["Queues"] == [{"Ref": queue.logical_id}]
    )
    (admitted,) = (s for s in policy.properties["PolicyDocument"]["Statement"] if s["Effect"] == "Allow")
    assert admitted["Principal"] == {"Service": "events.amazonaws.com"}
    assert admitted["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [rule.logical_id, "Arn"]}}}
    mapping = _only(stack, "Lambda::EventSourceMapping")
    function = stack.resources[mapping.properties["FunctionName"]["Ref"]]
    assert mapping.properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert queue.properties["VisibilityTimeout"] >= 6 * function.properties["Timeout"]
    assert queue.properties["RedrivePolicy"]["maxReceiveCount"] == 5
    bucket = _only(stack, "S3::Bucket").properties
    assert bucket["NotificationConfiguration"]["EventBridgeConfiguration"]["EventBridgeEnabled"] is True


def test_eventbridge_may_use_the_queues_key(stack: Stack, assembly: Assembly) -> None:
    queue = _of(stack, "SQS::Queue", "Uploads/Queue/Resource")[0]
    exported = queue.properties["KmsMasterKeyId"]["Fn::ImportValue"]
    keys = assembly[stack.name.replace("-documents", "-keys")]
    (value,) = (out["Value"] for out in keys.outputs.values() if out.get("Export", {}).get("Name") == exported)
    key = keys.resources[value["Fn::GetAtt"][0]]
    (admitted,) = (
        statement
        for statement in key.properties["KeyPolicy"]["Statement"]
        if statement.get("Principal") == {"Service": "events.amazonaws.com"}
        and "kms:EncryptionContext:aws:sqs:arn" in json.dumps(statement["Condition"])
    )
    assert {"kms:Decrypt", "kms:GenerateDataKey*"} <= set(admitted["Action"])


def test_functions_wait_for_their_rights(stack: Stack) -> None:
    for part in ("Authorizer", "Service", "Analysis"):
        function = _only(stack, "Lambda::Function", part)
        waits = [stack.resources[name].path for name in function.definition["DependsOn"]]
        assert any(path.startswith(f"{stack.name}/{part}/Role/Policy") for path in waits), part
        assert function.properties["VpcConfig"]["SubnetIds"], part


def test_no_function_holds_a_secret(stack: Stack) -> None:
    for function in _of(stack, "Lambda::Function"):
        assert function.properties["KmsKeyArn"], function
        names = function.properties["Environment"]["Variables"]
        assert not [name for name in names if any(word in name for word in ("SECRET", "PASSWORD", "TOKEN"))], function


def test_every_route_asks_the_authorizer(stack: Stack) -> None:
    methods = _of(stack, "ApiGateway::Method")
    assert sorted(method.properties["HttpMethod"] for method in methods) == ["DELETE", "GET", "GET", "POST"]
    for method in methods:
        assert method.properties["AuthorizationType"] == "CUSTOM", method
    environment = _only(stack, "Lambda::Function", "Authorizer").properties["Environment"]["Variables"]
    issuer = FIXTURE.stage(stack.name.removesuffix("-documents")).issuer
    if issuer is not None:
        assert (environment["ISSUER"], environment["AUDIENCE"]) == (issuer.url, issuer.audience)


def test_functions_find_every_setting_they_read(stack: Stack) -> None:
    wanted = {
        "Authorizer": {"ISSUER", "AUDIENCE", "TENANT_CLAIM", "ROLE_CLAIM"},
        "Service": {
            "REGISTER",
            "TABLE_NAME",
            "BUCKET_NAME",
            "KEY_ARN",
            "TENANT_ROLE_ARN",
            "RETENTION_DAYS",
            "LARGEST_DOCUMENT_BYTES",
        },
        "Analysis": {"REGISTER", "TABLE_NAME", "BUCKET_NAME", "TENANT_ROLE_ARN", "LARGEST_DOCUMENT_BYTES"},
    }
    if FIXTURE.stage(stack.name.removesuffix("-documents")).issuer is None:
        wanted["Authorizer"].add("USER_POOL_ID")
    for part, names in wanted.items():
        assert set(_only(stack, "Lambda::Function", part).properties["Environment"]["Variables"]) == names


def test_failures_call_somebody(stack: Stack) -> None:
    alarms = _of(stack, "CloudWatch::Alarm")
    watched = sorted(alarm.properties["MetricName"] for alarm in alarms)
    assert watched == [
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOfMessagesVisible",
        "Errors",
        "Errors",
        "Errors",
    ]
    for alarm in alarms:
        assert len(alarm.properties["AlarmActions"]) == 1, alarm
        assert alarm.properties["TreatMissingData"] == "notBreaching", alarm
