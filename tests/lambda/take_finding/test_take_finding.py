"""The intake: one incident for what is one, whatever comes twice, late, at once or half done."""

import itertools
import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from palisade_runtime.incidents.finding import findings
from take_finding.handler import take

from assembly.sample_findings import SAMPLES
from tests.incident_world import START, OutageError, World, sample


@pytest.mark.parametrize("kind", SAMPLES)
def test_each_kind_opens_exactly_one_incident_with_a_timer(kind: str) -> None:
    world = World()
    incident = world.find(kind)
    assert world.find(kind) == incident
    assert world.records.subjects() == [incident]
    assert list(world.step_functions.executions) == [incident]
    assert world.history(incident).count == 1


def test_the_kinds_are_incidents_of_their_own() -> None:
    world = World()
    assert len({world.find(kind) for kind in SAMPLES}) == len(SAMPLES)


@settings(max_examples=40)
@given(
    order=st.permutations(range(5)),
    again=st.lists(st.integers(0, 4), max_size=5),
)
def test_order_and_repetition_do_not_matter(order: list[int], again: list[int]) -> None:
    world = World()
    for number in (*order, *again):
        world.find("alarm", at=START + timedelta(seconds=number))
    (incident,) = world.records.subjects()
    assert world.history(incident).count == 5
    assert list(world.step_functions.executions) == [incident]


def test_what_is_found_after_it_was_resolved_is_another_incident() -> None:
    world = World()
    first = world.find("alarm")
    world.clock.advance(minutes=10)
    world.do("ada", "resolve", first, text="restarted")
    assert world.find("alarm", at=START - timedelta(minutes=1)) == first, "it was found before, and told late"
    second = world.find("alarm", at=START + timedelta(minutes=11))
    assert second == first.removesuffix("-1") + "-2"
    assert world.find("alarm", at=START - timedelta(minutes=1)) == second
    assert world.history(second).count in {1, 2}


@pytest.mark.parametrize("calls", range(6))
def test_whoever_is_killed_at_any_call_leaves_nothing_half_done_for_good(calls: int) -> None:
    world = World()
    world.archive.fail_after = calls
    try:
        world.find("guardduty")
    except OutageError:
        world.find("guardduty")
    world.archive.fail_after = None
    (incident,) = world.records.subjects()
    assert list(world.step_functions.executions) == [incident]
    assert world.history(incident).count == 1


def test_a_record_without_a_timer_gets_one_when_the_finding_comes_again() -> None:
    world = World()
    world.step_functions.down = True
    with pytest.raises(OutageError):
        world.find("guardduty")
    world.step_functions.down = False
    incident = world.find("guardduty")
    assert list(world.step_functions.executions) == [incident]


def test_two_that_open_at_once_are_one() -> None:
    world = World()
    other = sample("guardduty", at=START, severity=9)
    put = world.archive.put_object
    raced: list[int] = []

    def meanwhile(**given: object) -> None:
        if not raced:
            raced.append(1)
            (finding,) = findings(other)
            world.taking.intake.take(finding)
        put(**given)  # type: ignore[arg-type]

    world.archive.put_object = meanwhile  # type: ignore[method-assign]
    world.find("guardduty")
    (incident,) = world.records.subjects()
    assert world.history(incident).count == 2


def test_resolved_between_look_and_write_is_not_lost() -> None:
    world = World()
    first = world.find("alarm")
    later = START + timedelta(minutes=5)
    put = world.archive.put_object

    def resolving(**given: object) -> None:
        world.archive.put_object = put  # type: ignore[method-assign]
        world.clock.advance(minutes=4)
        world.do("ada", "resolve", first, text="restarted")
        put(**given)  # type: ignore[arg-type]

    world.archive.put_object = resolving  # type: ignore[method-assign]
    assert world.find("alarm", at=later) == first.removesuffix("-1") + "-2"


def test_what_is_no_finding_waits_for_a_person_and_holds_nobody_up() -> None:
    world = World()
    bodies = ["{", json.dumps({"detail-type": "Weather"}), json.dumps(SAMPLES["root"])]
    event = {"Records": [{"messageId": str(n), "body": body} for n, body in enumerate(bodies)]}
    assert take(event, world.taking) == {"batchItemFailures": [{"itemIdentifier": "0"}, {"itemIdentifier": "1"}]}
    assert len(world.records.subjects()) == 1


def test_a_thousand_calls_of_one_emergency_session_are_one_incident() -> None:
    world = World()
    incidents = {
        world.find("break-glass", eventID=f"id-{n}", eventTime=f"2026-03-02T09:14:{n % 60:02}Z") for n in range(200)
    }
    (incident,) = incidents
    history = world.history(incident)
    assert history.count == 200
    assert len(history.records) <= 52


def test_an_account_that_serves_nobody_is_not_woken_for_trouble() -> None:
    world = World()
    event = json.loads(json.dumps(sample("alarm")).replace("666666666666", "200000000001"))
    take({"Records": [{"messageId": "m", "body": json.dumps(event)}]}, world.taking)
    assert world.history(world.incident(event)).priority.name == "P3"


def test_names_fit_what_step_functions_and_the_archive_take() -> None:
    for kind, count in itertools.product(SAMPLES, [1, 99999]):
        (found,) = findings(SAMPLES[kind])
        assert len(f"{found.fingerprint}-{count}-P0") <= 80
