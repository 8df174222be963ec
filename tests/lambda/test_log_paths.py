"""Emails, passwords, tokens and card numbers, wrapped in whatever way, pushed through every path that our code writes logs on.

Which paths there are, tests/stacks/test_log_paths.py reads out of the templates; what AWS writes by itself it judges there.
"""

from __future__ import annotations

import ast
import base64
import gzip
import html
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from palisade_runtime.audit_events import AuditEvent
from palisade_runtime.logs import Logger
from redact_records.handler import transform
from ship_audit.archive import Archive
from ship_audit.formats import Format, Placed, batches, write_event
from ship_audit.shipping import Tally

LAMBDA = Path(__file__).parents[2] / "lambda"

# ------------------------------------------------------------------------------------------------------------- secrets

_WORD = st.text(alphabet="abcdefghjkmnpqrstuvwxyz23456789", min_size=6, max_size=14)
_RUN = st.text(alphabet="ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789", min_size=20, max_size=36)


def _card(digits: str) -> str:
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits))]
    return digits + str(-sum(number - 9 if number > 9 else number for number in doubled) % 10)


def _web_token(claims: str, signature: str) -> str:
    parts = (json.dumps({"alg": "RS256"}).encode(), json.dumps({"sub": claims}).encode())
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "." + signature


EMAILS = st.builds(lambda name, host: (f"{name}@{host}.example", name), _WORD, _WORD)
PASSWORDS = st.builds(
    lambda name, word: (f"{name}={word}", word),
    st.sampled_from(["password", "DB_PASSWORD", "passwd", "client_secret", "pwd", "api_key", "PGPASSWORD"]),
    _WORD.map(lambda word: f"Zq9{word}"),
)
TOKENS = st.one_of(
    st.builds(lambda claims, run: (_web_token(claims, run), run), _WORD, _RUN),
    st.builds(lambda run: (f"Authorization: Bearer {run}", run), _RUN),
    st.builds(lambda run: (f"AKIA{run[:16].upper()}", run[:16].upper()), _RUN),
    st.builds(lambda run: (f"ghp_{run}", run), _RUN),
    st.builds(lambda run: (f"xoxb-{run}", run), _RUN),
    st.builds(lambda run: (f"sk_live_{run}", run), _RUN),
)
CARDS = st.builds(
    lambda digits, gap: (gap.join(_card(digits)[at : at + 4] for at in range(0, 16, 4)), _card(digits)),
    st.from_regex(r"[45][0-9]{14}", fullmatch=True),
    st.sampled_from(["", " ", "-"]),
)
SECRETS = st.one_of(EMAILS, PASSWORDS, TOKENS, CARDS)
"""Each with the part of it that must not survive."""

# --------------------------------------------------------------------------------------------------------------- wraps

WRAPS: Mapping[str, Callable[[str], Any]] = {
    "plain": lambda text: text,
    "in a sentence": lambda text: f"it said {text}, then ended",
    "in a list": lambda text: ["a", [text]],
    "deep in fields": lambda text: {"a": {"b": [{"c": text}]}},
    "as a field's name": lambda text: {text: 1},
    "in JSON": lambda text: json.dumps({"outer": [text]}),
    "in JSON in JSON": lambda text: json.dumps({"outer": json.dumps({"inner": text})}),
    "in JSON in a sentence": lambda text: f"body was {json.dumps({'outer': text})}",
    "percent-encoded": lambda text: quote(text, safe=""),
    "percent-encoded twice": lambda text: quote(quote(text, safe=""), safe=""),
    "as HTML entities": lambda text: "".join(f"&#x{ord(letter):x};" for letter in text),
    "as escapes": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "as bytes' escapes": lambda text: "".join(f"\\x{ord(letter):02x}" for letter in text),
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "in base64 twice": lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
    "in hexadecimal": lambda text: text.encode().hex(),
    "packed": lambda text: base64.b64encode(gzip.compress(text.encode())).decode(),
    "wide": lambda text: "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text),
    "with invisible letters": "\u200b".join,
    "in UTF-16": lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
}
CUT: Mapping[str, tuple[Any, ...]] = {
    "an address in fields": ({"name": "janedoe", "host": "@corp.example"}, "janedoe"),
    "an address in a list": (["janedoe", "@", "corp.example"], "janedoe"),
    "a card number in fields": ({"a": "4111", "b": "1111", "c": "1111", "d": "1111"}, "1111"),
    "a card number in a list": (["3782", "822463", "10005"], "822463"),
    "a token in a list": (
        ["eyJhbGciOiJSUzI1NiJ9", "eyJzdWIiOiJqYW5lIn0", "c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"],
        "c2lnbmF0dXJl",
    ),
}

# --------------------------------------------------------------------------------------------------------------- paths


def _logged(write: Callable[[Logger], None]) -> str:
    output = io.StringIO()
    write(Logger(service="test", output=output))
    return output.getvalue()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _envelope(message: str) -> bytes:
    event = {"id": "3" * 56, "timestamp": 1_772_366_400_007, "message": message}
    return json.dumps({"messageType": "DATA_MESSAGE", "logGroup": "/a/b", "logEvents": [event]}).encode()


def _streamed(raw: bytes) -> str:
    output = io.StringIO()
    record = {"recordId": "1", "data": base64.b64encode(raw).decode()}
    (answer,) = transform([record], Logger(service="test", output=output))
    assert answer["result"] == "Ok"
    return base64.b64decode(answer["data"]).decode() + output.getvalue()


class _Object:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def get_object(self, **_: Any) -> dict[str, Any]:
        return {"Body": io.BytesIO(gzip.compress(self._raw + b"\n"))}


def _shipped(raw: bytes, form: Format) -> str:
    events = Archive(s3=_Object(raw), bucket="audit-222222222222", folders=()).events("folder/object.gz")
    return "".join(batch.body.decode() for batch in batches(events, form))


PATHS: Mapping[str, Callable[[Any], str]] = {
    "a function's log": lambda value: _logged(lambda logger: logger.info("deed", detail=value)),
    "a function's log, bound": lambda value: _logged(lambda logger: logger.bind(detail=_text(value)).warning("deed")),
    "a function's log, as the event's name": lambda value: _logged(lambda logger: logger.info(_text(value))),
    "a function's failure": lambda value: _logged(
        lambda logger: logger.failure("deed.failed", ValueError(_text(value)), detail=value)
    ),
    "a stream: a function's line": lambda value: _streamed(_envelope(json.dumps({"event": "deed", "detail": value}))),
    "a stream: a line of text": lambda value: _streamed(_envelope(_text(value))),
    "a stream: a packed record": lambda value: _streamed(gzip.compress(_envelope(json.dumps({"detail": value})))),
    "a stream: a service's record": lambda value: _streamed(json.dumps({"eventType": "SignIn", "x": value}).encode()),
    "a stream: no JSON": lambda value: _streamed(_text(value).encode()),
    "a stream: what cannot be read": lambda value: _streamed(gzip.compress(_text(value).encode())[:-6]),
    "the log service: an older object": lambda value: _shipped(
        _envelope(json.dumps({"event": "deed", "detail": value})), Format.GENERIC
    ),
    "the log service: Datadog": lambda value: _shipped(_envelope(json.dumps({"event": _text(value)})), Format.DATADOG),
    "the log service: Splunk": lambda value: _shipped(json.dumps({"x": value}).encode(), Format.SPLUNK),
    "the log service: a line of text": lambda value: _shipped(_text(value).replace("\n", " ").encode(), Format.GENERIC),
}


def _gone(out: str, secret: str) -> bool:
    """Whether neither the secret nor its first half can be read, also once escapes and gaps between digits are undone."""
    seen = html.unescape(out.encode().decode("unicode_escape", "replace")) + out
    if secret.isdigit():
        seen = seen.replace(" ", "").replace("-", "")
    return secret[: max(6, len(secret) // 2)] not in seen


@pytest.mark.parametrize("path", PATHS)
@settings(max_examples=40, deadline=None)
@given(SECRETS, st.sampled_from(sorted(WRAPS)))
def test_no_secret_comes_out_of_any_path(path: str, secret: tuple[str, str], wrap: str) -> None:
    text, telltale = secret
    out = PATHS[path](WRAPS[wrap](text))
    assert _gone(out, telltale), f"{wrap}: {out}"
    if wrap not in {"plain", "in a sentence"}:
        wrapped = _text(WRAPS[wrap](text))
        assert wrapped not in out, f"{wrap}: {out}"


@pytest.mark.parametrize("wrap", WRAPS)
@settings(max_examples=8, deadline=None)
@given(SECRETS, st.sampled_from(sorted(PATHS)))
def test_no_wrap_saves_a_secret(wrap: str, secret: tuple[str, str], path: str) -> None:
    text, telltale = secret
    assert _gone(PATHS[path](WRAPS[wrap](text)), telltale)


@settings(max_examples=60, deadline=None)
@given(SECRETS, st.lists(st.sampled_from(sorted(WRAPS)), min_size=2, max_size=3), st.sampled_from(sorted(PATHS)))
def test_wraps_in_wraps_save_no_secret(secret: tuple[str, str], wraps: list[str], path: str) -> None:
    value, telltale = secret
    for wrap in wraps:
        value = _text(WRAPS[wrap](value))
    assert _gone(PATHS[path](value), telltale)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("cut", CUT)
def test_what_is_cut_into_neighbours_is_gone(cut: str, path: str) -> None:
    value, telltale = CUT[cut]
    assert telltale not in PATHS[path](value)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["password", "Set-Cookie", "client_secret", "authorization", "id_token", "cvv"])
def test_what_a_telling_name_holds_is_gone(name: str, path: str) -> None:
    assert "hunter2" not in PATHS[path]({"outer": {name: {"deeper": ["hunter2"]}}})


# ---------------------------------------------------------------------------------------------- what must be left to read


@settings(max_examples=40, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "time": st.integers(1_700_000_000_000, 1_999_999_999_999),
            "request": st.uuids().map(str),
            "principal": st.one_of(st.uuids().map(str), st.from_regex(r"hashed-[0-9a-f]{48}", fullmatch=True)),
            "tenant": st.sampled_from(["acme", "globex-2", "initech"]),
            "apiKeyId": st.from_regex(r"[a-z0-9]{10}", fullmatch=True),
            "ip": st.ip_addresses(v=4).map(str),
            "host": st.just("api.app.example.com"),
            "method": st.sampled_from(["GET", "POST", "DELETE"]),
            "route": st.sampled_from(["/documents", "/documents/{id}"]),
            "status": st.sampled_from(["200", "403", "500"]),
            "responseBytes": st.integers(0, 10**6).map(str),
            "cipher": st.just("ECDHE-RSA-AES128-GCM-SHA256"),
            "trace": st.from_regex(r"1-[0-9a-f]{8}-[0-9a-f]{24}", fullmatch=True),
        }
    )
)
def test_a_request_keeps_who_made_it_all_the_way(line: dict[str, Any]) -> None:
    streamed = _streamed(_envelope(json.dumps(line)))
    assert json.loads(json.loads(streamed)["logEvents"][0]["message"]) == line
    (sent,) = map(json.loads, _shipped(streamed.encode(), Format.GENERIC).splitlines())
    assert sent["record"] == line


def test_a_note_about_a_refused_record_says_nothing_of_it() -> None:
    event = AuditEvent(log="/a/b", time=1, record={"event": "record.refused", "length": 12})
    assert b"jane" not in write_event(Placed(key="k", number=0, event=event), Format.GENERIC)
    assert Tally().left_out == 0


# --------------------------------------------------------------------------------------------------- no way around the logger


def _sources() -> list[Path]:
    return sorted(path for path in LAMBDA.rglob("*.py") if path.name != "logs.py" and "canary" not in path.parts)


@pytest.mark.parametrize("path", _sources(), ids=lambda path: str(path.relative_to(LAMBDA)))
def test_functions_write_by_the_redacting_logger_alone(path: Path) -> None:
    tree = ast.parse(path.read_text())
    silenced = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "setLevel" and isinstance(node.value, ast.Call)
    }
    for node in ast.walk(tree):
        names = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        assert not {"traceback", "warnings", "syslog"} & {name.split(".")[0] for name in names}
        assert not (isinstance(node, ast.ImportFrom) and node.module == "logging")
        assert not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print")
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in {("sys", "stdout"), ("sys", "stderr")}
            # A library's own logger may be silenced, and nothing else.
            assert node.value.id != "logging" or node.attr in {"getLogger", "CRITICAL"}
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "logging.getLogger":
            assert node in silenced
