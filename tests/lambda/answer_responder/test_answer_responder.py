"""The desk: who did what is whoever wrote the deed; nothing closes before its duties are done."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
from answer_responder.handler import answer

from tests.incident_world import START, World, good_postmortem

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def world() -> World:
    return World()


def _draft(world: World, incident: str, of: str) -> str:
    return str(answer({"kind": "draft", "incident": incident, "of": of}, world.answering)["text"])


def test_records_who_wrote_the_deed(world: World) -> None:
    incident = world.find("guardduty")
    answered = world.do("Ada", "ack", incident)
    assert (answered["ok"], answered["by"], answered["first"]) == (True, "ada", True)
    assert world.history(incident).records["acknowledged"]["by"] == "ada"


def test_of_two_who_acknowledge_at_once_the_first_has_it(world: World) -> None:
    incident = world.find("guardduty")
    world.do("ada", "ack", incident)
    answered = world.do("ben", "ack", incident)
    assert (answered["by"], answered["first"]) == ("ada", False)
    assert world.history(incident).assignee == "ada"


def test_a_call_without_a_deed_does_nothing(world: World) -> None:
    incident = world.find("guardduty")
    answered = answer({"kind": "ack", "incident": incident, "deed": "0" * 32}, world.answering)
    assert answered == {"ok": False, "problems": [f"nobody wrote the deed ack@{incident}@{'0' * 32}"]}
    assert not world.history(incident).acknowledged


def test_a_deed_for_one_incident_counts_for_no_other(world: World) -> None:
    one, other = world.find("guardduty"), world.find("root")
    world.records.say("ack", f"{one}@{'1' * 32}", "AROA:ada", {})
    assert not answer({"kind": "ack", "incident": other, "deed": "1" * 32}, world.answering)["ok"]


def test_the_same_deed_twice_is_one(world: World) -> None:
    incident = world.find("guardduty")
    world.records.say("note", f"{incident}@{'1' * 32}", "AROA:ada", {"text": "look at the role"})
    for _ in range(2):
        answer({"kind": "note", "incident": incident, "deed": "1" * 32}, world.answering)
    assert len(world.history(incident).notes) == 1


def test_the_last_assignment_counts(world: World) -> None:
    incident = world.find("guardduty")
    for person in ("ben", "cem", "ada"):
        world.clock.advance(minutes=1)
        world.do("mia", "assign", incident, to=person)
    assert world.history(incident).assignee == "ada"


@pytest.mark.parametrize(
    ("deed", "body", "problem"),
    [
        ("assign", {"to": "eve"}, "to must be one of ada, ben, cem, mia"),
        ("note", {"text": " "}, "text must be 3 to 4000 characters"),
        ("resolve", {}, "text must be 3 to 4000 characters"),
        ("told", {"whom": "the press", "text": "no"}, "whom must be one of customers, regulator, affected"),
        ("told", {"whom": "customers", "text": "by letter"}, "needed must be true or false"),
        ("postmortem", {"text": "# Nothing"}, 'the section "## Summary" is missing or empty'),
        ("close", {}, "it cannot be closed yet: resolve it"),
    ],
)
def test_refuses_and_says_why(world: World, deed: str, body: dict[str, object], problem: str) -> None:
    incident = world.find("guardduty")
    before = world.archive.names(incident)
    answered = world.do("ada", deed, incident, **body)
    assert not answered["ok"]
    assert problem in answered["problems"]
    assert world.archive.names(incident) == before


@pytest.mark.parametrize("event", [{}, {"kind": "dance"}, {"kind": "show"}, {"kind": "show", "incident": "../x"}])
def test_refuses_what_it_does_not_know(world: World, event: dict[str, object]) -> None:
    assert not answer(event, world.answering)["ok"]


def test_says_that_there_is_no_such_incident(world: World) -> None:
    answered = answer({"kind": "show", "incident": "a" * 20 + "-1"}, world.answering)
    assert "there is no incident" in answered["problems"][0]


def test_closes_only_after_everything_was_done(world: World) -> None:
    incident = world.find("guardduty")
    steps: list[tuple[str, dict[str, object]]] = [
        ("ack", {}),
        ("resolve", {"text": "the key was taken away"}),
        ("told", {"whom": "customers", "needed": True, "text": "by letter"}),
        ("told", {"whom": "regulator", "needed": False, "text": "no personal data was touched"}),
        ("postmortem", {"text": good_postmortem(_draft(world, incident, "postmortem"))}),
        ("told", {"whom": "affected", "needed": True, "text": "by mail"}),
    ]
    for deed, body in steps:
        assert not world.do("ada", "close", incident)["ok"], deed
        assert world.do("ada", deed, incident, **body)["ok"], deed
    assert world.do("ben", "close", incident)["ok"]
    assert world.history(incident).status == "closed"
    assert not world.do("ada", "note", incident, text="one thing more")["ok"]
    assert [one["Status"] for one in world.items.made.values()] == ["Resolved", "Open"]


@pytest.mark.parametrize("title", ["Summary", "Impact", "Timeline", "Causes", "Actions"])
def test_a_post_mortem_lacks_no_section(world: World, title: str) -> None:
    incident = world.find("guardduty")
    text = good_postmortem(_draft(world, incident, "postmortem")).replace(f"## {title}\n", "## Other\n")
    assert (
        f'the section "## {title}" is missing or empty'
        in world.do("ada", "postmortem", incident, text=text)["problems"]
    )


def test_a_draft_is_no_post_mortem(world: World) -> None:
    incident = world.find("guardduty")
    answered = world.do("ada", "postmortem", incident, text=_draft(world, incident, "postmortem"))
    assert any("still to be written" in problem for problem in answered["problems"])


def test_no_action_takes_a_reason(world: World) -> None:
    incident = world.find("config")
    text = "## Summary\n\nA bucket.\n\n## Causes\n\nA click.\n\n## Actions\n\n{}\n"
    assert not world.do("ada", "postmortem", incident, text=text.format("none"))["ok"]
    assert world.do("ada", "postmortem", incident, text=text.format("None: the bucket is gone already"))["ok"]


def test_drafts_are_filled_from_the_records(world: World) -> None:
    incident = world.find(
        "guardduty",
        resource={
            "resourceType": "Instance",
            "instanceDetails": {"instanceId": "i-1", "tags": [{"key": "tenant", "value": "acme"}]},
        },
    )
    customers, regulator = (_draft(world, incident, of) for of in ("customers", "regulator"))
    assert "To: acme" in customers
    assert "Send by: 2026-03-05 09:15 UTC" in customers
    assert "Notify by: 2026-03-05 09:15 UTC" in regulator
    assert "Customers concerned: acme" in regulator
    assert incident in regulator


def test_drafts_say_what_is_unknown(world: World) -> None:
    incident = world.find("guardduty")
    assert "others may be affected" in _draft(world, incident, "customers")
    assert "<the customers affected>" in _draft(world, incident, "customers")


def test_a_person_reports_and_everybody_is_called(world: World) -> None:
    answered = world.do(
        "ben", "report", title="A laptop was stolen", priority="P0", account="666666666666", tenants=["acme"]
    )
    incident = answered["incident"]["incident"]
    assert (answered["by"], answered["incident"]["priority"]) == ("ben", "P0")
    assert list(world.step_functions.executions) == [incident]
    assert world.history(incident).affected.tenants == ("acme",)
    schema = json.loads((ROOT / "docs" / "incident.schema.json").read_text(encoding="utf-8"))
    jsonschema_rs.Draft202012Validator(schema).validate(world.history(incident).opened)


def test_a_bad_report_names_every_problem(world: World) -> None:
    assert len(world.do("ben", "report", title="x", priority="P9", account="1", tenants="acme")["problems"]) == 4


def test_lists_what_is_open_gravest_first(world: World) -> None:
    world.find("config")
    grave = world.find("guardduty")
    listed = answer({"kind": "list"}, world.answering)["incidents"]
    assert [one["priority"] for one in listed] == ["P0", "P3"]
    assert listed[0]["incident"] == grave
    world.step_functions.executions[grave]["status"] = "SUCCEEDED"
    assert len(answer({"kind": "list"}, world.answering)["incidents"]) == 1
    assert len(answer({"kind": "list", "all": True}, world.answering)["incidents"]) == 2


def test_shows_deadlines_duties_and_what_happened(world: World) -> None:
    incident = world.find("guardduty")
    world.clock.advance(minutes=7)
    world.do("ada", "ack", incident)
    shown = answer({"kind": "show", "incident": incident}, world.answering)["incident"]
    assert shown["deadlines"] == {"customers and regulator": "2026-03-05T09:15:03+00:00"}
    assert shown["missed"] == ["acknowledgement"]
    assert shown["open"][0] == "resolve it"
    assert [what for _, what in shown["timeline"]][-1] == "ada acknowledged it"
    assert shown["item"].startswith("oi-")


def test_a_deed_stands_though_the_item_cannot_be_changed(world: World) -> None:
    incident = world.find("guardduty")
    world.items.down = True
    assert world.do("ada", "ack", incident)["ok"]
    world.items.down = False
    world.clock.advance(minutes=1)
    world.do("ada", "note", incident, text="now it works")
    assert next(iter(world.items.made.values()))["Status"] == "InProgress"


def test_every_record_has_its_time_and_every_deed_its_person(world: World) -> None:
    incident = world.find("guardduty")
    world.do("ada", "ack", incident)
    for name, record in world.history(incident).records.items():
        assert record["at"] >= START.isoformat()[:16], name
