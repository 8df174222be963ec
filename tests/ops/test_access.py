"""The command that asks for access and decides about it: one clear line for every answer, and the caller's own name."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

import ops.access
from ops.access import Desk, main
from ops.places import OpsError
from tests.access_world import World

ASK = ["request", "--stage", "prod", "--level", "operator", "--reason", "uploads do not drain", "--hours", "1"]


class Office:
    """The desk of the world, at which one person stands at a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = World()
        self.world.clock.now = datetime.now(UTC)
        self.person = "ada@acme"
        monkeypatch.setattr(ops.access, "desk", lambda _deployment: self.desk())

    def desk(self) -> Desk:
        return Desk(records=self.world.records, function="f", invoke=self.invoke, user_id=f"AROAEXAMPLE:{self.person}")

    def invoke(self, *, Payload: bytes, **_: object) -> Mapping[str, Any]:  # noqa: N803
        event = json.loads(Payload)
        answer = self.world.decide(event.pop("kind"), event.pop("id", ""), **event)
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(monkeypatch)


def test_asks_waits_is_approved_shown_and_revoked(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASK, "--ip", "198.51.100.17"]) == 0
    said = capsys.readouterr().out
    identity = said.split()[1]
    assert said.startswith("waiting: ")
    assert f"./palisade access approve {identity}" in said
    assert main(["approve", identity]) == 1
    assert "nobody decides about their own request" in capsys.readouterr().out
    office.person = "ben@acme"
    assert main(["approve", identity]) == 0
    assert "approved by ben@acme, until " in capsys.readouterr().out
    assert main(["list"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:4] == [identity, "opening", "prod", "operator"]
    assert main(["revoke", identity]) == 0
    capsys.readouterr()
    assert main(["show", identity, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "closing"


@pytest.mark.usefixtures("office")
def test_prints_everything_that_stands_against_a_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASK, "--ip", "203.0.113.99", "--on-call"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("refused: ")
    assert "not of the allowed networks" in said


def test_records_and_withdraws_a_consent(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    until = str(office.world.clock().date())
    assert main(["consent", "--tenant", "initech", "--until", until, "--evidence", "ticket 4711 of today"]) == 0
    assert capsys.readouterr().out.startswith("recorded: ")
    assert main(["withdraw", "--tenant", "initech"]) == 0
    assert main(["consent", "--tenant", "In/itech", "--until", until, "--evidence", "ticket 4711 of today"]) == 2
    assert "access: " in capsys.readouterr().err


def test_says_what_to_do_when_deciding_fails(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    office.invoke = lambda **_: {"Payload": io.BytesIO(b'{"errorType": "E"}'), "FunctionError": "Unhandled"}  # type: ignore[method-assign]
    assert main(["list"]) == 2
    assert "Do the same again" in capsys.readouterr().err


def test_nobody_signed_in_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nobody(_deployment: object) -> Desk:
        raise OpsError("nobody is signed in")

    monkeypatch.setattr(ops.access, "desk", nobody)
    assert main(["list"]) == 2
    assert capsys.readouterr().err == "access: nobody is signed in\n"
