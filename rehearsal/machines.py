"""Runs the deployed state machines of a rehearsal: their definitions as the embedded AWS keeps them, in the interpreter, with
Task states that call the deployed functions.

    machine = next(one for one in machines(view) if one.name.endswith("-deletions"))
    execution = machine.run({"tenant": "acme"})
    assert execution.status == "SUCCEEDED", execution.error

    for steps in itertools.count(1):           # kill it after each step, and begin again
        try:
            machine.run({"tenant": "acme"}, kill_after=steps)
            break
        except Killed:
            machine.run({"tenant": "acme"})

Waits and retries move ``machine.clock`` and take no time; the functions themselves live in the present.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

from rehearsal.checks import Resource, View
from rehearsal.state_machine import Execution, MovedClock, StateError, StateMachine, UnknownLanguageError


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One deployed state machine."""

    view: View
    resource: Resource
    clock: MovedClock = field(default_factory=lambda: MovedClock(datetime.now(UTC)))

    @property
    def name(self) -> str:
        """The machine's name."""
        return self.resource.id.rpartition(":")[2]

    @property
    def definition(self) -> Mapping[str, Any]:
        """The definition as the service keeps it."""
        answer = self.view.client("stepfunctions", self.resource).describe_state_machine(
            stateMachineArn=self.resource.id
        )
        found: Mapping[str, Any] = json.loads(answer["definition"])
        return found

    def run(self, data: Any, *, name: str = "rehearsal", kill_after: int | None = None) -> Execution:
        """Run an execution to its end.

        Raises:
            Killed: ``kill_after`` states have been finished.
            UnknownLanguageError: the definition, or a task of it, is of a kind not known here.
        """
        return StateMachine(self.definition, self.task, self.clock).run(data, name=name, kill_after=kill_after)

    def task(self, resource: str, given: Any) -> Any:
        """What a Task state's resource answers."""
        if ":lambda:" in resource and ":states:" not in resource:
            return self._invoke(resource, given)
        if resource == "arn:aws:states:::lambda:invoke":
            return {"Payload": self._invoke(given["FunctionName"], given.get("Payload", {})), "StatusCode": 200}
        kind, _, name = resource.removeprefix("arn:aws:states:::").rpartition(":")
        service = {"sns": "sns", "sqs": "sqs"}.get(kind) or (
            kind.removeprefix("aws-sdk:") if kind.startswith("aws-sdk:") else None
        )
        if service is None or "." in name:
            raise UnknownLanguageError(f"task {resource}")
        return self._call({"sfn": "stepfunctions"}.get(service, service), name, given)

    def _invoke(self, function: str, payload: Any) -> Any:
        answer = self.view.client("lambda", self.resource).invoke(
            FunctionName=function, Payload=json.dumps(payload).encode()
        )
        said = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            raise StateError(str(said.get("errorType", "Exception")), str(said.get("errorMessage", "")))
        return said

    def _call(self, service: str, action: str, given: Any) -> Any:
        try:
            answer = getattr(self.view.client(service, self.resource), xform_name(action))(**given)
        except ClientError as error:
            raise StateError(f"{service.capitalize()}.{error.response['Error']['Code']}", str(error)) from error
        return json.loads(
            json.dumps({name: one for name, one in answer.items() if name != "ResponseMetadata"}, default=str)
        )


def machines(view: View) -> Iterator[Machine]:
    """Every state machine of the rehearsal."""
    return (Machine(view=view, resource=resource) for resource in view.of("AWS::StepFunctions::StateMachine"))
