"""The command for tenants: one clear line for every answer, the caller's own name, and a name typed before anything goes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from palisade_runtime.logs import Logger

import ops.tenant
from ops.places import OpsError
from ops.tenant import Desk, main
from rehearsal.state_machine import MovedClock
from tests.offboarding_world import Archive, World

WHERE = ["--stage", "live", "--tenant", "acme"]


class Office:
    """The desk of the world, at which one person stands at a time."""

    def __init__(self, world: World) -> None:
        self.world, self.person = world, "ada"

    def desk(self) -> Desk:
        return Desk(
            records=self.world.records,
            function="f",
            invoke=self.invoke,
            user_id=f"AROAEXAMPLE:{self.person}@example.com",
        )

    def invoke(self, *, Payload: bytes, **_: object) -> Mapping[str, Any]:  # noqa: N803
        event = json.loads(Payload)
        answer = self.world.ask(event.pop("kind"), event.pop("tenant", ""), **event)
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


class _Silent:
    def write(self, text: str, /) -> None:
        """Nowhere."""


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name="eu-west-1")
        dynamodb.create_table(
            TableName="tenants",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "tenant", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "tenant", "KeyType": "HASH"}],
        )
        clock = MovedClock()
        stage = SimpleNamespace(
            clock=clock, dynamodb=dynamodb, register="tenants", logger=Logger(service="t", output=_Silent())
        )
        made = Office(World(stage=stage, archive=Archive(clock=clock), definition={}))
        monkeypatch.setattr(ops.tenant, "desk", lambda _deployment, _stage: made.desk())
        yield made


@pytest.mark.usefixtures("office")
def test_says_when_a_contract_ends_and_that_it_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["offboard", *WHERE, "--contract-ends", "2026-12-31", "--reason", "cancelled"]) == 0
    line = capsys.readouterr().out.splitlines()[1].split()
    assert line[:4] == ["acme", "active", "2026-12-31", "2027-01-30"]
    assert main(["offboard", *WHERE, "--contract-ends", "2020-01-01", "--reason", "late"]) == 1
    assert "is over" in capsys.readouterr().out
    assert main(["offboard", *WHERE, "--renewed", "--reason", "they stay"]) == 0
    assert main(["status", "--stage", "live", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out.split("\n", 2)[2])
    assert shown["tenants"][0]["contract_ends"] is None


def test_holds_at_once_and_two_release(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    case = ["--case", "C-1", "--reason", "litigation"]
    assert main(["hold", *WHERE, *case]) == 0
    assert "C-1 (unconfirmed)" in capsys.readouterr().out
    assert main(["release", *WHERE, *case]) == 1
    assert capsys.readouterr().out == "refused: two people release a hold; ada@example.com did\n"
    office.person = "ben"
    assert main(["hold", *WHERE, *case]) == 0
    assert "C-1 (held)" in capsys.readouterr().out
    assert main(["release", *WHERE, *case]) == 0


def test_deletes_on_demand_after_a_typed_name_and_another_persons_approval(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["delete", "--now", *WHERE, "--reason", "they asked"]
    monkeypatch.setattr("sys.stdin", io.StringIO("acmee\n"))
    assert main(asked) == 2
    assert office.world.archive.kept == {}, "nothing was asked for"
    monkeypatch.setattr("sys.stdin", io.StringIO("acme\n"))
    assert main(asked) == 1
    said = capsys.readouterr().out
    assert "refused: another person must approve it" in said
    approval = said.split("runs: ./palisade tenant ")[1].split()
    assert main(approval) == 1, "nobody approves their own request"
    office.person = "ben"
    assert main(approval) == 0
    assert "deleting" in capsys.readouterr().out
    assert len(office.world.started) == 1


def test_prints_a_certificate_and_says_when_it_is_false(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certificate", *WHERE]) == 0
    assert "no certificate" in capsys.readouterr().out
    request = office.world.demand("acme")
    for kind, more in (
        ("open", {}),
        ("counted", {"counts": [{"store": "users", "number": 2}]}),
        ("certify", {"counts": [{"store": "users", "number": 0}], "rounds": 0}),
    ):
        office.world.task("Clerk", {"kind": kind, "tenant": "acme", "request": request, **more})
    assert main(["certificate", *WHERE]) == 0
    assert "| users | 2 | 0 |" in capsys.readouterr().out
    (key,) = (key for key in office.world.archive.kept if "certificate-" in key)
    at, text = office.world.archive.kept[key]
    office.world.archive.kept[key] = (at, text.replace('"deleted": 2', '"deleted": 1'))
    assert main(["certificate", *WHERE]) == 1
    assert "FALSE" in capsys.readouterr().out


def test_says_what_to_correct(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--stage", "moon"]) == 2
    assert "--stage moon: choose one of sandbox, live." in capsys.readouterr().err

    class _Broken(Desk):
        def ask(self, event: Mapping[str, object]) -> dict[str, Any]:
            raise OpsError(f"no answer to {event['kind']}")

    broken = _Broken(records=None, function="f", invoke=None, user_id="")  # type: ignore[arg-type]
    monkeypatch.setattr(ops.tenant, "desk", lambda _deployment, _stage: broken)
    assert main(["status", "--stage", "live"]) == 2
    assert capsys.readouterr().err == "tenant: no answer to status\n"
