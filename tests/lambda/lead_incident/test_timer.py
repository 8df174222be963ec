"""The timer of an incident, as it is synthesized, with the functions' real code and a moved clock."""

import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from palisade_runtime.incidents.clocks import due, next_look

from assembly import Assembly
from rehearsal.state_machine import Killed
from tests.incident_world import START, World, good_postmortem, sample

Definition = Mapping[str, Any]


@pytest.fixture(scope="session")
def timer(assembly: Assembly) -> Definition:
    """The definition in the template, its functions called by their logical ids."""
    machines = (one for one in assembly["security-incidents"].resources.values() if one.type.endswith("StateMachine"))
    parts = next(machines).properties["DefinitionString"]["Fn::Join"][1]
    found: Definition = json.loads("".join(one if isinstance(one, str) else str(one["Fn::GetAtt"][0]) for one in parts))
    return found


@pytest.fixture
def world() -> World:
    return World()


def _finish(world: World, incident: str, *, minutes: float = 3) -> None:
    """Plan that ada does everything that is to be done."""

    def everything() -> None:
        world.do("ada", "ack", incident)
        world.do("ada", "resolve", incident, text="the key was taken away")
        for whom in world.history(incident).to_tell():
            world.do("ada", "told", incident, whom=whom, needed=True, text="by letter")
        draft = world.do("ada", "postmortem", incident, text=_written(world, incident))
        assert draft["ok"], draft
        closed = world.do("ada", "close", incident)
        assert closed["ok"], closed

    world.plan(minutes, everything)


def _records(world: World) -> list[str]:
    """The names of all records, without the ids of deeds, which are new each time."""
    return sorted(re.sub(r"-[0-9a-f]{32}", "", key) for key in world.archive.kept if "-deeds/" not in key)


def _written(world: World, incident: str) -> str:
    from answer_responder.handler import answer  # noqa: PLC0415

    return good_postmortem(answer({"kind": "draft", "incident": incident, "of": "postmortem"}, world.answering)["text"])


def test_p0_calls_everybody_at_once_by_every_channel(world: World, timer: Definition) -> None:
    incident = world.find("guardduty")
    world.watch(timer, incident, 1)
    for way in (world.mail, world.webhook, world.chat):
        assert world.called(way) == [(0, ("ada", "ben", "cem", "mia"))]
    assert world.history(incident).records["paged-p0-0"]["channels"] == dict.fromkeys(
        ("mail", "webhook", "chat"), "sent"
    )


def test_others_call_whoever_is_on_call_then_the_next_then_all(world: World, timer: Definition) -> None:
    incident = world.find("break-glass")
    on_call = world.rotation.on_call(START)
    following = world.rotation.after(on_call, START)
    world.watch(timer, incident, 190)
    everyone = world.rotation.everyone
    assert world.called()[:2] == [(0, (on_call,)), (5, (following,))]
    assert following != on_call
    assert world.called()[2:] == [(at, everyone) for at in (10, 20, 40, 60, 120, 180)]


@pytest.mark.parametrize(("minutes", "escalates"), [(4.98, False), (5.02, True)])
def test_escalates_at_five_minutes_unless_acknowledged_before(
    world: World, timer: Definition, minutes: float, escalates: bool
) -> None:
    incident = world.find("break-glass")
    world.plan(minutes, lambda: world.do("ben", "ack", incident))
    world.watch(timer, incident, 50)
    assert [at for at, _ in world.called()] == ([0, 5] if escalates else [0])
    assert world.metrics.of("PromisesMissed") == ([1.0] if escalates else [])
    assert world.metrics.of("TimeToAcknowledge") == [pytest.approx(minutes * 60)]
    assert world.metrics.of("TimeToAssign") == [pytest.approx(minutes * 60)]


def test_assigning_counts_as_having_it_in_hand(world: World, timer: Definition) -> None:
    incident = world.find("break-glass")
    world.plan(2, lambda: world.do("mia", "assign", incident, to="cem"))
    world.watch(timer, incident, 50)
    assert [at for at, _ in world.called()] == [0]
    assert world.history(incident).assignee == "cem"


def test_p3_wakes_nobody(world: World, timer: Definition) -> None:
    incident = world.find("config")
    world.watch(timer, incident, 60 * 24 * 8)
    assert world.called(world.webhook) == world.called(world.chat) == []
    assert [at for at, _ in world.called(world.mail)] == [0, 7 * 24 * 60]
    assert world.metrics.put == []


def test_what_becomes_graver_calls_everybody_though_somebody_has_it(world: World, timer: Definition) -> None:
    incident = world.find("guardduty", severity=5)
    world.do("ada", "ack", incident)
    world.watch(timer, incident, 2)
    assert [to for _, to in world.called()] == [(world.rotation.on_call(START),)]
    assert world.find("guardduty", at=START + timedelta(minutes=3), severity=8) == incident
    assert f"{incident}-P0" in world.step_functions.executions
    world.watch(timer, incident, 4)
    assert world.called()[-1] == (2, world.rotation.everyone)
    world.watch(timer, incident, 100)
    assert len(world.called()) == 2


def test_reminds_of_72_hours_until_both_are_told(world: World, timer: Definition) -> None:
    incident = world.find("guardduty")
    world.plan(1, lambda: world.do("ada", "ack", incident))
    world.plan(30 * 60, lambda: world.do("ada", "told", incident, whom="customers", needed=True, text="by letter"))
    world.watch(timer, incident, 97 * 60)
    reminders = [
        (round((at - START).total_seconds() / 3600), message.subject.split(":")[0].removeprefix("P0 tell the "))
        for at, message in world.webhook.sent
        if "tell the" in message.subject
    ]
    assert reminders == [
        (24, "customers"),
        *((hours, "regulator") for hours in (48, 66, 71, 72, 96)),
    ] or reminders == [(24, "customers"), (24, "regulator"), *((h, "regulator") for h in (48, 66, 71, 72, 96))]
    late = [message for _, message in world.webhook.sent if "OVERDUE" in message.subject]
    assert {message.to for message in late} == {world.rotation.everyone}
    assert world.metrics.of("PromisesMissed") == [1.0]


def test_reminds_of_the_post_mortem_within_one_business_day(world: World, timer: Definition) -> None:
    incident = world.find("alarm")
    world.plan(1, lambda: world.do("ada", "ack", incident))
    # Tuesday afternoon; Wednesday is a holiday, so Thursday at the same time.
    world.plan(30 * 60, lambda: world.do("ada", "resolve", incident, text="restarted"))
    world.watch(timer, incident, 30 * 60 + 2 * 24 * 60 + 1)
    at = [round((at - START).total_seconds() / 3600) for at, m in world.webhook.sent if "post-mortem" in m.subject]
    assert at == [74, 77, 78]


def test_runs_until_it_is_closed_and_not_longer(world: World, timer: Definition) -> None:
    incident = world.find("guardduty")
    _finish(world, incident)
    execution = world.run(timer, incident)
    assert execution.status == "SUCCEEDED"
    assert world.clock() - START < timedelta(minutes=6)
    assert next(iter(world.items.made.values()))["Status"] == "Resolved"
    assert world.metrics.of("TimeToResolve") == [180.0]
    assert world.metrics.of("TimeToDetect") == [303.0]


def test_the_item_is_one_and_each_action_has_its_own(world: World, timer: Definition) -> None:
    incident = world.find("guardduty")
    _finish(world, incident)
    world.run(timer, incident)
    item, action = world.items.made.values()
    assert item["Title"].startswith("P0 Credentials")
    assert action["RelatedOpsItems"] == [{"OpsItemId": next(iter(world.items.made))}]
    assert action["Title"].startswith("It was a forgotten key")


@pytest.mark.parametrize("kind", ["guardduty", "alarm", "config"])
def test_killed_after_any_step_and_begun_again_ends_the_same(timer: Definition, kind: str) -> None:
    def ended(kill_after: int | None) -> tuple[World, bool]:
        world = World()
        incident = world.find(kind)
        _finish(world, incident, minutes=1)
        killed = False
        try:
            world.run(timer, incident, kill_after=kill_after)
        except Killed:
            killed = True
            world.run(timer, incident)
        return world, killed

    whole, _ = ended(None)
    want = _records(whole)
    for steps in itertools.count(1):
        world, killed = ended(steps)
        assert _records(world) == want, steps
        assert sorted(one["Status"] for one in world.items.made.values()) == sorted(
            one["Status"] for one in whole.items.made.values()
        )
        assert sorted(world.metrics.put) == sorted(whole.metrics.put)
        assert world.called(world.mail) == whole.called(whole.mail)
        if not killed:
            break


@pytest.mark.parametrize("calls", range(14))
def test_an_outage_of_the_archive_at_any_call_delays_and_loses_nothing(timer: Definition, calls: int) -> None:
    world = World()
    incident = world.find("guardduty")
    _finish(world, incident, minutes=30)
    world.archive.fail_after = calls
    execution = world.run(timer, incident)
    assert execution.status == "SUCCEEDED"
    assert world.called(world.mail)[0][1] == world.rotation.everyone
    assert world.called(world.mail)[0][0] <= 1
    assert "closed" in world.history(incident).records


def test_without_items_people_are_called_all_the_same(world: World, timer: Definition) -> None:
    incident = world.find("guardduty")
    world.items.down = True
    world.plan(20, lambda: setattr(world.items, "down", False))
    world.watch(timer, incident, 30)
    assert world.called()[0] == (0, world.rotation.everyone)
    assert len(world.items.made) == 1


def test_if_no_channel_works_it_tries_until_one_does(world: World, timer: Definition) -> None:
    incident = world.find("guardduty")
    for way in (world.mail, world.webhook, world.chat):
        way.broken = True
    world.plan(17, lambda: setattr(world.chat, "broken", False))
    world.watch(timer, incident, 30)
    assert world.called(world.chat)
    assert 17 <= world.called(world.chat)[0][0] <= 23
    assert world.called(world.mail) == []
    assert "NOT delivered by mail" in world.chat.sent[0][1].text + world.chat.sent[1][1].text


def test_a_year_in_which_nobody_answers_fits_into_one_execution(world: World) -> None:
    """An execution holds 25,000 events: five for a task, two for a choice, two for a wait.

    https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
    """
    incident = world.find("guardduty")
    history, events, now = world.history(incident), 0, START
    sent = dict(history.records)
    while now < START + timedelta(days=365):
        for page in due(replace(history, records=sent), world.rotation, now):
            sent[f"paged-{page.name}"] = {}
            events += 14
        events += 9
        now = next_look(history, world.rotation, now)
    assert events < 25_000


def test_two_timers_of_one_incident_call_nobody_twice(world: World, timer: Definition) -> None:
    incident = world.find("break-glass")
    world.watch(timer, incident, 12)
    before = len(world.called())
    world.clock.plans.clear()
    world.watch(timer, incident, 12.5)
    assert len(world.called()) == before


def test_titles_that_hold_secrets_are_called_without_them(world: World, timer: Definition) -> None:
    secret = "password=hunter2hunter2 AKIAABCDEFGHIJKLMNOP jo@example.com"
    incident = world.find("guardduty", title=f"Somebody found {secret}")
    world.watch(timer, incident, 6)
    said = json.dumps([message.__dict__ for way in (world.mail, world.webhook, world.chat) for _, message in way.sent])
    for part in ("hunter2", "AKIAABCDEFGHIJKLMNOP", "jo@example.com"):
        assert part not in said
        assert part not in "".join(world.lines.written)


def test_the_sample_of_a_kind_is_what_the_world_finds() -> None:
    assert sample("alarm")["detail"]["alarmName"]
