"""What is wrong with an input: every problem at once, each with its place."""

from __future__ import annotations

from collections.abc import Iterable


class InputError(ValueError):
    """Input that AWS would refuse, or that says nothing; ``problems`` are sentences that begin with the place."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class PolicyError(InputError):
    """A policy document that AWS would refuse."""


class RequestError(InputError):
    """A request that cannot be evaluated."""
