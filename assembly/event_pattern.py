"""Whether an EventBridge rule sees an event: its pattern, evaluated.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
}
_OF_TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "prefix": str.startswith,
    "suffix": str.endswith,
    "equals-ignore-case": lambda value, wanted: value.lower() == wanted.lower(),
    "wildcard": lambda value, wanted: re.fullmatch(".*".join(map(re.escape, wanted.split("*"))), value) is not None,
}


class PatternError(ValueError):
    """The pattern holds an operator that is not known here, so nobody can say what it sees."""


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Whether ``event`` has everything that ``pattern`` asks for.

    Raises:
        PatternError: the pattern asks in a way that is not known.
    """
    if isinstance(event, list):
        # Any one element of an array may satisfy a nested pattern.
        return any(matches(pattern, item) for item in event)
    for key, wanted in pattern.items():
        if key == "$or":
            if not any(matches(choice, event) for choice in wanted):
                return False
        elif isinstance(wanted, Mapping):
            found = event.get(key) if isinstance(event, Mapping) else None
            if not matches(wanted, {} if found is None else found):
                return False
        elif not isinstance(wanted, list):
            raise PatternError(f"{key} asks for {wanted!r}; a pattern's values are lists")
        elif not any(_holds(test, event, key) for test in wanted):
            return False
    return True


def _holds(test: Any, event: Any, key: str) -> bool:
    present = isinstance(event, Mapping) and key in event and not isinstance(event[key], Mapping)
    if isinstance(test, Mapping) and set(test) == {"exists"}:
        return present is test["exists"]
    if not present:
        return False
    value = event[key]
    return any(_is(test, one) for one in (value if isinstance(value, list) else [value]))


def _is(test: Any, value: Any) -> bool:
    if not isinstance(test, Mapping):
        return type(test) is type(value) and bool(test == value)
    if len(test) != 1:
        raise PatternError(f"{test!r} holds more than one operator")
    ((name, wanted),) = test.items()
    if name == "anything-but":
        return not any(_is(one, value) for one in (wanted if isinstance(wanted, list) else [wanted]))
    if name == "numeric":
        return isinstance(value, (int, float)) and all(
            _COMPARE[sign](value, limit) for sign, limit in zip(wanted[::2], wanted[1::2], strict=True)
        )
    if name not in _OF_TEXT:
        raise PatternError(f"{name} is not an operator that is known")
    return isinstance(value, str) and _OF_TEXT[name](value, wanted)


def seen(patterns: Sequence[Mapping[str, Any]], event: Mapping[str, Any]) -> bool:
    """Whether any of the patterns sees the event."""
    return any(matches(pattern, event) for pattern in patterns)
