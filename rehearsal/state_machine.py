"""Runs a Step Functions definition in this process: with a clock that can be moved, tasks that are plain functions, and
an execution that can be killed after any step and begun again.

It knows the JSONPath dialect with Task, Choice, Wait, Pass, Succeed, Fail, Parallel and inline Map, and refuses what it does
not know rather than pass over it. https://states-language.net/spec.html
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

Json = Any
Task = Callable[[str, Json], Json]
"""Called with the state's resource and input; what it raises is an error named after its class."""


class UnknownLanguageError(Exception):
    """The definition uses something this interpreter does not know."""


class Killed(Exception):  # noqa: N818 - not an error: the test asked for it
    """The execution was stopped from outside after the step it was told to stop after."""


class StateError(Exception):
    """What a state ended with: ``name`` as in ErrorEquals, and a cause."""

    def __init__(self, name: str, cause: str = "") -> None:
        self.name, self.cause = name, cause
        super().__init__(f"{name}: {cause}")


@dataclass
class MovedClock:
    """A clock that moves only when told to; call it for the present moment."""

    now: datetime = field(default_factory=lambda: datetime(2026, 3, 2, 9, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float = 0, **units: float) -> None:
        """Let ``seconds`` go by, and what else a ``timedelta`` is made of (``minutes=5``)."""
        self.now += timedelta(seconds=seconds, **units)


@dataclass(frozen=True)
class Step:
    """A state that was entered, and when."""

    state: str
    at: datetime


@dataclass
class Execution:
    """One execution: where it went, how it ended and with what."""

    name: str
    steps: list[Step] = field(default_factory=list)
    status: str = "RUNNING"
    output: Json = None
    error: StateError | None = None

    @property
    def path(self) -> list[str]:
        """The states entered, in order."""
        return [step.state for step in self.steps]


@dataclass
class StateMachine:
    """``definition`` as JSON; ``task`` does what Task states ask for; ``clock`` is moved on by waits and retries."""

    definition: Mapping[str, Json]
    task: Task
    clock: MovedClock
    _left: int | None = None
    _context: dict[str, Json] = field(default_factory=dict)

    def run(self, data: Json, *, name: str = "execution", kill_after: int | None = None) -> Execution:
        """Run to the end.

        Raises:
            Killed: ``kill_after`` states have been finished.
            UnknownLanguageError: something in the definition is not known here.
        """
        execution = Execution(name=name)
        self._left = kill_after
        began = self.clock()
        self._context = {
            "Execution": {"Id": f"arn:aws:states:local:{name}", "Name": name, "StartTime": _text(began), "Input": data}
        }
        limit = self.definition.get("TimeoutSeconds")
        try:
            execution.output = self._walk(self.definition, copy.deepcopy(data), execution)
            if limit is not None and self.clock() - began > timedelta(seconds=limit):
                raise StateError("States.Timeout", f"the execution took longer than {limit} seconds")
        except StateError as error:
            execution.status, execution.error = "FAILED", error
        else:
            execution.status = "SUCCEEDED"
        return execution

    def _walk(self, machine: Mapping[str, Json], data: Json, execution: Execution) -> Json:
        if machine.get("QueryLanguage", "JSONPath") != "JSONPath":
            raise UnknownLanguageError("only JSONPath is known")
        name = machine["StartAt"]
        while True:
            state = machine["States"][name]
            execution.steps.append(Step(name, self.clock()))
            self._context["State"] = {"Name": name, "EnteredTime": _text(self.clock())}
            data, following = self._enter(name, state, data, execution)
            if self._left is not None:
                self._left -= 1
                if self._left <= 0:
                    raise Killed(name)
            if following is None:
                return data
            name = following

    def _enter(self, name: str, state: Mapping[str, Json], data: Json, execution: Execution) -> tuple[Json, str | None]:
        """The state's output and the state after it; None at the end."""
        kind = state["Type"]
        unknown = _unknown(name, state)
        if unknown:
            raise UnknownLanguageError(unknown)
        if kind == "Fail":
            raise StateError(state.get("Error", "States.Failed"), state.get("Cause", ""))
        given = self._look(state["InputPath"], data) if state.get("InputPath") else data
        following = None if state.get("End") or kind == "Succeed" else state.get("Next")
        if kind == "Choice":
            following = next(
                (rule["Next"] for rule in state["Choices"] if self._holds(rule, given)), state.get("Default")
            )
            if following is None:
                raise StateError("States.NoChoiceMatched", name)
            return self._out(state, given), following
        if kind == "Wait":
            self._wait(state, given)
            return self._out(state, given), following
        attempts: dict[int, int] = {}
        while True:
            try:
                result = self._result(kind, state, given, execution)
            except StateError as error:
                retrier = self._retrier(state, error, attempts)
                if retrier is not None:
                    self.clock.advance(retrier)
                    continue
                for catcher in state.get("Catch", ()):
                    if _matches(catcher["ErrorEquals"], error):
                        told = {"Error": error.name, "Cause": error.cause}
                        return _put(data, catcher.get("ResultPath", "$"), told), catcher["Next"]
                raise
            if "ResultSelector" in state:
                result = self._fill(state["ResultSelector"], result)
            return self._out(state, _put(data, state.get("ResultPath", "$"), result)), following

    def _result(self, kind: str, state: Mapping[str, Json], given: Json, execution: Execution) -> Json:
        if kind == "Succeed":
            return given
        if kind == "Pass":
            return state["Result"] if "Result" in state else self._parameters(state, given)
        if kind == "Parallel":
            given = self._parameters(state, given)
            return [self._walk(branch, copy.deepcopy(given), execution) for branch in state["Branches"]]
        if kind == "Map":
            items = self._look(state.get("ItemsPath", "$"), given)
            processor = state.get("ItemProcessor") or state["Iterator"]
            return [self._walk(processor, self._item(state, given, n, item), execution) for n, item in enumerate(items)]
        began = self.clock()
        try:
            result = self.task(state["Resource"], copy.deepcopy(self._parameters(state, given)))
        except (StateError, Killed, UnknownLanguageError):
            raise
        except Exception as error:
            raise StateError(type(error).__name__, str(error)) from error
        if self.clock() - began > timedelta(seconds=state.get("TimeoutSeconds", 99999999)):
            raise StateError("States.Timeout", state["Resource"])
        # What goes between states is JSON: anything else would only work here.
        return json.loads(json.dumps(result))

    def _item(self, state: Mapping[str, Json], given: Json, index: int, item: Json) -> Json:
        self._context["Map"] = {"Item": {"Index": index, "Value": item}}
        selector = state.get("ItemSelector") or state.get("Parameters")
        return copy.deepcopy(item if selector is None else self._fill(selector, given))

    def _parameters(self, state: Mapping[str, Json], given: Json) -> Json:
        return self._fill(state["Parameters"], given) if "Parameters" in state else given

    def _out(self, state: Mapping[str, Json], data: Json) -> Json:
        return self._look(state["OutputPath"], data) if state.get("OutputPath") else data

    def _retrier(self, state: Mapping[str, Json], error: StateError, attempts: dict[int, int]) -> float | None:
        """Seconds until the next attempt; None if there is none."""
        for number, retrier in enumerate(state.get("Retry", ())):
            if _matches(retrier["ErrorEquals"], error):
                made = attempts.get(number, 0)
                if made >= retrier.get("MaxAttempts", 3):
                    return None
                attempts[number] = made + 1
                seconds = float(retrier.get("IntervalSeconds", 1)) * float(retrier.get("BackoffRate", 2.0)) ** made
                return min(seconds, float(retrier.get("MaxDelaySeconds", seconds)))
        return None

    def _wait(self, state: Mapping[str, Json], given: Json) -> None:
        if "Timestamp" in state or "TimestampPath" in state:
            text = state.get("Timestamp") or self._look(state["TimestampPath"], given)
            until = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
            self.clock.advance(max((until - self.clock()).total_seconds(), 0.0))
        else:
            self.clock.advance(
                float(state["Seconds"] if "Seconds" in state else self._look(state["SecondsPath"], given))
            )

    def _holds(self, rule: Mapping[str, Json], given: Json) -> bool:
        if "And" in rule:
            return all(self._holds(one, given) for one in rule["And"])
        if "Or" in rule:
            return any(self._holds(one, given) for one in rule["Or"])
        if "Not" in rule:
            return not self._holds(rule["Not"], given)
        operator, expected = next(
            (key, value) for key, value in rule.items() if key not in {"Variable", "Next", "Comment"}
        )
        try:
            value = self._look(rule["Variable"], given)
        except StateError:
            if operator == "IsPresent":
                return expected is False
            raise
        if operator.endswith("Path"):
            operator, expected = operator.removesuffix("Path"), self._look(expected, given)
        test = _TESTS.get(operator)
        if test is None:
            raise UnknownLanguageError(f"choice by {operator}")
        return bool(test(value, expected))

    def _fill(self, template: Json, given: Json) -> Json:
        if isinstance(template, Mapping):
            return dict(self._filled(template, given))
        return [self._fill(one, given) for one in template] if isinstance(template, list) else template

    def _filled(self, template: Mapping[str, Json], given: Json) -> Iterator[tuple[str, Json]]:
        for key, value in template.items():
            if key.endswith(".$"):
                yield key.removesuffix(".$"), self._look(value, given)
            else:
                yield key, self._fill(value, given)

    def _look(self, path: str, given: Json) -> Json:
        if path.startswith("States."):
            return self._intrinsic(path, given)
        if not re.fullmatch(r"\$\$?(\.[A-Za-z_][\w-]*|\[\d+\]|\['[^']+'\])*", path):
            raise UnknownLanguageError(f"path {path}")
        here: Json = self._context if path.startswith("$$") else given
        for name, index, quoted in re.findall(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]|\['([^']+)'\]", path):
            try:
                here = here[int(index)] if index else here[name or quoted]
            except (KeyError, IndexError, TypeError):
                raise StateError("States.ParameterPathFailure", f"{path} is not in {json.dumps(given)[:200]}") from None
        return here

    def _intrinsic(self, call: str, given: Json) -> Json:
        found = re.fullmatch(r"States\.Format\('([^']*)'((?:, *\$[^,]*)*)\)", call)
        if found is None:
            raise UnknownLanguageError(f"function {call}")
        values = [self._look(one.strip(), given) for one in found[2].split(",") if one.strip()]
        text = found[1]
        for value in values:
            text = text.replace("{}", str(value), 1)
        return text


_COMMON = {"Type", "Comment", "Next", "End", "InputPath", "OutputPath", "QueryLanguage"}
_TRYING = {"Retry", "Catch", "ResultPath", "ResultSelector", "Parameters"}
_KNOWN: dict[str, set[str]] = {
    "Task": {"Resource", "TimeoutSeconds", *_TRYING},
    "Pass": {"Result", "ResultPath", "Parameters"},
    "Choice": {"Choices", "Default"},
    "Wait": {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"},
    "Succeed": set(),
    "Fail": {"Error", "Cause"},
    "Parallel": {"Branches", *_TRYING},
    "Map": {"ItemProcessor", "Iterator", "ItemsPath", "ItemSelector", "MaxConcurrency", *_TRYING},
}
_TESTS: dict[str, Callable[[Json, Json], bool]] = {
    "BooleanEquals": lambda value, expected: value is expected,
    "IsNull": lambda value, expected: (value is None) is expected,
    "IsPresent": lambda _value, expected: expected is True,
    "NumericEquals": lambda value, expected: value == expected,
    "NumericGreaterThan": lambda value, expected: value > expected,
    "NumericGreaterThanEquals": lambda value, expected: value >= expected,
    "NumericLessThan": lambda value, expected: value < expected,
    "NumericLessThanEquals": lambda value, expected: value <= expected,
    "StringEquals": lambda value, expected: value == expected,
    "StringMatches": lambda value, expected: isinstance(value, str) and fnmatchcase(value, expected),
    "TimestampGreaterThan": lambda value, expected: _moment(value) > _moment(expected),
    "TimestampGreaterThanEquals": lambda value, expected: _moment(value) >= _moment(expected),
    "TimestampLessThan": lambda value, expected: _moment(value) < _moment(expected),
    "TimestampLessThanEquals": lambda value, expected: _moment(value) <= _moment(expected),
}


def strange(definition: Mapping[str, Json]) -> Iterator[str]:
    """What this interpreter does not know of ``definition``, without running it: states, their fields and comparisons."""
    for name, state in definition["States"].items():
        unknown = _unknown(name, state)
        if unknown:
            yield unknown
        for rule in state.get("Choices", ()):
            yield from (f"state {name}: choice by {one}" for one in _operators(rule) if one not in _TESTS)
        for inner in (*state.get("Branches", ()), state.get("ItemProcessor") or state.get("Iterator")):
            if inner:
                yield from strange(inner)


def _unknown(name: str, state: Mapping[str, Json]) -> str:
    kind = state["Type"]
    unknown = set(state) - _COMMON - _KNOWN.get(kind, set())
    if kind in _KNOWN and not unknown:
        return ""
    return f"state {name} of type {kind}: {', '.join(sorted(unknown)) or 'the type'}"


def _operators(rule: Mapping[str, Json]) -> Iterator[str]:
    for key, value in rule.items():
        if key in {"And", "Or"}:
            for one in value:
                yield from _operators(one)
        elif key == "Not":
            yield from _operators(value)
        elif key not in {"Variable", "Next", "Comment"}:
            yield key if key in _TESTS else key.removesuffix("Path")


def _matches(names: list[str], error: StateError) -> bool:
    uncaught = error.name in {"States.Runtime", "States.DataLimitExceeded"}
    return (
        error.name in names
        or ("States.ALL" in names and not uncaught)
        or ("States.TaskFailed" in names and error.name != "States.Timeout")
    )


def _put(data: Json, path: str | None, value: Json) -> Json:
    """``data`` with ``value`` at ``path``: ``$`` replaces all, None leaves it as it is."""
    if path is None:
        return data
    if path == "$":
        return value
    names = path.removeprefix("$.").split(".")
    result = copy.deepcopy(data)
    here = result
    for name in names[:-1]:
        here = here.setdefault(name, {})
    here[names[-1]] = value
    return result


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
