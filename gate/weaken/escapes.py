"""Weakenings that no invariant catches, each with the reason. A new one fails the test until it is caught or reasoned here."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Escape:
    """A family of weakenings by kind, type of resource and place (all regular expressions), and why they are let go."""

    kind: str
    type: str
    place: str
    reason: str

    def covers(self, kind: str, resource_type: str, place: str) -> bool:
        """Whether a weakening is of this family."""
        return (
            re.fullmatch(self.kind, kind) is not None
            and re.fullmatch(self.type, resource_type) is not None
            and re.fullmatch(self.place, place) is not None
        )


ESCAPES: tuple[Escape, ...] = ()
