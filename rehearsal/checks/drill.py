"""A drill on what is deployed: marked findings, followed to the closed incident and timed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from palisade_runtime.incidents.on_call import Rotation

from ops.drill import Drill, line
from rehearsal.checks import Resource, View, incidents, scenario


class _Handling:
    """The deployed desk, as one responder meets it."""

    def __init__(self, desk: Any, person: str) -> None:
        self._desk, self._person = desk, person

    def ask(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """What the deployed desk answers."""
        answer: dict[str, Any] = self._desk.ask("answer_responder", event)
        return answer

    def do(self, deed: str, incident: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A deed under the person's own id."""
        answer: dict[str, Any] = self._desk.do(self._person, deed, incident, **body)
        return answer


_KINDS = ("guardduty", "config")
"""The gravest and the least, which differ in who is called and told; tests/ops/test_drill.py holds one of every kind."""


@scenario("a drill is taken, called, assigned, planned to be contained, written up and closed, each in its time")
def drilled(view: View) -> None:
    contains = [
        one for one in view.of("AWS::Lambda::Function") if one.properties.get("Handler") == "contain.handler.handle"
    ]
    if not contains:
        return
    for desk in incidents.desks(view):
        before = set(desk.records.subjects())

        def put(event: Mapping[str, Any], desk: Any = desk) -> None:
            message = {"messageId": event["resources"][0], "body": json.dumps(event)}
            assert desk.ask("take_finding", {"Records": [message]}) == {"batchItemFailures": []}

        def wait(_seconds: float, desk: Any = desk, before: set[str] = before) -> None:
            """The timers of what the drill opened run for a moment."""
            for incident in set(desk.records.subjects()) - before:
                if not desk.records.events(incident, "paged-"):
                    desk.run(incident, minutes=0.1)

        with incidents.listening(desk) as room:
            person = Rotation.read(desk.settings("lead_incident")["ROTATION"]).everyone[0]
            drill = Drill(
                put=put,
                desk=_Handling(desk, person),
                clock=lambda: datetime.now(UTC),
                wait=wait,
                account=contains[0].account,
                me=person,
                region=desk.machine.resource.region,
                security=desk.machine.resource.account,
                plan=lambda: _plan(view, contains[0]),
            )
            measured = list(drill.hold(_KINDS))
            missed = [line(one) for one in measured if not one.kept]
            assert not missed, "\n".join(missed)
            assert len(measured) >= 5 * len(_KINDS)
            mine = set(desk.records.subjects()) - before
            pages = [json.loads(body) for path, _, body in room.got if path == "/webhook"]
            said = [page["subject"] for page in pages if page["incident"] in mine]
            assert said, "nobody was called"
            assert all("[DRILL]" in one for one in said), said


def _plan(view: View, function: Resource) -> dict[str, Any]:
    event = {"kind": "plan", "action": "block-address", "target": "9.9.9.9"}
    answer = view.client("lambda", function).invoke(FunctionName=function.id, Payload=json.dumps(event).encode())
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    return said
