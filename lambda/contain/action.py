"""What an act of containment is: it looks at the parts of its target, says how each must be, and sets one part at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

State = Mapping[str, Any]
"""The parts of a target by name, each a JSON value; equal states are the same state."""


class RefusedError(Exception):
    """It must not or cannot be done; ``problems`` says why, a sentence each. Nothing was changed by what raises it."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__(" ".join(problems))


@dataclass(frozen=True, kw_only=True)
class Action:
    """One kind of containment. ``warning`` is what a person must know before they do it."""

    name: str
    warning: str
    stops_product: bool = False

    def check(self, target: str) -> None:
        """Raise :class:`RefusedError` if ``target`` is none, or one that nobody may contain."""
        raise NotImplementedError

    def stops(self, target: str) -> bool:
        """Whether customers notice."""
        del target
        return self.stops_product

    def look(self, target: str) -> dict[str, Any]:
        """The parts as they are."""
        raise NotImplementedError

    def wanted(self, before: State, at: datetime) -> dict[str, Any]:
        """The parts as they must be while the target is contained since ``at``."""
        raise NotImplementedError

    def apply(self, target: str, part: str, value: Any) -> None:
        """Make ``part`` be ``value``; again changes nothing."""
        raise NotImplementedError

    def to_preserve(self, target: str) -> Sequence[str]:
        """What is copied before anything is changed, a sentence each."""
        del target
        return ()

    def preserve(self, target: str, mark: str) -> list[str]:
        """Copy it and name the copies; again, with the same ``mark``, finds those that are there."""
        del target, mark
        return []

    def finish(self, target: str) -> None:
        """What follows once all parts are as wanted and cannot be taken back; again changes nothing."""

    def undo_from(self, at: datetime) -> datetime:
        """From when on undoing what was done ``at`` leaves no way open."""
        return at
