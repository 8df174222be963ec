"""The desk: who may say what about a tenant, and what the calendar does, by a moved clock."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from offboard_tenant.handler import SweepError
from offboard_tenant.rules import marks_due
from palisade_runtime.tenants import Tenant

SAID = "20260302T090000Z"


def _end(world: Any, tenant: str, ends: str, said: str = SAID) -> dict[str, Any]:
    world.say("offboard", f"{tenant}:{ends}:{said}", "ada", reason="cancelled")
    answer: dict[str, Any] = world.ask("contract", tenant, ends=ends, said=said)
    return answer


def _hold(world: Any, *people: str, tenant: str = "acme", case: str = "C-1") -> dict[str, Any]:
    for person in people:
        world.say("hold", f"{tenant}:{case}", person, reason="litigation")
    answer: dict[str, Any] = world.ask("hold", tenant, case=case)
    return answer


def test_a_contract_that_ended_deletes_on_the_thirtieth_day_and_not_before(world: Any) -> None:
    _end(world, "acme", "2026-03-31")
    while world.clock().date() < date(2026, 4, 30):
        assert world.sweep() == {"began": []}, world.clock()
        world.clock.advance(days=1)
    assert world.sweep() == {"began": ["acme"]}
    assert world.started == {"acme-20260430": {"tenant": "acme", "request": "contract-20260331"}}
    record = world.records.read("acme", "authorized-contract-20260331")
    assert record["because"] == "the contract ended on 2026-03-31"


def test_reminds_before_and_of_each_mark_once(world: Any) -> None:
    _end(world, "acme", "2026-03-31")
    for _ in range(59):
        world.sweep()
        world.sweep()
        world.clock.advance(days=1)
    assert world.mails == [f"acme will be deleted in {days} days" for days in (14, 7, 1)]


def test_who_was_late_is_reminded_of_the_nearest_mark_only() -> None:
    known = Tenant(name="acme", contract_ends=date(2026, 3, 31))
    assert marks_due(known, date(2026, 4, 27)) == ["2026-04-30-7"]
    assert marks_due(known, date(2026, 4, 30)) == []


def test_a_renewed_contract_deletes_nothing(world: Any) -> None:
    _end(world, "acme", "2026-03-31")
    world.clock.advance(days=20)
    said = "20260322T090000Z"
    world.say("offboard", f"acme:renewed:{said}", "ben")
    assert world.ask("contract", "acme", ends=None, said=said)["tenants"][0]["contract_ends"] is None
    world.clock.advance(days=60)
    assert world.sweep() == {"began": []}


@pytest.mark.parametrize(
    ("ends", "said", "late", "problem"),
    [
        ("2026-02-01", SAID, 0, "is over"),
        ("soon", SAID, 0, "must be a date"),
        ("2026-12-31", "then", 0, "must be the moment"),
        ("2026-12-31", SAID, 2, "more than an hour ago"),
    ],
)
def test_refuses_an_end_that_is_past_malformed_or_stale(
    world: Any, ends: str, said: str, late: int, problem: str
) -> None:
    world.say("offboard", f"acme:{ends}:{said}", "ada")
    world.clock.advance(hours=late)
    (found,) = world.ask("contract", "acme", ends=ends, said=said)["refused"]
    assert problem in found
    assert world.known("acme").contract_ends is None


def test_refuses_what_nobody_said_under_their_own_name(world: Any) -> None:
    for kind, more in (
        ("contract", {"ends": "2026-12-31", "said": SAID}),
        ("hold", {"case": "C-1"}),
        ("delete", {"request": SAID}),
    ):
        assert "nobody" in world.ask(kind, "acme", **more)["refused"][0], kind
    assert "no hold" in world.ask("release", "acme", case="C-1")["refused"][0]


@pytest.mark.parametrize("tenant", ["", "Acme", "a/b", "../x", "a" * 64, None])
def test_refuses_a_name_that_is_no_tenants(world: Any, tenant: Any) -> None:
    assert "tenant must be" in world.ask("hold", tenant, case="C-1")["refused"][0]


def test_refuses_kinds_and_cases_it_does_not_know(world: Any) -> None:
    assert "kind must be" in world.ask("open", "acme")["refused"][0], "that is the clerk's, whom people cannot call"
    assert "case must be" in world.ask("hold", "acme", case="a b")["refused"][0]


# ------------------------------------------------------------------------------------------------------------ on demand


def test_on_demand_two_people_delete_and_one_does_not(world: Any) -> None:
    world.say("delete", f"acme:{SAID}", "ada", reason="they asked")
    assert "another person" in world.ask("delete", "acme", request=SAID)["refused"][0]
    world.say("approve", f"acme:{SAID}", "ada")
    world.records.say("approve", f"acme:{SAID}", "AROAOTHER:Ada@example.com", {})
    assert "another person" in world.ask("delete", "acme", request=SAID)["refused"][0], "in two sessions she is one"
    assert world.started == {}
    world.say("approve", f"acme:{SAID}", "ben")
    assert world.ask("delete", "acme", request=SAID)["tenants"][0]["status"] == "deleting"
    assert list(world.started) == ["acme-20260302"]


def test_where_people_work_as_engineers_one_is_enough(world: Any) -> None:
    world.two_people = False
    world.say("delete", f"acme:{SAID}", "ada")
    assert world.ask("delete", "acme", request=SAID)["tenants"][0]["status"] == "deleting"


def test_a_request_waits_a_week_for_its_approval(world: Any) -> None:
    world.say("delete", f"acme:{SAID}", "ada")
    world.clock.advance(days=7, hours=1)
    world.say("approve", f"acme:{SAID}", "ben")
    assert "seven days" in world.ask("delete", "acme", request=SAID)["refused"][0]


def test_two_approvals_and_a_duplicate_begin_one_deletion(world: Any) -> None:
    world.say("delete", f"acme:{SAID}", "ada")
    for person in ("ben", "carla"):
        world.say("approve", f"acme:{SAID}", person)
    for _ in range(3):
        assert world.ask("delete", "acme", request=SAID)["tenants"][0]["request"] == f"demand-{SAID}"
    assert len(world.started) == 1
    assert len(world.records.events("acme", "authorized-")) == 1


def test_a_second_request_does_not_take_the_first_ones_place(world: Any) -> None:
    world.demand("acme")
    other = "20260303T090000Z"
    world.say("delete", f"acme:{other}", "dan")
    world.say("approve", f"acme:{other}", "ada")
    assert "by another request" in world.ask("delete", "acme", request=other)["refused"][0]


def test_what_was_authorised_but_not_recorded_is_recorded_before_it_goes_on(world: Any) -> None:
    world.say("delete", f"acme:{SAID}", "ada", reason="they asked")
    world.say("approve", f"acme:{SAID}", "ben")
    world.register.authorize("acme", f"demand-{SAID}")  # and there it was killed
    world.clock.advance(days=1)
    assert world.sweep() == {"began": ["acme"]}
    record = world.records.read("acme", f"authorized-demand-{SAID}")
    assert (record["asked_by"], record["approved_by"]) == (["ada@example.com"], ["ben@example.com"])


# ----------------------------------------------------------------------------------------------------------------- holds


def test_a_held_tenant_is_never_deleted(world: Any) -> None:
    _end(world, "acme", "2026-03-31")
    assert _hold(world, "ada", "ben")["tenants"][0]["holds"] == {"C-1": "held"}
    for _ in range(400):
        assert world.sweep() == {"began": []}
        world.clock.advance(days=1)
    assert "held" in str(world.mails)
    moment = f"{world.clock():%Y%m%dT%H%M%SZ}"
    world.say("delete", f"acme:{moment}", "ada")
    world.say("approve", f"acme:{moment}", "ben")
    assert "held" in world.ask("delete", "acme", request=moment)["refused"][0]


def test_a_hold_counts_from_the_first_word_and_asks_for_a_second(world: Any) -> None:
    assert _hold(world, "ada")["tenants"][0]["holds"] == {"C-1": "unconfirmed"}
    _end(world, "acme", "2026-03-02")
    world.clock.advance(days=40)
    assert world.sweep() == {"began": []}
    assert "hold C-1 of acme waits" in world.mails
    assert world.records.events("acme", "held-") == ["held-C-1"]
    _hold(world, "ben")
    assert world.records.read("acme", "confirmed-C-1")["by"] == "ben@example.com"


def test_two_people_release_and_one_does_not(world: Any) -> None:
    _hold(world, "ada", "ben")
    world.say("release", "acme:C-1", "ada")
    assert world.ask("release", "acme", case="C-1")["refused"] == ["two people release a hold; ada@example.com did"]
    assert world.known("acme").holds == {"C-1"}
    world.say("release", "acme:C-1", "carla")
    assert world.ask("release", "acme", case="C-1")["tenants"][0]["holds"] == {}
    assert world.records.read("acme", "released-C-1")["by"] == ["ada@example.com", "carla@example.com"]


def test_each_case_holds_by_itself_and_a_released_one_is_not_used_again(world: Any) -> None:
    _hold(world, "ada", case="C-1")
    _hold(world, "ben", case="C-2")
    for person in ("ada", "ben"):
        world.say("release", "acme:C-1", person)
    world.ask("release", "acme", case="C-1")
    assert world.known("acme").holds == {"C-2"}
    assert "another reference" in _hold(world, "dan", case="C-1")["refused"][0]


def test_a_release_that_was_killed_half_way_can_be_repeated(world: Any) -> None:
    _hold(world, "ada", "ben")
    for person in ("ada", "ben"):
        world.say("release", "acme:C-1", person)
    world.records.keep("acme", "released-C-1", {})  # and there it was killed
    assert world.known("acme").holds == {"C-1"}
    assert world.ask("release", "acme", case="C-1")["tenants"][0]["holds"] == {}


# ------------------------------------------------------------------------------------------------------------- the sweep


def test_one_tenant_that_fails_does_not_stop_the_others(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for tenant in ("acme", "beta", "gamma"):
        _end(world, tenant, "2026-03-31")
    world.clock.advance(days=60)
    services, real = world.desk, world.records.keep

    def keep(subject: str, event: str, body: Any) -> bool:
        if subject == "beta":
            raise ConnectionError("no archive")
        kept: bool = real(subject, event, body)
        return kept

    class _Failing:
        def __getattr__(self, name: str) -> Any:
            return keep if name == "keep" else getattr(services.records, name)

    monkeypatch.setitem(world.__dict__, "records", _Failing())
    with pytest.raises(SweepError, match="1 tenants"):
        world.sweep()
    assert {data["tenant"] for data in world.started.values()} == {"acme", "gamma"}
    monkeypatch.undo()
    world.clock.advance(days=1)
    assert "beta" in world.sweep()["began"], "what began is not lost"


def test_says_what_it_knows_and_hands_out_certificates(world: Any) -> None:
    world.fill("acme", things=1)
    request = world.demand("acme")
    _end(world, "beta", str(world.clock().date() + timedelta(days=9)))
    world.run("acme", request)
    shown = {one["tenant"]: one["status"] for one in world.ask("status")["tenants"]}
    assert shown == {"acme": "deleted", "beta": "active"}
    (certificate,) = world.ask("certificate", "acme")["certificates"]
    assert certificate["certificate"]["tenant"] == "acme"
    assert world.ask("certificate", "beta") == {"certificates": []}
