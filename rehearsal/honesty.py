"""The committed list of what the embedded AWS does not do: types it only records, properties it does not keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rehearsal.emulator.tracker import leaves

LIST = Path(__file__).with_name("recorded.yaml")


@dataclass(kw_only=True)
class Honesty:
    """`types` (type to reason) are only recorded; `properties` (type to path to reason) are not kept or not shown."""

    types: dict[str, str]
    properties: dict[str, dict[str, str]]
    source: str
    excused: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def load(cls, path: Path = LIST) -> Honesty:
        data = yaml.safe_load(path.read_text()) or {}
        return cls(
            types=dict(data.get("types") or {}),
            properties={name: dict(paths) for name, paths in (data.get("properties") or {}).items()},
            source=path.name,
        )

    def excuse(self, cfn_type: str, path: str) -> bool:
        """Whether the list has this property, or one above it; remembers that the entry was needed."""
        known = self.properties.get(cfn_type, {})
        parts = path.split(".")
        for end in range(len(parts), 0, -1):
            prefix = ".".join(parts[:end])
            if prefix in known:
                self.excused.add((cfn_type, prefix))
                return True
        return False

    def judge_recorded(self, found: Mapping[str, set[str]], present: Iterable[str]) -> list[str]:
        """Types recorded but not listed (`found`: type to stacks), and listed types that are not only recorded."""
        new = [
            f"{name} in {', '.join(sorted(stacks))}: only recorded, no service answers for it. Give it a service in "
            f"rehearsal/types/, or list it with the reason under `types` in rehearsal/{self.source}."
            for name, stacks in sorted(found.items())
            if name not in self.types
        ]
        stale = [
            f"{name}: listed under `types` in rehearsal/{self.source} as only recorded, but a service answers for it "
            "now. Remove the entry."
            for name in sorted(set(self.types) & set(present) - set(found))
        ]
        return new + stale

    def judge_properties(
        self, found: Mapping[tuple[str, str], set[str]], templates: Mapping[str, list[Any]]
    ) -> list[str]:
        """Properties nobody kept (`found`: type and path to stacks), and entries whose property is kept now."""
        new = [
            f"{name} {path} in {', '.join(sorted(stacks))}: no handler keeps this property, so nothing here tests it. "
            f"Teach rehearsal/types/ to apply it, or list it with the reason under `properties` in "
            f"rehearsal/{self.source}."
            for (name, path), stacks in sorted(found.items())
            if not self.excuse(name, path) and not any((name, above) in found for above in _above(path))
        ]
        stale = [
            f"{name} {path}: listed under `properties` in rehearsal/{self.source}, but every {name} of this assembly "
            "has it kept. Remove the entry."
            for name, paths in sorted(self.properties.items())
            for path in sorted(paths)
            if (name, path) not in self.excused and _occurs(path, templates.get(name, []))
        ]
        return new + stale


def _above(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _occurs(path: str, instances: list[Any]) -> bool:
    return any(leaf == path or leaf.startswith(path + ".") for item in instances for leaf in leaves(item))
