"""Access requests: whoever asks is let in by another, for a reason, from a known address, with the customer's consent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.access_world import HOME, WISH, World


@pytest.fixture
def world() -> World:
    return World()


def test_a_request_waits_for_another_person(world: World) -> None:
    asked = world.ask()
    assert (asked["outcome"], asked["by"], asked["address"]) == ("waiting", "ada@acme", HOME)
    assert world.started == {}
    approved = world.do("ben@acme", "approve", asked["id"])
    assert approved["outcome"] == "approved"
    assert approved["decision"]["by"] == "ben@acme"
    assert approved["decision"]["expires"] == "2026-03-02T10:00:00+00:00"
    assert world.started == {asked["id"]: asked["id"]}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"stage": "dev"}, "stage: choose one of prod"),
        ({"level": "root"}, "level: choose one of database, operator"),
        ({"reason": ""}, "reason: say why"),
        ({"reason": "   because   "}, "reason: say why"),
        ({"reason": None}, "reason: say why"),
        ({"address": "203.0.113.9"}, "address: 203.0.113.9 is not of the allowed networks"),
        ({"address": "198.51.100.16/28"}, "address: one IPv4 address"),
        ({"address": "::1"}, "address: one IPv4 address"),
        ({"address": 7}, "address: one IPv4 address"),
        ({"minutes": 14}, "minutes: 15 to 720"),
        ({"minutes": 721}, "minutes: 15 to 720"),
        ({"minutes": True}, "minutes: 15 to 720"),
        ({"minutes": 60.0}, "minutes: 15 to 720"),
        ({"level": "database"}, "name the customers whose data it is for"),
        ({"tenants": "initech"}, "tenants: a list"),
        ({"tenants": ["In itech"]}, "tenants: each of small letters"),
        ({"on_call": "yes"}, "on_call: true or false"),
        ({"on_call": True}, "ada@acme is not on call"),
    ],
)
def test_refuses_a_request_that_is_none(world: World, wrong: dict[str, Any], says: str) -> None:
    answer = world.ask(**wrong)
    assert answer["outcome"] == "refused"
    assert any(says in problem for problem in answer["problems"]), answer["problems"]
    # Nor can anybody approve it after that.
    assert world.do("ben@acme", "approve", answer["id"])["outcome"] == "refused"
    assert world.started == {}


def test_says_everything_that_is_wrong_at_once(world: World) -> None:
    assert len(world.ask(stage="dev", level="root", reason="", address="", minutes=0)["problems"]) == 5


def test_only_the_levels_group_asks(world: World) -> None:
    assert "ben@acme is not of the group" in str(
        world.ask("ben@acme", level="database", tenants=["initech"])["problems"]
    )
    assert "zoe@acme is not in the directory" in str(world.ask("zoe@acme")["problems"])


def test_nobody_approves_or_denies_their_own_request(world: World) -> None:
    asked = world.ask()
    for deed in ("approve", "deny"):
        answer = world.do("Ada@ACME", deed, asked["id"])
        assert answer["outcome"] == "refused"
        assert "nobody decides about their own request" in answer["problems"][0]
    assert world.do("ben@acme", "approve", asked["id"])["outcome"] == "approved"


def test_an_approval_that_nobody_wrote_counts_for_nothing(world: World) -> None:
    asked = world.ask()
    assert world.decide("approve", asked["id"])["outcome"] == "refused"
    assert world.decide("revoke", asked["id"])["outcome"] == "refused"
    assert world.decide("request", "20260302-00000000ff")["problems"] == ["nobody asked under 20260302-00000000ff"]


def test_the_first_decision_stands(world: World) -> None:
    asked = world.ask()
    assert world.do("ben@acme", "deny", asked["id"])["outcome"] == "denied"
    later = world.do("eve@acme", "approve", asked["id"])
    assert later["outcome"] == "denied"
    assert later["problems"] == ["ben@acme denied it before"]
    assert world.started == {}


@pytest.mark.parametrize("between", ["approve", "deny"])
def test_two_decisions_at_once_are_one(world: World, between: str) -> None:
    asked = world.ask()
    world.say("eve@acme", between, asked["id"])
    world.say("ben@acme", "approve", asked["id"])
    world.archive.before_put.append(lambda: world.decide(between, asked["id"]))
    answer = world.decide("approve", asked["id"])
    said = world.records.read(asked["id"], "decision")
    assert said is not None
    assert said["outcome"] == {"approve": "approved", "deny": "denied"}[between]
    assert answer["outcome"] == said["outcome"]
    assert world.started == ({asked["id"]: asked["id"]} if between == "approve" else {})


def test_the_same_event_twice_changes_nothing(world: World) -> None:
    identity = world.granted()
    before = dict(world.archive.kept)
    for kind in ("request", "approve"):
        world.decide(kind, identity)
    assert world.archive.kept == before
    assert world.started == {identity: identity}


def test_an_id_that_two_people_take_is_nobodys(world: World) -> None:
    identity = world.identity()
    for person in ("ada@acme", "ben@acme"):
        world.say(person, "request", identity, stage="prod")
    assert "taken by another person" in world.decide("request", identity)["problems"][0]


def test_what_was_asked_for_cannot_be_exchanged_later(world: World) -> None:
    asked = world.ask()
    (key,) = [key for key in world.archive.kept if "request@" in key]
    world.archive.kept[key] = world.archive.kept[key].replace("operator", "database")
    world.do("ben@acme", "approve", asked["id"])
    assert world.decide("show", asked["id"])["level"] == "operator"


def test_a_request_is_forgotten_after_a_day(world: World) -> None:
    asked = world.ask()
    world.clock.advance(hours=25)
    assert world.decide("show", asked["id"])["state"] == "forgotten"
    assert "waited longer than 24 hours" in world.do("ben@acme", "approve", asked["id"])["problems"][0]


def test_an_id_of_another_day_is_refused(world: World) -> None:
    world.say("ada@acme", "request", "20260228-0000000001")
    assert "another day" in str(world.decide("request", "20260228-0000000001")["problems"])


def test_who_left_the_group_meanwhile_is_not_let_in(world: World) -> None:
    asked = world.ask()
    world.store.groups["acme-operator"].clear()
    assert "no longer of the group" in str(world.do("ben@acme", "approve", asked["id"])["problems"])


# -------------------------------------------------------------------------------------------------------------- on call


def test_whoever_is_on_call_lets_themselves_in_and_everybody_hears_it(world: World) -> None:
    world.store.groups["on-call"].add("id-of-ada@acme")
    answer = world.ask(on_call=True)
    assert answer["outcome"] == "approved"
    assert answer["decision"]["on_call"] is True
    assert world.pages == ["On call: ada@acme lets themselves into prod"]
    assert world.started == {answer["id"]: answer["id"]}


def test_nobody_is_let_in_before_the_page_is_out(world: World) -> None:
    world.store.groups["on-call"].add("id-of-ada@acme")
    identity = world.identity()
    world.say("ada@acme", "request", identity, **{**WISH, "on_call": True})
    for fault in range(9):
        world.faults.left = fault
        try:
            world.decide("request", identity)
        except Exception:
            assert world.pages or "decision" not in world.records.events(identity)
        else:
            break
    assert world.pages
    assert world.started == {identity: identity}


def test_being_on_call_spares_nobody_the_customers_consent(world: World) -> None:
    world.store.groups["on-call"].add("id-of-ada@acme")
    answer = world.ask(on_call=True, level="database", tenants=["initech"])
    assert answer["outcome"] == "refused"
    assert "initech has not consented" in answer["problems"][0]
    assert world.pages == []


# -------------------------------------------------------------------------------------------------------------- consent


def test_customer_data_takes_the_consent_of_each_customer(world: World) -> None:
    asked = world.ask(level="database", tenants=["initech", "umbrella"])
    world.consent("ben@acme", "initech")
    refused = world.do("ben@acme", "approve", asked["id"])
    assert refused["outcome"] == "refused"
    assert [p.split()[0] for p in refused["problems"]] == ["umbrella"]
    world.consent("ben@acme", "umbrella")
    assert world.decide("approve", asked["id"])["outcome"] == "approved"


@pytest.mark.parametrize(
    ("person", "until", "counts"),
    [("ben@acme", "2026-03-02", True), ("ben@acme", "2026-03-31", True), ("ada@acme", "2026-03-31", False)],
)
def test_a_consent_counts_if_another_recorded_it(world: World, person: str, until: str, counts: bool) -> None:
    world.consent(person, "initech", until)
    asked = world.ask(level="database", tenants=["initech"])
    assert (world.do("ben@acme", "approve", asked["id"])["outcome"] == "approved") is counts


def test_a_consent_lasts_until_the_end_of_the_grant_or_not_at_all(world: World) -> None:
    world.consent("ben@acme", "initech", "2026-03-02")
    world.clock.advance(hours=10)
    asked = world.ask(level="database", tenants=["initech"], minutes=720)
    assert "initech has not consented until 2026-03-03" in world.do("ben@acme", "approve", asked["id"])["problems"][0]


def test_a_consent_can_be_withdrawn_and_whoever_is_inside_by_it_leaves(world: World) -> None:
    world.consent("ben@acme", "initech")
    inside = world.granted(level="database", tenants=["initech"])
    world.clock.advance(minutes=5)
    identity = world.identity()
    world.say("eve@acme", "withdraw", f"initech.{identity}")
    answer = world.decide("withdraw", identity, tenant="initech")
    assert answer["revoked"] == [inside]
    assert world.started[f"{inside}-end"] == inside
    again = world.ask(level="database", tenants=["initech"])
    assert world.do("ben@acme", "approve", again["id"])["outcome"] == "refused"
    world.clock.advance(minutes=5)
    world.consent("ben@acme", "initech")
    assert world.decide("approve", again["id"])["outcome"] == "approved"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"until": "2026-03-31", "evidence": ""}, "evidence: say"),
        ({"until": "2026-03-01", "evidence": "ticket 4711 of today"}, "not within 90 days"),
        ({"until": "2026-07-01", "evidence": "ticket 4711 of today"}, "not within 90 days"),
        ({"until": "soon", "evidence": "ticket 4711 of today"}, "until: a date"),
        ({}, "until: a date"),
    ],
)
def test_refuses_a_consent_without_evidence_or_end(world: World, body: dict[str, str], says: str) -> None:
    identity = world.identity()
    world.say("ben@acme", "consent", f"initech.{identity}", **body)
    assert says in str(world.decide("consent", identity, tenant="initech")["problems"])
    assert world.decide("consent", identity, tenant="In itech")["problems"] == [
        "tenant: small letters, digits and inner hyphens"
    ]


# ------------------------------------------------------------------------------------------------------------ early end


def test_a_grant_ends_early_by_its_own_person_or_another(world: World) -> None:
    for person in ("ada@acme", "ben@acme"):
        identity = world.granted()
        world.clock.advance(minutes=10)
        assert world.do(person, "revoke", identity)["outcome"] == "revoked"
        assert world.started[f"{identity}-end"] == identity
        assert world.decide("revoke", identity)["outcome"] == "revoked"


def test_what_has_expired_is_not_revoked(world: World) -> None:
    identity = world.granted()
    world.clock.advance(hours=2)
    assert world.do("ben@acme", "revoke", identity)["problems"] == [f"{identity} has expired already"]


def test_whoever_takes_a_request_back_denies_it(world: World) -> None:
    asked = world.ask()
    assert world.do("ada@acme", "revoke", asked["id"])["outcome"] == "denied"
    assert world.do("ben@acme", "approve", asked["id"])["outcome"] == "denied"


# ----------------------------------------------------------------------------------------------------------- chat, list


def test_chat_asks_for_a_person_but_never_on_call(world: World) -> None:
    world.store.groups["on-call"].add("id-of-ada@acme")
    for on_call, outcome in ((False, "waiting"), (True, "refused")):
        identity = world.identity()
        world.records.keep(identity, "asked", {**WISH, "by": "Ada@acme", "on_call": on_call})
        assert world.decide("request", identity)["outcome"] == outcome
    assert world.pages == []


def test_lists_where_every_request_stands(world: World) -> None:
    opened, waiting = world.granted(), world.ask()["id"]
    refused = world.ask(reason="")["id"]
    world.step_until_settled("open", opened)
    found = {one["id"]: one["state"] for one in world.decide("list", "")["requests"]}
    assert found == {opened: "open", waiting: "waiting", refused: "refused"}
    world.clock.advance(hours=1)
    assert world.decide("show", opened)["state"] == "closing"
    world.step_until_settled("close", opened)
    assert world.decide("show", opened)["state"] == "closed"


@pytest.mark.parametrize("event", [{}, {"kind": "rule"}, {"kind": "approve"}, {"kind": "show", "id": "../x"}])
def test_answers_what_it_does_not_know_with_one_clear_error(world: World, event: dict[str, str]) -> None:
    answer = world.decide(event.get("kind", ""), event.get("id", ""))
    assert answer["outcome"] == "refused"
    assert len(answer["problems"]) == 1


def test_a_level_holds_only_as_many_people_as_its_gate_has_room_for(world: World) -> None:
    names = [f"person{number}@acme" for number in range(20)]
    world.store.users |= {name: f"{number:08x}-0000-4000-8000-000000000000" for number, name in enumerate(names)}
    world.store.groups["acme-operator"] |= set(world.store.users.values())
    outcomes = [world.do("ben@acme", "approve", world.ask(name)["id"])["outcome"] for name in names]
    assert 6 <= outcomes.count("approved") < 20
    assert outcomes == sorted(outcomes)
