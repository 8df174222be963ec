"""Runs controls over resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import gate.invariants  # noqa: F401  (registers every control)
from assembly import Resource
from gate.control import CONTROLS, Control, Finding
from gate.world import Key, World, key_of

Pair = tuple[str, Key]
"""Control id and resource: one judgement."""


def controls_for(resource_type: str) -> list[Control]:
    """The controls that look at resources of the type."""
    if resource_type not in _BY_TYPE:
        _BY_TYPE[resource_type] = [control for control in CONTROLS.values() if control.judges(resource_type)]
    return _BY_TYPE[resource_type]


_BY_TYPE: dict[str, list[Control]] = {}


def judge(control: Control, resource: Resource, world: World) -> list[Finding]:
    """What one control finds wrong with one resource.

    A property of an unexpected shape is a finding, not a crash: templates of others are judged too.
    """
    try:
        return [
            Finding(control=control.id, where=resource.path, message=message, fix=control.fix)
            for message in control.check(resource, world)
        ]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        return [
            Finding(
                control=control.id,
                where=resource.path,
                message=f"its {resource.type} properties have a shape this control cannot judge ({error!r})",
                fix="Write the property as CloudFormation documents it.",
            )
        ]


def judge_all(world: World) -> list[Finding]:
    """Every finding of every control over every resource."""
    return [
        finding
        for _, resource in world.assembly.resources()
        for control in controls_for(resource.type)
        for finding in judge(control, resource, world)
    ]


@dataclass
class Judgements:
    """Every judgement of an assembly with what it depended on, so that a changed resource costs only what it touches."""

    world: World
    findings: dict[Pair, list[Finding]] = field(default_factory=dict)
    _by_key: dict[Key, list[Pair]] = field(default_factory=dict)
    _by_type: dict[str, list[Pair]] = field(default_factory=dict)

    @classmethod
    def of(cls, world: World) -> Judgements:
        """Judge everything once and remember what each judgement looked at."""
        made = cls(world=world)
        for _, resource in world.assembly.resources():
            key = key_of(resource)
            for control in controls_for(resource.type):
                pair = (control.id, key)
                with world.watch() as looked_at:
                    made.findings[pair] = judge(control, resource, world)
                made._by_key.setdefault(key, []).append(pair)
                for item in looked_at:
                    if isinstance(item, str):
                        made._by_type.setdefault(item, []).append(pair)
                    elif item != key:
                        made._by_key.setdefault(item, []).append(pair)
        return made

    @cached_property
    def all(self) -> list[Finding]:
        """Every finding."""
        return [finding for found in self.findings.values() for finding in found]

    def again(self, changed: Iterable[Resource | Key]) -> Iterator[tuple[Pair, list[Finding]]]:
        """Judge anew, in the world's present trial, whatever depended on the changed resources."""
        pairs: dict[Pair, None] = {}
        for item in changed:
            if isinstance(item, Resource):
                key, resource_type = key_of(item), item.type
                for control in controls_for(resource_type):
                    pairs[control.id, key] = None
                pairs.update(dict.fromkeys(self._by_type.get(resource_type, ())))
            else:
                key = item
            pairs.update(dict.fromkeys(self._by_key.get(key, ())))
        for pair in pairs:
            resource = self.world.get(pair[1])
            if resource is not None:
                yield pair, judge(CONTROLS[pair[0]], resource, self.world)
