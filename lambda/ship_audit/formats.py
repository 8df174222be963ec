"""How events are written for each kind of log service, and how they are put into batches.

Sources: https://docs.datadoghq.com/api/latest/logs/
https://docs.splunk.com/Documentation/Splunk/latest/Data/FormateventsforHTTPEventCollector
"""

import enum
import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from palisade_runtime.audit_events import AuditEvent

MOST_EVENTS = 500
MOST_BYTES = 900_000
"""Of one batch, unpacked: under the smallest limit of the services (one megabyte). One longer event is a batch alone."""


class Format(enum.Enum):
    """What the log service understands."""

    GENERIC = "generic"
    DATADOG = "datadog"
    SPLUNK = "splunk"


@dataclass(frozen=True, kw_only=True)
class Placed:
    """An event and its place: the archive's object and its number in it. The two name it for ever."""

    key: str
    number: int
    event: AuditEvent

    @property
    def id(self) -> str:
        """The same for every attempt to send this event, and for no other event."""
        return f"{hashlib.sha256(self.key.encode()).hexdigest()[:24]}-{self.number}"


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Events that travel together, as the body of one request."""

    events: tuple[Placed, ...]
    body: bytes

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt to send these events, and for no other batch."""
        return hashlib.sha256(f"{self.events[0].id}\n{len(self.events)}\n".encode() + self.body).hexdigest()


def batches(events: Iterable[Placed], form: Format) -> Iterator[Batch]:
    """Events in their order, as many together as a log service takes."""
    waiting: list[tuple[Placed, bytes]] = []
    size = 0
    for placed in events:
        text = write_event(placed, form)
        if waiting and (len(waiting) >= MOST_EVENTS or size + len(text) > MOST_BYTES):
            yield _join(waiting, form)
            waiting, size = [], 0
        waiting.append((placed, text))
        size += len(text) + 1
    if waiting:
        yield _join(waiting, form)


def halves(batch: Batch, form: Format) -> tuple[Batch, Batch]:
    """The same events in two batches."""
    middle = len(batch.events) // 2
    return batch_of(batch.events[:middle], form), batch_of(batch.events[middle:], form)


def batch_of(events: Sequence[Placed], form: Format) -> Batch:
    """One batch of exactly these events."""
    return _join([(placed, write_event(placed, form)) for placed in events], form)


def _join(written: Sequence[tuple[Placed, bytes]], form: Format) -> Batch:
    texts = [text for _, text in written]
    body = b"[" + b",".join(texts) + b"]" if form is Format.DATADOG else b"".join(text + b"\n" for text in texts)
    return Batch(events=tuple(placed for placed, _ in written), body=body)


def write_event(placed: Placed, form: Format) -> bytes:
    """One event as JSON, in ASCII. Its own time stands inside, because Datadog throws away what says it is 18 hours old."""
    event = placed.event
    recorded = None
    if event.time is not None:
        recorded = datetime.fromtimestamp(event.time / 1000, UTC).isoformat(timespec="milliseconds")
    audit = {
        "id": placed.id,
        "recorded_at": recorded,
        "log": event.log,
        "archived_as": placed.key,
        "record": event.record,
    }
    content: Mapping[str, object]
    match form:
        case Format.GENERIC:
            content = audit
        case Format.DATADOG:
            content = {
                "ddsource": "palisade",
                "service": event.log or "sign-ins",
                "message": _title(event),
                "audit": audit,
            }
        case Format.SPLUNK:
            time = {} if event.time is None else {"time": event.time / 1000}
            content = {**time, "source": event.log or "sign-ins", "sourcetype": "palisade:audit", "event": audit}
    return json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()


def _title(event: AuditEvent) -> str:
    name = event.record.get("event") if isinstance(event.record, Mapping) else None
    return name if isinstance(name, str) else "audit event"


def headers(batch: Batch, form: Format, *, secret: str, now: datetime) -> dict[str, str]:
    """How the service knows the sender, and a batch that it has had before.

    A generic service gets a signature over time, idempotency key and the unpacked body, so that the secret stays here.
    """
    common = {"Idempotency-Key": batch.idempotency_key}
    match form:
        case Format.DATADOG:
            return {**common, "Content-Type": "application/json", "DD-API-KEY": secret}
        case Format.SPLUNK:
            return {**common, "Content-Type": "application/json", "Authorization": f"Splunk {secret}"}
    stamp = str(int(now.timestamp()))
    signed = f"{stamp}.{batch.idempotency_key}.".encode() + batch.body
    return {
        **common,
        "Content-Type": "application/x-ndjson",
        "X-Palisade-Timestamp": stamp,
        "X-Palisade-Signature": "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest(),
    }
