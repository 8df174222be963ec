"""The interpreter of workflows: it does what the States Language says, and refuses what it does not know."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from rehearsal.state_machine import Killed, MovedClock, StateError, StateMachine, UnknownLanguageError, strange


def _machine(states: dict[str, Any], task: Any = lambda _resource, data: data) -> StateMachine:
    return StateMachine({"StartAt": next(iter(states)), "States": states}, task, MovedClock())


def test_waits_until_a_moment_by_moving_the_clock_and_not_by_waiting() -> None:
    machine = _machine({"Wait": {"Type": "Wait", "TimestampPath": "$.until", "End": True}})
    assert machine.run({"until": "2026-03-02T11:30:00Z"}).status == "SUCCEEDED"
    assert machine.clock().isoformat() == "2026-03-02T11:30:00+00:00"


def test_a_moment_gone_by_is_not_waited_for() -> None:
    machine = _machine({"Wait": {"Type": "Wait", "TimestampPath": "$.until", "End": True}})
    before = machine.clock()
    machine.run({"until": "2020-01-01T00:00:00Z"})
    assert machine.clock() == before


def test_retries_with_growing_pauses_and_then_catches() -> None:
    calls: list[float] = []

    def fail(_resource: str, _data: Any) -> Any:
        calls.append(machine.clock().timestamp())
        raise ConnectionError("no")

    machine = _machine(
        {
            "Do": {
                "Type": "Task",
                "Resource": "do",
                "Retry": [
                    {"ErrorEquals": ["ConnectionError"], "IntervalSeconds": 2, "MaxAttempts": 2, "BackoffRate": 3}
                ],
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Tell"}],
                "End": True,
            },
            "Tell": {"Type": "Pass", "End": True},
        },
        fail,
    )
    execution = machine.run({"who": "x"})
    assert [round(later - earlier) for earlier, later in pairwise(calls)] == [2, 6]
    assert execution.output == {"who": "x", "error": {"Error": "ConnectionError", "Cause": "no"}}
    assert execution.path == ["Do", "Tell"]


def test_an_error_that_nobody_catches_fails_the_execution_by_its_name() -> None:
    execution = _machine({"No": {"Type": "Fail", "Error": "Refused", "Cause": "because"}}).run({})
    assert (execution.status, str(execution.error)) == ("FAILED", "Refused: because")


def test_chooses_the_first_rule_that_holds() -> None:
    states = {
        "Ask": {
            "Type": "Choice",
            "Choices": [
                {"Not": {"Variable": "$.level", "IsPresent": True}, "Next": "None"},
                {"And": [{"Variable": "$.level", "NumericGreaterThan": 3}], "Next": "High"},
            ],
            "Default": "Low",
        },
        **{name: {"Type": "Succeed"} for name in ("None", "High", "Low")},
    }
    assert [_machine(states).run(data).path[-1] for data in ({}, {"level": 4}, {"level": 3})] == ["None", "High", "Low"]


def test_places_results_and_fills_parameters() -> None:
    seen: list[Any] = []

    def answer(_resource: str, data: Any) -> Any:
        seen.append(data)
        return {"Payload": 7}

    machine = _machine(
        {
            "Do": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": "f", "Payload": {"id.$": "$.id", "run.$": "$$.Execution.Name"}},
                "ResultSelector": {"answer.$": "$.Payload"},
                "ResultPath": "$.done",
                "End": True,
            }
        },
        answer,
    )
    assert machine.run({"id": "a"}, name="r1").output == {"id": "a", "done": {"answer": 7}}
    assert seen == [{"FunctionName": "f", "Payload": {"id": "a", "run": "r1"}}]


def test_runs_every_branch_and_every_item() -> None:
    double = {"StartAt": "D", "States": {"D": {"Type": "Task", "Resource": "double", "End": True}}}
    machine = _machine(
        {
            "Each": {
                "Type": "Map",
                "ItemsPath": "$.items",
                "ItemProcessor": double,
                "ResultPath": "$.items",
                "Next": "Both",
            },
            "Both": {"Type": "Parallel", "Branches": [double, double], "End": True},
        },
        lambda _resource, data: data * 2 if isinstance(data, int) else len(data["items"]),
    )
    assert machine.run({"items": [1, 2, 3]}).output == [3, 3]


def test_stops_after_the_step_it_is_told_to() -> None:
    done: list[str] = []
    states = {
        "A": {"Type": "Task", "Resource": "a", "Next": "B"},
        "B": {"Type": "Task", "Resource": "b", "End": True},
    }
    machine = _machine(states, lambda resource, _data: done.append(resource))
    with pytest.raises(Killed):
        machine.run({}, kill_after=1)
    assert done == ["a"]


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Task", "Resource": "x", "HeartbeatSeconds": 5, "End": True},
        {"Type": "Pass", "Parameters": {"x.$": "$..deep"}, "End": True},
        {"Type": "Pass", "Parameters": {"x.$": "States.Hash($.a, 'SHA-1')"}, "End": True},
        {"Type": "Dance", "End": True},
    ],
)
def test_refuses_what_it_does_not_know(state: dict[str, Any]) -> None:
    with pytest.raises(UnknownLanguageError):
        _machine({"S": state}).run({})


def test_what_is_not_json_does_not_pass_between_states() -> None:
    execution = _machine({"S": {"Type": "Task", "Resource": "x", "End": True}}, lambda _resource, _data: {1, 2})
    with pytest.raises(TypeError):
        execution.run({})


def test_a_missing_path_is_an_error_and_not_nothing() -> None:
    execution = _machine({"S": {"Type": "Pass", "Parameters": {"x.$": "$.missing"}, "End": True}}).run({})
    assert isinstance(execution.error, StateError)
    assert execution.error.name == "States.ParameterPathFailure"


def test_says_beforehand_what_it_does_not_know() -> None:
    inner = {"StartAt": "B", "States": {"B": {"Type": "Dance", "End": True}}}
    states: dict[str, Any] = {
        "A": {
            "Type": "Choice",
            "Choices": [{"Or": [{"Variable": "$.a", "StringShouts": "x"}, {"Variable": "$.a", "IsPresent": True}]}],
        },
        "C": {"Type": "Map", "ItemProcessor": inner, "ToleratedFailureCount": 1, "End": True},
    }
    assert list(strange({"StartAt": "A", "States": states})) == [
        "state A: choice by StringShouts",
        "state C of type Map: ToleratedFailureCount",
        "state B of type Dance: the type",
    ]
