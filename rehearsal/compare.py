"""Whether a service's answer says what a template says: names in any case, lists in any order, ids for ARNs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Difference:
    """`absent`: paths the answer does not have. `wrong`: paths whose value differs, with both values."""

    absent: set[str] = field(default_factory=set)
    wrong: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.absent) + 100 * len(self.wrong)

    def add(self, other: Difference) -> None:
        self.absent |= other.absent
        self.wrong.update(other.wrong)


def compare(
    expected: Any, actual: Any, rename: Mapping[str, str] | None = None, path: str = "", whole: Any = None
) -> Difference:
    """Every leaf of `expected` against `actual`; `rename` maps a path of `expected` to a path in the whole answer."""
    rename = rename or {}
    whole = actual if path == "" else whole
    found = Difference()
    expected, actual = _document(expected), _document(actual)
    if isinstance(expected, dict):
        if not isinstance(actual, dict):
            actual = _pairs(actual)
        if not isinstance(actual, dict):
            found.wrong[path] = f"expected an object, got {actual!r}"
            return found
        for key, item in expected.items():
            place = f"{path}.{key}" if path else str(key)
            present, other = dig(whole, rename[place]) if place in rename else _member(actual, str(key))
            if not present or (_empty(other) and not isinstance(other, bool)):
                if not _empty(item):
                    found.absent.add(place)
                continue
            found.add(compare(item, other, rename, place, whole))
        return found
    if isinstance(expected, list) or isinstance(actual, list | tuple | set):
        return _lists(_listed(expected), _listed(actual), rename, path, whole)
    if not same(expected, actual):
        found.wrong[path] = f"expected {expected!r}, got {actual!r}"
    return found


def _lists(expected: list[Any], actual: list[Any], rename: Mapping[str, str], path: str, whole: Any) -> Difference:
    found = Difference()
    rest = list(actual)
    for item in expected:
        best: tuple[int, Difference, int] | None = None
        for index, candidate in enumerate(rest):
            difference = compare(item, candidate, rename, path or "[]", whole)
            if best is None or len(difference) < best[0]:
                best = (len(difference), difference, index)
            if not len(difference):
                break
        if best is None:
            found.wrong[path] = f"expected {_short(item)}, which the answer {_short(actual)} does not have"
            continue
        found.add(best[1])
        rest.pop(best[2])
    return found


def dig(whole: Any, path: str) -> tuple[bool, Any]:
    """The value at a dotted path, names in any case."""
    value = whole
    for part in path.split(".") if path else []:
        value = _document(value)
        if isinstance(value, list):
            value = _pairs(value)
        if not isinstance(value, dict):
            return False, None
        present, value = _member(value, part)
        if not present:
            return False, None
    return value is not None, value


def _member(value: dict[str, Any], name: str) -> tuple[bool, Any]:
    if name in value:
        return value[name] is not None, value[name]
    wanted = _flat(name)
    for key, item in value.items():
        if _flat(str(key)) == wanted:
            return item is not None, item
    return False, None


def _flat(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _document(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in "{[" and value[-1:] in "}]":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _pairs(value: Any) -> Any:
    """A list of keys and values as an object, if it is one."""
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        for key, content in (
            ("Key", "Value"),
            ("key", "value"),
            ("Name", "Value"),
            ("ParameterName", "ParameterValue"),
        ):
            if all(key in item for item in value):
                return {str(item[key]): item.get(content) for item in value}
    return value


def _listed(value: Any) -> list[Any]:
    if isinstance(value, dict) and "Items" in value and "Quantity" in value:
        return list(value["Items"])
    return list(value) if isinstance(value, list | tuple | set) else [value]


def _empty(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, str | list | dict) and value in ({}, [], "", "false"))


def same(expected: Any, actual: Any) -> bool:
    """Equal scalars: a number and its text, a boolean and its text, an id and the ARN that ends in it."""
    one, other = _scalar(expected), _scalar(actual)
    if one == other or one + "." == other:  # a name and its fully qualified form
        return True
    try:
        if float(one) == float(other):
            return True
    except ValueError:
        pass
    return any(
        long.startswith("arn:") and short and long.endswith((f"/{short}", f":{short}"))
        for long, short in ((one, other), (other, one))
    )


def _scalar(value: Any) -> str:
    value = value.decode() if isinstance(value, bytes) else value
    return str(value).lower() if isinstance(value, bool) or str(value).lower() in ("true", "false") else str(value)


def _short(value: Any) -> str:
    shown = json.dumps(value, default=str)
    return shown if len(shown) < 200 else shown[:200] + "..."
