"""What leaves of an item: listed fields alone, and of them no value that tells whom or what it is about.

Source: https://www.rfc-editor.org/rfc/rfc2104 (HMAC)
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

KNOWN = {
    "status": frozenset({"awaiting_upload", "analysed", "refused", "deleting"}),
    "content_type": frozenset({"text/plain", "text/markdown", "text/csv"}),
}
"""Words that say nothing of anybody. Whatever else stands there is ``other``."""
IDENTIFYING = {"tenant": "tenant", "document": "document", "created_by": "person"}
"""Fields that name somebody or something, and what kind of: equal names of a kind become equal pseudonyms."""
NUMBERS, TIMES = ("size",), ("created_at", "expires_at")
FIELDS = (*IDENTIFYING, *KNOWN, *NUMBERS, *TIMES)
"""All that is read. Titles, summaries and reasons are people's words and stay where they are."""


def pseudonymise(item: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """What of a DynamoDB ``item`` may leave; ``key`` is the export's own, which nobody keeps."""
    found: dict[str, Any] = {}
    for name in FIELDS:
        if name not in item:
            continue
        value = str(next(iter(item[name].values())))
        if name in IDENTIFYING:
            found[name] = _pseudonym(key, IDENTIFYING[name], value)
        elif name in KNOWN:
            found[name] = value if value in KNOWN[name] else "other"
        elif name in NUMBERS:
            found[name] = int(value) if value.isascii() and value.isdigit() else None
        else:
            found[name] = _hour(value)
    return found


def _pseudonym(key: bytes, kind: str, value: str) -> str:
    return f"{kind}-{hmac.new(key, f'{kind}:{value}'.encode(), hashlib.sha256).hexdigest()[:32]}"


def _hour(value: str) -> str | None:
    """A moment, as seconds or as ISO 8601, to the hour: the minute may tell who it was."""
    try:
        moment = (
            datetime.fromtimestamp(int(value), UTC)
            if value.isascii() and value.isdigit()
            else datetime.fromisoformat(value).astimezone(UTC)
        )
    except (ValueError, OverflowError, OSError):
        return None
    return f"{moment:%Y-%m-%dT%H:00Z}"
