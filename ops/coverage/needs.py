"""Conditions on a resource's properties, in words: ``EnableKeyRotation is true``, ``Subnets counts at least 2``.

``PATH [| PATH] OPERATOR [VALUE]``. A path names properties with dots between them; ``*`` stands for every item of a list and
``[Name=X]`` for the item whose ``Name`` is ``X``. Where a path leads to several values, each has to fit.

    is A, B        there is a value, and it is one of these
    only A, B      if there is a value, it is one of these
    is not A, B    it is none of these, or there is none
    at least N     a number, or a number written as text, of at least N
    at most N
    counts at least N    a list of at least N items
    counts at most N     a list of at most N items, or none
    given          there is a value that is not empty
    absent         there is none
    says A         the value's JSON text holds A (several: each of them)
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from assembly.resolve import Unresolved


class NeedError(Exception):
    """The condition cannot be read; the message says why."""


_OPERATORS: Final = (
    "counts at least",
    "counts at most",
    "at least",
    "at most",
    "is not",
    "is",
    "only",
    "given",
    "absent",
    "says",
)
_WRITTEN = re.compile(rf"(?P<paths>\S+(?: \| \S+)*) (?P<operator>{'|'.join(_OPERATORS)})(?: (?P<value>.+))?")
_STEP = re.compile(r"\[([^\]=]+)=([^\]]+)\]|([^.\[]+)")
_OF_ALL: Final = frozenset({"only", "is not"})
"""Operators that no value satisfies, too."""


@dataclass(frozen=True, kw_only=True)
class Need:
    """One condition."""

    paths: tuple[str, ...]
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{' | '.join(self.paths)} {self.operator} {self.value}".rstrip()

    @property
    def values(self) -> tuple[str, ...]:
        """What it names, one by one."""
        return tuple(part.strip() for part in self.value.split(","))

    def holds(self, properties: Mapping[str, Any]) -> bool:
        """Whether the properties satisfy it by any of its paths."""
        found = [list(_at(properties, steps_of(path))) for path in self.paths]
        if self.operator in {"absent", "counts at most", "is not", "only"}:
            return all(_fits(self, values) for values in found)
        return any(_fits(self, values) for values in found)


def parse(text: str) -> Need:
    """Read a condition.

    Raises:
        NeedError: it is not of the form.
    """
    match = _WRITTEN.fullmatch(str(text))
    if match is None:
        raise NeedError(f"{text!r} is no condition: PATH OPERATOR VALUE with an operator of {', '.join(_OPERATORS)}")
    operator, value = match["operator"], match["value"] or ""
    if (not value) != (operator in {"given", "absent"}):
        raise NeedError(f"{text!r}: {operator!r} {'takes no' if value else 'needs a'} value")
    if operator.startswith(("at ", "counts")) and not value.isdigit():
        raise NeedError(f"{text!r}: {value!r} is no number")
    return Need(paths=tuple(match["paths"].split(" | ")), operator=operator, value=value)


def steps_of(path: str) -> list[tuple[str, str]]:
    """The path's steps: a property's name with nothing, or the name and value by which an item is chosen."""
    return [(match[1], match[2]) if match[1] else (match[3], "") for match in _STEP.finditer(path)]


def _at(value: Any, steps: list[tuple[str, str]]) -> Iterator[Any]:
    if not steps:
        yield value
        return
    (name, chosen), rest = steps[0], steps[1:]
    if name == "*" and isinstance(value, list):
        for item in value:
            yield from _at(item, rest)
    elif chosen and isinstance(value, list):
        for item in value:
            if isinstance(item, Mapping) and _text(item.get(name)) == chosen:
                yield from _at(item, rest)
    elif not chosen and isinstance(value, Mapping) and name in value:
        yield from _at(value[name], rest)


def _fits(need: Need, values: list[Any]) -> bool:
    if not values:
        return need.operator in {"absent", "counts at most", *_OF_ALL}
    # What does not resolve fits nothing but that it is there.
    return all(
        need.operator == "given" if isinstance(value, Unresolved) else _TESTS[need.operator](value, need)
        for value in values
    )


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _size(value: Any) -> int:
    return len(value) if isinstance(value, list) else 1


_TESTS: Final[Mapping[str, Callable[[Any, Need], bool]]] = {
    "is": lambda value, need: _text(value) in need.values,
    "only": lambda value, need: _text(value) in need.values,
    "is not": lambda value, need: _text(value) not in need.values,
    "at least": lambda value, need: _number(value) >= float(need.value),
    "at most": lambda value, need: _number(value) <= float(need.value),
    "counts at least": lambda value, need: _size(value) >= int(need.value),
    "counts at most": lambda value, need: _size(value) <= int(need.value),
    "given": lambda value, _: value not in (None, "", [], {}),
    "absent": lambda value, _: value in (None, "", [], {}),
    "says": lambda value, need: all(
        part in (value if isinstance(value, str) else json.dumps(value, default=str)) for part in need.values
    ),
}
