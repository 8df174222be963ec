"""The stack that handles incidents: each function may do its part and no other's, and no secret lies about."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assembly import Assembly, Resource
from stacks.incidents import DEEDS
from tests.fixture_deployment import FIXTURE

STACK = "security-incidents"


@pytest.fixture(scope="module")
def resources(assembly: Assembly) -> dict[str, Resource]:
    """The stack's resources by construct path."""
    return {one.path.removeprefix(f"{STACK}/"): one for one in assembly[STACK].resources.values()}


def _actions(resources: dict[str, Resource], function: str) -> set[str]:
    statements = resources[f"{function}/Role/Policy/Resource"].properties["PolicyDocument"]["Statement"]
    return {
        action
        for one in statements
        if one["Effect"] == "Allow"
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    }


@pytest.mark.parametrize(
    ("function", "alone"),
    [
        ("Caller", {"sns:Publish", "secretsmanager:GetSecretValue"}),
        ("Taker", {"sqs:ReceiveMessage"}),
        ("Desk", {"states:ListExecutions"}),
    ],
)
def test_only_one_function_may(resources: dict[str, Resource], function: str, alone: set[str]) -> None:
    assert alone <= _actions(resources, function)
    for other in {"Caller", "Desk", "Lead", "Taker"} - {function}:
        assert not alone & _actions(resources, other), other


def test_who_calls_people_reads_no_record(resources: dict[str, Resource]) -> None:
    assert not {"s3:GetObject", "s3:ListBucket"} & _actions(resources, "Caller")


def test_nobody_deletes_or_replaces_anything(resources: dict[str, Resource]) -> None:
    for function in ("Caller", "Desk", "Lead", "Taker"):
        assert not [one for one in _actions(resources, function) if "Delete" in one and one != "sqs:DeleteMessage"]


def test_everybody_on_call_has_a_mailbox_of_their_own(resources: dict[str, Resource]) -> None:
    boxes = [one.properties for path, one in resources.items() if path.startswith("Pages/Mailbox")]
    people = [*FIXTURE.on_call.people, *FIXTURE.on_call.management]
    assert [(one["Endpoint"], one["FilterPolicy"]) for one in boxes] == [
        (person.email, {"to": [person.name]}) for person in people
    ]
    assert all(one["RedrivePolicy"]["deadLetterTargetArn"] for one in boxes)


def test_addresses_and_key_are_in_the_secret_alone(resources: dict[str, Resource]) -> None:
    generated = resources["Pages/Channels/Resource"].properties["GenerateSecretString"]
    assert json.loads(generated["SecretStringTemplate"]) == {"webhook": "", "chat": ""}
    assert generated["GenerateStringKey"] == "signing_key"
    functions = [one for one in resources.values() if one.type == "AWS::Lambda::Function"]
    assert len(functions) == 4
    for function in functions:
        text = json.dumps(function.properties["Environment"])
        assert "@" not in text
        assert "http" not in text


def test_people_do_each_deed_as_themselves(resources: dict[str, Resource]) -> None:
    statements: list[dict[str, Any]] = resources["Responder/Resource"].properties["PolicyDocument"]["Statement"]
    objects = next(one["Resource"] for one in statements if "s3:PutObject" in str(one["Action"]))
    assert {one.rpartition("-deeds/")[2].partition("@")[0] for one in objects} == set(DEEDS)
    assert all(one.endswith("/${aws:userid}.json") for one in objects)


def test_a_finding_that_the_intake_cannot_read_is_heard_of(resources: dict[str, Resource]) -> None:
    described = {path.partition("/")[0] for path, one in resources.items() if one.type == "AWS::CloudWatch::Alarm"}
    assert {"Unreadable", "Lost", "IntakeWaiting", "TakerFailing", "PromiseMissed", "AssignedLate"} <= described
