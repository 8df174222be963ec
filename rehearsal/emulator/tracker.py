"""Which template properties a resource handler really read: the honest coverage of the embedded AWS."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any


class Tracked(dict[str, Any]):
    """A properties dictionary that remembers every path somebody read; iterating or copying reads all of it."""

    __slots__ = ("_path", "_seen")

    def __init__(self, value: dict[str, Any], seen: set[str], path: str = "") -> None:
        super().__init__(value)
        self._seen = seen
        self._path = path

    def _child(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else str(key)

    def _read(self, key: str, value: Any) -> Any:
        path = self._child(key)
        self._seen.add(path)
        return track(value, self._seen, path)

    def _read_all(self) -> None:
        for key in dict.keys(self):
            self._seen.add(self._child(key) + "*")

    def __getitem__(self, key: str) -> Any:
        return self._read(key, dict.__getitem__(self, key))

    def get(self, key: str, default: Any = None) -> Any:
        return self._read(key, dict.__getitem__(self, key)) if dict.__contains__(self, key) else default

    def pop(self, key: str, *default: Any) -> Any:
        if dict.__contains__(self, key):
            return self._read(key, dict.pop(self, key))
        if default:
            return default[0]
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        self._read_all()
        return dict.__iter__(self)

    def keys(self) -> Any:
        self._read_all()
        return dict.keys(self)

    def values(self) -> Any:
        self._read_all()
        return dict.values(self)

    def items(self) -> Any:
        self._read_all()
        return dict.items(self)

    def copy(self) -> dict[str, Any]:
        self._read_all()
        return dict(dict.items(self))

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        self._read_all()
        return copy.deepcopy(dict(dict.items(self)), memo)

    def __reduce__(self) -> Any:
        return dict, (plain(self),)


def track(value: Any, seen: set[str], path: str = "") -> Any:
    """`value` with every dictionary in it replaced by one that reports its reads to `seen`."""
    if isinstance(value, dict):
        return value if isinstance(value, Tracked) else Tracked(value, seen, path)
    if isinstance(value, list):
        return [track(item, seen, path) for item in value]
    return value


def plain(value: Any) -> Any:
    """`value` without tracking, and without counting as a read."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in dict.items(value)}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def leaves(value: Any, path: str = "") -> set[str]:
    """The paths of all leaf values; a list has no index, its items share the path of the list."""
    if isinstance(value, dict) and value:
        return {leaf for key, item in dict.items(value) for leaf in leaves(item, f"{path}.{key}" if path else str(key))}
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return {leaf for item in value for leaf in leaves(item, path)}
    return {path}


def unread(properties: dict[str, Any], seen: set[str]) -> list[str]:
    """The leaf paths nobody read, shortened to the highest path of which nothing was read.

    A dictionary that was fetched and never looked into counts as read: its handler stored it whole.
    """
    opened = {path.rstrip("*").rsplit(".", 1)[0] for path in seen if "." in path}
    missing: set[str] = set()
    for leaf in leaves(properties):
        parts = leaf.split(".")
        prefixes = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
        if leaf in seen or any(prefix + "*" in seen for prefix in prefixes):
            continue
        deepest = next((prefix for prefix in reversed(prefixes) if prefix in seen), None)
        if deepest is not None and deepest not in opened:
            continue
        missing.add(prefixes[prefixes.index(deepest) + 1] if deepest is not None else prefixes[0])
    return sorted(missing)
