"""Only what the chat signed, now and once, gets behind the door; a change of the secret loses nothing."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records
from receive_chat.handler import LARGEST_BODY, Services, receive
from receive_chat.secrets import SigningSecrets
from receive_chat.signature import signed

from rehearsal.state_machine import MovedClock

OLD, NEW = "old-signing-secret-of-32-letters", "new-signing-secret-of-32-letters"
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
FIELDS = {
    "team_id": "T0001",
    "user_id": "U0001",
    "text": "request live operator 203.0.113.4 2h a queue is stuck",
    "response_url": "https://hooks.slack.com/commands/T0001/1/abc",
    "token": "deprecated",
}


def _sign(body: str, secret: str, at: datetime) -> str:
    text = f"v0:{int(at.timestamp())}:{body}".encode()
    return "v0=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


class _Secret:
    """A secret with versions; changing it moves them on as Secrets Manager does."""

    def __init__(self, clock: MovedClock) -> None:
        self.clock, self.current, self.previous, self.created = clock, OLD, "", NOW - timedelta(days=90)
        self.asked = 0

    def change(self, value: str) -> None:
        self.previous, self.current, self.created = self.current, value, self.clock()

    def get_secret_value(self, **call: str) -> dict[str, Any]:
        self.asked += 1
        if call["VersionStage"] == "AWSCURRENT":
            return {"SecretString": self.current, "CreatedDate": self.created}
        if not self.previous:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "GetSecretValue")
        return {"SecretString": self.previous}


class _Archive:
    """Takes each key once."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def put_object(self, **call: Any) -> None:
        if call["Key"] in self.kept:
            raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": ""}}, "PutObject")
        self.kept[call["Key"]] = json.loads(call["Body"])


class _Door:
    """The function with its surroundings, and a chat that signs."""

    def __init__(self, output: Any) -> None:
        self.clock = MovedClock(NOW)
        self.secret, self.archive, self.queue = _Secret(self.clock), _Archive(), list[str]()
        self.services = Services(
            secrets=SigningSecrets(client=self.secret, arn="arn", clock=self.clock),
            records=Records(s3=self.archive, bucket="acme-1", account="1", workflow="chat"),
            enqueue=self.queue.append,
            workspace="T0001",
            clock=self.clock,
            logger=Logger(service="test", clock=self.clock, output=output),
        )

    def event(self, *, secret: str = OLD, at: datetime | None = None, **fields: str) -> dict[str, Any]:
        at = at or self.clock()
        body = urlencode({**FIELDS, **fields})
        headers = {
            "X-Slack-Request-Timestamp": str(int(at.timestamp())),
            "X-Slack-Signature": _sign(body, secret, at),
        }
        return {"headers": headers, "body": body, "isBase64Encoded": False, "requestContext": {"requestId": "r"}}

    def knock(self, event: Mapping[str, Any]) -> int:
        return int(str(receive(event, self.services)["statusCode"]))


@pytest.fixture
def door(lines: Any) -> _Door:
    return _Door(lines)


def test_takes_what_the_chat_signed_and_passes_on_what_it_says(door: _Door) -> None:
    assert door.knock(door.event()) == 200
    (message,) = map(json.loads, door.queue)
    assert message == {
        "id": message["id"],
        "user": "U0001",
        "text": FIELDS["text"],
        "answer": FIELDS["response_url"],
        "at": "2026-03-02T09:30:00+00:00",
    }
    assert message["id"].startswith("20260302-")
    ((key, seen),) = door.archive.kept.items()
    assert key.startswith("1/chat/20260302/")
    assert seen == {"id": message["id"], "user": "U0001", "at": "2026-03-02T09:30:00+00:00"}


def test_reads_a_body_that_the_gateway_encoded(door: _Door) -> None:
    event = door.event()
    encoded = base64.b64encode(event["body"].encode()).decode()
    assert door.knock({**event, "body": encoded, "isBase64Encoded": True}) == 200


def test_refuses_a_replay_and_passes_on_nothing(door: _Door) -> None:
    event = door.event()
    assert [door.knock(event), door.knock(event)] == [200, 409]
    assert len(door.queue) == 1


@pytest.mark.parametrize(("seconds", "status"), [(-301, 401), (-300, 200), (300, 200), (301, 401)])
def test_takes_nothing_older_or_newer_than_five_minutes(door: _Door, seconds: int, status: int) -> None:
    assert door.knock(door.event(at=NOW + timedelta(seconds=seconds))) == status
    assert len(door.queue) == (status == 200)


def _without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda event: event["headers"].pop(name)


def _with(name: str, value: str) -> Callable[[dict[str, Any]], None]:
    return lambda event: event["headers"].update({name: value})


@pytest.mark.parametrize(
    "spoil",
    [
        _without("X-Slack-Signature"),
        _without("X-Slack-Request-Timestamp"),
        _with("X-Slack-Signature", ""),
        _with("X-Slack-Signature", "v0="),
        _with("X-Slack-Signature", "v1=" + "0" * 64),
        _with("X-Slack-Signature", "v0=" + "0" * 64),
        _with("X-Slack-Request-Timestamp", "soon"),
        _with("X-Slack-Request-Timestamp", "\u0661\u0662\u0663"),
        _with("X-Slack-Request-Timestamp", "1" * 400),
        lambda event: event.update(body=event["body"].replace("operator", "database")),
        lambda event: event.update(body=event["body"] + "&user_id=U9999"),
        lambda event: event.update(body=None),
        lambda event: event.update(headers=None),
        lambda event: event.update(body="x" * (LARGEST_BODY + 1)),
        lambda event: event.update(isBase64Encoded=True),
    ],
)
def test_believes_nothing_else_and_says_the_same(
    door: _Door, spoil: Callable[[dict[str, Any]], None], lines: Any
) -> None:
    event = door.event()
    spoil(event)
    assert door.knock(event) in {400, 401, 413}
    assert (door.queue, door.archive.kept) == ([], {})
    assert OLD not in lines.text


@settings(max_examples=40)
@given(st.text(max_size=40), st.text(max_size=20), st.text(max_size=80))
def test_no_text_is_a_signature(body: str, timestamp: str, signature: str) -> None:
    assert not signed(body, timestamp, signature, secrets=(OLD, ""), now=NOW)


def test_an_empty_or_short_secret_signs_nothing() -> None:
    for secret in ("", "short"):
        assert not signed("body", str(int(NOW.timestamp())), _sign("body", secret, NOW), secrets=(secret,), now=NOW)


def test_refuses_another_workspace_even_if_signed(door: _Door) -> None:
    assert door.knock(door.event(team_id="T0002")) == 403
    assert door.queue == []


def test_takes_both_secrets_for_a_day_after_the_change_and_then_the_new_one_alone(door: _Door) -> None:
    door.secret.change(NEW)
    assert [door.knock(door.event(secret=one)) for one in (OLD, NEW)] == [200, 200]
    door.clock.now += timedelta(hours=23, minutes=59)
    assert door.knock(door.event(secret=OLD)) == 200
    door.clock.now += timedelta(minutes=2)
    assert [door.knock(door.event(secret=one)) for one in (OLD, NEW)] == [401, 200]


def test_learns_of_a_changed_secret_within_a_minute(door: _Door) -> None:
    assert door.knock(door.event()) == 200
    door.secret.change(NEW)
    asked = door.secret.asked
    assert door.knock(door.event(secret=NEW)) == 401
    assert door.secret.asked == asked
    door.clock.now += timedelta(minutes=1)
    assert door.knock(door.event(secret=NEW)) == 200


def test_what_could_not_be_enqueued_is_asked_again_and_not_lost_in_silence(door: _Door) -> None:
    def full(_message: str) -> None:
        raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": ""}}, "SendMessage")

    working = door.services.enqueue
    object.__setattr__(door.services, "enqueue", full)
    with pytest.raises(ClientError):
        door.knock(door.event())
    object.__setattr__(door.services, "enqueue", working)
    door.clock.now += timedelta(seconds=1)
    assert door.knock(door.event()) == 200
