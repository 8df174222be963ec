"""What a cloud assembly holds: stacks in deployment order, their resources and file assets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of a template, with the construct path that made it (``sandbox-data/Documents/Resource``)."""

    stack: str
    logical_id: str
    type: str
    properties: Mapping[str, Any]
    path: str
    definition: Mapping[str, Any]
    """The whole template entry: DependsOn, Condition, DeletionPolicy, Metadata and so on."""

    def __str__(self) -> str:
        return f"{self.path} ({self.type})"


@dataclass(frozen=True, kw_only=True)
class Asset:
    """A file or folder that ``cdk deploy`` uploads before the stack: source on disk, destination bucket and key."""

    id: str
    source: Path
    zipped: bool
    """True if ``source`` is a folder that is uploaded as a zip file."""
    bucket: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One template and where it goes."""

    name: str
    account: str
    region: str
    template: Mapping[str, Any]
    template_file: Path
    dependencies: tuple[str, ...]
    termination_protection: bool
    tags: Mapping[str, str]
    assets: tuple[Asset, ...]
    paths: Mapping[str, str] = field(repr=False)

    @cached_property
    def resources(self) -> dict[str, Resource]:
        """Resources by logical id, in template order."""
        return {
            logical_id: Resource(
                stack=self.name,
                logical_id=logical_id,
                type=body["Type"],
                properties=body.get("Properties", {}),
                path=self.paths.get(logical_id) or f"{self.name}/{logical_id}",
                definition=body,
            )
            for logical_id, body in self.template.get("Resources", {}).items()
        }

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The template's outputs, exports included, as written."""
        outputs: Mapping[str, Any] = self.template.get("Outputs", {})
        return outputs


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """All stacks of one synthesis, in an order in which they can be deployed."""

    directory: Path
    stacks: tuple[Stack, ...]

    def __getitem__(self, name: str) -> Stack:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    @cached_property
    def _by_name(self) -> dict[str, Stack]:
        return {stack.name: stack for stack in self.stacks}

    def resources(self, *types: str) -> Iterator[tuple[Stack, Resource]]:
        """Every resource of the given types (of every type if none is given), with its stack."""
        for stack in self.stacks:
            for resource in stack.resources.values():
                if not types or resource.type in types:
                    yield stack, resource
