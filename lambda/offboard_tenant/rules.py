"""Who may say what, and what the calendar says. No input or output."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from palisade_runtime.records import Deed
from palisade_runtime.tenants import Tenant

FRESH = timedelta(hours=1)
"""So long after it was said, a person's word about a contract can be acted upon."""

VALID = timedelta(days=7)
"""So long a request to delete waits for its approval."""

MARKS = (14, 7, 1)
"""Days before the deletion on which people are reminded."""

CASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}")
MOMENT = re.compile(r"\d{8}T\d{6}Z")


class RefusedError(Exception):
    """It cannot be done; ``problems`` says why, all of it."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def people(deeds: Iterable[Deed]) -> list[str]:
    """Who did it, each once: a person with two sessions is one person."""
    return list(dict.fromkeys(deed.person for deed in deeds))


def contract_problems(known: Tenant, ends: date | None, deeds: Sequence[Deed], now: datetime) -> list[str]:
    """Why the contract's end cannot be set so."""
    found = []
    if not deeds:
        found.append("nobody said so under their own name")
    elif now - deeds[0].at > FRESH:
        found.append("it was said more than an hour ago: say it again")
    if known.status:
        found.append(f"the tenant is {known.status} already")
    if ends is not None and ends < now.date():
        found.append(
            f"{ends} is over: a tenant who is to go at once is deleted on demand, which another person approves"
        )
    return found


def deletion_problems(asked: Sequence[Deed], approved: Sequence[Deed], now: datetime, *, two: bool) -> list[str]:
    """Why the tenant is not deleted on demand, or not yet."""
    if not asked:
        return ["nobody asked for it under their own name"]
    found = []
    if now - asked[0].at > VALID:
        found.append("it was asked for more than seven days ago: ask again")
    others = set(people(approved)) - set(people(asked))
    if two and not others:
        found.append("another person must approve it, other than who asked")
    return found


def marks_due(known: Tenant, today: date) -> list[str]:
    """The reminders that are due and were not given, as names."""
    if known.due is None or known.status:
        return []
    left = (known.due - today).days
    due = [f"{known.due}-{mark}" for mark in MARKS if 0 < left <= mark]
    # One is enough, the nearest: who was late is not reminded three times.
    return [name for name in due[-1:] if name not in known.reminded]


def is_due(known: Tenant, today: date) -> bool:
    """Whether the end of its contract deletes it today."""
    return known.due is not None and today >= known.due and not known.status


def contract_request(ends: date) -> str:
    """The request that a contract's end is."""
    return f"contract-{ends:%Y%m%d}"
