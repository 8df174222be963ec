"""Whether the chat signed a request: HMAC-SHA256 over ``v0:<timestamp>:<body>``, five minutes old at most.

Source: https://docs.slack.dev/authentication/verifying-requests-from-slack/
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime

WINDOW_SECONDS = 300
SHORTEST_SECRET = 16
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


def signed(body: str, timestamp: str, signature: str, *, secrets: Sequence[str], now: datetime) -> bool:
    """Whether one of ``secrets`` signed ``body`` within the window around ``now``.

    Every secret is tried and compared in constant time, so the answer's time tells nothing of any.
    """
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        return False
    if abs(now.timestamp() - int(timestamp)) > WINDOW_SECONDS:
        return False
    text = f"v0:{timestamp}:{body}".encode()
    fits = [
        hmac.compare_digest(f"v0={hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()}", signature)
        for secret in secrets
        if len(secret) >= SHORTEST_SECRET
    ]
    return any(fits)
