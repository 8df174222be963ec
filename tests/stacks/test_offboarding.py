"""The end of a tenant, as it is wired: who may delete what, who calls whom, and what the certificate is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from assembly import Assembly, Resource, Stack
from stacks.settings import Standing
from tests.fixture_deployment import FIXTURE

TENANT = "${aws:PrincipalTag/tenant}"


@pytest.fixture(params=[stage.name for stage in FIXTURE.stages])
def stack(request: pytest.FixtureRequest, assembly: Assembly) -> Stack:
    return assembly[f"{request.param}-offboarding"]


def _one(stack: Stack, kind: str, part: str) -> Resource:
    (found,) = (r for r in stack.resources.values() if r.type == f"AWS::{kind}" and r.path.split("/")[1] == part)
    return found


def _statements(stack: Stack, part: str) -> dict[str, dict[str, Any]]:
    policy = _one(stack, "IAM::ManagedPolicy", part)
    return {statement["Sid"]: statement for statement in policy.properties["PolicyDocument"]["Statement"]}


def _actions(stack: Stack, part: str) -> Iterator[str]:
    for statement in _statements(stack, part).values():
        if statement["Effect"] == "Allow":
            yield from [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]


def _variables(stack: Stack, part: str) -> dict[str, Any]:
    found: dict[str, Any] = _one(stack, "Lambda::Function", part).properties["Environment"]["Variables"]
    return found


def test_the_deleter_reaches_stores_through_a_tenants_session_alone(stack: Stack) -> None:
    assert not [one for one in _actions(stack, "Deleter") if one.startswith(("s3:", "dynamodb:"))]
    for sid, statement in _statements(stack, "Eraser").items():
        assert TENANT in json.dumps(statement) or sid == "KeyOfTheTables", sid


def test_the_eraser_reads_no_content_writes_nothing_and_lets_go_of_no_key(stack: Stack) -> None:
    assert set(_actions(stack, "Eraser")) == {
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:Query",
        "kms:Decrypt",
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:ListBucketVersions",
    }


def test_the_deleter_enters_the_database_as_the_eraser_and_nobody_else(stack: Stack) -> None:
    connect = json.dumps(_statements(stack, "Deleter")["ConnectAsEraser"]["Resource"])
    assert connect.count("/eraser") == 1
    assert "*" not in connect


def test_only_the_archives_recorders_write_records_and_the_deleter_is_none(stack: Stack) -> None:
    for part, name in (("Clerk", "clerk"), ("Desk", "desk")):
        role = _one(stack, "IAM::Role", part).properties["RoleName"]
        assert role == f"{FIXTURE.prefix}-recorder-offboarding-{name}"
    assert "RoleName" not in _one(stack, "IAM::Role", "Deleter").properties


def test_only_the_machine_calls_deleter_and_clerk(stack: Stack) -> None:
    allowed = [
        (policy.path.split("/")[1], json.dumps(statement["Resource"]))
        for policy in stack.resources.values()
        if policy.type == "AWS::IAM::ManagedPolicy"
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if "lambda:InvokeFunction" in statement["Action"]
    ]
    machine = next(resources for part, resources in allowed if part == "Deletion")
    assert '"Deleter' in machine
    assert '"Clerk' in machine
    assert [part for part, resources in allowed if "Deleter" in resources or "Clerk" in resources] == ["Deletion"]
    assert [part for part, resources in allowed if "Desk" in resources] == ["People"]


def test_where_people_may_only_look_two_delete_on_demand(stack: Stack) -> None:
    stage = FIXTURE.stage(stack.name.removesuffix("-offboarding"))
    assert _variables(stack, "Desk")["TWO_PEOPLE"] == ("yes" if stage.standing is Standing.READ_ONLY else "no")


def test_the_certificate_knows_how_long_each_backup_and_log_is_kept(stack: Stack, assembly: Assembly) -> None:
    told = {what: days for what, days, _ in json.loads(_variables(stack, "Clerk")["BACKUPS"])}
    longest: dict[str, int] = {}
    plans = assembly[stack.name.replace("-offboarding", "-backup")].resources.values()
    for plan in (one for one in plans if one.type == "AWS::Backup::BackupPlan"):
        kind = "documents" if "/Documents" in plan.path else "database"
        for rule in plan.properties["BackupPlan"]["BackupPlanRule"]:
            for kept in (rule, *rule["CopyActions"]):
                longest[kind] = max(longest.get(kind, 0), kept["Lifecycle"]["DeleteAfterDays"])
    assert {what.split()[0]: days for what, days in told.items()} == longest
    logs = {what: days for what, days, _ in json.loads(_variables(stack, "Clerk")["LOGS"])}
    assert logs["server logs"] == FIXTURE.retention.server_log_days
    assert logs["trail"] == FIXTURE.retention.audit_archive_days


def test_somebody_looks_every_day_and_what_fails_is_not_lost(stack: Stack) -> None:
    (rule,) = (one for one in stack.resources.values() if one.type == "AWS::Events::Rule")
    assert rule.properties["ScheduleExpression"] == "cron(15 2 * * ? *)"
    (target,) = rule.properties["Targets"]
    assert json.loads(target["Input"]) == {"kind": "sweep"}
    assert _one(stack, "Lambda::Function", "Desk").properties["DeadLetterConfig"]["TargetArn"]


def test_the_register_outlives_its_stack_and_tells_that_it_holds_nothing_of_a_tenants(assembly: Assembly) -> None:
    for stage in FIXTURE.stages:
        data = assembly[f"{stage.name}-data"]
        (register,) = (one for one in data.resources.values() if one.type == "AWS::DynamoDB::Table")
        assert register.definition["DeletionPolicy"] == "Retain"
        assert {"Key": "palisade:holds", "Value": "register"} in register.properties["Tags"]
        assert [key["AttributeName"] for key in register.properties["KeySchema"]] == ["tenant"]
