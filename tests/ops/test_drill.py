"""The drill: every kind of finding from the bus to the closed incident, timed; a promise that is missed is said and counted."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from answer_responder.handler import answer
from palisade_runtime.incidents.finding import findings
from take_finding.handler import take

from assembly import Assembly
from assembly.sample_findings import SAMPLES
from ops.drill import Drill, Measure, line, main, sample
from tests.incident_world import START, Enough, World

STAGE, SECURITY, REGION = "666666666666", "100000000003", "eu-central-1"


class Desk:
    """The world's desk, as ada meets it."""

    def __init__(self, world: World, *, delay: timedelta = timedelta(0)) -> None:
        self.world, self.delay = world, delay

    def ask(self, event: Mapping[str, Any]) -> dict[str, Any]:
        return dict(answer(event, self.world.answering))

    def do(self, deed: str, incident: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if deed == "ack":
            self.world.clock.advance(seconds=self.delay.total_seconds())
        return self.world.do("ada", deed, incident, **body)


@pytest.fixture(scope="session")
def timer(assembly: Assembly) -> Mapping[str, Any]:
    """The definition in the template, its functions called by their logical ids."""
    machines = (one for one in assembly["security-incidents"].resources.values() if one.type.endswith("StateMachine"))
    parts = next(machines).properties["DefinitionString"]["Fn::Join"][1]
    found: Mapping[str, Any] = json.loads(
        "".join(one if isinstance(one, str) else str(one["Fn::GetAtt"][0]) for one in parts)
    )
    return found


def drill(
    world: World, timer: Mapping[str, Any], *, desk: Desk | None = None, called: bool = True, **rest: Any
) -> Drill:
    """A drill in the world: while it waits, the timers of what is open run."""

    def put(event: Mapping[str, Any]) -> None:
        taken = take({"Records": [{"messageId": "m", "body": json.dumps(event)}]}, world.taking)
        assert not taken["batchItemFailures"]

    def wait(seconds: float) -> None:
        begun = world.clock.now
        for execution in list(world.step_functions.executions.values()):
            incident = execution["input"]["incident"]
            if called and not any(name.startswith("paged") for name in world.archive.names(incident)):
                elapsed = (begun - START).total_seconds() + seconds
                with contextlib.suppress(Enough):
                    world.watch(timer, incident, elapsed / 60)
        world.clock.now = max(world.clock.now, begun + timedelta(seconds=seconds))

    return Drill(
        put=put,
        desk=desk or Desk(world),
        clock=world.clock,
        wait=wait,
        account=STAGE,
        me="ada",
        region=REGION,
        security=SECURITY,
        **rest,
    )


def _missed(measured: list[Measure]) -> list[str]:
    return [f"{one.kind}: {one.promise}" for one in measured if not one.kept]


def test_every_kind_is_followed_to_its_end_and_every_promise_is_kept(timer: Mapping[str, Any]) -> None:
    world = World()
    measured = list(drill(world, timer, plan=lambda: {"outcome": "planned", "steps": ["x"]}).hold(list(SAMPLES)))
    assert not _missed(measured), "\n".join(map(line, measured))
    assert {one.kind for one in measured} == set(SAMPLES)
    promises = {one.promise for one in measured if one.kind == "guardduty"}
    assert promises == {
        "detect",
        "page at once",
        "assign",
        "contain (planned only)",
        "72 hours run",
        "post-mortem is due",
        "close",
    }
    for _, message in world.webhook.sent:
        assert "[DRILL]" in message.subject + message.text, message
    for incident in world.records.subjects():
        history = world.history(incident)
        assert history.closed
        assert "page at once" in history.notes[0]["text"]


def test_a_late_acknowledgement_and_a_call_that_never_came_are_missed_promises(timer: Mapping[str, Any]) -> None:
    world = World()
    late = drill(world, timer, desk=Desk(world, delay=timedelta(minutes=6)))
    assert _missed(list(late.hold(["guardduty"]))) == ["guardduty: assign"]
    silent = drill(World(), timer, called=False)
    assert "guardduty: page at once" in _missed(list(silent.hold(["guardduty"])))


def test_a_finding_that_is_never_taken_is_a_missed_promise(timer: Mapping[str, Any]) -> None:
    world = World()
    lost = Drill(
        put=lambda _event: None,
        desk=Desk(world),
        clock=world.clock,
        wait=lambda seconds: world.clock.advance(seconds=seconds),
        account=STAGE,
        me="ada",
        region=REGION,
        security=SECURITY,
    )
    assert timer
    assert [(one.promise, one.measured) for one in lost.hold(["macie"])] == [("detect", "never")]


@pytest.mark.parametrize("kind", list(SAMPLES))
def test_a_drill_is_marked_and_never_part_of_a_real_incident(kind: str) -> None:
    event = sample(kind, name="drill:1", account=STAGE, security=SECURITY, region=REGION, now=START)
    other = sample(kind, name="drill:2", account=STAGE, security=SECURITY, region=REGION, now=START)
    real = {**event, "source": SAMPLES[kind]["source"], "resources": []}
    (drilled,), (again,), (meant,) = findings(event), findings(other), findings(real)
    assert drilled.title.startswith("[DRILL]")
    assert len({drilled.fingerprint, again.fingerprint, meant.fingerprint}) == 3
    assert drilled.found_at == START.replace(microsecond=0)


def test_refuses_credentials_of_another_account(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Sts:
        def get_caller_identity(self) -> dict[str, str]:
            return {"Account": "999999999999", "UserId": "A:ada"}

    monkeypatch.setattr("boto3.client", lambda *_args, **_rest: Sts())
    assert main([]) == 2
    assert "are handled in the security account" in capsys.readouterr().err
    assert main(["--stage", "nowhere"]) == 2
    assert "choose one of" in capsys.readouterr().err
