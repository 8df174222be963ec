"""What travels on the audit streams: envelopes of CloudWatch Logs and single records of a service, one a line.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
"""

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from palisade_runtime.redaction import redact, redact_text

LARGEST_RECORD = 64 * 1024 * 1024
"""Unpacked; CloudWatch Logs packs far less into one record."""


@dataclass(frozen=True, kw_only=True)
class AuditEvent:
    """One event: the log it comes from, when it was (milliseconds since the epoch, if it says so), and what it says."""

    log: str
    time: int | None
    record: object


def redact_record(raw: bytes) -> bytes:
    """The record as one line without line end, clean of secrets; what was clean already keeps its very text.

    Raises:
        ValueError: it is longer than :data:`LARGEST_RECORD` or packed and damaged.
    """
    text = _unpacked(raw).decode("utf-8", "replace")
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return json.dumps({"message": redact_text(text)}, ensure_ascii=False).encode("utf-8", "replace")
    if not isinstance(record, dict) or not isinstance(record.get("logEvents"), list):
        return json.dumps(redact(record), ensure_ascii=False).encode("utf-8", "replace")
    clean = {name: redact(value) for name, value in record.items() if name != "logEvents"}
    events = [_clean_event(event) for event in record["logEvents"]]
    return json.dumps({**clean, "logEvents": events}, ensure_ascii=False).encode("utf-8", "replace")


def read_events(line: str) -> Iterator[AuditEvent]:
    """The events in one line of the archive, clean of secrets; a line that is no JSON is one event too."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = line
    match record:
        case {"messageType": "CONTROL_MESSAGE"}:
            return
        case {"logEvents": [*events], **rest}:
            for event in events:
                clean = _clean_event(event)
                time = clean.get("timestamp")
                yield AuditEvent(
                    log=redact_text(str(rest.get("logGroup", ""))),
                    time=time if isinstance(time, int) else None,
                    record=_structured(clean.get("message")),
                )
        case _:
            yield AuditEvent(log="", time=None, record=redact(record))


def _clean_event(event: Any) -> dict[str, object]:
    if not isinstance(event, Mapping):
        return {"message": redact(event)}
    clean: dict[str, object] = {}
    for name, value in event.items():
        match name, value:
            case "id", str() if value.isdigit() and len(value) > 40:  # longer than any card number
                clean[name] = value
            case "timestamp", int():
                clean[name] = value
            case "message", str():
                clean[name] = redact_message(value)
            case _:
                clean[redact_text(str(name))] = redact(value)
    return clean


def redact_message(text: str) -> str:
    """One message of a log. Where it is JSON its values are judged one by one, so that only they must be short."""
    repeated: list[str] = []

    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            repeated.append(text)
        return found

    parsed = _structured(text, members)
    if isinstance(parsed, str):
        return redact_text(text)
    clean = redact(parsed)
    # Behind a repeated name something may hide that no reader of JSON sees.
    return text if clean == parsed and not repeated else json.dumps(clean, ensure_ascii=False)


def _structured(text: object, members: Callable[[list[tuple[str, object]]], object] | None = None) -> object:
    if not isinstance(text, str) or not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return json.loads(text, object_pairs_hook=members)
    except (ValueError, RecursionError):
        return text


def _unpacked(raw: bytes) -> bytes:
    if raw[:2] != b"\x1f\x8b":
        return raw
    packed = zlib.decompressobj(31)
    try:
        content = packed.decompress(raw, LARGEST_RECORD + 1)
    except zlib.error as error:
        raise ValueError("the record is damaged") from error
    if len(content) > LARGEST_RECORD or not packed.eof:
        raise ValueError("the record is too long or cut off")
    return content
