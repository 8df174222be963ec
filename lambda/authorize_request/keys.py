"""An issuer's signing keys, fetched when needed and kept for a while, within bounds an attacker cannot stretch.

Source: https://datatracker.ietf.org/doc/html/rfc7517
"""

import http.client
import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import jwt
from palisade_runtime.clock import Clock

FRESH_FOR = timedelta(minutes=10)
# A rotated key is learnt within this time; a flood of invented key ids causes one fetch in it.
LEAST_BETWEEN_FETCHES = timedelta(seconds=30)
# An issuer that cannot be reached does not lock everybody out at once, nor does it keep old keys alive for long.
STALE_FOR = timedelta(hours=1)
MOST_KEYS = 32
LONGEST_SET = 128 * 1024
FETCH_SECONDS = 3
SMALLEST_RSA_BITS = 2048
ALGORITHMS = ("RS256", "ES256")

_KEY_TYPE = {"RS256": "RSA", "ES256": "EC"}
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

Fetch = Callable[[], bytes]


class KeysUnavailableError(Exception):
    """The issuer's keys cannot be had now, and none that may still be used are kept."""


class KeySet:
    """Keys by id and algorithm."""

    def __init__(self, *, fetch: Fetch, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None

    def find(self, key_id: str, algorithm: str) -> jwt.PyJWK | None:
        """The key, or None; an unknown id is looked up anew, though not more often than the limit."""
        now = self._clock()
        if self._age(now) >= FRESH_FOR or key_id not in self._keys:
            self._refresh(now)
        if self._age(now) >= STALE_FOR:
            raise KeysUnavailableError
        key = self._keys.get(key_id)
        return key if key is not None and key.algorithm_name == algorithm else None

    def _age(self, now: datetime) -> timedelta:
        return timedelta.max if self._fetched_at is None else now - self._fetched_at

    def _refresh(self, now: datetime) -> None:
        if self._tried_at is not None and now - self._tried_at < LEAST_BETWEEN_FETCHES:
            return
        self._tried_at = now
        try:
            self._keys = parse_keys(self._fetch())
        except (OSError, http.client.HTTPException, ValueError, RecursionError):
            return
        self._fetched_at = now


def parse_keys(document: bytes) -> dict[str, jwt.PyJWK]:
    """The usable signing keys of a JSON web key set; others, weak ones and ambiguous ids are left out.

    Refuses, as ValueError, what is no key set.
    """
    if len(document) > LONGEST_SET:
        raise ValueError("key set too long")
    parsed = json.loads(document)
    entries = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(entries, list):
        raise ValueError("no key set")
    named = [entry for entry in entries[:MOST_KEYS] if isinstance(entry, dict) and isinstance(entry.get("kid"), str)]
    times = Counter(entry["kid"] for entry in named)
    keys = {entry["kid"]: _parse_key(entry) for entry in named if times[entry["kid"]] == 1}
    return {key_id: key for key_id, key in keys.items() if key is not None}


def _parse_key(entry: dict[str, Any]) -> jwt.PyJWK | None:
    algorithm = entry.get("alg") or {"RSA": "RS256", "EC": "ES256"}.get(str(entry.get("kty")))
    if algorithm not in ALGORITHMS or entry.get("kty") != _KEY_TYPE[algorithm] or entry.get("use", "sig") != "sig":
        return None
    if "d" in entry or (algorithm == "ES256" and entry.get("crv") != "P-256"):
        return None
    try:
        key = jwt.PyJWK(entry, algorithm=algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    return key if getattr(key.key, "key_size", 0) >= (SMALLEST_RSA_BITS if algorithm == "RS256" else 256) else None


def fetch_keys_of(issuer: str) -> Fetch:
    """A fetch of the key set that ``issuer`` names in its configuration document.

    Source: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
    """
    configuration = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    check_url(configuration)

    def fetch() -> bytes:
        document = json.loads(fetch_url(configuration))
        if not isinstance(document, dict) or not isinstance(document.get("jwks_uri"), str):
            raise ValueError("no configuration document")
        # The issuer's name decides who is trusted: another's document, whoever placed it there, is not its own.
        if str(document.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
            raise ValueError("the configuration document is another issuer's")
        return fetch_url(document["jwks_uri"])

    return fetch


def check_url(url: str) -> None:
    """Refuses, as ValueError, what is not https; plain http is for the machine itself."""
    parts = urlsplit(url)
    protected = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if parts.hostname is None or parts.username is not None or not protected:
        raise ValueError("expected https://<host>/<path>")


def fetch_url(url: str) -> bytes:
    """What ``url`` holds; follows no redirect and reads a bounded answer.

    Raises ValueError for an unprotected URL, OSError or HTTPException when nothing usable comes back.
    """
    check_url(url)
    parts = urlsplit(url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=FETCH_SECONDS)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path, headers={"Accept": "application/json"})
        response = connection.getresponse()
        if response.status != http.HTTPStatus.OK:
            raise OSError(f"the issuer answered {response.status}")
        return response.read(LONGEST_SET + 1)
    finally:
        connection.close()
