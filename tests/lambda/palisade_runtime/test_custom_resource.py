"""Custom resources: CloudFormation gets exactly one answer, whatever happens, and learns no secret."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from palisade_runtime import custom_resource
from palisade_runtime.custom_resource import LARGEST_ANSWER, Outcome, RefusedRequestError, Request, put, respond

SIGNED = "https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com/x?X-Amz-Signature=s3cr3t"
EVENT: Mapping[str, Any] = {
    "RequestType": "Create",
    "RequestId": "request-1",
    "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/live-network/1",
    "LogicalResourceId": "Thing",
    "ResponseURL": SIGNED,
    "ResourceProperties": {"Name": "thing"},
}


@dataclass
class FakeContext:
    """A function's context with so many milliseconds left."""

    remaining: int = 60_000
    log_stream_name: str = "2026/03/01/[$LATEST]1"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining


@dataclass
class Sent:
    """What CloudFormation received."""

    bodies: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, url: str, body: bytes) -> None:
        assert url == SIGNED
        assert len(body) <= LARGEST_ANSWER
        self.bodies.append(json.loads(body))


def run(act: Any, *, event: Mapping[str, Any] = EVENT, context: FakeContext | None = None) -> list[dict[str, Any]]:
    sent = Sent()
    respond(event, context or FakeContext(), service="thing", act=act, send=sent)
    return sent.bodies


def made(request: Request) -> Outcome:
    return Outcome(physical_id=f"id-of-{request.text('Name')}", data={"Name": request.text("Name")})


def test_answers_success_with_identity_and_data() -> None:
    assert run(made) == [
        {
            "Status": "SUCCESS",
            "PhysicalResourceId": "id-of-thing",
            "StackId": EVENT["StackId"],
            "RequestId": "request-1",
            "LogicalResourceId": "Thing",
            "Data": {"Name": "thing"},
        }
    ]


def test_tells_what_was_refused() -> None:
    def refuse(_: Request) -> Outcome:
        raise RefusedRequestError("property Size must be at most 3")

    (answer,) = run(refuse)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("property Size must be at most 3 (log stream ")


def test_tells_only_the_kind_of_an_unexpected_failure(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_: Request) -> Outcome:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "password=hunter2"}}, "DescribeThings")

    (answer,) = run(fail)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("ClientError(AccessDenied)")
    assert "hunter2" not in json.dumps(answer) + capsys.readouterr().out


def test_never_writes_the_signed_address(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_: Request) -> Outcome:
        raise RuntimeError(SIGNED)

    answers = run(fail) + run(made)
    captured = capsys.readouterr()
    assert "s3cr3t" not in json.dumps(answers) + captured.out + captured.err


@pytest.mark.parametrize(
    "change",
    [{"RequestType": "Explode"}, {"ResourceProperties": None}, {"RequestType": "Update"}, {"ResourceProperties": {}}],
)
def test_answers_a_malformed_request(change: Mapping[str, Any]) -> None:
    (answer,) = run(made, event={**EVENT, **change})
    assert answer["Status"] == "FAILED"


def test_answers_failure_before_time_runs_out_and_only_once() -> None:
    finish = threading.Event()

    def linger(request: Request) -> Outcome:
        finish.wait(5)
        return made(request)

    sent = Sent()

    def watched(url: str, body: bytes) -> None:
        sent(url, body)
        finish.set()

    remaining = int(custom_resource.SPARE_SECONDS * 1000) + 50
    respond(EVENT, FakeContext(remaining), service="thing", act=linger, send=watched)
    assert [answer["Status"] for answer in sent.bodies] == ["FAILED"]
    assert sent.bodies[0]["Reason"].startswith("time is running out")


def test_fails_rather_than_send_more_than_cloudformation_takes() -> None:
    (answer,) = run(lambda _: Outcome(physical_id="x", data={"Big": "x" * LARGEST_ANSWER}))
    assert answer["Status"] == "FAILED"
    assert "4096" in answer["Reason"]


def test_deleting_what_was_never_made_succeeds_without_acting() -> None:
    def fail(_: Request) -> Outcome:
        raise RuntimeError

    (failed,) = run(fail)
    event = {**EVENT, "RequestType": "Delete", "PhysicalResourceId": failed["PhysicalResourceId"]}
    (answer,) = run(fail, event=event)
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == failed["PhysicalResourceId"]


def test_failed_update_and_delete_keep_the_identity() -> None:
    def fail(_: Request) -> Outcome:
        raise RuntimeError

    for kind in ("Update", "Delete"):
        (answer,) = run(fail, event={**EVENT, "RequestType": kind, "PhysicalResourceId": "id-of-thing"})
        assert answer["Status"] == "FAILED"
        assert answer["PhysicalResourceId"] == "id-of-thing"


@given(
    st.dictionaries(
        st.sampled_from(sorted(EVENT)), st.one_of(st.none(), st.text(max_size=40), st.integers()), max_size=4
    )
)
def test_answers_any_request_exactly_once(change: dict[str, Any]) -> None:
    sent: list[dict[str, Any]] = []
    respond(
        {**EVENT, **change},
        FakeContext(),
        service="thing",
        act=made,
        send=lambda _, body: sent.append(json.loads(body)),
    )
    assert len(sent) == 1
    assert sent[0]["Status"] in {"SUCCESS", "FAILED"}
    assert sent[0]["PhysicalResourceId"]


@pytest.mark.parametrize(
    "url",
    [
        "https://amazonaws.com.attacker.example/x",
        "http://bucket.s3.amazonaws.com/x",
        "file://localhost/etc/passwd",
        "https://evilamazonaws.com/x",
        "",
    ],
)
def test_refuses_to_answer_anybody_but_aws(url: str) -> None:
    with pytest.raises(ValueError, match="not one of AWS"):
        put(url, b"{}")


class _Receiver(BaseHTTPRequestHandler):
    received: ClassVar[list[tuple[str | None, bytes]]] = []
    failures: ClassVar[int] = 0

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if type(self).failures > 0:
            type(self).failures -= 1
            self.send_response(503)
        else:
            self.received.append((self.headers["Content-Type"], body))
            self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    _Receiver.received.clear()
    _Receiver.failures = 0
    monkeypatch.setattr(time, "sleep", lambda _: None)
    server = HTTPServer(("127.0.0.1", 0), _Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/answer?X-Amz-Signature=s3cr3t"
    server.shutdown()
    server.server_close()


def test_puts_the_answer_with_the_empty_content_type_that_was_signed(receiver: str) -> None:
    put(receiver, b'{"a": 1}')
    assert _Receiver.received == [("", b'{"a": 1}')]


def test_tries_again_when_the_answer_does_not_get_through(receiver: str) -> None:
    _Receiver.failures = custom_resource.ATTEMPTS - 1
    put(receiver, b"{}")
    assert len(_Receiver.received) == 1


def test_failing_to_answer_is_an_error_without_the_signed_address(receiver: str) -> None:
    _Receiver.failures = custom_resource.ATTEMPTS
    with pytest.raises(OSError, match="could not be delivered") as caught:
        put(receiver, b"{}")
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__suppress_context__
