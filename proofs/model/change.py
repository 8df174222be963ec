"""Copies of an assembly with one change, for asking "and if?": everything unchanged is shared with the original."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from assembly import Assembly, Resource
from assembly.change import GONE, put


def changed(assembly: Assembly, resource: Resource, *path: str | int, to: Any = GONE) -> Assembly:
    """The assembly with one property of one resource set, or removed if ``to`` is not given."""
    return _with(assembly, resource, put(resource.definition, ("Properties", *path), to))


def without(assembly: Assembly, *resources: Resource) -> Assembly:
    """The assembly without the resources. References to them stay and do not resolve any more."""
    for resource in resources:
        assembly = _with(assembly, resource, GONE)
    return assembly


def _with(assembly: Assembly, resource: Resource, definition: Any) -> Assembly:
    def template(old: Mapping[str, Any]) -> Mapping[str, Any]:
        made: Mapping[str, Any] = put(old, ("Resources", resource.logical_id), definition)
        return made

    return Assembly(
        directory=assembly.directory,
        stacks=tuple(
            dataclasses.replace(stack, template=template(stack.template)) if stack.name == resource.stack else stack
            for stack in assembly.stacks
        ),
    )
