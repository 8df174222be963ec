"""``python -m proofs evaluate``: requests with their policies as JSON lines in, decisions as JSON lines out."""

from __future__ import annotations

import json
import marshal
from collections.abc import Iterable, Iterator
from dataclasses import fields
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final, TextIO

from proofs.policy.errors import InputError, RequestError
from proofs.policy.evaluation import Decision, PolicySet, Request, evaluate

_POLICIES: Final = {
    "session_policy" if field.name == "session_policies" else field.name: field.name for field in fields(PolicySet)
}
"""The fields of an entry that hold policies, and what they are of a policy set."""
_REQUEST: Final = frozenset(field.name for field in fields(Request))
_IGNORED: Final = frozenset({"id", "name", "comment", "expected"})
"""Fields for the reader's own use; ``id`` is repeated in the answer."""
_ENTRY: Final = frozenset({*_POLICIES, *_IGNORED, "request"})
_WITHOUT_REFERENCES: Final = 2
"""The version of marshal in which equal values are equal bytes."""
_ENCODE: Final = json.JSONEncoder().encode


def decide(entry: Any) -> Decision:
    """Decide one entry. Raises :class:`InputError` with every problem if it is malformed."""
    if not isinstance(entry, dict):
        raise RequestError([f"must be an object with request and policies, not {type(entry).__name__}"])
    problems = list(_unknown(entry, _ENTRY, ""))
    given = entry.get("request")
    if not isinstance(given, dict):
        problems.append("request: is missing; it has principal, action and resource")
        given = {}
    else:
        problems += _unknown(given, _REQUEST, "request.")
        problems += [
            f"request.{name}: is missing" for name in ("principal", "action", "resource") if given.get(name) is None
        ]
        context = given.get("context")
        if context is not None and not isinstance(context, dict):
            problems.append(f"request.context: must be an object of condition keys, not {context!r}")
    known: dict[str, Any] = {}
    for name, attribute in _POLICIES.items():
        value = entry.get(name)
        if value is not None:
            known[attribute], wrong = _compiled(name, marshal.dumps(value, _WITHOUT_REFERENCES))
            problems += wrong
    if problems:
        raise RequestError(problems)
    return evaluate(Request(**{name: value for name, value in given.items() if value is not None}), PolicySet(**known))


@lru_cache(maxsize=1 << 13)
def _compiled(name: str, given: bytes) -> tuple[Any, tuple[str, ...]]:
    """One field of an entry, compiled; many requests are about the same policies, in ever new company."""
    try:
        return getattr(PolicySet.of(**{name: marshal.loads(given)}), _POLICIES[name]), ()  # noqa: S302 - written by decide
    except InputError as error:
        return None, error.problems


def answers(lines: Iterable[str | bytes]) -> Iterator[tuple[str, bool]]:
    """The answer to each line that is not blank, and whether the line was well formed."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        entry: Any = None
        try:
            entry = json.loads(line)
            answer = decide(entry).as_json()
            good = True
        except InputError as error:
            answer = {"error": f"line {number}: {error}"}
            good = False
        except (ValueError, RecursionError) as error:
            answer = {"error": f"line {number}: is no JSON ({error})"}
            good = False
        if isinstance(entry, dict) and "id" in entry:
            answer = {"id": entry["id"], **answer}
        yield _ENCODE(answer), good


def run(source: Iterable[str | bytes], out: TextIO) -> int:
    """Answer every line of ``source``; the result is 1 if any was malformed."""
    all_good = True
    for answer, good in answers(source):
        out.write(answer + "\n")
        all_good &= good
    return 0 if all_good else 1


def _unknown(given: dict[str, Any], known: frozenset[str], place: str) -> Iterator[str]:
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            yield f"{place}{name}: unknown field" + (f"; did you mean {near[0]}?" if near else "")
