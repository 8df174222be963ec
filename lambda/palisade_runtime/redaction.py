"""Removes credentials and personal data from whatever is about to be logged, also when nested or encoded.

What is recognized: fields with a telling name, private keys, JSON web tokens, authorization values, AWS keys
and signatures, keys of well-known vendors, `name=value` secrets, credentials inside URLs, e-mail addresses and payment
card numbers; each also inside JSON text, percent-encoding, HTML entities, escapes, compatibility and invisible
characters, base64, hexadecimal, gzip and bytes, and addresses, tokens and card numbers cut into neighbouring values.
Text longer than `LONGEST_TEXT` is left out whole: a log line is no place for a document.
"""

import base64
import binascii
import html
import json
import math
import re
import unicodedata
import zlib
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote

REDACTED = "[redacted]"
LONGEST_TEXT = 4096
_DEEPEST = 8
_DECODING_ROUNDS = 6

_TELLING = re.compile(
    r"pass(?:word|wd|phrase|code)|secret|token|authori[sz]ation|cookie|api[-_. ]?key(?![-_. ]?id$)|access[-_. ]?key"
    r"|private[-_. ]?key|credential|signature|\bcvv\b|\bcvc\b|card[-_. ]?number|^pan$|^pin$|^otp$|^pwd$|\bassertion\b|jwt",
    re.IGNORECASE,
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_WEB_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){1,4}")
_AUTHORIZATION = re.compile(r"\b(bearer|basic|digest|negotiate|aws4-hmac-sha256)[ \t]+[^\s,;\"']{4,}", re.IGNORECASE)
_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b")
_SIGNED_PARAMETER = re.compile(r"(X-Amz-(?:Signature|Credential|Security-Token))=[^&\s\"']+", re.IGNORECASE)
_ASSIGNMENT = re.compile(
    r"((?:pass(?:word|wd|phrase|code)|pwd|secret|token|authori[sz]ation|cookie|api[-_]?key|access[-_]?key"
    r"|private[-_]?key|credential)[\w.-]{0,64}\\*[\"']?\s*[:=]\s*\\*)(?!\s|[\"']?\[redacted\])"
    r"(\"[^\"]*\"|'[^']*'|[^&,;\"'\r\n]+)",
    re.IGNORECASE,
)
_ELEMENT = re.compile(
    r"(<([\w.:-]{0,64}(?:pass(?:word|wd|phrase|code)|pwd|secret|token|credential)[\w.:-]{0,64})\b[^>]{0,256}>)[^<]+(?=</\2)",
    re.IGNORECASE,
)
_VENDOR_KEY = re.compile(
    r"\b(?:sk_live_|sk_test_|rk_live_|sk-ant-|sk-proj-|gh[opsur]_|github_pat_|glpat-|xox[abeoprs]-|xapp-|AIza|npm_|pypi-|SG\.|dop_v1_|hf_)"
    r"[A-Za-z0-9_.-]{16,}"
)
_SECRET_KEY = re.compile(
    r"(?<![A-Za-z0-9/+=])(?=[A-Za-z0-9/+]*[A-Z])(?=[A-Za-z0-9/+]*[a-z])(?=[A-Za-z0-9/+]*\d)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
)
_HEADER = re.compile(
    r"((?:proxy-)?authorization|(?:set-)?cookie|x-api-key)(\s*:\s*)(?!\s|\[redacted\]$)[^\r\n]+",
    re.IGNORECASE,
)
_USER_INFO = re.compile(r"(://)[^/\s@]+@")
_ADDRESS = re.compile(
    r"(?:[^\s@<>\"'(),;:\[\]]{1,256}|\"[^\"@\r\n]{1,64}\")@(?:[^\s@<>\"'(),;:\[\]]+\.[^\s@<>\"'(),;:\[\]]{2,}|\[[0-9a-fA-F.:IPv]{7,}\])"
)
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}){6,}(?![0-9A-Fa-f])")
_HEX_START, _HEX_END = re.compile(r"[0-9A-Fa-f-]{1,64}"), re.compile(r"[0-9A-Fa-f-]{1,64}\Z")
_CARD_GROUPS = frozenset({(4, 4, 4, 4), (4, 6, 5), (4, 4, 4, 4, 3)})


def redact(value: object, _depth: int = 0) -> object:
    """`value` as plain JSON data with every recognized secret replaced; an unknown object shrinks to its type."""
    if _depth > _DEEPEST:
        return "[too deep]"
    if isinstance(value, Mapping):
        cut = _cut_secrets(list(value.values()))
        return {
            redact_text(str(key), _depth): REDACTED
            if place in cut or _is_telling(str(key))
            else redact(item, _depth + 1)
            for place, (key, item) in enumerate(value.items())
        }
    if isinstance(value, list | tuple | set | frozenset):
        items = list(value)
        cut = _cut_secrets(items)
        return [REDACTED if place in cut else redact(item, _depth + 1) for place, item in enumerate(items)]
    return _redact_scalar(value, _depth)


def _cut_secrets(items: Sequence[object]) -> set[int]:
    """Places of neighbours that only together are an address, a web token or a card number."""
    places: set[int] = set()
    texts = [item if isinstance(item, str) and len(item) <= LONGEST_TEXT else "" for item in items]
    for first, size in _windows(texts):
        pieces = texts[first : first + size]
        if not all(pieces):
            continue
        whole = "".join(pieces)
        if (
            (
                "@" in whole
                and size <= 3
                and all(_ADDRESS.search(one) is None for one in pieces)
                and _ADDRESS.fullmatch(whole)
            )
            or (tuple(map(len, pieces)) in _CARD_GROUPS and _is_card(whole))
            or (
                size == 3
                and all(one.startswith("eyJ") for one in pieces[:2])
                and _WEB_TOKEN.fullmatch(".".join(pieces))
            )
        ):
            places.update(range(first, first + size))
    return places


def _windows(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    for first in range(len(texts)):
        for size in range(2, min(5, len(texts) - first) + 1):
            yield first, size


def _redact_scalar(value: object, depth: int) -> object:
    match value:
        case None | bool():
            return value
        case int() | float():
            return _redact_number(value)
        case bytes() | bytearray() | memoryview():
            return redact_text(bytes(value).decode("utf-8", "replace"), depth)
    # An object's own text (an exception's above all) may quote what it was given.
    return redact_text(value, depth) if isinstance(value, str) else f"<{type(value).__name__}>"


def _redact_number(value: float) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if abs(value) >= 10**19:
        return "[large number]" if isinstance(value, int) else value
    return REDACTED if value == int(value) and _is_card(str(int(abs(value)))) else value


def redact_text(text: str, _depth: int = 0) -> str:
    """`text` with every recognized secret replaced."""
    if len(text) > LONGEST_TEXT:
        return f"[{len(text)} characters left out]"
    if _depth > _DEEPEST:
        return "[too deep]"
    structured = _structured(text)
    if structured is not None:
        cleaned = redact(structured, _depth + 1)
        if cleaned != structured:
            return json.dumps(cleaned, ensure_ascii=False)
    text = _patterns(text)
    text = _HEX.sub(lambda run: _redact_bytes(run[0], bytes.fromhex(run[0]), _depth), text)
    text = _patterns(_BASE64.sub(lambda run: _redact_run(run[0], _depth), text))
    decoded = _decode(text)
    if decoded == text:
        return text
    cleaned_text = redact_text(decoded, _depth + 1)
    return text if cleaned_text == decoded else cleaned_text


def _is_telling(name: str) -> bool:
    return bool(_TELLING.search(name) or _TELLING.search(_decode(name)))


def _decode(text: str) -> str:
    """`text` with percent-encoding, HTML entities, escapes, and compatibility and invisible characters undone."""
    for _ in range(_DECODING_ROUNDS):
        before = text
        text = html.unescape(unquote(text))
        text = re.sub(
            r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))", lambda found: chr(int(found[1] or found[2], 16)), text
        )
        text = unicodedata.normalize("NFKC", text)
        if not text.isascii() or "\0" in text:
            text = "".join(map(_plain, text))
        if text == before:
            break
    return text


def _plain(letter: str) -> str:
    """An ASCII digit for any script's, nothing for what nobody sees."""
    if letter == "\0" or unicodedata.category(letter) == "Cf":
        return ""
    digit = unicodedata.decimal(letter, None)
    return letter if digit is None else str(digit)


def _structured(text: str) -> object:
    if not text.lstrip().startswith(("{", "[", '"')):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _redact_run(run: str, depth: int) -> str:
    padded = run.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        content = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True)
    except binascii.Error:
        return run
    return _redact_bytes(run, content, depth)


def _redact_bytes(run: str, content: bytes, depth: int) -> str:
    """`run`, or nothing of it if `content`, which it encodes, holds a secret or is packed and too long to tell."""
    if content[:2] in {b"\x1f\x8b", b"\x78\x01", b"\x78\x9c", b"\x78\xda"}:
        try:
            content = zlib.decompressobj(47).decompress(content, LONGEST_TEXT + 1)
        except zlib.error:
            return run
        if len(content) > LONGEST_TEXT:
            return REDACTED
    try:
        decoded = content.decode("utf-8")
    except UnicodeDecodeError:
        return run
    return run if redact_text(decoded, depth + 1) == decoded else REDACTED


def _patterns(text: str) -> str:
    text = _PRIVATE_KEY.sub(REDACTED, text)
    text = _WEB_TOKEN.sub(REDACTED, text)
    text = _HEADER.sub(rf"\1\2{REDACTED}", text)
    text = _AUTHORIZATION.sub(rf"\1 {REDACTED}", text)
    text = _KEY_ID.sub(REDACTED, text)
    text = _VENDOR_KEY.sub(REDACTED, text)
    text = _SECRET_KEY.sub(REDACTED, text)
    text = _SIGNED_PARAMETER.sub(rf"\1={REDACTED}", text)
    text = _ASSIGNMENT.sub(rf"\1{REDACTED}", text)
    text = _ELEMENT.sub(rf"\1{REDACTED}", text)
    text = _USER_INFO.sub(rf"\1{REDACTED}@", text)
    text = _ADDRESS.sub(REDACTED, text)
    return _CARD.sub(lambda found: found[0] if _in_identifier(found) else _redact_card(found[0]), text)


def _redact_card(text: str) -> str:
    return REDACTED if _is_card(re.sub(r"[ -]", "", text)) else text


def _in_identifier(found: re.Match[str]) -> bool:
    """Whether these digits are part of a UUID, a trace id or a digest, of which many pass the check of card numbers."""
    first, last = found.span()
    before = _HEX_END.search(found.string[max(0, first - 64) : first])
    after = _HEX_START.match(found.string[last : last + 64])
    around = (before[0] if before else "") + (after[0] if after else "")
    return len(around) + len(found[0]) >= 24 and re.search("[a-fA-F]", around) is not None


def _is_card(digits: str) -> bool:
    """13 to 19 digits that pass the Luhn check of ISO/IEC 7812-1, and are no time in milliseconds."""
    if not 13 <= len(digits) <= 19 or not digits.isascii() or not digits.isdigit():
        return False
    if len(digits) == 13 and digits[0] == "1":
        return False  # the years 2001 to 2033; no network issues such numbers
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0
