"""What would happen to everything that holds data: replaced, deleted, forgotten, or less protected than before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from assembly.resolve import INVENTED
from gate.invariants.data import STATEFUL
from gate.schemas import schema
from proofs.model import Model, Node, walk

_NOTHING: Any = object()


class Fate(StrEnum):
    """What deploying does to a store."""

    DELETED = "deleted with its data"
    REPLACED = "replaced by an empty one"
    UNPROTECTED = "no longer protected from deletion"
    REFUSED = "refused by CloudFormation"
    MAYBE_REPLACED = "perhaps replaced by an empty one"
    SNAPSHOT = "deleted after a final snapshot"
    KEPT = "kept, but managed no longer"
    LEFT = "left deployed with its stack, which the app holds no longer"


LOSING = frozenset({Fate.DELETED, Fate.REPLACED, Fate.UNPROTECTED, Fate.REFUSED, Fate.MAYBE_REPLACED})
"""What stops a change: data would go, be out of reach of what uses it, or be one mistake from going."""


@dataclass(frozen=True, kw_only=True)
class StoreChange:
    """What becomes of one store, and why."""

    path: str
    type: str
    stack: str
    logical_id: str
    name: str
    fate: Fate
    why: str

    @property
    def loses(self) -> bool:
        """Whether data would be lost."""
        return self.fate in LOSING


def store_changes(before: Model, after: Model) -> list[StoreChange]:
    """Everything that holds data and does not simply stay, the lost first.

    Whether a changed property replaces its resource is read from the resource type's registry schema; what a replaced
    resource's id reaches into is replaced in turn.

    https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html#schema-properties-createonlyproperties
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
    """
    replaced = _replacements(before, after)
    order = list(Fate)
    changes = [change for store in before.of(*sorted(STATEFUL)) for change in _changes(store, before, after, replaced)]
    return sorted(changes, key=lambda change: (order.index(change.fate), change.path))


def _changes(
    old: Node, before: Model, after: Model, replaced: Mapping[tuple[str, str], tuple[Fate, str]]
) -> Iterator[StoreChange]:
    key = (old.stack.name, old.resource.logical_id)
    new = after.node(*key)
    if new is None:
        yield _gone(old, before, after)
    elif new.type != old.type:
        yield _change(old, Fate.REFUSED, f"its type becomes {new.type}, which an update of a stack does not allow")
    elif key in replaced:
        fate, why = replaced[key]
        kept = _keeps(old, "UpdateReplacePolicy") and _keeps(new, "UpdateReplacePolicy")
        yield _change(old, fate, f"{why}; the old one {'is kept, but managed no longer' if kept else 'is deleted'}")
    else:
        dropped = list(_dropped_protection(old, new))
        if dropped:
            yield _change(old, Fate.UNPROTECTED, "; ".join(dropped))


def _gone(old: Node, before: Model, after: Model) -> StoreChange:
    if old.stack.name not in after.assembly:
        return _change(old, Fate.LEFT, f"no stack is called {old.stack.name} any more; CDK deletes none by itself")
    twin = _twin(old, before, after)
    policy = _policy(old, "DeletionPolicy")
    left = {"Delete": "is deleted", "Snapshot": "is deleted after a snapshot"}.get(policy, "is kept, managed no longer")
    if twin is not None:
        place = f"{twin.stack.name}/{twin.resource.logical_id}"
        taken = f", whose creation fails while the name {old.name} is taken" if _is_named(twin, old.name) else ""
        return _change(
            old,
            Fate.REPLACED,
            f"its place becomes {place}{taken}; CloudFormation knows it as {_id(old)}, and that {left}",
        )
    fate = {"Delete": Fate.DELETED, "Snapshot": Fate.SNAPSHOT}.get(policy, Fate.KEPT)
    return _change(old, fate, f"it is no longer in its template, and its DeletionPolicy is {policy}")


def _twin(old: Node, before: Model, after: Model) -> Node | None:
    """The resource that takes the place of one that is gone: new, and of its name or path."""
    for node in after.of(old.type, account=old.account, region=old.region):
        new = before.node(node.stack.name, node.resource.logical_id) is None
        if new and (_is_named(node, old.name) or node.path == old.path):
            return node
    return None


def _is_named(node: Node, name: str) -> bool:
    return node.name == name and not INVENTED.fullmatch(name)


def _dropped_protection(old: Node, new: Node) -> Iterator[str]:
    for name in ("DeletionPolicy", "UpdateReplacePolicy"):
        if _keeps(old, name) and not _keeps(new, name):
            yield f"{name} {_policy(old, name)} -> {_policy(new, name)}"
    for name in ("DeletionProtection", "DeletionProtectionEnabled"):
        if old.get(name) in (True, "true", "ACTIVE") and new.get(name) not in (True, "true", "ACTIVE"):
            yield f"{name} is switched off"
    if old.stack.termination_protection and not new.stack.termination_protection:
        yield f"termination protection of stack {old.stack.name} is switched off"


def _keeps(node: Node, attribute: str) -> bool:
    return _policy(node, attribute) != "Delete"


def _policy(node: Node, attribute: str) -> str:
    """The attribute, or CloudFormation's default for the type. RetainExceptOnCreate retains whatever was created whole."""
    whole = node.type == "AWS::RDS::DBCluster" or (
        node.type == "AWS::RDS::DBInstance" and node.get("DBClusterIdentifier") is None
    )
    default = "Snapshot" if attribute == "DeletionPolicy" and whole else "Delete"
    return str(node.resource.definition.get(attribute, default))


# ------------------------------------------------------------------------------------------------------- replacements


def _replacements(before: Model, after: Model) -> dict[tuple[str, str], tuple[Fate, str]]:
    """Every resource of both that is replaced: because a property that cannot be updated changes, or refers to one."""
    found: dict[tuple[str, str], tuple[Fate, str]] = {}
    pairs = {
        key: (old, new)
        for old in before
        if (new := after.node(*(key := (old.stack.name, old.resource.logical_id)))) is not None and new.type == old.type
    }
    for key, (old, new) in pairs.items():
        reason = _replaced(old, new)
        if reason is not None:
            found[key] = reason
    waiting = [key for key, (fate, _) in found.items() if fate is Fate.REPLACED]
    users: dict[tuple[str, str], list[tuple[tuple[str, str], str]]] = {}
    for key, (_, new) in pairs.items():
        for name, target in _fixed_references(new):
            users.setdefault(target, []).append((key, name))
    while waiting:
        cause = waiting.pop()
        for key, name in users.get(cause, ()):
            if key not in found or found[key][0] is not Fate.REPLACED:
                found[key] = (Fate.REPLACED, f"{name} names {pairs[cause][1].path}, which is replaced")
                waiting.append(key)
    return found


def _replaced(old: Node, new: Node) -> tuple[Fate, str] | None:
    if old.properties == new.properties:
        return None
    described = schema(new.type)
    changed = _changed(old, new, described.get("createOnlyProperties", ()))
    if changed:
        return Fate.REPLACED, f"{', '.join(changed)} cannot be updated in place"
    perhaps = _changed(old, new, described.get("conditionalCreateOnlyProperties", ()))
    if perhaps:
        return Fate.MAYBE_REPLACED, f"{', '.join(perhaps)} can be updated in place under conditions only"
    return None


def _changed(old: Node, new: Node, pointers: Sequence[str]) -> list[str]:
    found = []
    for pointer in pointers:
        parts = pointer.split("/")[2:]
        was, becomes = (sorted(map(str, _at(node.properties, parts))) for node in (old, new))
        if was != becomes:
            found.append(f"{'.'.join(parts)} ({_short(was)} -> {_short(becomes)})")
    return found


def _at(value: Any, parts: Sequence[str]) -> Iterator[Any]:
    if not parts:
        yield value
    elif parts[0] == "*" and isinstance(value, list):
        for child in value:
            yield from _at(child, parts[1:])
    elif isinstance(value, Mapping) and (child := value.get(parts[0], _NOTHING)) is not _NOTHING:
        yield from _at(child, parts[1:])


def _fixed_references(node: Node) -> Iterator[tuple[str, tuple[str, str]]]:
    """The resources whose invented ids stand in properties that cannot be updated, with the property's name."""
    for pointer in schema(node.type).get("createOnlyProperties", ()):
        parts = pointer.split("/")[2:]
        for value in _at(node.properties, parts):
            for text in walk(value):
                for invented in INVENTED.finditer(text) if isinstance(text, str) else ():
                    yield ".".join(parts), (invented[1], invented[2])


def _short(values: Sequence[str]) -> str:
    text = ", ".join(values) or "not set"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _id(node: Node) -> str:
    return f"{node.stack.name}/{node.resource.logical_id}"


def _change(node: Node, fate: Fate, why: str) -> StoreChange:
    return StoreChange(
        path=node.path,
        type=node.type,
        stack=node.stack.name,
        logical_id=node.resource.logical_id,
        name="" if INVENTED.fullmatch(node.name) else node.name,
        fate=fate,
        why=why,
    )
