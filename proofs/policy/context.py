"""What is known of one request while policies are matched against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from proofs.policy.errors import RequestError
from proofs.policy.principals import Requester


@dataclass(frozen=True, slots=True)
class Unknown:
    """The value of a key that is not known yet; with ``present`` it is at least known that there is one."""

    present: bool = False

    def __len__(self) -> int:
        return 1


UNKNOWN: Final = Unknown()
"""Put it into a request's context for a key whose value, or even presence, is not known."""

Scalar = str | int | float | bool
ContextValue = Scalar | Sequence[Scalar] | Unknown | None
Values = tuple[str, ...] | Unknown


@dataclass(slots=True)
class Context:
    """One request in the form that statements are matched against."""

    requester: Requester
    action: str
    """In lower case: actions are matched ignoring case."""
    resource: str
    values: dict[str, Values]
    """By key in lower case: names of keys are matched ignoring case."""
    bounded: bool
    """Whether the requester has a permissions boundary."""
    doubts: list[str] = field(default_factory=list)
    """Keys whose unknown values mattered so far."""


def normalize(given: Mapping[str, ContextValue], into: dict[str, Values]) -> None:
    """Add the given keys to ``into`` with values as tuples of text; ``None`` says that a key is absent.

    Raises :class:`RequestError` for a value that is neither text, number, truth value, list of these nor unknown.
    """
    for key, value in given.items():
        lowered = key.lower()
        if isinstance(value, str):
            into[lowered] = (value,)
        elif isinstance(value, list | tuple):
            into[lowered] = tuple(_text(item, key) for item in value)
        elif isinstance(value, Unknown):
            into[lowered] = value
        elif value is None:
            into.pop(lowered, None)
        elif isinstance(value, Mapping):
            into[lowered] = _marker(value, key)
        else:
            into[lowered] = (_text(value, key),)


def _text(value: Any, key: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise RequestError(
        [f"request.context.{key}: must be text, a number, true, false or a list of these, not {value!r}"]
    )


def _marker(value: Mapping[str, Any], key: str) -> Unknown:
    if value == {"unknown": True}:
        return UNKNOWN
    if value == {"unknown": "present"}:
        return Unknown(present=True)
    raise RequestError([f'request.context.{key}: the only object allowed is {{"unknown": true}}, not {value!r}'])
