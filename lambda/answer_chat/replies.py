"""Answers to the address that came with a command: over TLS, to a host of the list, never anywhere else.

The address is the chat's word, and the chat might be wrong or taken over: nothing is followed, looked up or repeated from it.
"""

import http.client
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

LONGEST_ANSWER = 3000
_SECONDS = 5


class UnansweredError(Exception):
    """The chat did not take the answer, and may take it later."""


@dataclass(frozen=True, kw_only=True)
class Replies:
    """Posts to ``hosts`` alone; ``connect`` opens a connection to one of them."""

    hosts: frozenset[str]
    connect: Callable[[str], http.client.HTTPConnection] = lambda host: http.client.HTTPSConnection(
        host, timeout=_SECONDS, context=ssl.create_default_context()
    )

    def post(self, address: str, text: str) -> bool:
        """Post ``text`` so that only whoever asked sees it; False if it must not be, or never will be, delivered.

        Raises:
            UnansweredError: the host failed or did not answer.
        """
        path = self._path(address)
        if path is None:
            return False
        host = address.removeprefix("https://").split("/", 1)[0]
        body = json.dumps({"response_type": "ephemeral", "text": text[:LONGEST_ANSWER]})
        connection = self.connect(host)
        try:
            connection.request("POST", path, body.encode(), {"Content-Type": "application/json; charset=utf-8"})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise UnansweredError(host) from error
        finally:
            connection.close()
        if status >= 500 or status == 429:
            raise UnansweredError(f"{host} answered {status}")
        # A redirection is no delivery, and is not followed: it could lead anywhere.
        return 200 <= status < 300

    def _path(self, address: str) -> str | None:
        """The path of an address whose host is of the list, written as plainly as the chat writes it; else None."""
        if not address.isascii() or not address.isprintable() or any(one in address for one in "\\@# "):
            return None
        try:
            parts = urlsplit(address)
        except ValueError:
            return None
        if parts.scheme != "https" or parts.netloc not in self.hosts or not parts.path.startswith("/"):
            return None
        return parts.path + (f"?{parts.query}" if parts.query else "")
