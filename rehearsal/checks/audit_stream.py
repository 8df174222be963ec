"""Audit events from a function's log to the archive and on to a log service that is down, then up again."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from rehearsal.checks import Resource, View, scenario

REDACTOR, SHIPPER = "redact_records.handler.handle", "ship_audit.handler.handle"


@scenario("an audit event is redacted, archived, and reaches the log service once it is up again; nothing is lost")
def audit_events_are_redacted_and_shipped(view: View) -> None:
    box = view.aws.issuer.letterbox
    for shipper in _functions(view, SHIPPER):
        (redactor,) = (one for one in _functions(view, REDACTOR) if one.account == shipper.account)
        settings = shipper.properties["Environment"]["Variables"]
        secret = view.client("secretsmanager", shipper).get_secret_value(SecretId=settings["SECRET_ARN"])[
            "SecretString"
        ]
        events = [f"deed-{uuid.uuid4()}" for _ in range(3)]
        box.status = 503
        try:
            for event in events[:2]:
                _archive(view, settings, _redact(view, redactor, event))
                stopped = _ask(view, shipper, {})["stopped"]
                assert stopped == "answered 503", f"the service was down and the shipper said {stopped!r}"
        finally:
            box.status = 202
        _archive(view, settings, _redact(view, redactor, events[2]))
        said = _ask(view, shipper, {})
        assert said["stopped"] == "", f"the service was up again and the shipper said {said}"
        assert said["left_out"] == 0, said
        again = _ask(view, shipper, {})
        assert again["sent"] == 0, f"what was taken was sent again: {again}"
        _arrived(view, settings, secret, events)


def _functions(view: View, handler: str) -> list[Resource]:
    return [one for one in view.of("AWS::Lambda::Function") if one.properties.get("Handler") == handler]


def _redact(view: View, redactor: Resource, event: str) -> bytes:
    """What Firehose gets back for one envelope of CloudWatch Logs."""
    message = {"event": event, "user": "u-1", "contact": "jane.doe@example.com", "body": '{"password": "hunter2"}'}
    envelope = {
        "messageType": "DATA_MESSAGE",
        "logGroup": "/rehearsal/document-api",
        "logEvents": [{"id": "3" * 56, "timestamp": 1_772_366_400_007, "message": json.dumps(message)}],
    }
    record = {"recordId": "1", "data": base64.b64encode(json.dumps(envelope).encode()).decode()}
    (answer,) = _ask(view, redactor, {"records": [record]})["records"]
    assert (answer["recordId"], answer["result"]) == ("1", "Ok"), answer
    line = base64.b64decode(answer["data"])
    assert b"jane" not in line, "an address came through redaction"
    assert b"hunter2" not in line, "a password came through redaction"
    assert b"u-1" in line, "redaction took the user away"
    return line


def _archive(view: View, settings: Mapping[str, str], line: bytes) -> None:
    """Put an object where Firehose and replication put it."""
    (bucket,) = (one for one in view.of("AWS::S3::Bucket") if one.id == settings["BUCKET_NAME"])
    now = datetime.now(UTC)
    key = f"{settings['FOLDERS'].split()[0]}{now:%Y/%m/%d}/rehearsal-1-{now:%Y-%m-%d-%H-%M-%S}-{uuid.uuid4()}.gz"
    view.client("s3", bucket).put_object(Bucket=bucket.id, Key=key, Body=gzip.compress(line + b"\n"))


def _arrived(view: View, settings: Mapping[str, str], secret: str, events: list[str]) -> None:
    url = urlsplit(settings["URL"])
    seen: list[str] = []
    for host, path, headers, body in view.aws.issuer.letterbox.taken:
        if (host.split(":")[0], path) != (url.hostname, url.path):
            continue
        assert b"jane" not in body, "an address left the account"
        assert b"hunter2" not in body, "a password left the account"
        assert secret.encode() not in body + str(headers).encode(), "the secret left the account"
        if settings["FORMAT"] == "generic":
            signed = f"{headers['X-Palisade-Timestamp']}.{headers['Idempotency-Key']}.".encode() + body
            expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
            assert headers["X-Palisade-Signature"] == f"sha256={expected}", "the signature does not verify"
            seen += [json.loads(line)["record"].get("event") for line in body.splitlines()]
    if settings["FORMAT"] == "generic":
        assert [event for event in seen if event in events] == events, f"of {events} these arrived: {seen}"


def _ask(view: View, function: Resource, event: Mapping[str, Any]) -> dict[str, Any]:
    answer = view.client("lambda", function).invoke(FunctionName=function.id, Payload=json.dumps(event).encode())
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, said
    return said
