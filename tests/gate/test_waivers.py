"""Waivers and exemptions: the only way past a control, and never for longer or wider than said."""

from __future__ import annotations

from datetime import date

import pytest

import gate.judge  # noqa: F401 - registers the controls
from gate.control import Finding
from gate.exceptions import Exemption
from gate.waivers import apply_exemptions, apply_waivers
from stacks.settings import Waiver

_TODAY = date(2026, 5, 1)
_FOUND = Finding(control="keys.customer.rotation", where="dev-data/Key/Resource", message="the key does not rotate")


def _waiver(**changes: object) -> Waiver:
    said: dict[str, object] = {
        "control": "keys.customer.rotation",
        "where": "dev-data/Key",
        "reason": "An old client holds the key material until June.",
        "owner": "security@example.com",
        "expires": date(2026, 6, 30),
        **changes,
    }
    return Waiver(**said)  # type: ignore[arg-type]


def test_a_waiver_covers_its_finding() -> None:
    assert apply_waivers([_FOUND], [_waiver()], today=_TODAY) == []


def test_a_waiver_ends_on_the_day_after_its_last() -> None:
    assert apply_waivers([_FOUND], [_waiver()], today=date(2026, 6, 30)) == []
    assert apply_waivers([_FOUND], [_waiver()], today=date(2026, 7, 1))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"control": "keys.customer.rotatoin"}, "there is no such control"),
        ({"where": "dev-data/Other"}, "waives nothing"),
        ({"where": "dev-data/Ke"}, "waives nothing"),
        ({"where": "dev-data"}, "covers a whole stack"),
        ({"expires": date(2026, 4, 30)}, "expired on 2026-04-30"),
        ({"reason": "needed"}, "its reason is 'needed'"),
        ({"owner": "me"}, "its owner is 'me'"),
    ],
)
def test_refuses_a_waiver(changes: dict[str, object], complaint: str) -> None:
    left = apply_waivers([_FOUND], [_waiver(**changes)], today=_TODAY)
    assert any(complaint in finding.message and finding.where.startswith("config/waivers.py") for finding in left)


def test_a_waiver_leaves_other_controls_and_places_alone() -> None:
    other = Finding(control="keys.customer.rotation", where="dev-data/Key2/Resource", message="the key does not rotate")
    assert apply_waivers([_FOUND, other], [_waiver()], today=_TODAY) == [other]


def test_an_exemption_covers_one_message_only_and_fails_when_stale() -> None:
    exemption = Exemption(control=_FOUND.control, where="*-data/Key/Resource", finding="the key does not", reason="r")
    assert apply_exemptions([_FOUND], [exemption], [_FOUND.where]) == []
    worse = Finding(control=_FOUND.control, where=_FOUND.where, message="the key is public")
    left = apply_exemptions([worse], [exemption], [_FOUND.where])
    assert worse in left
    assert any("exempts nothing" in finding.message for finding in left)


def test_an_exemption_of_a_construct_that_a_fork_has_not_is_silent() -> None:
    exemption = Exemption(control=_FOUND.control, where="*-data/Key/Resource", finding="", reason="r")
    assert apply_exemptions([], [exemption], ["dev-other/Thing"]) == []
