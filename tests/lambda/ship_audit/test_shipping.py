"""Nothing in the archive is lost to the log service: down for days, flapping, slow, refusing, or cut off in the middle."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import io
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws
from palisade_runtime.logs import Logger
from ship_audit.archive import Archive
from ship_audit.destination import ContentRefusedError, UnavailableError
from ship_audit.formats import MOST_EVENTS, Format
from ship_audit.receipts import Receipt, Receipts
from ship_audit.shipping import SETTLED, Shipping, Tally, run

REGION, BUCKET, TABLE = "eu-west-1", "palisade-live-audit-222222222222", "receipts"
FOLDERS = ("AWSLogs/777777777777/audit/", "AWSLogs/777777777777/sign-ins/")
Fault = Callable[[int], Exception | None]


@dataclass
class Objects:
    """The archive's bucket, whose objects appear at the test's own time."""

    clock: Callable[[], datetime]
    kept: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)

    def put(self, key: str, body: bytes) -> None:
        self.kept[key] = (body, self.clock())

    def list_objects_v2(self, *, Prefix: str, MaxKeys: int = 1000, **_: Any) -> dict[str, Any]:  # noqa: N803
        found = sorted(key for key in self.kept if key.startswith(Prefix))[:MaxKeys]
        return {"Contents": [{"Key": key, "LastModified": self.kept[key][1]} for key in found]} if found else {}

    def get_paginator(self, _name: str) -> Objects:
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        yield self.list_objects_v2(**asked)

    def get_object(self, *, Key: str, ExpectedBucketOwner: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        assert ExpectedBucketOwner == "222222222222"
        return {"Body": io.BytesIO(self.kept[Key][0])}


def _fine(_number: int) -> None:
    return None


def _down(_number: int) -> Exception:
    return UnavailableError("ConnectionRefusedError")


@dataclass
class Service:
    """Takes batches; `fault` says of the n-th request what goes wrong, `poison` is what it refuses for its content."""

    fault: Fault = _fine
    poison: str = ""
    fails_after_taking: bool = False
    asked: int = 0
    taken: list[tuple[bytes, Mapping[str, str]]] = field(default_factory=list)

    def send(self, body: bytes, headers: Mapping[str, str]) -> None:
        self.asked += 1
        fault = self.fault(self.asked)
        if fault is not None and not self.fails_after_taking:
            raise fault
        if self.poison and self.poison.encode() in body:
            raise ContentRefusedError("400")
        self.taken.append((body, headers))
        if fault is not None:
            raise fault

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for body, _ in self.taken for line in body.splitlines()]

    @property
    def texts(self) -> list[str]:
        return [event["record"]["n"] for event in self.events]


@dataclass
class World:
    """One stage's archive, its log service, and the runs between them."""

    dynamodb: Any
    service: Service = field(default_factory=Service)
    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)
    lines: io.StringIO = field(default_factory=io.StringIO)
    slept: list[float] = field(default_factory=list)
    batches_a_run: int = 10**9
    written: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.objects = Objects(clock=lambda: self.now)

    def write(self, count: int = 1, *, folder: str = FOLDERS[0], at: datetime | None = None) -> str:
        """An object with so many events, as Firehose delivers it; `at` is the time in its name."""
        at = at or self.now
        names = [f"event-{len(self.written) + number}" for number in range(count)]
        self.written += names
        key = f"{folder}{at:%Y/%m/%d}/palisade-audit-1-{at:%Y-%m-%d-%H-%M-%S}-{len(self.written):06d}.gz"
        envelope = {
            "messageType": "DATA_MESSAGE",
            "logGroup": "/palisade/documents/document-api",
            "logEvents": [
                {"id": "3" * 56, "timestamp": int(at.timestamp() * 1000), "message": json.dumps({"n": name})}
                for name in names
            ],
        }
        self.objects.put(key, gzip.compress((json.dumps(envelope) + "\n").encode()))
        return key

    def run(self) -> Tally:
        left = self.batches_a_run

        def time_is_up() -> bool:
            nonlocal left
            left -= 1
            return left < 0

        return run(
            Shipping(
                archive=Archive(s3=self.objects, bucket=BUCKET, folders=FOLDERS),
                receipts=Receipts(dynamodb=self.dynamodb, table=TABLE),
                destination=self.service,
                form=Format.GENERIC,
                secret=lambda: "shared",
                clock=lambda: self.now,
                logger=Logger(service="ship_audit", output=self.lines, clock=lambda: self.now),
                time_is_up=time_is_up,
                sleep=self.slept.append,
            )
        )

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)

    def oldest_seconds(self) -> int:
        lines = [json.loads(line) for line in self.lines.getvalue().splitlines()]
        return int(next(line for line in reversed(lines) if line["event"] == "shipping.measured")["oldest_seconds"])

    def nothing_is_lost(self) -> None:
        """Each event arrived; what came twice came under the same id, in a batch of the same key."""
        assert set(self.service.texts) == set(self.written)
        ids = {(event["id"], event["record"]["n"]) for event in self.service.events}
        assert len(ids) == len(self.written)
        batches = defaultdict(set)
        for body, headers in self.service.taken:
            batches[headers["Idempotency-Key"]].add(body)
        assert all(len(bodies) == 1 for bodies in batches.values())


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name=REGION)
        dynamodb.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("day", "object")],
            KeySchema=[{"AttributeName": "day", "KeyType": "HASH"}, {"AttributeName": "object", "KeyType": "RANGE"}],
        )
        yield World(dynamodb)


def test_sends_everything_once_in_order(world: World) -> None:
    world.write(3)
    world.advance(minutes=5)
    world.write(2, folder=FOLDERS[1])
    world.advance(minutes=5)
    world.write(2)
    assert world.run().sent == 7
    assert world.run().sent == 0
    assert world.service.texts == world.written
    assert world.oldest_seconds() == 0


def test_signs_with_time_key_and_body(world: World) -> None:
    world.write()
    world.run()
    ((body, headers),) = world.service.taken
    signed = f"{headers['X-Palisade-Timestamp']}.{headers['Idempotency-Key']}.".encode() + body
    expected = hmac.new(b"shared", signed, hashlib.sha256).hexdigest()
    assert headers["X-Palisade-Signature"] == f"sha256={expected}"


@pytest.mark.parametrize("days", [1, 5, 20])
def test_a_service_that_is_down_for_days_misses_nothing(world: World, days: int) -> None:
    world.write(2)
    world.run()
    world.service.fault = _down
    for _ in range(4 * days):
        world.advance(hours=6)
        world.write(2)
        assert world.run().stopped == "ConnectionRefusedError"
    assert world.oldest_seconds() >= (days * 24 - 6) * 3600
    world.service.fault = _fine
    world.run()
    world.nothing_is_lost()
    assert world.service.texts == world.written
    assert world.oldest_seconds() == 0


def test_a_service_that_is_down_is_asked_a_few_times_a_run_with_growing_pauses(world: World) -> None:
    world.write()
    world.write()
    world.service.fault = _down
    world.run()
    assert world.service.asked == 3
    assert world.slept == [1.0, 2.0]


@pytest.mark.parametrize(
    "fault",
    [
        UnavailableError("answered 500"),
        UnavailableError("answered 429", pause=4.0),
        UnavailableError("answered 401"),
        UnavailableError("ConnectionResetError"),
        UnavailableError("TimeoutError"),
        UnavailableError("SSLCertVerificationError"),
    ],
    ids=str,
)
@pytest.mark.parametrize("after_taking", [False, True])
def test_a_flapping_service_gets_everything_and_doubles_under_the_same_key(
    world: World, fault: Exception, after_taking: bool
) -> None:
    chance = random.Random(7)
    world.service.fault = lambda _number: fault if chance.random() < 0.6 else None
    world.service.fails_after_taking = after_taking
    world.batches_a_run = 4
    for _ in range(12):
        world.write(3)
        world.run()
        world.advance(minutes=5)
    world.service.fault = _fine
    world.batches_a_run = 10**9
    world.run()
    world.nothing_is_lost()


def test_a_long_pause_asked_for_ends_the_run(world: World) -> None:
    world.write()
    world.service.fault = lambda _number: UnavailableError("answered 429", pause=3600.0)
    world.run()
    assert (world.service.asked, world.slept) == (1, [])


def test_a_large_object_goes_on_where_time_was_up(world: World) -> None:
    world.write(3 * MOST_EVENTS + 1)
    world.batches_a_run = 1
    stops = [world.run().stopped for _ in range(5)]
    assert stops == ["time is up", "time is up", "time is up", "", ""]
    assert world.service.texts == world.written


def test_an_event_that_is_refused_alone_leaves_a_note_and_stops_nothing(world: World) -> None:
    world.service.poison = '"n":"event-5"'
    key = world.write(9)
    tally = world.run()
    assert (tally.left_out, tally.sent) == (1, 9)
    notes = [event for event in world.service.events if event["record"].get("event") == "record.refused"]
    assert [(note["archived_as"], note["id"].rpartition("-")[2]) for note in notes] == [(key, "5")]
    assert [event["record"].get("n") for event in world.service.events].count(None) == 1
    assert world.run().sent == 0


def test_a_service_that_refuses_everything_counts_as_down(world: World) -> None:
    world.service.poison = '"id"'
    world.write(4)
    assert world.run().stopped.startswith("refuses everything")
    world.service.poison = ""
    world.run()
    world.nothing_is_lost()


def test_a_bad_secret_keeps_everything_waiting(world: World) -> None:
    def no_secret() -> str:
        raise UnavailableError("the secret is empty or no header can carry it")

    world.write()
    shipping = Shipping(
        archive=Archive(s3=world.objects, bucket=BUCKET, folders=FOLDERS),
        receipts=Receipts(dynamodb=world.dynamodb, table=TABLE),
        destination=world.service,
        form=Format.GENERIC,
        secret=no_secret,
        clock=lambda: world.now,
        logger=Logger(service="ship_audit", output=world.lines),
        time_is_up=lambda: False,
    )
    assert run(shipping).stopped.startswith("the secret")
    world.run()
    world.nothing_is_lost()


def test_what_arrives_days_late_is_sent_too(world: World) -> None:
    world.write(1)
    world.run()
    then = world.now
    for _ in range(SETTLED.days - 1):
        world.advance(days=1)
        world.run()
    world.write(1, at=then)
    world.run()
    world.nothing_is_lost()


def test_days_that_are_settled_are_not_looked_at_again(world: World) -> None:
    world.write(1)
    for _ in range(30):
        world.run()
        world.advance(days=1)
    first = Receipts(dynamodb=world.dynamodb, table=TABLE).first_day()
    assert first is not None
    assert world.now.date() - first <= SETTLED + timedelta(days=2)


def test_what_lay_in_the_archive_before_is_sent_too(world: World) -> None:
    world.write(2)
    world.advance(days=100)
    world.write(1)
    world.run()
    assert world.service.texts == world.written


def test_a_damaged_object_is_told_of_and_stops_nothing(world: World) -> None:
    key = world.write(2)
    world.objects.put(key, world.objects.kept[key][0][:-12])
    world.advance(minutes=1)
    world.write(1)
    world.run()
    assert "object.damaged" in [event["record"].get("event") for event in world.service.events]
    assert world.service.events[-1]["record"] == {"n": "event-2"}


def test_a_receipt_never_takes_back_what_a_faster_run_knows(world: World) -> None:
    receipts, day = Receipts(dynamodb=world.dynamodb, table=TABLE), world.now.date()
    receipts.keep(day, "key", Receipt(taken=9, whole=True), now=world.now)
    receipts.keep(day, "key", Receipt(taken=5), now=world.now)
    assert receipts.of(day) == {"key": Receipt(taken=9, whole=True)}


def test_losing_the_receipts_sends_twice_and_loses_nothing(world: World) -> None:
    world.write(3)
    world.run()
    for item in world.dynamodb.scan(TableName=TABLE)["Items"]:
        world.dynamodb.delete_item(TableName=TABLE, Key={name: item[name] for name in ("day", "object")})
    world.run()
    world.nothing_is_lost()
    assert len(world.service.events) == 6
