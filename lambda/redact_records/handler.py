"""Amazon Data Firehose hands over records on their way to the archive and stores what comes back.

Every record comes back as delivered: Firehose would store the untouched original of one that "failed", and forget one
that is "dropped". What cannot be judged is therefore replaced by a note of its length and digest, and counted.

Source: https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from palisade_runtime.audit_events import redact_record
from palisade_runtime.logs import Logger

_LOGGER = Logger(service="redact_records")


def handle(event: Mapping[str, Any], _context: object) -> dict[str, list[dict[str, str]]]:
    """Lambda's entry point."""
    return {"records": transform(event["records"], _LOGGER)}


def transform(records: Iterable[Mapping[str, Any]], logger: Logger) -> list[dict[str, str]]:
    """Each record once, under its own id, without secrets."""
    return [
        {
            "recordId": str(record["recordId"]),
            "result": "Ok",
            "data": base64.b64encode(_clean(record.get("data"), logger)).decode(),
        }
        for record in records
    ]


def _clean(data: object, logger: Logger) -> bytes:
    raw = str(data).encode()
    try:
        raw = base64.b64decode(raw, validate=True)
        return redact_record(raw)
    except Exception as error:
        # Whatever went wrong, the original must not come back in its place.
        note = {"left_out": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
        logger.failure("record.left-out", error, **note)
        return json.dumps({"event": "record.left-out", **note}).encode()
