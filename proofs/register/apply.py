"""The assembly as a weakening would make it."""

from __future__ import annotations

import dataclasses
from collections import defaultdict

from assembly import Assembly, Resource, Stack
from gate.weaken.mutations import Weakening


def apply(assembly: Assembly, weakening: Weakening) -> Assembly:
    """The assembly as it would be."""
    changes: dict[str, dict[str, Resource | None]] = defaultdict(dict)
    for (stack_name, logical_id), changed in weakening.changes.items():
        changes[stack_name][logical_id] = changed
    return Assembly(
        directory=assembly.directory,
        stacks=tuple(
            _changed(weakening.stacks.get(stack.name, stack), changes.get(stack.name, {})) for stack in assembly.stacks
        ),
    )


def _changed(stack: Stack, changes: dict[str, Resource | None]) -> Stack:
    if not changes:
        return stack
    bodies = dict(stack.template.get("Resources", {}))
    paths = dict(stack.paths)
    for logical_id, changed in changes.items():
        if changed is None:
            bodies.pop(logical_id, None)
        else:
            bodies[logical_id] = {**changed.definition, "Type": changed.type, "Properties": changed.properties}
            paths[logical_id] = changed.path
    return dataclasses.replace(stack, template={**stack.template, "Resources": bodies}, paths=paths)
