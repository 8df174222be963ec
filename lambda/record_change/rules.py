"""Who may have had which part in a change. All problems at once."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PERSON = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
_OWNER = re.compile(r"[a-z][a-z0-9-]{1,30}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{7,127}")
LARGEST = 300
"""Templates that one change may name."""


class RefusedChangeError(Exception):
    """The request is not one; ``problems`` says everything that is wrong with it."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is to be deployed to ``owner`` and who had which part in it. People are e-mail addresses, in small letters."""

    change: str
    owner: str
    commit: str
    authors: tuple[str, ...]
    reviewers: tuple[str, ...]
    templates: dict[str, str]
    """SHA-256 of each template by the name of its stack."""

    @classmethod
    def read(cls, event: Any) -> "Change":
        """From an event.

        Raises:
            RefusedChangeError: with everything that is missing or malformed.
        """
        problems = list(_malformed(event))
        if problems:
            raise RefusedChangeError(problems)
        return cls(
            change=event["change"],
            owner=event["owner"],
            commit=event["commit"],
            authors=_people(event["authors"]),
            reviewers=_people(event["reviewers"]),
            templates=dict(sorted(event["templates"].items())),
        )


def objections(change: Change, approvers: Sequence[str], *, approval: bool) -> list[str]:
    """Why ``change`` must not be deployed; nothing if it may. With ``approval`` somebody must have approved it."""
    authors = set(change.authors)
    found = []
    if not change.reviewers:
        found.append("nobody reviewed it: have somebody other than its authors review it")
    elif authors.issuperset(change.reviewers):
        found.append(f"only its authors reviewed it ({', '.join(change.reviewers)}): have somebody else review it")
    elif authors.intersection(change.reviewers):
        found.append(f"its author {', '.join(sorted(authors.intersection(change.reviewers)))} is named as its reviewer")
    if authors.intersection(approvers):
        found.append(f"its author {', '.join(sorted(authors.intersection(approvers)))} approved it")
    if approval and not set(approvers) - authors:
        found.append("no named approver other than its authors approved it")
    return found


def _people(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({value.casefold() for value in values}))


def _malformed(event: Any) -> Iterator[str]:
    if not isinstance(event, dict):
        yield "the request must be an object"
        return
    for field, pattern, looks in (
        ("change", _ID, "8 to 128 letters, digits and _.-"),
        ("owner", _OWNER, "a stage or an account role"),
        ("commit", _COMMIT, "a full commit id"),
    ):
        if not isinstance(event.get(field), str) or not pattern.fullmatch(event[field]):
            yield f"{field} must be {looks}"
    for field in ("authors", "reviewers"):
        values = event.get(field)
        if not isinstance(values, list) or not all(isinstance(one, str) and _PERSON.fullmatch(one) for one in values):
            yield f"{field} must be a list of e-mail addresses"
        elif field == "authors" and not values:
            yield "authors must name somebody"
    templates = event.get("templates")
    if (
        not isinstance(templates, dict)
        or not 1 <= len(templates) <= LARGEST
        or not all(isinstance(value, str) and _DIGEST.fullmatch(value) for value in templates.values())
    ):
        yield f"templates must give the SHA-256 of 1 to {LARGEST} templates by stack"
