"""The synthesized state machine with the real functions: killed anywhere it goes on, and only the tenant is gone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from certify_deletion.certificate import digest, markdown
from palisade_runtime.tenants import HeldError, closed

from assembly import Assembly
from rehearsal.state_machine import Killed, strange


def test_deletes_the_tenant_and_leaves_every_other_byte(world: Any) -> None:
    for tenant in ("acme", "acme-2", "acm", "initech"):
        world.fill(tenant)
    before = {tenant: world.of(tenant) for tenant in ("acme-2", "acm", "initech")}
    execution = world.run("acme", world.demand("acme"))
    assert (execution.status, execution.path[-1]) == ("SUCCEEDED", "Deleted"), execution.error
    assert world.gone("acme")
    assert {tenant: world.of(tenant) for tenant in before} == before
    assert world.known("acme").status == "deleted"


def test_certifies_what_there_was_and_until_when_the_rest_stays(world: Any) -> None:
    world.fill("acme", things=4)
    request = world.demand("acme")
    world.run("acme", request)
    body = world.records.read("acme", f"certificate-{request}")
    made = body["certificate"]
    assert {one["store"]: (one["deleted"], one["left"]) for one in made["stores"]} == {
        "users": (4, 0),
        "credentials": (4, 0),
        "document items": (4, 0),
        "document objects": (9, 0),
        "database rows": (4, 0),
    }
    assert made["basis"] == {
        "because": "they asked",
        "asked_by": ["ada@example.com"],
        "approved_by": ["ben@example.com"],
        "at": "2026-03-02 09:00:00+00:00",
    }
    assert [one["until"] for one in made["backups"]] == ["2027-03-03"]
    assert (body["digest"], body["markdown"]) == (digest(made), markdown(made))
    assert made["closed_at"] == "2026-03-02T09:00:00Z"
    assert "| document objects | 9 | 0 |" in body["markdown"]


def test_waits_until_what_was_under_way_has_come_to_rest(world: Any) -> None:
    request = world.demand("acme")
    begun = world.clock()
    execution = world.run("acme", request)
    first_count = next(step for step in execution.steps if step.state == "Count")
    assert (first_count.at - begun).total_seconds() == 20 * 60
    assert closed(world.stage.dynamodb, world.stage.register, "acme")


def test_killed_after_any_step_it_goes_on_and_ends_the_same(world: Any) -> None:
    world.fill("other")
    before = world.of("other")
    world.fill("whole", things=1)
    steps = len(world.run("whole", world.demand("whole")).steps)
    assert steps > 30
    for number in range(1, steps):
        tenant = f"t{number}"
        world.fill(tenant, things=1)
        request = world.demand(tenant)
        with pytest.raises(Killed):
            world.run(tenant, request, kill_after=number)
        if world.known(tenant).status != "deleted":
            assert world.run(tenant, request).status == "SUCCEEDED", number
        assert world.gone(tenant), number
        made = world.records.read(tenant, f"certificate-{request}")["certificate"]
        assert [one["deleted"] for one in made["stores"]] == [1, 1, 1, 3, 1], number
    assert world.of("other") == before


def test_a_certificate_is_written_once_whatever_is_repeated(world: Any) -> None:
    world.fill("acme", things=1)
    request = world.demand("acme")
    world.run("acme", request)
    first = world.records.text("acme", f"certificate-{request}")
    world.clock.advance(days=1)
    assert world.run("acme", request).status == "FAILED", "it is over, so nobody may delete"
    assert world.records.text("acme", f"certificate-{request}") == first


@pytest.mark.parametrize("store", ["users", "document items", "document objects", "credentials", "database rows"])
def test_a_store_that_is_down_for_long_fails_it_and_the_next_day_goes_on(world: Any, store: str) -> None:
    world.fill("acme")
    request = world.demand("acme")
    world.failing.add(store)
    execution = world.run("acme", request)
    assert (execution.status, execution.error.name) == ("FAILED", "ConnectionError")
    assert world.known("acme").status == "deleting"
    world.failing.clear()
    world.clock.advance(days=1)
    assert world.sweep() == {"began": ["acme"]}
    name, data = list(world.started.items())[-1]
    assert (name, data) == (f"acme-{world.clock():%Y%m%d}", {"tenant": "acme", "request": request})
    assert world.run(**data).status == "SUCCEEDED"
    assert world.gone("acme")


def test_a_failure_that_passes_is_not_even_seen(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.fill("acme", things=1)
    request = world.demand("acme")
    world.failing.add("database rows")
    real, calls = world.task, []

    def passing(resource: str, given: Any) -> Any:
        calls.append(resource)
        if len(calls) > 15:
            world.failing.clear()
        return real(resource, given)

    monkeypatch.setattr(world, "task", passing)
    assert world.run("acme", request).status == "SUCCEEDED"
    assert len(calls) > 15


def test_a_hold_stops_it_before_the_next_batch_and_a_release_lets_it_go_on(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fill("acme", things=5)
    request = world.demand("acme")
    real = world.task
    at_hold: list[Any] = []

    def holding(resource: str, given: Any) -> Any:
        answer = real(resource, given)
        if given.get("phase") == "delete" and given["store"] == "document items" and not at_hold:
            world.say("hold", "acme:CASE-1", "carla", reason="litigation")
            world.ask("hold", "acme", case="CASE-1")
            at_hold.append(world.of("acme"))
        return answer

    monkeypatch.setattr(world, "task", holding)
    execution = world.run("acme", request)
    assert (execution.status, execution.path[-2:]) == ("SUCCEEDED", ["Stopped", "Held"])
    assert world.of("acme") == at_hold[0], "not one byte more was deleted"
    assert world.records.events("acme", "stopped-")
    world.clock.advance(days=1)
    assert world.sweep() == {"began": []}
    assert "acme is held" in world.mails
    assert world.run("acme", request).path[-1] == "Held", "nobody deletes what is held, whoever starts it"
    for person in ("carla", "dan"):
        world.say("release", "acme:CASE-1", person)
    world.ask("release", "acme", case="CASE-1")
    assert world.sweep() == {"began": ["acme"]}
    assert world.run("acme", request).path[-1] == "Deleted"
    assert world.gone("acme")


def test_what_turns_up_again_is_deleted_again(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.fill("acme", things=1)
    request = world.demand("acme")
    real = world.task
    written: list[Any] = []

    def writing(resource: str, given: Any) -> Any:
        answer = real(resource, given)
        if given.get("phase") == "delete" and given["store"] == "database rows" and answer["done"] and not written:
            written.append(world.rows.of["acme"].append("late"))
        return answer

    monkeypatch.setattr(world, "task", writing)
    execution = world.run("acme", request)
    assert (execution.status, execution.path.count("Pause")) == ("SUCCEEDED", 1)
    assert world.gone("acme")


def test_somebody_who_goes_on_writing_is_told_of_and_nothing_is_certified(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fill("acme", things=1)
    request = world.demand("acme")
    real = world.task

    def writing(resource: str, given: Any) -> Any:
        answer = real(resource, given)
        if given.get("phase") == "delete" and given["store"] == "database rows" and answer["done"]:
            world.rows.of["acme"].append("again")
        return answer

    monkeypatch.setattr(world, "task", writing)
    execution = world.run("acme", request)
    assert (execution.status, execution.error.name, execution.path.count("Certify")) == ("FAILED", "LeftOver", 3)
    assert world.records.read("acme", f"certificate-{request}") is None
    assert world.known("acme").status == "deleting"


def test_nobody_deletes_what_nobody_asked_for(world: Any) -> None:
    world.fill("acme")
    before = world.of("acme")
    assert world.run("acme", "demand-20260302T090000Z").status == "FAILED"
    world.demand("acme")
    assert world.run("acme", "demand-20260101T000000Z").status == "FAILED"
    assert world.of("acme") == before


def test_deletes_nothing_before_the_tombstone_stands(world: Any) -> None:
    request = world.demand("acme")
    event = {"tenant": "acme", "request": request, "store": "users", "phase": "delete", "number": 0, "checkpoint": ""}
    with pytest.raises(Exception, match="acme") as refused:
        world.task("Deleter", event)
    assert type(refused.value).__name__ == "NotAuthorizedError"
    world.register.hold("acme", "X")
    with pytest.raises(HeldError):
        world.task("Deleter", event)


def test_works_on_every_store_that_the_deleter_knows(definition: Mapping[str, Any], assembly: Assembly) -> None:
    assert list(strange(definition)) == []
    (function,) = (
        one
        for one in assembly["prod-offboarding"].resources.values()
        if one.type == "AWS::Lambda::Function" and one.path.split("/")[1] == "Deleter"
    )
    parts = function.properties["Environment"]["Variables"]["STORES"]["Fn::Join"][1]
    known = json.loads("".join(part if isinstance(part, str) else "x" for part in parts))
    assert definition["States"]["Begin"]["Parameters"]["stores"] == list(known)
    assert next(iter(known)) == "users", "whoever could still write goes first"
