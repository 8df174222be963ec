"""Key sets: what is taken from them, how often they are fetched, how long they are trusted."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
from authorize_request.keys import (
    FRESH_FOR,
    LEAST_BETWEEN_FETCHES,
    LONGEST_SET,
    MOST_KEYS,
    STALE_FOR,
    KeySet,
    KeysUnavailableError,
    fetch_keys_of,
    fetch_url,
    parse_keys,
)


def test_set_is_fetched_once_while_fresh(issuer: Any, keys: KeySet, clock: Any) -> None:
    for _ in range(5):
        assert keys.find("rsa-1", "RS256") is not None
    clock.now += FRESH_FOR - timedelta(seconds=1)
    keys.find("rsa-1", "RS256")
    assert issuer.fetches == 1
    clock.advance(seconds=1)
    keys.find("rsa-1", "RS256")
    assert issuer.fetches == 2


def test_rotated_key_is_learnt_at_once_when_the_last_fetch_is_old_enough(issuer: Any, keys: KeySet, clock: Any) -> None:
    keys.find("rsa-1", "RS256")
    issuer.entries = [{**issuer.entries[0], "kid": "rsa-2"}]
    clock.now += LEAST_BETWEEN_FETCHES
    assert keys.find("rsa-2", "RS256") is not None
    assert keys.find("rsa-1", "RS256") is None


def test_a_flood_of_unknown_ids_causes_one_fetch_in_each_interval(issuer: Any, keys: KeySet, clock: Any) -> None:
    for number in range(1000):
        keys.find(f"made-up-{number}", "RS256")
    assert issuer.fetches == 1
    clock.now += LEAST_BETWEEN_FETCHES
    for number in range(1000):
        keys.find(f"made-up-{number}", "RS256")
    assert issuer.fetches == 2


def test_outage_of_the_issuer_is_bridged_for_a_while_only(issuer: Any, keys: KeySet, clock: Any) -> None:
    keys.find("rsa-1", "RS256")
    issuer.down = True
    clock.now += STALE_FOR - timedelta(seconds=1)
    assert keys.find("rsa-1", "RS256") is not None
    clock.advance(seconds=1)
    with pytest.raises(KeysUnavailableError):
        keys.find("rsa-1", "RS256")


def test_no_keys_at_all_is_an_outage_and_not_an_answer(issuer: Any, keys: KeySet, clock: Any) -> None:
    issuer.down = True
    for _ in range(10):
        with pytest.raises(KeysUnavailableError):
            keys.find("rsa-1", "RS256")
    assert issuer.fetches == 1
    issuer.down = False
    clock.now += LEAST_BETWEEN_FETCHES
    assert keys.find("rsa-1", "RS256") is not None


@pytest.mark.parametrize(
    "document", [b"", b"{", b"[]", b"null", b"{}", b'{"keys": {}}', b"\xff", b"[" * 5000, b" " * (LONGEST_SET + 1)]
)
def test_broken_set_keeps_the_last_good_one(document: bytes, issuer: Any, clock: Any) -> None:
    answers = [issuer.fetch(), document]
    keys = KeySet(fetch=lambda: answers.pop(0), clock=clock)
    keys.find("rsa-1", "RS256")
    clock.now += FRESH_FOR
    assert keys.find("rsa-1", "RS256") is not None
    assert answers == []


def _parsed(*entries: object) -> list[str]:
    return sorted(parse_keys(json.dumps({"keys": entries}).encode()))


def test_takes_signing_keys_with_and_without_stated_algorithm(issuer: Any) -> None:
    rsa_key, ec_key = issuer.entries
    plain = {name: value for name, value in rsa_key.items() if name not in {"alg", "use"}}
    assert _parsed(plain, ec_key) == ["ec-1", "rsa-1"]


def test_leaves_out_what_is_no_usable_signing_key(issuer: Any) -> None:
    rsa_key, ec_key = issuer.entries
    unusable = [
        {**rsa_key, "use": "enc"},
        {**rsa_key, "alg": "RS512"},
        {**rsa_key, "alg": "ES256"},
        {**rsa_key, "kty": "oct", "k": "c2VjcmV0", "alg": "HS256"},
        {**rsa_key, "kid": 5},
        {**rsa_key, "n": "not a number"},
        {**rsa_key, "n": None},
        {**rsa_key, "d": "AQAB"},
        {**ec_key, "crv": "P-384"},
        {**ec_key, "x": ""},
        {"kid": "bare"},
        {name: value for name, value in rsa_key.items() if name != "kid"},
        "text",
        None,
    ]
    for entry in unusable:
        assert _parsed(entry) == [], entry


def test_an_id_used_twice_is_nobodys(issuer: Any) -> None:
    rsa_key, ec_key = issuer.entries
    assert _parsed(rsa_key, {**ec_key, "kid": "rsa-1"}) == []


def test_keys_kept_are_bounded(issuer: Any) -> None:
    assert len(_parsed(*({**issuer.entries[0], "kid": f"k{n}"} for n in range(MOST_KEYS + 5)))) == MOST_KEYS


@pytest.mark.parametrize(
    "url",
    [
        *("", "issuer.example.com", "http://issuer.example.com/keys", "file:///etc/passwd", "ftp://a/b"),
        *("https:///keys", "https://jane:secret@issuer.example.com/keys", "http://127.0.0.1.evil.example.com/keys"),
    ],
)
def test_refuses_to_fetch_keys_unprotected(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        fetch_url(url)
    with pytest.raises(ValueError, match="https"):
        fetch_keys_of(url)


class _Handler(BaseHTTPRequestHandler):
    pages: ClassVar[dict[str, bytes]] = {}

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/keys?v=1")
            self.end_headers()
            return
        self.send_response(200 if self.path in self.pages else 404)
        self.end_headers()
        self.wfile.write(self.pages.get(self.path, b""))

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def server() -> Iterator[str]:
    running = HTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    _Handler.pages = {"/keys?v=1": b'{"keys": []}'}
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    thread.join()
    running.server_close()


def test_fetches_over_the_loopback(server: str) -> None:
    assert fetch_url(f"{server}/keys?v=1") == b'{"keys": []}'


@pytest.mark.parametrize("path", ["/moved", "/missing", ""])
def test_follows_no_redirect_and_takes_no_error_page(path: str, server: str) -> None:
    with pytest.raises(OSError, match="issuer answered"):
        fetch_url(server + path)


@pytest.mark.parametrize("slash", ["", "/"])
def test_finds_the_keys_that_the_issuer_names(slash: str, server: str) -> None:
    document = {"issuer": server, "jwks_uri": f"{server}/keys?v=1"}
    _Handler.pages["/.well-known/openid-configuration"] = json.dumps(document).encode()
    assert fetch_keys_of(server + slash)() == b'{"keys": []}'


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example.com"},
        {"issuer": None},
        {"jwks_uri": None},
        {"jwks_uri": "http://evil.example.com/keys"},
        {"jwks_uri": "file:///etc/passwd"},
    ],
)
def test_refuses_the_configuration_of_somebody_else(change: dict[str, Any], server: str) -> None:
    document = {"issuer": server, "jwks_uri": f"{server}/keys?v=1", **change}
    _Handler.pages["/.well-known/openid-configuration"] = json.dumps(document).encode()
    with pytest.raises(ValueError, match=r"another issuer|no configuration|https"):
        fetch_keys_of(server)()


def test_refuses_a_configuration_that_is_no_object(server: str) -> None:
    _Handler.pages["/.well-known/openid-configuration"] = b"[]"
    with pytest.raises(ValueError, match="no configuration"):
        fetch_keys_of(server)()
