"""Containment as rules over records: plans change nothing, two people where customers notice, undone to the very state before."""

import copy
import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from contain.action import Action, RefusedError, State
from contain.containment import DEEDS, Containment
from contain.handler import Services, answer
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records

from stacks.containment import DEEDS as DEEDS_OF_PEOPLE

ADA, BEN, EVE = ("AROAEXAMPLE:" + name for name in ("ada@example.com", "ben@example.com", "eve@example.com"))
ADA_ELSEWHERE = "AROAOTHERROLE:Ada@example.com"


class KilledError(Exception):
    """The function was stopped here."""


@dataclass
class World:
    """The archive and a machine with three switches, both of which count what is done to them and can be stopped at any point."""

    now: datetime = datetime(2026, 3, 2, 12, tzinfo=UTC)
    switches: dict[str, Any] = field(default_factory=lambda: {"a": "on", "b": ["x", "y"], "c": None})
    copies: dict[str, list[str]] = field(default_factory=dict)
    finished: int = 0
    kept: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    left: int | None = None
    changes: list[tuple[str, Any]] = field(default_factory=list)

    def clock(self) -> datetime:
        return self.now

    def step(self) -> None:
        """One point at which the function may be stopped."""
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise KilledError

    # -- the archive

    def put_object(self, *, Key: str, Body: bytes, IfNoneMatch: str, **_: object) -> None:  # noqa: N803
        assert IfNoneMatch == "*"
        self.step()
        if Key in self.kept:
            raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": ""}}, "PutObject")
        self.kept[Key] = Body.decode(), self.now
        self.step()

    def get_object(self, *, Key: str, **_: object) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(self.kept[Key][0].encode())}

    def get_paginator(self, _operation: str) -> "World":
        return self

    def paginate(self, *, Prefix: str, Delimiter: str = "", **_: object) -> Iterator[dict[str, Any]]:  # noqa: N803
        keys = sorted(key for key in self.kept if key.startswith(Prefix))
        if Delimiter:
            folders = dict.fromkeys(Prefix + key.removeprefix(Prefix).partition("/")[0] + "/" for key in keys)
            yield {"CommonPrefixes": [{"Prefix": one} for one in folders]}
        else:
            yield {"Contents": [{"Key": key, "LastModified": self.kept[key][1]} for key in keys]}


@dataclass(frozen=True, kw_only=True)
class Switches(Action):
    name: str = "switch-off"
    warning: str = "It is dark."
    world: World

    def check(self, target: str) -> None:
        if target != "machine":
            raise RefusedError(f"there is no {target}.")

    def look(self, target: str) -> dict[str, Any]:
        assert target == "machine"
        return copy.deepcopy(self.world.switches)

    def wanted(self, before: State, at: datetime) -> dict[str, Any]:
        return dict.fromkeys(before, f"off since {at.isoformat()}")

    def apply(self, target: str, part: str, value: Any) -> None:
        assert target == "machine"
        self.world.step()
        self.world.switches[part] = value
        self.world.changes.append((part, value))
        self.world.step()

    def to_preserve(self, target: str) -> list[str]:
        assert target == "machine"
        return ["copy of the disk"]

    def preserve(self, target: str, mark: str) -> list[str]:
        assert target == "machine"
        self.world.step()
        self.world.copies.setdefault(mark, [f"copy-{len(self.world.copies)}"])
        self.world.step()
        return self.world.copies[mark]

    def finish(self, target: str) -> None:
        assert target == "machine"
        self.world.step()
        self.world.finished += 1

    def undo_from(self, at: datetime) -> datetime:
        return at + timedelta(hours=1)


@pytest.fixture
def world() -> World:
    return World()


def containment(world: World, *, stops: bool = True, guarded: bool = True) -> Containment:
    return Containment(
        records=Records(s3=world, bucket="acme-live-decision-100000000002", account="7", workflow="containment"),
        actions={"switch-off": Switches(world=world, stops_product=stops)},
        guarded=guarded,
        clock=world.clock,
    )


def asked(world: World, workflow: Containment, who: str = ADA) -> str:
    identity: str = workflow.plan("switch-off", "machine")["id"]
    body = {"action": "switch-off", "target": "machine", "reason": "somebody is in it", "incident": "incident-1"}
    workflow.records.say("request", identity, who, body)
    world.now += timedelta(seconds=1)
    return identity


def contained(world: World, workflow: Containment) -> str:
    identity = asked(world, workflow)
    workflow.records.say("approve", identity, BEN, {})
    assert workflow.do(identity)["outcome"] == "contained"
    return identity


def test_a_plan_changes_and_records_nothing(world: World) -> None:
    before = copy.deepcopy(world)
    planned = containment(world).plan("switch-off", "machine")
    assert world == before
    assert planned["people"] == 2
    assert planned["steps"][0] == "copy of the disk"
    assert planned["steps"][1] == "a: on becomes off since 2026-03-02T12:00:00+00:00"
    assert planned["warning"] == "It is dark."


def test_what_stops_the_product_of_a_guarded_stage_takes_a_second_person(world: World) -> None:
    workflow = containment(world)
    identity = asked(world, workflow)
    untouched = copy.deepcopy(world.switches)
    assert workflow.do(identity)["outcome"] == "waits"
    workflow.records.say("approve", identity, ADA, {})
    assert workflow.do(identity)["outcome"] == "waits", "one's own approval"
    workflow.records.say("approve", identity, ADA_ELSEWHERE, {})
    assert workflow.do(identity)["outcome"] == "waits", "one's own approval from another session"
    assert world.switches == untouched
    assert not world.copies
    workflow.records.say("approve", identity, BEN, {})
    done = workflow.do(identity)
    assert (done["outcome"], done["by"], done["approved_by"]) == ("contained", "ada@example.com", "ben@example.com")
    assert done["reason"] == "somebody is in it"
    assert done["incident"] == "incident-1"


@pytest.mark.parametrize(("stops", "guarded"), [(False, True), (True, False), (False, False)])
def test_anything_else_takes_one(world: World, stops: bool, guarded: bool) -> None:
    workflow = containment(world, stops=stops, guarded=guarded)
    assert workflow.do(asked(world, workflow))["outcome"] == "contained"


def test_an_approval_is_of_one_target_only(world: World) -> None:
    workflow = containment(world)
    identity = asked(world, workflow)
    workflow.records.say("approve", "0123456789ab-1", BEN, {})
    assert workflow.do(identity)["outcome"] == "waits"
    forged = {"action": "switch-off", "target": "another machine", "reason": "", "incident": ""}
    workflow.records.say("request", "0123456789ab-1", ADA, forged)
    with pytest.raises(RefusedError, match="nobody asked"):
        workflow.do("0123456789ab-1")


def test_a_request_that_nobody_approved_lapses(world: World) -> None:
    workflow = containment(world)
    identity = asked(world, workflow)
    world.now += timedelta(hours=5)
    workflow.records.say("approve", identity, BEN, {})
    with pytest.raises(RefusedError, match="hours ago"):
        workflow.do(identity)
    assert workflow.every()[0]["outcome"] == "lapsed"
    assert workflow.plan("switch-off", "machine")["id"] == identity.replace("-1", "-2")


def test_two_who_ask_or_approve_at_once_do_one_thing(world: World) -> None:
    workflow = containment(world)
    identity = asked(world, workflow)
    assert asked(world, workflow, BEN) == identity
    workflow.records.say("approve", identity, BEN, {})
    workflow.records.say("approve", identity, EVE, {})
    first = workflow.do(identity)
    changes = list(world.changes)
    assert workflow.do(identity) == first
    assert world.changes == changes
    assert len(workflow.every()) == 1
    assert workflow.plan("switch-off", "machine")["outcome"] == "contained"


def test_whoever_recorded_the_former_state_first_is_right(world: World) -> None:
    """Two calls both looked before either wrote; the later must not take the contained state for the former."""
    workflow = containment(world, stops=False)
    identity = asked(world, workflow)
    former = copy.deepcopy(world.switches)
    world.left = 7
    with pytest.raises(KilledError):
        workflow.do(identity)
    world.left = None
    world.now += timedelta(minutes=1)
    workflow.do(identity)
    assert workflow.records.read(identity, "before") is not None
    undone(world, workflow, identity)
    assert world.switches == former


def undone(world: World, workflow: Containment, identity: str) -> None:
    world.now += timedelta(hours=2)
    workflow.records.say("undo", identity, EVE, {"reason": "it was us"})
    assert workflow.undo(identity)["outcome"] == "undone"


def test_undoing_restores_exactly_the_former_state(world: World) -> None:
    workflow, former = containment(world), copy.deepcopy(world.switches)
    identity = contained(world, workflow)
    assert world.switches != former
    undone(world, workflow, identity)
    assert world.switches == former
    changes = list(world.changes)
    assert workflow.undo(identity)["outcome"] == "undone"
    assert world.changes == changes
    assert workflow.every()[0]["undone_by"] == "eve@example.com"
    with pytest.raises(RefusedError, match="Plan it anew"):
        workflow.do(identity)
    assert workflow.plan("switch-off", "machine")["id"] == identity.replace("-1", "-2")


def test_undoing_refuses_what_somebody_changed_since_unless_two_force_it(world: World) -> None:
    workflow, former = containment(world), copy.deepcopy(world.switches)
    identity = contained(world, workflow)
    world.switches["b"] = ["somebody's own"]
    world.switches["d"] = "new"
    world.now += timedelta(hours=2)
    workflow.records.say("undo", identity, EVE, {"reason": "it was us"})
    with pytest.raises(RefusedError) as refused:
        workflow.undo(identity)
    assert [said.split(" of ")[0] for said in refused.value.problems[:2]] == ["b", "d"]
    assert world.switches["b"] == ["somebody's own"]
    workflow.records.say("force-undo", identity, EVE, {"reason": ""})
    with pytest.raises(RefusedError):
        workflow.undo(identity)
    workflow.records.say("force-undo", identity, ADA, {"reason": "the change was ours"})
    assert workflow.undo(identity)["outcome"] == "undo waits"
    workflow.records.say("approve-force-undo", identity, ADA, {})
    assert workflow.undo(identity)["outcome"] == "undo waits"
    workflow.records.say("approve-force-undo", identity, BEN, {})
    assert workflow.undo(identity)["outcome"] == "undone"
    assert {part: world.switches[part] for part in former} == former
    record = workflow.records.read(identity, "undoing")
    assert record is not None
    assert (record["forced"], record["reason"], record["by"]) == (True, "the change was ours", "ada@example.com")
    assert record["found"]["b"] == ["somebody's own"]


def test_undoing_too_early_leaves_the_way_closed(world: World) -> None:
    workflow = containment(world)
    identity = contained(world, workflow)
    closed = copy.deepcopy(world.switches)
    workflow.records.say("undo", identity, EVE, {})
    with pytest.raises(RefusedError, match="live again"):
        workflow.undo(identity)
    assert world.switches == closed


def test_refuses_what_nobody_asked_for(world: World) -> None:
    workflow = containment(world)
    identity = workflow.plan("switch-off", "machine")["id"]
    for ask in (workflow.do, workflow.undo):
        with pytest.raises(RefusedError, match="nobody asked"):
            ask(identity)
    contained(world, workflow)
    with pytest.raises(RefusedError, match="nobody asked to undo"):
        workflow.undo(identity)


def test_a_refusal_is_recorded(world: World) -> None:
    workflow = containment(world)
    identity = contained(world, workflow)
    workflow.records.say("undo", identity, EVE, {})
    for _ in range(2):
        with pytest.raises(RefusedError):
            workflow.undo(identity)
    assert len(workflow.records.events(identity, "refused-")) == 1


def test_killed_anywhere_and_called_again_it_comes_to_the_same_end(world: World) -> None:
    reference = World()
    workflow = containment(reference)
    contained(reference, workflow)
    points = 0
    for points in itertools.count():
        world = World()
        former = copy.deepcopy(world.switches)
        workflow = containment(world)
        identity = asked(world, workflow)
        workflow.records.say("approve", identity, BEN, {})
        world.left = points
        try:
            workflow.do(identity)
        except KilledError:
            world.left = None
            world.now += timedelta(minutes=1)
            acted = [part for part, value in world.switches.items() if value != former[part]]
            assert not acted or "before" in workflow.records.events(identity), "it acted before it knew the way back"
            assert not acted or world.copies, "it acted before the copies were made"
            workflow.do(identity)
        else:
            break
        finally:
            world.left = None
        assert workflow.do(identity)["outcome"] == "contained"
        assert set(workflow.records.events(identity)) == set(containment(reference).records.events(identity))
        assert len(world.copies) == 1
        assert len(set(map(str, world.switches.values()))) == 1, "every switch is off since the same moment"
        undone(world, workflow, identity)
        assert world.switches == former
    assert points > 15


def test_killed_anywhere_while_undoing_it_restores_the_former_state() -> None:
    points = 0
    for points in itertools.count():
        world = World()
        former = copy.deepcopy(world.switches)
        workflow = containment(world)
        identity = contained(world, workflow)
        world.now += timedelta(hours=2)
        workflow.records.say("undo", identity, EVE, {})
        world.left = points
        try:
            workflow.undo(identity)
        except KilledError:
            world.left = None
            assert workflow.undo(identity)["outcome"] == "undone"
        else:
            break
        finally:
            world.left = None
        assert world.switches == former
    assert points > 10


def test_half_done_it_can_be_undone(world: World) -> None:
    workflow, former = containment(world), copy.deepcopy(world.switches)
    identity = asked(world, workflow)
    workflow.records.say("approve", identity, BEN, {})
    world.left = 12
    with pytest.raises(KilledError):
        workflow.do(identity)
    world.left = None
    assert former != world.switches
    assert any(world.switches[part] == former[part] for part in former)
    undone(world, workflow, identity)
    assert world.switches == former


def test_refuses_to_go_on_over_somebody_elses_change(world: World) -> None:
    workflow = containment(world)
    identity = asked(world, workflow)
    workflow.records.say("approve", identity, BEN, {})
    world.left = 8
    with pytest.raises(KilledError):
        workflow.do(identity)
    world.left = None
    world.switches["c"] = "somebody's own"
    with pytest.raises(RefusedError, match="somebody changed it"):
        workflow.do(identity)
    assert world.switches["c"] == "somebody's own"


def test_the_function_answers_refusals_and_never_raises_them(world: World) -> None:
    services = Services(containment=containment(world), logger=Logger(service="contain"))
    identity = asked(world, services.containment)
    assert answer({"kind": "plan", "action": "switch-off", "target": "machine"}, services)["id"] == identity
    assert answer({"kind": "do", "id": identity}, services)["outcome"] == "waits"
    assert answer({"kind": "list"}, services)["containments"][0]["id"] == identity
    for bad in (
        {},
        {"kind": "do", "id": "../x"},
        {"kind": "plan", "action": "explode", "target": "machine"},
        {"kind": "plan", "action": "switch-off", "target": "nothing"},
        {"kind": "undo", "id": "000000000000-1"},
    ):
        refusal = answer(bad, services)
        assert refusal["outcome"] == "refused"
        assert refusal["problems"]


def test_people_may_say_exactly_what_the_function_listens_to() -> None:
    assert DEEDS_OF_PEOPLE == DEEDS
