"""A drill counts if every identity went through every step and another person was told in time; else somebody is reminded."""

import contextlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from judge_drill.handler import Services, act
from judge_drill.rules import STEPS, Rules
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records

from rehearsal.state_machine import MovedClock
from tests.access_world import NOW, Archive, Faults

ONE, TWO = (f"arn:aws:iam::100000000001:user/emergency-{number}" for number in (1, 2))
ID = "prod.20260302-0123456789"


class _World:
    """The archive, a clock, and people who drill and witness."""

    def __init__(self, output: Any) -> None:
        self.clock, self.told = MovedClock(NOW), list[tuple[str, str]]()
        self.archive = Archive(self.clock, Faults())
        self.records = Records(s3=self.archive, bucket="acme-1", account="1", workflow="drills")
        self.services = Services(
            records=self.records,
            rules=Rules(
                stages=frozenset({"dev", "prod"}),
                identities=(ONE, TWO),
                heard_within=timedelta(minutes=15),
                every=timedelta(days=182),
            ),
            tell=lambda subject, text: self.told.append((subject, text)),
            clock=self.clock,
            logger=Logger(service="test", clock=self.clock, output=output),
        )

    def steps(self, **changed: Any) -> list[dict[str, Any]]:
        at = self.clock().isoformat()
        return [
            {"identity": who, "step": step, "ok": True, "at": at, **changed} for who in (ONE, TWO) for step in STEPS
        ]

    def drill(self, steps: object = None, *, identity: str = ID, person: str = "ada@acme") -> dict[str, Any]:
        self.records.say("drill", identity, f"AROA:{person}", {"steps": self.steps() if steps is None else steps})
        return self.ask("drill", identity)

    def witness(self, *saw: str, identity: str = ID, person: str = "ben@acme") -> dict[str, Any]:
        self.records.say("witness", identity, f"AROA:{person}", {"saw": list(saw or (ONE, TWO))})
        return self.ask("witness", identity)

    def ask(self, kind: str, identity: str = "") -> dict[str, Any]:
        return act({"kind": kind, **({"id": identity} if identity else {})}, self.services)


@pytest.fixture
def world(lines: Any) -> _World:
    return _World(lines)


def test_passes_when_another_person_was_told_of_every_identity_in_time(world: _World) -> None:
    assert world.drill()["outcome"] == "open"
    world.clock.advance(minutes=14)
    assert world.witness() == {"id": ID, "outcome": "passed", "problems": [], "by": "ada@acme"}
    kept = world.records.read(ID, "outcome")
    assert kept is not None
    assert (kept["outcome"], kept["by"], kept["taken"]) == ("passed", "ada@acme", NOW.isoformat())


def test_two_people_may_have_been_told_of_one_identity_each(world: _World) -> None:
    world.drill()
    assert world.witness(ONE)["outcome"] == "open"
    assert world.witness(TWO, person="cas@acme")["outcome"] == "passed"


def test_nobody_witnesses_their_own_drill(world: _World) -> None:
    world.drill()
    assert world.witness(person="Ada@acme")["outcome"] == "open"
    world.clock.advance(minutes=16)
    assert world.ask("witness", ID)["outcome"] == "failed"


def test_a_message_that_came_late_fails_the_drill_for_good(world: _World) -> None:
    world.drill()
    world.clock.advance(minutes=15, seconds=1)
    said = world.witness()
    assert said["outcome"] == "failed"
    assert all("later than 15 minutes" in problem for problem in said["problems"])
    assert world.witness(person="cas@acme")["outcome"] == "failed"


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("change", [{"ok": False, "said": "it was let in"}, {"ok": "yes"}, {"step": "none"}])
def test_a_step_that_went_wrong_or_was_left_out_fails_it(world: _World, step: str, change: Mapping[str, Any]) -> None:
    steps = world.steps()
    world.drill([{**one, **change} if (one["identity"], one["step"]) == (TWO, step) else one for one in steps])
    world.witness()
    world.clock.advance(minutes=16)
    said = world.ask("drill", ID)
    assert said["outcome"] == "failed"
    assert [TWO in problem for problem in said["problems"]] == [True]


@pytest.mark.parametrize(
    "steps", [[], "none", [1], [{}], [{"identity": ONE, "step": "role-taken", "ok": True, "at": "soon"}]]
)
def test_a_report_of_nothing_fails(world: _World, steps: object) -> None:
    assert world.drill(steps)["outcome"] == "failed"


def test_a_report_written_later_is_none(world: _World) -> None:
    steps = world.steps()
    world.clock.advance(hours=2)
    assert "does not follow" in " ".join(world.drill(steps)["problems"])


def test_an_unknown_stage_or_id_is_refused(world: _World) -> None:
    assert world.ask("drill", "x")["outcome"] == "refused"
    assert world.ask("witness", "prod.20260302-00000000ff")["outcome"] == "refused"
    world.drill(identity="live.20260302-0123456789")
    world.clock.advance(minutes=16)
    assert "no stage" in " ".join(world.ask("drill", "live.20260302-0123456789")["problems"])


def test_whoever_takes_anothers_id_reports_nothing(world: _World) -> None:
    world.drill([])
    world.clock.advance(seconds=1)
    world.drill(person="eve@acme")
    assert world.records.read(ID, "outcome")["by"] == "ada@acme"  # type: ignore[index]


def test_reminds_of_what_was_never_drilled_or_too_long_ago(world: _World) -> None:
    assert world.ask("remind")["due"] == {"dev": "never", "prod": "never"}
    world.drill()
    world.witness()
    world.clock.advance(days=182)
    assert world.ask("remind")["due"] == {"dev": "never"}
    world.clock.advance(seconds=1)
    assert world.ask("remind")["due"] == {"dev": "never", "prod": "2026-03-02"}
    assert "prod: last passed 2026-03-02" in world.told[-1][1]


def test_is_silent_when_nothing_is_due(world: _World) -> None:
    for stage in ("dev", "prod"):
        identity = f"{stage}.20260302-0123456789"
        world.drill(identity=identity)
        world.witness(identity=identity)
    assert world.ask("remind")["due"] == {}
    assert world.told == []


def test_a_failed_drill_does_not_put_the_next_one_off(world: _World) -> None:
    world.drill()
    world.clock.advance(minutes=16)
    assert world.ask("remind")["due"]["prod"] == "never"
    assert world.records.read(ID, "outcome")["outcome"] == "failed"  # type: ignore[index]


@pytest.mark.parametrize("left", range(12))
def test_killed_at_any_point_the_same_call_again_ends_the_same(world: _World, left: int) -> None:
    world.records.say("drill", ID, "AROA:ada@acme", {"steps": world.steps()})
    world.records.say("witness", ID, "AROA:ben@acme", {"saw": [ONE, TWO]})
    world.archive.faults.left = left
    with contextlib.suppress(ClientError):
        world.ask("witness", ID)
    world.archive.faults.left = None
    assert world.ask("witness", ID)["outcome"] == "passed"


def test_lists_every_drill_with_its_outcome(world: _World) -> None:
    world.drill()
    world.witness()
    assert [(one["id"], one["outcome"]) for one in world.ask("list")["drills"]] == [(ID, "passed")]
