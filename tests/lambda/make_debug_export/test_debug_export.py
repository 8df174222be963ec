"""From the request to the deletion: the synthesized machine with the real functions, a moved clock, and kills anywhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import export_debug_data.handler as desk
import make_debug_export.handler as maker
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make_debug_export.pseudonyms import FIELDS, KNOWN, pseudonymise
from palisade_runtime.records import Records

from assembly import Assembly
from rehearsal.state_machine import Execution, Killed, StateMachine
from stacks import debug_export
from tests.offboarding_world import Archive

MADE = "acme-20260302T090000Z"
BUCKET = "exports"
NONCE = "0123456789abcdef0123456789abcdef"


@dataclass
class World:
    """A stage, its archive, and what people and the machine do."""

    stage: Any
    definition: Mapping[str, Any]
    archive: Archive
    started: dict[str, dict[str, Any]] = field(default_factory=dict)
    signed: list[tuple[str, int]] = field(default_factory=list)

    @property
    def records(self) -> Records:
        return Records(
            s3=SimpleNamespace(
                put_object=self.archive.put_object,
                get_object=self.archive.get_object,
                get_paginator=lambda _: SimpleNamespace(paginate=self._pages),
            ),
            bucket="b-100000000002",
            account="200000000002",
            workflow="debug-export",
        )

    def _pages(self, *, Prefix: str, Delimiter: str = "", **_: object) -> Any:  # noqa: N803
        (page,) = self.archive.paginate(Prefix=Prefix)
        folders = {Prefix + one["Key"].removeprefix(Prefix).split("/")[0] + "/" for one in page["Contents"]}
        yield {"CommonPrefixes": [{"Prefix": one} for one in sorted(folders)]} if Delimiter else page

    def ask(self, kind: str, export: str = MADE, **more: str) -> dict[str, Any]:
        services = desk.Services(
            records=self.records,
            start=lambda name, data: void(self.started.setdefault(name, dict(data))),
            sign=self.sign,
            clock=self.stage.clock,
            logger=self.stage.logger,
        )
        return desk.answer({"kind": kind, "export": export, **more}, services)

    def sign(self, key: str, seconds: int) -> str:
        assert self.records.events(MADE, "fetched-"), "given out before it was recorded"
        self.signed.append((key, seconds))
        return "https://link"

    def say(self, deed: str, person: str, subject: str = MADE, **body: object) -> None:
        self.records.say(deed, subject, f"AROAEXAMPLE:{person}", body)

    def requested(self, *, rows: int = 100, hours: int = 4) -> dict[str, Any]:
        self.say("request", "ada", rows=rows, hours=hours, reason="stuck")
        return self.ask("request")

    def approved(self, **more: int) -> dict[str, Any]:
        assert "refused" not in self.requested(**more)
        self.say("approve", "ben")
        assert "refused" not in self.ask("approve")
        return self.started[MADE]

    def fetch(self, person: str, said: str = NONCE) -> dict[str, Any]:
        self.say("fetch", person, f"{MADE}:{said}")
        return self.ask("fetch", said=said)

    @property
    def maker(self) -> maker.Services:
        return maker.Services(
            sessions=self.stage.sessions,
            table=self.stage.table,
            s3=self.stage.s3,
            bucket=BUCKET,
            records=self.records,
            clock=self.stage.clock,
            logger=self.stage.logger,
        )

    def run(self, data: Mapping[str, Any], *, kill_after: int | None = None) -> Execution:
        machine = StateMachine(self.definition, lambda _, asked: maker.work(asked, self.maker), self.stage.clock)
        return machine.run(data, kill_after=kill_after)

    def make(self) -> dict[str, Any]:
        return maker.work({"kind": "make", **self.started[MADE]}, self.maker)

    def objects(self) -> list[Any]:
        listed = self.stage.s3.list_object_versions(Bucket=BUCKET)
        return [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]

    def export(self) -> str:
        return str(self.stage.s3.get_object(Bucket=BUCKET, Key=f"{MADE}.json")["Body"].read().decode())


def void(_: object) -> None:
    """Drop it."""


def item(tenant: str, number: int, **more: str) -> dict[str, Any]:
    found = {
        "tenant": tenant,
        "document": f"{number:032x}",
        "created_by": f"joe{number % 2}@{tenant}.example",
        "title": "Divorce of Mr Smith",
        "summary": "he said",
        "reason": "Mr Smith's file is broken",
        "status": "analysed",
        "content_type": "text/csv",
        "created_at": "2026-03-02T08:59:31+00:00",
        **more,
    }
    return {**{name: {"S": value} for name, value in found.items()}, "size": {"N": "17"}}


@pytest.fixture
def world(stage: Any, assembly: Assembly) -> World:
    stage.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    stage.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    (machine,) = (
        one
        for one in assembly["prod-debug-export"].resources.values()
        if one.type == "AWS::StepFunctions::StateMachine"
    )
    parts = machine.properties["DefinitionString"]["Fn::Join"][1]
    definition = json.loads("".join(part if isinstance(part, str) else "Maker" for part in parts))
    for number in range(5):
        for tenant in ("acme", "acme-2"):
            stage.dynamodb.put_item(TableName=stage.table, Item=item(tenant, number))
    return World(stage=stage, definition=definition, archive=Archive(clock=stage.clock))


def test_refuses_ones_own_approval_from_whatever_session(world: World) -> None:
    world.requested()
    world.records.say("approve", MADE, "AROAOTHER:Ada", {})
    assert "another person than ada" in str(world.ask("approve")["refused"])
    assert not world.started


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"rows": 1001},
        {"rows": 0},
        {"rows": True},
        {"rows": "5"},
        {"hours": 25},
        {"hours": 0},
        {"reason": " "},
        {"reason": 5},
    ],
)
def test_refuses_too_much_too_long_and_no_reason(world: World, body: dict[str, object]) -> None:
    whole: dict[str, Any] = {"rows": 5, "hours": 1, "reason": "stuck", **body} if body else {}
    world.records.say("request", MADE, "AROAEXAMPLE:ada", whole)
    assert len(world.ask("request")["refused"]) == (1 if body else 3)
    assert "nobody asked" in str(world.ask("approve")["refused"])


def test_what_was_approved_is_what_was_recorded_first(world: World) -> None:
    world.requested(rows=3)
    world.say("request", "ann", rows=1000, hours=24, reason="more")
    world.ask("request")
    world.say("approve", "ben")
    world.ask("approve")
    assert world.started[MADE]["rows"] == 3


def test_a_request_lapses_after_a_day(world: World) -> None:
    world.requested()
    world.stage.clock.advance(hours=25)
    world.say("approve", "ben")
    assert "ask again" in str(world.ask("approve")["refused"])


def test_two_approvals_begin_one_execution_with_one_end(world: World) -> None:
    first = dict(world.approved())
    world.stage.clock.advance(minutes=7)
    world.say("approve", "cleo")
    assert "refused" not in world.ask("approve")
    assert world.started == {MADE: first}
    assert world.records.read(MADE, "approved")["by"] == "ben"  # type: ignore[index]


@pytest.mark.parametrize("name", ["", "acme", "../x-20260302T090000Z", "acme:1-20260302T090000Z", None, 5])
def test_refuses_names_that_are_none(world: World, name: Any) -> None:
    for kind in ("request", "approve", "fetch"):
        assert "name of an export" in str(world.ask(kind, name)["refused"])


def test_makes_keeps_for_the_hours_and_deletes(world: World) -> None:
    data = world.approved(rows=3, hours=4)
    begun = world.stage.clock()
    execution = world.run(data)
    assert (execution.status, execution.path) == ("SUCCEEDED", ["Make", "Keep", "Delete", "Verify", "Gone"])
    assert timedelta(hours=4) <= world.stage.clock() - begun < timedelta(hours=4, minutes=1)
    assert not world.objects()
    assert world.records.read(MADE, "made")["rows"] == 3  # type: ignore[index]
    assert world.ask("list")["exports"][0]["state"] == "deleted"


def test_killed_anywhere_and_begun_again_nothing_is_left(world: World) -> None:
    data = world.approved()
    for steps in range(1, 5):
        with pytest.raises(Killed):
            world.run(data, kill_after=steps)
    world.run(data)
    assert not world.objects()
    assert "deleted" in world.records.events(MADE)


def test_killed_between_object_and_record_it_is_made_again_and_both_versions_go(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = world.approved()
    keep = Records.keep

    def broken(*_: Any) -> bool:
        monkeypatch.setattr(Records, "keep", keep)
        raise ConnectionError

    monkeypatch.setattr(Records, "keep", broken)
    assert world.run(data).status == "SUCCEEDED"
    assert not world.objects()


def test_what_cannot_be_made_is_deleted_at_once_and_fails(world: World) -> None:
    data = world.approved()
    world.stage.failing.add("Query")
    execution = world.run(data)
    assert (execution.status, execution.path[-1]) == ("FAILED", "Unmade")
    assert not world.objects()


def test_holds_one_tenants_rows_and_no_more_than_asked_for(world: World) -> None:
    world.approved(rows=4)
    assert world.make() == {"rows": 4}
    rows = json.loads(world.export())["items"]
    assert len(rows) == 4
    assert len({one["tenant"] for one in rows}) == 1
    assert len({one["created_by"] for one in rows}) == 2
    assert {one["created_at"] for one in rows} == {"2026-03-02T08:00Z"}
    assert all(set(one) <= set(FIELDS) for one in rows)
    assert "Smith" not in world.export()


def test_gives_links_to_who_asked_and_who_approved_alone_and_records_first(world: World) -> None:
    world.approved()
    assert "being made" in str(world.fetch("ada", "a" * 32)["refused"])
    world.make()
    assert "only who asked" in str(world.fetch("eve", "b" * 32)["refused"])
    assert world.fetch("ada", "c" * 32)["seconds"] == 900
    assert world.fetch("ben", "d" * 32)["rows"] == 5
    assert world.records.events(MADE, "fetched-") == ["fetched-" + "c" * 32, "fetched-" + "d" * 32]
    assert world.ask("list")["exports"][0]["fetched"] == 2


def test_one_deed_gives_one_link_and_only_at_once(world: World) -> None:
    world.approved()
    world.make()
    world.fetch("ada")
    assert "had its link" in str(world.ask("fetch", said=NONCE)["refused"])
    world.say("fetch", "ada", f"{MADE}:{'e' * 32}")
    world.stage.clock.advance(minutes=16)
    assert "just now" in str(world.ask("fetch", said="e" * 32)["refused"])
    assert "just now" in str(world.ask("fetch", said="f" * 32)["refused"])
    assert len(world.signed) == 1


def test_a_link_never_outlives_the_export(world: World) -> None:
    world.approved(hours=1)
    world.make()
    world.stage.clock.advance(minutes=55)
    assert world.fetch("ada", "1" * 32)["seconds"] == 300
    world.stage.clock.advance(minutes=5)
    assert "expired" in str(world.fetch("ada", "2" * 32)["refused"])


def test_an_export_whose_time_is_over_is_not_made(world: World) -> None:
    world.approved(hours=1)
    world.stage.clock.advance(hours=1)
    with pytest.raises(maker.ExpiredError):
        world.make()


def test_the_stack_lets_the_maker_read_exactly_what_it_exports() -> None:
    assert set(debug_export.FIELDS) == set(FIELDS)
    assert desk.LINK.total_seconds() == debug_export.LINK_SECONDS


_NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=8, max_size=40)


@settings(max_examples=60, deadline=None)
@given(values=st.fixed_dictionaries(dict.fromkeys((*FIELDS, "title", "summary", "reason"), _NAMES)))
def test_no_value_leaves_in_any_encoding_whatever_field_it_stands_in(values: dict[str, str]) -> None:
    found = json.dumps(pseudonymise({name: {"S": value} for name, value in values.items()}, b"k" * 32))
    for name, value in values.items():
        if name in {"size", "created_at", "expires_at"} and value.isdigit():
            continue
        if value in KNOWN.get(name, ()):
            continue
        for told in encodings(value):
            assert told not in found, name


def encodings(value: str) -> set[str]:
    raw = value.encode()
    return {
        value,
        value.casefold(),
        raw.hex(),
        json.dumps(value)[1:-1],
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
    }


@settings(max_examples=30, deadline=None)
@given(one=_NAMES, other=_NAMES)
def test_equal_becomes_equal_within_an_export_and_different_in_the_next(one: str, other: str) -> None:
    def told(value: str, key: bytes) -> str:
        return str(pseudonymise({"created_by": {"S": value}}, key)["created_by"])

    assert (told(one, b"a" * 32) == told(other, b"a" * 32)) == (one == other)
    assert told(one, b"a" * 32) != told(one, b"b" * 32)
