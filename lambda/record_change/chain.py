"""Records that hold each other: each carries the digest of the one before, so that none can be left out or altered unnoticed.

A record is canonical JSON: ``{"sequence", "previous", "at", "chain", "event", "change", ...}``. ``sequence`` begins at 1;
``previous`` is the SHA-256 of the record before, or zeros.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

BEGINNING = "0" * 64
EVENTS = ("authorised", "refused", "succeeded", "failed")


def canonical(record: Mapping[str, Any]) -> str:
    """The one text of ``record`` that is digested and kept."""
    return json.dumps(record, sort_keys=True, ensure_ascii=True, allow_nan=False)


def digest(text: str) -> str:
    """The digest that the next record carries."""
    return hashlib.sha256(text.encode()).hexdigest()


def name(sequence: int) -> str:
    """The record's name, which sorts as the sequence counts."""
    return f"{sequence:012d}"


def faults(texts: Sequence[tuple[str, str]], *, chain: str) -> Iterator[str]:
    """What is wrong with ``texts``: names and records of one chain, in any order. Nothing, if it is whole.

    The first may have any sequence, because records are deleted when their time is over; from there on none may be missing.
    """
    previous: tuple[int, str] | None = None
    for key, text in sorted(texts):
        try:
            record = json.loads(text)
            sequence = int(record["sequence"])
        except (ValueError, KeyError, TypeError):
            yield f"{chain}/{key}: not a record"
            continue
        if text != canonical(record) or key != name(sequence) or record.get("chain") != chain:
            yield f"{chain}/{key}: its text, its name and its chain do not belong together"
        if previous is None:
            if sequence == 1 and record.get("previous") != BEGINNING:
                yield f"{chain}/{key}: the first record does not begin the chain"
        elif sequence != previous[0] + 1:
            yield f"{chain}/{key}: {sequence - previous[0] - 1} missing before it"
        elif record.get("previous") != digest(previous[1]):
            yield f"{chain}/{key}: does not follow from the record before it: one of the two was altered"
        previous = (sequence, text)
