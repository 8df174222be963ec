"""No secret reaches a log line, however it is wrapped."""

import base64
import html
import json
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from palisade_runtime.redaction import LONGEST_TEXT, REDACTED, redact, redact_text

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqYW5lIn0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
SECRETS = {
    "address": "jane.doe+news@mail.example.com",
    "card": "4111 1111 1111 1111",
    "dashed card": "5500-0000-0000-0004",
    "token": TOKEN,
    "bearer": f"Bearer {TOKEN}",
    "basic": "Basic amFuZTpodW50ZXIy",
    "assignment": "password=hunter2-and-more",
    "header": "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260301, Signature=abc",
    "cookie": "Cookie: session=5f2a; theme=dark",
    "key id": "AKIAIOSFODNN7EXAMPLE",
    "private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
    "cut private key": "-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA",
    "url": "https://jane:hunter2@example.com/path",
    "signed url": "https://b.s3.amazonaws.com/k?X-Amz-Credential=abc&X-Amz-Signature=0011",
}
# What must not survive of each.
TELLTALES = {
    "address": "doe",
    "card": "1111 1111",
    "dashed card": "5500",
    "token": "c2lnbmF0dXJl",
    "bearer": "c2lnbmF0dXJl",
    "basic": "amFuZTpod",
    "assignment": "hunter2",
    "header": "IOSFODNN7",
    "cookie": "5f2a",
    "key id": "IOSFODNN7",
    "private key": "MIIEpAIB",
    "cut private key": "MIIEpAIB",
    "url": "hunter2",
    "signed url": "0011",
}
Wrap = Callable[[str], object]
WRAPS: dict[str, Wrap] = {
    "plain": lambda text: text,
    "in a sentence": lambda text: f"it said: {text}",
    "in a list": lambda text: [[text]],
    "in a set": lambda text: {text},
    "as a key": lambda text: {text: 1},
    "in json": lambda text: json.dumps({"outer": [text]}),
    "in json in json": lambda text: json.dumps(json.dumps({"outer": text})),
    "percent-encoded": lambda text: quote(text, safe=""),
    "percent-encoded twice": lambda text: quote(quote(text, safe=""), safe=""),
    "html": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "escaped": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for urls": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 twice": lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
    "bytes": lambda text: text.encode(),
    "under a telling name": lambda text: {"X-Api-Key": f"value {text}"},
}


@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("kind", SECRETS)
def test_removes_secret(kind: str, wrap: str) -> None:
    wrapped = WRAPS[wrap](SECRETS[kind])
    cleaned = json.dumps(redact(wrapped))
    assert REDACTED in cleaned
    assert TELLTALES[kind] not in cleaned
    if isinstance(wrapped, str) and wrap not in {"plain", "in a sentence", "in json", "in json in json"}:
        assert wrapped not in cleaned


@pytest.mark.parametrize(
    "name",
    [
        *("password", "Passwort_password", "client_secret", "AUTHORIZATION", "set-cookie", "id_token", "apiKey", "pin"),
        *("private_key", "cvv", "card_number", "db.credentials", "pass%77ord", "ｐａｓｓｗｏｒｄ", "otp", "pwd"),  # noqa: RUF001
    ],
)
def test_removes_whatever_a_telling_name_holds(name: str) -> None:
    assert redact({"outer": {name: {"deeper": "plain"}}}) == {"outer": {redact_text(name): REDACTED}}


def test_removes_full_width_address() -> None:
    assert "doe" not in redact_text("doe＠example．com")  # noqa: RUF001


def test_removes_address_hidden_behind_a_repeated_json_name() -> None:
    assert "doe" not in redact_text('{"a": "doe@example.com", "a": "b"}')


def test_removes_card_number_given_as_a_number() -> None:
    assert redact({"n": 4111111111111111}) == {"n": REDACTED}


def test_keeps_numbers_that_fail_the_card_check() -> None:
    assert redact([4111111111111112, 1_700_000_000, -3, 0.5, True, None]) == [
        4111111111111112,
        1_700_000_000,
        -3,
        0.5,
        True,
        None,
    ]


def test_keeps_times_in_milliseconds() -> None:
    moments = range(1_700_000_000_000, 1_700_000_000_020)
    assert redact([*moments, *map(str, moments)]) == [*moments, *map(str, moments)]


def test_leaves_out_numbers_that_json_readers_stumble_over() -> None:
    assert redact([float("nan"), float("inf"), 10**5000]) == ["nan", "inf", "[large number]"]


@pytest.mark.parametrize(
    "text",
    [
        "request.answered",
        "0123456789abcdef0123456789abcdef",
        "2026-03-01T12:00:00.000Z",
        "/documents/{id}",
        "text/plain",
        "acme",
        '{"a": 1}',
        "100%",
        "a & b",
        "[not json",
    ],
)
def test_keeps_harmless_text(text: str) -> None:
    assert redact_text(text) == text


def test_leaves_out_long_text_whole() -> None:
    assert redact("x" * (LONGEST_TEXT + 1)) == f"[{LONGEST_TEXT + 1} characters left out]"


def test_stops_at_a_depth() -> None:
    nested: object = "plain"
    for _ in range(50):
        nested = [nested]
    assert "[too deep]" in json.dumps(redact(nested))


def test_stops_at_a_depth_of_encodings() -> None:
    text = "jane@example.com"
    for _ in range(12):
        text = base64.b64encode(text.encode()).decode()
    assert "jane" not in redact_text(text)


def test_an_object_shrinks_to_its_type() -> None:
    assert redact({"error": ValueError("jane@example.com")}) == {"error": "<ValueError>"}


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=40)
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
_LETTERS = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=3, max_size=12)


@given(_JSON)
def test_redacting_twice_is_redacting_once_and_always_json(value: object) -> None:
    once = redact(value)
    json.dumps(once, allow_nan=False)
    assert redact(once) == once


@given(_LETTERS, _LETTERS, st.lists(st.sampled_from(sorted(WRAPS)), max_size=3))
def test_an_address_survives_no_nesting_of_encodings(local: str, domain: str, wraps: list[str]) -> None:
    local = f"q{local}q"
    wrapped: object = f"{local}@{domain}.example"
    for name in wraps:
        text = wrapped if isinstance(wrapped, str) else json.dumps(wrapped, default=_as_json)
        wrapped = WRAPS[name](text)
    assert f"{local}@" not in html.unescape(json.dumps(redact(wrapped)))


def _as_json(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, set):
        return sorted(value)
    raise TypeError


@given(st.from_regex(r"[0-9]{12,18}", fullmatch=True))
def test_every_card_number_is_removed(digits: str) -> None:
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits))]
    check = -sum(number - 9 if number > 9 else number for number in doubled) % 10
    number = f"{digits}{check}"
    assume(len(number) > 13 or not number.startswith("1"))
    assert number not in json.dumps(redact({"text": f"paid with {number}.", "number": number}))


@pytest.mark.parametrize(
    "part",
    ["password", "password-", "<password", "token:", "a@b", "1-", "4111 ", "eyJ", "%25", "{", "://", "Cookie", "x"],
)
def test_no_text_keeps_it_busy(part: str) -> None:
    """A backtracking expression takes minutes for some of these, and a stream would wait for it in vain."""
    text = (part * LONGEST_TEXT)[:LONGEST_TEXT]
    before = time.process_time()
    redact_text(text)
    redact_text(f"{text[:-1]}@")
    assert time.process_time() - before < 5
