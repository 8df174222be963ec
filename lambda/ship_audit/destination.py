"""Sends one request to the log service and says what its answer means."""

import gzip
import http.client
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 20
_CONTENT = frozenset({400, 413, 415, 422})
"""Answers that may be about what was sent; every other refusal is about the service, the way there or the secret."""


class UnavailableError(Exception):
    """The service took nothing now; everything must be sent again later. ``pause`` is how many seconds it asked for."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.pause = pause


class ContentRefusedError(Exception):
    """The service refused this very batch."""


class Destination(Protocol):
    """Where batches go."""

    def send(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Returns once the service has taken the batch."""


class Connection(Protocol):
    """What :class:`HttpsDestination` needs of an HTTPS connection."""

    def request(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Sends a request."""

    def getresponse(self) -> http.client.HTTPResponse:
        """Its answer."""

    def close(self) -> None:
        """Ends the connection."""


def connect(host: str, port: int) -> Connection:
    """A connection whose certificate and host name are verified, TLS 1.2 or newer."""
    trust = ssl.create_default_context()
    trust.minimum_version = ssl.TLSVersion.TLSv1_2
    return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=trust)


@dataclass(frozen=True, kw_only=True)
class HttpsDestination:
    """A log service behind ``url``. Redirects are not followed: they would lead past the list of allowed names."""

    url: str
    connect: Callable[[str, int], Connection] = connect

    def send(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Post ``body``, packed.

        Raises:
            UnavailableError: nothing, or not certainly, taken.
            ContentRefusedError: the service says that the content is at fault.
        """
        place = urlsplit(self.url)
        connection = self.connect(place.hostname or "", place.port or 443)
        target = (place.path or "/") + (f"?{place.query}" if place.query else "")
        try:
            connection.request(
                "POST",
                target,
                gzip.compress(body, mtime=0),
                {**headers, "Content-Encoding": "gzip", "Connection": "close"},
            )
            answer = connection.getresponse()
            answer.read(64 * 1024)
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(type(error).__name__) from error
        finally:
            connection.close()
        if 200 <= answer.status < 300:
            return
        if answer.status in _CONTENT:
            raise ContentRefusedError(str(answer.status))
        raise UnavailableError(f"answered {answer.status}", _seconds(answer.getheader("Retry-After")))


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() else None
