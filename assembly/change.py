"""A value with one thing in it changed, for asking "and if?": everything unchanged is shared with the original."""

from __future__ import annotations

from typing import Any

Path = tuple[str | int, ...]
GONE: Any = object()
"""In place of a new value: nothing is left there."""


def put(value: Any, path: Path, new: Any) -> Any:
    """``value`` with ``new`` at ``path`` (removed if ``GONE``); what is not on the path is shared."""
    if not path:
        return new
    head, *rest = path
    if isinstance(value, list):
        index = int(head)
        if not rest and new is GONE:
            return [*value[:index], *value[index + 1 :]]
        return [*value[:index], put(value[index], tuple(rest), new), *value[index + 1 :]]
    copy: dict[str, Any] = dict(value)
    if not rest and new is GONE:
        copy.pop(str(head), None)
    else:
        copy[str(head)] = put(copy.get(str(head), {}), tuple(rest), new)
    return copy
