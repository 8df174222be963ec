"""Every record comes back, under its own id, without secrets; the original never."""

from __future__ import annotations

import base64
import gzip
import io
import json
from typing import Any

from palisade_runtime.audit_events import read_events, redact_message, redact_record
from palisade_runtime.logs import Logger
from redact_records.handler import handle, transform

ENVELOPE: dict[str, Any] = {
    "messageType": "DATA_MESSAGE",
    "owner": "666666666666",
    "logGroup": "/palisade/documents/document-api",
    "logStream": "2026/03/01/document_api[$LATEST]0123456789abcdef0123456789abcdef",
    "subscriptionFilters": ["live-audit-Service"],
}
EVENT_ID = "36891234567890123456789012345678901234567890123456789012"


def _envelope(*messages: str) -> dict[str, Any]:
    return {
        **ENVELOPE,
        "logEvents": [
            {"id": EVENT_ID, "timestamp": 1_772_366_400_007 + number, "message": message}
            for number, message in enumerate(messages)
        ],
    }


def _through(raw: bytes, output: io.StringIO | None = None) -> dict[str, str]:
    (answer,) = transform(
        [{"recordId": "r1", "data": base64.b64encode(raw).decode()}],
        Logger(service="redact_records", output=output or io.StringIO()),
    )
    return answer


def _data(answer: dict[str, str]) -> str:
    return base64.b64decode(answer["data"]).decode()


def test_takes_secrets_out_of_messages_and_keeps_all_else() -> None:
    clean = '{"event": "request.answered",  "user": "u-1", "tenant": "acme", "at": 1772366400007}'
    secret = json.dumps({"event": "x", "contact": "jane.doe@example.com", "next": {"password": "hunter2"}})
    answer = _through(json.dumps(_envelope(clean, secret, "paid with 4111 1111 1111 1111")).encode())
    assert (answer["recordId"], answer["result"]) == ("r1", "Ok")
    record = json.loads(_data(answer))
    assert {name: record[name] for name in ENVELOPE} == ENVELOPE
    assert [event["id"] for event in record["logEvents"]] == [EVENT_ID] * 3
    assert [event["timestamp"] for event in record["logEvents"]] == [1_772_366_400_007 + number for number in range(3)]
    assert record["logEvents"][0]["message"] == clean
    assert json.loads(record["logEvents"][1]["message"]) == {
        "event": "x",
        "contact": "[redacted]",
        "next": {"password": "[redacted]"},
    }
    assert record["logEvents"][2]["message"] == "paid with [redacted]"


def test_a_clean_line_stays_json_when_it_was_redacted_before() -> None:
    line = '{"token": "[redacted]", "nested": "{\\"password\\": \\"[redacted]\\"}"}'
    assert redact_message(line) == line


def test_reads_packed_records_too() -> None:
    assert _data(_through(gzip.compress(json.dumps(_envelope("a")).encode()))) == json.dumps(_envelope("a"))


def test_a_record_is_one_line() -> None:
    assert "\n" not in _data(_through(json.dumps(_envelope("a\nb"), indent=2).encode()))


def test_services_own_records_are_cleaned() -> None:
    record = {"eventType": "SignIn", "userName": "jane.doe@example.com", "userSub": "0d1f-1", "ipAddress": "192.0.2.1"}
    assert json.loads(_data(_through(json.dumps(record).encode()))) == {**record, "userName": "[redacted]"}


def test_text_that_is_no_json_is_cleaned() -> None:
    assert json.loads(_data(_through(b"from jane@example.com"))) == {"message": "from [redacted]"}


def test_what_cannot_be_read_is_named_by_length_and_digest_and_counted() -> None:
    output = io.StringIO()
    broken = gzip.compress(b'{"contact": "jane@example.com"}')[:-9]
    answer = _through(broken, output)
    assert answer["result"] == "Ok"
    note = json.loads(_data(answer))
    assert note["event"] == "record.left-out"
    assert note["left_out"] == len(broken)
    logged = json.loads(output.getvalue())
    assert (logged["event"], logged["level"], logged["sha256"]) == ("record.left-out", "ERROR", note["sha256"])
    assert "jane" not in _data(answer) + output.getvalue()


def test_data_that_is_no_base64_comes_back_as_a_note() -> None:
    (answer,) = transform([{"recordId": "r1", "data": "%%%"}], Logger(service="s", output=io.StringIO()))
    assert json.loads(_data(answer))["event"] == "record.left-out"


def test_the_handler_answers_for_every_record_in_order() -> None:
    records = [{"recordId": str(n), "data": base64.b64encode(b"{}").decode()} for n in range(3)]
    assert [one["recordId"] for one in handle({"records": records}, None)["records"]] == ["0", "1", "2"]


def test_a_secret_behind_a_repeated_name_is_gone() -> None:
    message = '{"a": "jane@example.com", "a": "b"}'
    assert "jane" not in redact_record(json.dumps(_envelope(message)).encode()).decode()


def test_half_a_surrogate_stops_nothing() -> None:
    redact_record(b'{"logEvents": [{"message": "\\ud800"}]}').decode()


def test_events_are_read_with_log_and_time_and_control_messages_are_none() -> None:
    (event,) = read_events(json.dumps(_envelope('{"event": "request.answered"}')))
    assert (event.log, event.time) == (ENVELOPE["logGroup"], 1_772_366_400_007)
    assert event.record == {"event": "request.answered"}
    assert not list(read_events(json.dumps({**ENVELOPE, "messageType": "CONTROL_MESSAGE", "logEvents": []})))
    assert [one.record for one in read_events("no json")] == ["no json"]
