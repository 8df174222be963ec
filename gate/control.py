"""Controls: what the gate promises about every template, one function each, by the identifier that the rest of the
library uses for the same promise (``storage.archive.object-lock``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from assembly import Resource
from gate.world import World

Check = Callable[[Resource, World], Iterator[str]]

_ID = re.compile(r"[a-z]+(\.[a-z0-9]+(-[a-z0-9]+)*){2}")
_URL = re.compile(r"https://docs\.aws\.amazon\.com/\S+")


@dataclass(frozen=True, kw_only=True)
class Control:
    """One promise: its id, the resource types it judges, and the function that yields what is wrong with one of them."""

    id: str
    types: tuple[str, ...]
    check: Check
    promise: str
    fix: str
    source: str

    def judges(self, resource_type: str) -> bool:
        """Whether this control looks at resources of the type (``*`` in :attr:`types` means every type)."""
        return "*" in self.types or resource_type in self.types


@dataclass(frozen=True, order=True, kw_only=True)
class Finding:
    """One thing wrong: which control, where (a construct path), what, and how to mend it."""

    control: str
    where: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.message} [{self.control}]" + (f"\n      {self.fix}" if self.fix else "")


CONTROLS: dict[str, Control] = {}
"""Every control by id, filled when ``gate.invariants`` is imported."""


def control(control_id: str, *types: str) -> Callable[[Check], Check]:
    """Register a function as the check of ``control_id`` over resources of ``types`` (all types if none is given).

    The docstring's first paragraph is the promise, the sentence after ``Fix:`` the remedy, and a docs.aws.amazon.com
    address the source.

    Raises:
        ValueError: the id is malformed or taken, or the docstring lacks one of the three.
    """

    def register(check: Check) -> Check:
        text = " ".join((check.__doc__ or "").split())
        promise, _, rest = text.partition("Fix:")
        source = _URL.search(text)
        if not _ID.fullmatch(control_id) or control_id in CONTROLS:
            raise ValueError(f"control id {control_id!r} is malformed or already taken")
        if not promise or not rest or source is None:
            raise ValueError(f"{control_id}: the docstring needs a promise, a fix and an AWS documentation address")
        CONTROLS[control_id] = Control(
            id=control_id,
            types=types or ("*",),
            check=check,
            promise=promise.strip(),
            fix=_URL.sub("", rest).strip(),
            source=source[0],
        )
        return check

    return register
