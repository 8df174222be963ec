"""The workflow of access requests as it is deployed: its definition run step by step, and who may do what in it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from assembly import Assembly, Resource
from rehearsal.state_machine import Execution, Killed, StateError, StateMachine
from stacks.settings import ON_REQUEST
from tests.access_world import World
from tests.fixture_deployment import FIXTURE

STACK, GATES = "security-access", "prod-gates"
ADA = "id-of-ada@acme"


def _of(assembly: Assembly, stack: str, kind: str) -> list[Resource]:
    return [resource for resource in assembly[stack].resources.values() if resource.type == kind]


@pytest.fixture(scope="module")
def definition(assembly: Assembly) -> dict[str, Any]:
    """The deployed definition; parts that only AWS knows are spelt out."""
    (machine,) = _of(assembly, STACK, "AWS::StepFunctions::StateMachine")
    _, parts = machine.properties["DefinitionString"]["Fn::Join"]
    text = "".join(part if isinstance(part, str) else "known-later" for part in parts)
    found: dict[str, Any] = json.loads(text)
    return found


class Runner:
    """Runs grants of a world through the definition; ``tasks`` counts calls of the function."""

    def __init__(self, world: World, definition: dict[str, Any]) -> None:
        self.world, self.tasks = world, 0
        self.machine = StateMachine(definition, self._task, world.clock)

    def _task(self, _resource: str, given: dict[str, str]) -> Any:
        self.tasks += 1
        try:
            return self.world.step(given["step"], given["grant"])
        except Exception as error:
            raise StateError(type(error).__name__, str(error)) from error

    def run(self, identity: str, **how: Any) -> Execution:
        return self.machine.run({"grant": identity}, **how)


@pytest.fixture
def world() -> World:
    return World()


def _shut(world: World) -> bool:
    return world.holders() == set() and world.iam.gate("operator")["Statement"][0]["Sid"] == "NobodyIsGranted"


def test_a_grant_lives_from_its_approval_to_its_end(world: World, definition: dict[str, Any]) -> None:
    identity = world.granted()
    execution = Runner(world, definition).run(identity)
    assert execution.status == "SUCCEEDED", execution.error
    assert execution.path == ["Open", "Lives", "UntilItEnds", "Close"]
    assert world.records.events(identity) == ["closed", "decision", "opened", "request"]
    assert _shut(world)
    assert (world.clock() - world.clock().replace(hour=10, minute=0, second=0)).total_seconds() < 60


def test_a_revoked_grant_is_ended_by_an_execution_of_its_own(world: World, definition: dict[str, Any]) -> None:
    identity = world.granted()
    world.step_until_settled("open", identity)
    world.do("ben@acme", "revoke", identity)
    execution = Runner(world, definition).run(identity)
    assert (execution.status, execution.path) == ("SUCCEEDED", ["Open", "Lives", "Close"])
    assert _shut(world)


def test_killed_after_any_step_it_ends_the_same_when_begun_again(definition: dict[str, Any]) -> None:
    for steps in itertools.count(1):
        world = World()
        identity = world.granted()
        runner = Runner(world, definition)
        try:
            runner.run(identity, kill_after=steps)
        except Killed:
            assert runner.run(identity).status == "SUCCEEDED", steps
            assert _shut(world), steps
        else:
            assert steps > 4
            return
        assert world.records.events(identity) == ["closed", "decision", "opened", "request"], steps


def test_killed_for_good_after_any_step_the_sweep_ends_it(definition: dict[str, Any]) -> None:
    for steps in range(1, 4):
        world = World()
        identity = world.granted()
        with pytest.raises(Killed):
            Runner(world, definition).run(identity, kill_after=steps)
        world.clock.now = world.clock.now.replace(hour=11)
        for _ in range(3):
            world.sweep()
        assert _shut(world), steps
        assert "closed" in world.records.events(identity), steps


@pytest.mark.parametrize("fault", range(10))
def test_whatever_single_call_fails_the_workflow_goes_on(definition: dict[str, Any], fault: int) -> None:
    world = World()
    identity = world.granted()
    world.faults.left = fault
    assert Runner(world, definition).run(identity).status == "SUCCEEDED"
    assert _shut(world)
    assert "closed" in world.records.events(identity)


def test_what_never_opens_is_given_up_closed_and_told(world: World, definition: dict[str, Any]) -> None:
    identity = world.granted()
    world.admin.create_account_assignment = _broken  # type: ignore[method-assign]
    execution = Runner(world, definition).run(identity)
    assert execution.path == ["Open", "GiveUp", "Close"]
    assert execution.status == "SUCCEEDED"
    assert world.pages == ["Access to prod could not be opened"]
    assert _shut(world)


def test_what_never_closes_fails_the_execution_with_the_gate_shut(world: World, definition: dict[str, Any]) -> None:
    identity = world.granted()
    runner = Runner(world, definition)
    world.step_until_settled("open", identity)
    delete = world.admin.delete_account_assignment
    world.admin.delete_account_assignment = _broken  # type: ignore[method-assign]
    execution = runner.run(identity)
    assert execution.status == "FAILED"
    assert world.iam.gate("operator")["Statement"][0]["Sid"] == "NobodyIsGranted"
    assert runner.tasks > 10
    world.admin.delete_account_assignment = delete  # type: ignore[method-assign]
    for _ in range(2):
        world.sweep()
    assert _shut(world)


def _broken(**_: object) -> None:
    raise RuntimeError("Identity Center is out of order")


# --------------------------------------------------------------------------------------------------------- who may what


def _statements(assembly: Assembly, stack: str, path: str) -> Iterator[dict[str, Any]]:
    for policy in _of(assembly, stack, "AWS::IAM::ManagedPolicy"):
        if path in policy.path:
            yield from policy.properties["PolicyDocument"]["Statement"]


def _actions(assembly: Assembly, path: str, stack: str = STACK) -> set[str]:
    return {
        action
        for statement in _statements(assembly, stack, path)
        if statement["Effect"] == "Allow"
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


def test_whoever_decides_can_change_nothing_but_records(assembly: Assembly) -> None:
    actions = _actions(assembly, "Decider/Role")
    assert not [one for one in actions if one.startswith(("iam:", "sso:", "sts:"))]
    assert {"states:StartExecution", "s3:PutObject", "identitystore:IsMemberInGroups"} <= actions


def test_people_may_ask_and_decide_in_their_own_name_and_call_nothing_else(assembly: Assembly) -> None:
    for job, own, not_own in (("Requester", "request@", "approve@"), ("Approver", "approve@", "request@")):
        text = json.dumps(list(_statements(assembly, STACK, f"{STACK}/{job}/")))
        assert own in text
        assert not_own not in text
        assert text.count("${aws:userid}.json") == text.count("access-deeds/")
        assert _actions(assembly, f"{STACK}/{job}/") == {
            "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey", "lambda:InvokeFunction",
        }  # fmt: skip


def test_only_levels_of_live_stages_are_within_its_reach(assembly: Assembly) -> None:
    assign = [
        statement
        for statement in _statements(assembly, STACK, "Enforcer/Role")
        if "sso:CreateAccountAssignment" in statement["Action"]
    ]
    for statement in assign:
        resources = [statement["Resource"]] if isinstance(statement["Resource"], str) else statement["Resource"]
        for resource in resources:
            if ":permissionSet/" in resource:
                assert statement["Condition"] == {"StringEquals": {"aws:ResourceTag/palisade:held": "by-grant"}}
            assert str(FIXTURE.accounts.management) not in resource
    enter = next(s for s in _statements(assembly, STACK, "Enforcer/Role") if s["Action"] == "sts:AssumeRole")
    assert enter["Resource"] == "arn:aws:iam::200000000002:role/acme-gatekeeper"


def test_a_gatekeeper_opens_to_the_enforcer_alone_and_touches_gates_alone(assembly: Assembly) -> None:
    (role,) = _of(assembly, GATES, "AWS::IAM::Role")
    (trust,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
    enforcer = f"arn:aws:iam::{FIXTURE.accounts.security}:role/acme-recorder-access-enforcer"
    assert trust["Condition"] == {"ArnEquals": {"aws:PrincipalArn": enforcer}}
    (gates,) = [s for s in _statements(assembly, GATES, "Gatekeeper") if "iam:CreatePolicyVersion" in s["Action"]]
    assert set(gates["Resource"]) == {
        f"arn:aws:iam::200000000002:policy/acme-gate-{level.value}" for level in ON_REQUEST
    }


def test_levels_that_enter_customers_data_are_known_by_their_rights(assembly: Assembly) -> None:
    (decider,) = [
        function
        for function in _of(assembly, STACK, "AWS::Lambda::Function")
        if function.properties["Handler"] == "decide_access.handler.handle"
    ]
    rules = json.loads(decider.properties["Environment"]["Variables"]["RULES"])
    assert rules["customer_data"] == ["messaging", "database", "break-glass"]
    assert rules["stages"] == ["prod"]
    assert set(rules["groups"]) == {level.value for level in ON_REQUEST}


def test_a_sweep_that_does_not_take_place_alarms(assembly: Assembly) -> None:
    (rule,) = _of(assembly, STACK, "AWS::Events::Rule")
    assert rule.properties["ScheduleExpression"] == "rate(5 minutes)"
    (alarm,) = [
        alarm
        for alarm in _of(assembly, STACK, "AWS::CloudWatch::Alarm")
        if alarm.properties.get("MetricName") == "Unsettled"
    ]
    assert alarm.properties["TreatMissingData"] == "breaching"
    assert alarm.properties["EvaluationPeriods"] * alarm.properties["Period"] == 900
