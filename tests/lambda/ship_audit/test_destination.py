"""What a log service's answer means, over real connections on loopback; and how events are written for each kind."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from palisade_runtime.audit_events import AuditEvent
from ship_audit.destination import ContentRefusedError, HttpsDestination, UnavailableError, connect
from ship_audit.formats import MOST_BYTES, MOST_EVENTS, Format, Placed, batch_of, batches, headers
from ship_audit.handler import read_secret


class _Server(ThreadingHTTPServer):
    status = 200
    extra: dict[str, str] = {}  # noqa: RUF012
    got: list[tuple[str, dict[str, str], bytes]]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), gzip.decompress(body)))
        self.send_response(self.server.status)
        for name, value in self.server.extra.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[_Server]:
    made = _Server(("127.0.0.1", 0), _Handler)
    made.got = []
    threading.Thread(target=made.serve_forever, daemon=True, kwargs={"poll_interval": 0.01}).start()
    yield made
    made.shutdown()
    made.server_close()


def _plain(port: int) -> HttpsDestination:
    return HttpsDestination(
        url="https://logs.example.com/audit",
        connect=lambda _host, _port: http.client.HTTPConnection("127.0.0.1", port, timeout=5),
    )


def test_posts_packed_to_the_path(server: _Server) -> None:
    _plain(server.server_address[1]).send(b"body", {"Idempotency-Key": "k"})
    ((path, got, body),) = server.got
    assert (path, got["Idempotency-Key"], got["Content-Encoding"], body) == ("/audit", "k", "gzip", b"body")


@pytest.mark.parametrize("status", [301, 302, 307, 401, 403, 404, 408, 429, 500, 502, 503, 504])
def test_every_other_answer_means_later(server: _Server, status: int) -> None:
    server.status, server.extra = status, {"Location": "https://elsewhere.example/", "Retry-After": "7"}
    with pytest.raises(UnavailableError) as raised:
        _plain(server.server_address[1]).send(b"body", {})
    assert (raised.value.reason, raised.value.pause) == (f"answered {status}", 7.0)
    assert len(server.got) == 1


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_answers_about_the_content_are_told_apart(server: _Server, status: int) -> None:
    server.status = status
    with pytest.raises(ContentRefusedError):
        _plain(server.server_address[1]).send(b"body", {})


def test_a_refused_connection_means_later() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(UnavailableError, match="ConnectionRefusedError"):
            _plain(unused.getsockname()[1]).send(b"body", {})


def test_a_connection_cut_off_means_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def cut() -> None:
            listener.accept()[0].close()

        threading.Thread(target=cut, daemon=True).start()
        with pytest.raises(UnavailableError):
            _plain(listener.getsockname()[1]).send(b"body", {})


def test_a_server_without_tls_is_spoken_to_by_nobody(server: _Server) -> None:
    there = HttpsDestination(
        url="https://logs.example.com/audit",
        connect=lambda _host, _port: connect("127.0.0.1", server.server_address[1]),
    )
    with pytest.raises(UnavailableError, match="SSL"):
        there.send(b"body", {})
    assert not server.got


def _placed(number: int, record: object = "x") -> Placed:
    return Placed(
        key="folder/object.gz", number=number, event=AuditEvent(log="/log", time=1_772_366_400_007, record=record)
    )


def test_a_batch_is_as_large_as_every_service_takes() -> None:
    sizes = [len(batch.events) for batch in batches((_placed(n) for n in range(1201)), Format.GENERIC)]
    assert sizes == [MOST_EVENTS, MOST_EVENTS, 201]
    large = [_placed(n, "x" * (MOST_BYTES // 3)) for n in range(4)]
    assert [len(batch.events) for batch in batches(large, Format.GENERIC)] == [2, 2]
    assert [len(batch.events) for batch in batches([_placed(0, "x" * (2 * MOST_BYTES))], Format.GENERIC)] == [1]


def test_datadog_gets_an_array_and_no_time_that_it_would_drop_events_for() -> None:
    batch = batch_of([_placed(0, {"event": "request.answered", "timestamp": "2026-03-01T12:00:00Z"})], Format.DATADOG)
    (event,) = json.loads(batch.body)
    assert not {"timestamp", "date", "_timestamp", "Timestamp", "eventTime", "published_date"} & set(event)
    assert (event["ddsource"], event["message"]) == ("palisade", "request.answered")
    assert event["audit"]["recorded_at"] == "2026-03-01T12:00:00.007+00:00"
    assert headers(batch, Format.DATADOG, secret="s3", now=datetime.now(UTC))["DD-API-KEY"] == "s3"


def test_splunk_gets_events_one_after_the_other_with_their_time() -> None:
    batch = batch_of([_placed(0), _placed(1)], Format.SPLUNK)
    first, second = map(json.loads, batch.body.splitlines())
    assert (first["time"], first["source"], second["event"]["id"][-2:]) == (1_772_366_400.007, "/log", "-1")
    assert headers(batch, Format.SPLUNK, secret="s3", now=datetime.now(UTC))["Authorization"] == "Splunk s3"


def test_generic_never_sends_the_secret() -> None:
    sent = headers(batch_of([_placed(0)], Format.GENERIC), Format.GENERIC, secret="hidden", now=datetime.now(UTC))
    assert "hidden" not in str(sent)


class _Secrets:
    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self, **_: str) -> dict[str, str]:
        return {"SecretString": self._value}


@pytest.mark.parametrize("value", ["", " ", "a b", "a\nb", "ä"])
def test_a_secret_that_no_header_carries_is_refused_without_being_told(value: str) -> None:
    with pytest.raises(UnavailableError, match="the secret is empty or no header can carry it"):
        read_secret(_Secrets(value), "arn")


def test_a_line_end_behind_the_secret_is_forgiven() -> None:
    assert read_secret(_Secrets("token\n"), "arn") == "token"
