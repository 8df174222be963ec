"""The migrating function: reaches this stage's database, reads its owner's password, and runs by itself."""

from __future__ import annotations

import json

import pytest

from assembly import Assembly, Resource, Stack
from tests.fixture_deployment import FIXTURE


@pytest.fixture(params=[stage.name for stage in FIXTURE.stages])
def stack(request: pytest.FixtureRequest, assembly: Assembly) -> Stack:
    return assembly[f"{request.param}-database"]


def _of(stack: Stack, kind: str) -> list[Resource]:
    return [item for item in stack.resources.values() if item.type == f"AWS::{kind}"]


def _only(stack: Stack, kind: str) -> Resource:
    (found,) = _of(stack, kind)
    return found


def test_it_calls_the_cluster_by_name_from_inside_the_network(stack: Stack) -> None:
    function = _only(stack, "Lambda::Function").properties
    assert "Endpoint" in json.dumps(function["Environment"]["Variables"]["HOST"])
    assert function["VpcConfig"]["SubnetIds"]
    assert "MasterUserSecret" in json.dumps(function["Environment"]["Variables"]["SECRET_ARN"])


def test_it_may_read_the_owners_password_and_touch_no_data(stack: Stack) -> None:
    statements = _only(stack, "IAM::ManagedPolicy").properties["PolicyDocument"]["Statement"]
    actions = {
        action for s in statements for action in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
    }
    assert {action for action in actions if action.startswith(("secretsmanager:", "rds", "s3:", "dynamodb:"))} == {
        "secretsmanager:GetSecretValue"
    }
    (secret,) = (s for s in statements if s.get("Sid") == "ReadOwnersPassword")
    (bound,) = secret["Condition"]["StringEquals"].values()
    assert bound.endswith(f":cluster:acme-{stack.name.removesuffix('-database')}")


def test_it_runs_after_each_deployment_of_its_own_stack_and_every_day(stack: Stack) -> None:
    rules = {"schedule" if "ScheduleExpression" in r.properties else "event": r for r in _of(stack, "Events::Rule")}
    assert set(rules) == {"schedule", "event"}
    (function,) = _of(stack, "Lambda::Function")
    permitted = {p.properties["SourceArn"]["Fn::GetAtt"][0] for p in _of(stack, "Lambda::Permission")}
    for rule in rules.values():
        (target,) = rule.properties["Targets"]
        assert target["Arn"] == {"Fn::GetAtt": [function.logical_id, "Arn"]}
        assert target["DeadLetterConfig"]["Arn"]
        assert rule.logical_id in permitted
    detail = rules["event"].properties["EventPattern"]["detail"]
    (own,) = detail["stack-id"]
    assert own["prefix"].endswith(f":stack/{stack.name}/")
    assert set(detail["status-details"]["status"]) == {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def test_a_failure_is_kept_and_heard(stack: Stack) -> None:
    function = _only(stack, "Lambda::Function")
    assert function.properties["DeadLetterConfig"]["TargetArn"]
    alarm = _only(stack, "CloudWatch::Alarm").properties
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": function.logical_id}}]
    assert alarm["AlarmActions"]
