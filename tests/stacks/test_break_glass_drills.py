"""Drills are judged by one function that can keep and read their records, mail the team, and do nothing to anybody."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from assembly import Assembly, Resource, Stack
from stacks.settings import ConfigError, Drills, check
from tests.fixture_deployment import FIXTURE


@pytest.fixture
def stack(assembly: Assembly) -> Stack:
    return assembly["security-drills"]


def _of(stack: Stack, kind: str) -> list[Resource]:
    return [one for one in stack.resources.values() if one.type == kind]


def _policy(stack: Stack, path: str) -> list[dict[str, Any]]:
    (policy,) = [one for one in _of(stack, "AWS::IAM::ManagedPolicy") if one.path.endswith(path)]
    return list(policy.properties["PolicyDocument"]["Statement"])


def test_people_write_drills_and_witness_them_under_their_own_sessions_id_alone(stack: Stack) -> None:
    (say,) = [one for one in _policy(stack, "/Driller/Resource") if one["Sid"] == "SayAsOneself"]
    folder = "arn:aws:s3:::acme-organization-decision-100000000002/100000000003/drills-deeds"
    assert say["Resource"] == [f"{folder}/{deed}@*/${{aws:userid}}.json" for deed in ("drill", "witness")]


def test_the_judge_writes_no_word_of_people(stack: Stack) -> None:
    writes = [
        resource
        for statement in _policy(stack, "/Judge/Role/Policy/Resource")
        if "s3:PutObject" in statement["Action"]
        for resource in ([statement["Resource"]] if isinstance(statement["Resource"], str) else statement["Resource"])
    ]
    assert writes == ["arn:aws:s3:::acme-organization-decision-100000000002/100000000003/drills/*"]


def test_reminds_every_week_of_every_stage(stack: Stack) -> None:
    (rule,) = _of(stack, "AWS::Events::Rule")
    (target,) = rule.properties["Targets"]
    assert (rule.properties["ScheduleExpression"], target["Input"]) == ("rate(7 days)", '{"kind": "remind"}')
    (judge,) = _of(stack, "AWS::Lambda::Function")
    settings = judge.properties["Environment"]["Variables"]
    assert settings["STAGES"].split() == [stage.name for stage in FIXTURE.stages]
    assert settings["IDENTITIES"].split() == list(FIXTURE.emergency_identities)


@pytest.mark.parametrize("changed", [{"every_days": 400}, {"every_days": 1}, {"heard_minutes": 90}])
def test_refuses_drills_that_are_no_drills(changed: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=f"drills.{next(iter(changed))}"):
        check(dataclasses.replace(FIXTURE, drills=Drills(**changed)))
