"""Calling people: by every channel, signed, with what failed said by the others, and never with a secret."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from page_people.channels import ATTEMPTS, ChannelError, Chat, Mail, Message, Webhook, sign
from page_people.handler import NOT_SET_UP, UndeliveredError, page

from tests.incident_world import World

MESSAGE = Message(incident="i-1", priority="P0", to=("ada", "ben"), subject="P0 acknowledge it: x", text="line\nline")
KEY = "k" * 64
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PAGE = {
    "name": "p0-0",
    "incident": "a" * 20 + "-1",
    "priority": "P0",
    "to": ["ada"],
    "why": "acknowledge it",
    "loud": True,
    "subject": "s",
    "text": "t",
}


@dataclass
class Sink:
    """An HTTP server that answers ``answers`` in turn, then 200."""

    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def sink() -> Iterator[Sink]:
    state = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            code = state.answers.pop(0) if state.answers else 200
            self.send_response(code)
            if code == 302:
                self.send_header("Location", f"{state.url}/elsewhere")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield state
    server.shutdown()


def _quick(_seconds: float) -> None:
    """Waits for nothing."""


def test_a_webhook_is_signed_over_its_time_and_body(sink: Sink) -> None:
    Webhook(url=sink.url, key=KEY, clock=lambda: NOW, sleep=_quick).send(MESSAGE)
    ((headers, body),) = sink.got
    stamp = headers["x-palisade-timestamp"]
    assert stamp == str(int(NOW.timestamp()))
    wanted = hmac.new(KEY.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["x-palisade-signature"] == f"v1={wanted}"
    assert sign("other", stamp, body) != wanted
    assert json.loads(body)["to"] == ["ada", "ben"]
    assert KEY not in body.decode() + str(headers)


def test_a_chat_room_gets_text(sink: Sink) -> None:
    Chat(url=sink.url, sleep=_quick).send(MESSAGE)
    assert json.loads(sink.got[0][1]) == {"text": "*P0 acknowledge it: x*\nline\nline"}


@pytest.mark.parametrize("code", [500, 503, 429])
def test_tries_again_what_may_pass(sink: Sink, code: int) -> None:
    sink.answers += [code] * (ATTEMPTS - 1)
    Chat(url=sink.url, sleep=_quick).send(MESSAGE)
    assert len(sink.got) == ATTEMPTS


@pytest.mark.parametrize("code", [302, 400, 403, 404])
def test_gives_up_on_what_will_not_pass_and_follows_nobody(sink: Sink, code: int) -> None:
    sink.answers += [code] * 9
    with pytest.raises(ChannelError, match=str(code)):
        Chat(url=sink.url, sleep=_quick).send(MESSAGE)
    assert len(sink.got) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/T000/SECRET",
        "ftp://hooks.example.com/SECRET",
        "file:///etc/SECRET",
        "https://127.0.0.1:1/SECRET",
        "https://[/SECRET",
    ],
)
def test_an_error_never_quotes_the_address(url: str) -> None:
    with pytest.raises((ChannelError, ValueError)) as error:
        Chat(url=url, sleep=_quick).send(MESSAGE)
    assert "SECRET" not in str(error.value)
    assert error.value.__cause__ is None


@dataclass
class Topic:
    """SNS."""

    published: list[dict[str, Any]] = field(default_factory=list)

    def publish(self, **given: Any) -> None:
        self.published.append(given)


def test_mail_is_for_the_people_named_and_its_subject_is_one_short_line() -> None:
    topic = Topic()
    Mail(sns=topic, topic_arn="arn").send(Message(**{**MESSAGE.__dict__, "subject": "ä\n" + "x" * 200}))
    (sent,) = topic.published
    assert json.loads(sent["MessageAttributes"]["to"]["StringValue"]) == ["ada", "ben"]
    assert sent["Subject"].startswith("??x")
    assert len(sent["Subject"]) == 100


def test_a_channel_that_fails_is_named_by_those_that_work() -> None:
    world = World()
    world.webhook.broken = True
    world.records.keep(str(PAGE["incident"]), "opened", {})
    outcome = page(PAGE, world.paging)
    assert outcome == {"mail": "sent", "chat": "sent", "webhook": "failed, it answered 503"}
    for way in (world.mail, world.chat):
        assert "NOT delivered by webhook: failed, it answered 503" in way.sent[-1][1].text
    assert world.metrics.of("ChannelsFailed") == [1.0]


def test_a_channel_that_nobody_set_up_is_no_failure() -> None:
    world = World()
    world.channels["webhook"] = None
    assert page(PAGE, world.paging)["webhook"] == NOT_SET_UP
    assert world.metrics.put == []


def test_fails_if_no_channel_took_it_and_records_nothing() -> None:
    world = World()
    for way in (world.mail, world.webhook, world.chat):
        way.broken = True
    with pytest.raises(UndeliveredError):
        page(PAGE, world.paging)
    assert world.archive.kept == {}


def test_quiet_pages_go_by_mail_alone() -> None:
    world = World()
    assert page({**PAGE, "loud": False}, world.paging) == {"mail": "sent"}
    assert world.chat.sent == world.webhook.sent == []


def test_takes_secrets_out_of_what_it_is_given() -> None:
    world = World()
    page({**PAGE, "subject": "token=abcdefghijkl", "text": "Authorization: Bearer abcdefghijkl"}, world.paging)
    said = str([message for _, message in world.chat.sent]) + "".join(world.lines.written)
    assert "abcdefghijkl" not in said
