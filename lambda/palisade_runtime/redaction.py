"""Removes credentials and personal data from whatever is about to be logged, also when nested or encoded.

What is recognized: fields with a telling name, private keys, JSON web tokens, authorization values, AWS key ids
and signatures, `name=value` secrets, credentials inside URLs, e-mail addresses and payment card numbers; each
also inside JSON text, percent-encoding, HTML entities, compatibility characters, base64 and bytes.
Text longer than `LONGEST_TEXT` is left out whole: a log line is no place for a document.
"""

import base64
import binascii
import html
import json
import math
import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import unquote

REDACTED = "[redacted]"
LONGEST_TEXT = 4096
_DEEPEST = 8
_DECODING_ROUNDS = 6

_TELLING = re.compile(
    r"pass(?:word|wd|phrase|code)|secret|token|authori[sz]ation|cookie|api[-_. ]?key|access[-_. ]?key|private[-_. ]?key"
    r"|credential|signature|\bcvv\b|\bcvc\b|card[-_. ]?number|^pan$|^pin$|^otp$|^pwd$|\bassertion\b|jwt",
    re.IGNORECASE,
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_WEB_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){1,4}")
_AUTHORIZATION = re.compile(r"\b(bearer|basic|digest|negotiate|aws4-hmac-sha256)[ \t]+[^\s,;\"']{4,}", re.IGNORECASE)
_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b")
_SIGNED_PARAMETER = re.compile(r"(X-Amz-(?:Signature|Credential|Security-Token))=[^&\s\"']+", re.IGNORECASE)
_ASSIGNMENT = re.compile(
    r"([\w.-]*(?:pass(?:word|wd|phrase|code)|pwd|secret|token|authori[sz]ation|cookie|api[-_]?key|access[-_]?key"
    r"|private[-_]?key|credential)[\w.-]*[\"']?\s*[:=]\s*)(?!\s|\[redacted\])(\"[^\"]*\"|'[^']*'|[^&,;\"'\r\n]+)",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"((?:proxy-)?authorization|(?:set-)?cookie|x-api-key)(\s*:\s*)(?!\s|\[redacted\]$)[^\r\n]+",
    re.IGNORECASE,
)
_USER_INFO = re.compile(r"(://)[^/\s@]+@")
_ADDRESS = re.compile(r"[^\s@<>\"'(),;:\[\]]+@[^\s@<>\"'(),;:\[\]]+\.[^\s@<>\"'(),;:\[\]]{2,}")
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")


def redact(value: object, _depth: int = 0) -> object:
    """`value` as plain JSON data with every recognized secret replaced; an unknown object shrinks to its type."""
    if _depth > _DEEPEST:
        return "[too deep]"
    if isinstance(value, Mapping):
        return {
            redact_text(str(key), _depth): REDACTED if _is_telling(str(key)) else redact(item, _depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, _depth + 1) for item in value]
    return _redact_scalar(value, _depth)


def _redact_scalar(value: object, depth: int) -> object:
    match value:
        case None | bool():
            return value
        case int():
            if abs(value) >= 10**19:
                return "[large number]"
            return REDACTED if _is_card(str(abs(value))) else value
        case float():
            return value if math.isfinite(value) else str(value)
        case bytes() | bytearray() | memoryview():
            return redact_text(bytes(value).decode("utf-8", "replace"), depth)
    # An object's own text (an exception's above all) may quote what it was given.
    return redact_text(value, depth) if isinstance(value, str) else f"<{type(value).__name__}>"


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
    text = _patterns(_BASE64.sub(lambda run: _redact_run(run[0], _depth), text))
    decoded = _decode(text)
    if decoded == text:
        return text
    cleaned_text = redact_text(decoded, _depth + 1)
    return text if cleaned_text == decoded else cleaned_text


def _is_telling(name: str) -> bool:
    return bool(_TELLING.search(name) or _TELLING.search(_decode(name)))


def _decode(text: str) -> str:
    """`text` with percent-encoding, HTML entities, backslash escapes and compatibility characters undone."""
    for _ in range(_DECODING_ROUNDS):
        before = text
        text = html.unescape(unquote(text))
        text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
        text = unicodedata.normalize("NFKC", text)
        if text == before:
            break
    return text


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
        decoded = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return run
    return run if redact_text(decoded, depth + 1) == decoded else REDACTED


def _patterns(text: str) -> str:
    text = _PRIVATE_KEY.sub(REDACTED, text)
    text = _WEB_TOKEN.sub(REDACTED, text)
    text = _HEADER.sub(rf"\1\2{REDACTED}", text)
    text = _AUTHORIZATION.sub(rf"\1 {REDACTED}", text)
    text = _KEY_ID.sub(REDACTED, text)
    text = _SIGNED_PARAMETER.sub(rf"\1={REDACTED}", text)
    text = _ASSIGNMENT.sub(rf"\1{REDACTED}", text)
    text = _USER_INFO.sub(rf"\1{REDACTED}@", text)
    text = _ADDRESS.sub(REDACTED, text)
    return _CARD.sub(lambda found: REDACTED if _is_card(re.sub(r"[ -]", "", found[0])) else found[0], text)


def _is_card(digits: str) -> bool:
    """13 to 19 digits that pass the Luhn check of ISO/IEC 7812-1."""
    if not 13 <= len(digits) <= 19 or not digits.isascii() or not digits.isdigit():
        return False
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0
