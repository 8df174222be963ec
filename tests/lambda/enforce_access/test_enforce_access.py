"""Grants are carried out and ended whatever fails in between, and what no grant explains is taken away."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from enforce_access.handler import NotSettledError, NotYetError
from palisade_runtime.grants import grants, passages

from tests.access_world import HOME, OPERATOR, PROD, SECURITY, VPN, World

ADA, BEN = "id-of-ada@acme", "id-of-ben@acme"


@pytest.fixture
def world() -> World:
    return World()


def _people(world: World, level: str = "operator") -> list[str]:
    """Whom the gate lets through."""
    first = world.iam.gate(level)["Statement"][0]
    found: list[str] = first.get("Condition", {}).get("StringNotEquals", {}).get("identitystore:UserId", [])
    return found


def test_a_grant_opens_waits_and_closes(world: World) -> None:
    identity = world.granted()
    assert world.step_until_settled("open", identity) == {
        "grant": identity,
        "live": True,
        "until": "2026-03-02T10:00:00Z",
    }
    assert (_people(world), world.holders()) == ([ADA], {ADA})
    with pytest.raises(NotYetError):
        world.step("close", identity)
    world.clock.advance(minutes=60)
    world.step_until_settled("close", identity)
    assert (_people(world), world.holders()) == ([], set())
    assert world.records.events(identity) == ["closed", "decision", "opened", "request"]


def test_the_gate_is_closed_before_the_assignment_is_taken(world: World) -> None:
    identity = world.granted()
    world.step_until_settled("open", identity)
    world.clock.advance(minutes=60)
    with pytest.raises(NotSettledError):
        world.step("close", identity)
    assert _people(world) == []


def test_what_was_revoked_before_it_opened_never_opens(world: World) -> None:
    identity = world.granted()
    world.do("ben@acme", "revoke", identity)
    assert world.step("open", identity)["live"] is False
    assert world.holders() == set()
    world.step("close", identity)
    assert "opened" not in world.records.events(identity)


def test_overlapping_grants_merge_and_the_first_end_ends_nothing(world: World) -> None:
    first = world.granted()
    world.step_until_settled("open", first)
    world.clock.advance(minutes=30)
    second = world.granted()
    world.step_until_settled("open", second)
    world.clock.advance(minutes=30)
    world.step_until_settled("close", first)
    assert (_people(world), world.holders()) == ([ADA], {ADA})
    # Not even a session from before the second: it goes on.
    (inside,) = passages(grants(world.records, world.clock()), OPERATOR, world.clock())
    assert inside.since.isoformat() == "2026-03-02T09:00:00+00:00"
    world.clock.advance(minutes=30)
    world.step_until_settled("close", second)
    assert (_people(world), world.holders()) == ([], set())


def test_revoking_one_of_two_ends_the_sessions_that_began_under_it(world: World) -> None:
    first = world.granted()
    world.clock.advance(minutes=30)
    second = world.granted()
    world.do("ben@acme", "revoke", first)
    world.step_until_settled("close", first)
    world.step_until_settled("open", second)
    (inside,) = passages(grants(world.records, world.clock()), OPERATOR, world.clock())
    assert inside.since.isoformat() == "2026-03-02T09:30:00+00:00"


def test_the_two_of_two_people_do_not_touch_each_other(world: World) -> None:
    ada, ben = world.granted(), world.granted("ben@acme", "eve@acme", address=VPN, minutes=120)
    world.step_until_settled("open", ada)
    world.step_until_settled("open", ben)
    assert world.holders() == {ADA, BEN}
    world.clock.advance(hours=1)
    world.step_until_settled("close", ada)
    assert (_people(world), world.holders()) == ([BEN], {BEN})


def test_ends_the_sessions_on_machines_with_the_grant_and_nobody_elses(world: World) -> None:
    def owner(level: str, person: str) -> str:
        return f"arn:aws:sts::{PROD}:assumed-role/AWSReservedSSO_acme-{level}_0123456789abcdef/{person}"

    identity = world.granted()
    world.step_until_settled("open", identity)
    world.ssm.sessions = {
        "ada": owner("operator", "Ada@acme"),
        "stranger": owner("operator", "eve@acme"),
        "other level": owner("database", "eve@acme"),
        "role": f"arn:aws:sts::{PROD}:assumed-role/acme-break-glass/eve",
    }
    world.sweep()
    assert set(world.ssm.sessions) == {"ada", "role"}
    world.clock.advance(hours=1)
    world.step_until_settled("close", identity)
    assert set(world.ssm.sessions) == {"role"}


def test_a_gate_never_outgrows_what_iam_keeps(world: World) -> None:
    for _ in range(8):
        identity = world.granted(minutes=15)
        world.step_until_settled("open", identity)
        world.clock.advance(minutes=20)
        world.step_until_settled("close", identity)
    assert len(world.iam.versions[f"arn:aws:iam::{PROD}:policy/acme-gate-operator"]) == 5


def test_whoever_writes_last_sees_what_the_other_recorded(world: World) -> None:
    """Another grant is decided between this one's look and its write."""
    first = world.granted()
    late = world.ask("ben@acme")["id"]
    put = world.iam.create_policy_version

    def slow(**given: object) -> None:
        world.iam.create_policy_version = put  # type: ignore[method-assign]
        world.do("eve@acme", "approve", late)
        put(**given)  # type: ignore[arg-type]

    world.iam.create_policy_version = slow  # type: ignore[method-assign]
    with pytest.raises(NotSettledError):
        world.step("open", first)
    assert _people(world) == [ADA, BEN]


# ------------------------------------------------------------------------------------------------------ failing halfway


def _kill(world: World, act: Callable[[], object], fault: int) -> bool:
    """Let the call after ``fault`` others fail; whether one failed."""
    world.faults.left = fault
    try:
        act()
    except NotSettledError:
        pass
    except Exception:
        world.faults.left = None
        return True
    world.faults.left = None
    return False


@pytest.mark.parametrize("step", ["open", "close"])
def test_whatever_call_fails_the_next_attempt_ends_as_if_none_had(step: str) -> None:
    for fault in itertools.count():
        world = World()
        identity = world.granted()
        if step == "close":
            world.step_until_settled("open", identity)
            world.clock.advance(hours=1)
        failed = _kill(world, lambda: world.step(step, identity), fault)  # noqa: B023
        world.step_until_settled(step, identity)
        expected = {ADA} if step == "open" else set()
        assert (set(_people(world)), world.holders()) == (expected, expected), fault
        if not failed:
            assert fault >= 3
            return


def test_whatever_fails_before_the_workflow_starts_the_sweep_opens_and_closes_all_the_same(world: World) -> None:
    identity = world.granted()
    world.sweep()
    world.sweep()
    assert (_people(world), world.holders()) == ([ADA], {ADA})
    world.clock.advance(hours=1)
    world.sweep()
    world.sweep()
    assert (_people(world), world.holders()) == ([], set())
    said = world.records.read(identity, "closed")
    assert said is not None
    assert said["by"] == "sweep"


def test_what_cannot_be_opened_is_given_up_and_told(world: World) -> None:
    identity = world.granted()
    world.step_until_settled("open", identity)
    world.step("give-up", identity)
    world.step("give-up", identity)
    assert world.pages == ["Access to prod could not be opened"]
    world.step_until_settled("close", identity)
    assert (_people(world), world.holders()) == ([], set())


# ---------------------------------------------------------------------------------------------------------------- sweep


def _hold(world: World, user: str, kind: str = "USER", account: str = PROD, level: str = "operator") -> None:
    world.admin.held.add((f"acme-{level}", account, kind, user))


@pytest.mark.parametrize(
    ("user", "kind", "account"), [("id-of-eve@acme", "USER", PROD), ("group", "GROUP", PROD), (ADA, "USER", SECURITY)]
)
def test_takes_away_what_no_grant_explains_and_says_so(world: World, user: str, kind: str, account: str) -> None:
    identity = world.granted()
    world.step_until_settled("open", identity)
    _hold(world, user, kind, account)
    world.sweep()
    assert world.counted[-1]["Unexplained"] == 1
    assert world.pages == ["Level operator was held without a grant"]
    assert world.records.events("unexplained-20260302")
    for _ in range(2):
        world.sweep()
    assert world.admin.held == {("acme-operator", PROD, "USER", ADA)}
    assert world.counted[-1] == {"Unexplained": 0, "Unsettled": 0}
    assert len(world.pages) == 1


def test_an_account_that_is_not_the_deployments_is_told_and_left(world: World) -> None:
    _hold(world, "id-of-eve@acme", account="999999999999")
    world.sweep()
    assert world.counted[-1]["Unexplained"] == 1
    assert world.pages
    assert any(key[1] == "999999999999" for key in world.admin.held)


def test_a_grant_of_one_level_explains_no_other(world: World) -> None:
    identity = world.granted()
    world.step_until_settled("open", identity)
    _hold(world, ADA, level="database")
    world.sweep()
    assert world.counted[-1]["Unexplained"] == 1


def test_a_grant_that_is_just_being_closed_is_no_stranger(world: World) -> None:
    identity = world.granted()
    world.step_until_settled("open", identity)
    world.clock.advance(minutes=61)
    for _ in range(2):
        world.sweep()
        assert world.counted[-1]["Unexplained"] == 0
    world.clock.advance(minutes=30)
    _hold(world, ADA)
    world.sweep()
    assert world.counted[-1]["Unexplained"] == 1


def test_a_gate_that_somebody_opened_by_hand_is_closed_again(world: World) -> None:
    gates = world.enforcing.stages("prod")
    gates.put("operator", {"Version": "2012-10-17", "Statement": []})
    world.sweep()
    assert world.iam.gate("operator")["Statement"][0]["Sid"] == "NobodyIsGranted"


def test_one_failing_place_keeps_no_other_from_being_swept(world: World) -> None:
    _hold(world, "id-of-eve@acme")
    _hold(world, "id-of-eve@acme", level="database")
    for fault in range(30):
        world.faults.left = fault
        try:
            world.sweep()
        except ExceptionGroup:
            assert world.counted[-1]["Unsettled"] >= 1
        world.faults.left = None
    world.sweep()
    world.sweep()
    assert world.admin.held == set()


def test_addresses_of_one_person_are_kept_apart(world: World) -> None:
    for address in (HOME, VPN):
        world.step_until_settled("open", world.granted(address=address))
    statements = world.iam.gate("operator")["Statement"]
    assert statements[1]["Condition"]["NotIpAddress"]["aws:SourceIp"] == [VPN, HOME]
    assert world.holders() == {ADA}
