"""Deployed state machines run in the interpreter: their tasks reach the deployed functions, whose errors keep their names."""

from __future__ import annotations

import io
import json
from typing import Any, cast

import pytest

from rehearsal.checks import Resource, View
from rehearsal.machines import machines
from rehearsal.state_machine import Killed, UnknownLanguageError

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:add"
MACHINE = Resource(
    stack="small",
    account="123456789012",
    region="eu-west-1",
    logical_id="Machine",
    type="AWS::StepFunctions::StateMachine",
    id="arn:aws:states:eu-west-1:123456789012:stateMachine:small",
    properties={},
    attributes={},
    path="small/Machine",
)


class _Services:
    """Step Functions with one machine, Lambda with one function that adds one, and SNS that keeps what is published."""

    def __init__(self, *states: dict[str, Any]) -> None:
        names = [f"S{number}" for number in range(len(states))]
        after = [{"Next": name} for name in names[1:]] + [{"End": True}]
        self.definition = {
            "StartAt": "S0",
            "States": {n: {**s, **a} for n, s, a in zip(names, states, after, strict=True)},
        }
        self.calls: list[Any] = []

    def client(self, _service: str, _account: str, _region: str) -> _Services:
        return self

    def describe_state_machine(self, **_names: str) -> dict[str, Any]:
        return {"definition": json.dumps(self.definition)}

    def invoke(self, **given: Any) -> dict[str, Any]:
        assert given["FunctionName"] == FUNCTION
        payload = json.loads(given["Payload"])
        self.calls.append(payload)
        if payload["n"] > 2:
            said = {"errorType": "TooManyError", "errorMessage": "no more"}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(said).encode())}
        return {"Payload": io.BytesIO(json.dumps({"n": payload["n"] + 1}).encode())}

    def publish(self, **given: Any) -> dict[str, Any]:
        self.calls.append(given)
        return {"MessageId": "m", "ResponseMetadata": {}}

    def run(self, data: Any, **more: Any) -> Any:
        (machine,) = machines(View(aws=cast("Any", self), resources=(MACHINE,)))
        assert machine.name == "small"
        return machine.run(data, **more)


ADD = {"Type": "Task", "Resource": FUNCTION}


def test_calls_the_deployed_function_step_by_step() -> None:
    assert _Services(ADD, ADD).run({"n": 1}).output == {"n": 3}


def test_reads_the_answer_of_the_invoke_integration() -> None:
    step = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": FUNCTION, "Payload.$": "$"},
        "OutputPath": "$.Payload",
    }
    assert _Services(step).run({"n": 1}).output == {"n": 2}


def test_an_error_of_the_function_can_be_caught_by_its_class() -> None:
    execution = _Services({**ADD, "Catch": [{"ErrorEquals": ["TooManyError"], "Next": "S1"}]}, {"Type": "Pass"}).run(
        {"n": 3}
    )
    assert execution.output == {"Error": "TooManyError", "Cause": "no more"}


def test_a_killed_run_leaves_what_it_did() -> None:
    services = _Services(ADD, ADD)
    with pytest.raises(Killed):
        services.run({"n": 1}, kill_after=1)
    assert services.calls == [{"n": 1}]


def test_publishes_and_refuses_tasks_it_does_not_know() -> None:
    publish = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Parameters": {"Message": "late"}}
    services = _Services(publish)
    assert services.run({}).output == {"MessageId": "m"}
    assert services.calls == [{"Message": "late"}]
    with pytest.raises(UnknownLanguageError):
        _Services({"Type": "Task", "Resource": "arn:aws:states:::batch:submitJob.sync"}).run({})
