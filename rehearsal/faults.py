"""Which resource to let fail, so that as much as possible has to be undone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def last(resources: Mapping[str, Any], among: set[str]) -> str:
    """Of the logical ids in `among`, the one with the longest chain of resources it refers to."""
    depths: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in depths:
            depths[name] = 0
            depths[name] = 1 + max([depth(other) for other in _referred(resources[name]) if other in resources] + [0])
        return depths[name]

    able = [
        name for name in sorted(among) if not resources[name]["Type"].startswith(("Custom::", "AWS::CloudFormation::"))
    ]
    return max(able, key=depth)


def _referred(value: Any) -> set[str]:
    """Logical ids that a part of a template depends on."""
    if isinstance(value, list):
        return {name for item in value for name in _referred(item)}
    if not isinstance(value, dict):
        return set()
    found: set[str] = set()
    for key, item in value.items():
        if key == "Ref" and isinstance(item, str):
            found.add(item)
        elif key == "Fn::GetAtt":
            found.add(item[0] if isinstance(item, list) else str(item).split(".", maxsplit=1)[0])
        elif key == "Fn::Sub":
            found |= set(re.findall(r"\$\{([A-Za-z0-9]+)", str(item)))
        elif key == "DependsOn":
            found |= {item} if isinstance(item, str) else set(item)
        found |= _referred(item)
    return found
