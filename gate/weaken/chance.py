"""Weakenings drawn by chance: any property of any resource, changed for the worse without regard to what any control reads.

A draw is uniform over resources, then over the places of one resource (every property at any depth, every element of every
policy statement, what happens on deletion), then over the ways to harm the value there. What is no weakening is set aside by a
rule of :mod:`gate.weaken.aside`, which says why; a property that no rule names counts as a weakening.
"""

from __future__ import annotations

import dataclasses
import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from assembly import Resource
from assembly.change import GONE, Path
from gate.policies import raw_documents
from gate.schemas import allowed_values, bounds
from gate.weaken import words
from gate.weaken.aside import Draw, aside
from gate.weaken.mutations import Weakening, with_property
from gate.world import World, as_list, at, key_of

STRANGER = "arn:aws:iam::999999999999:root"
_CIDR = re.compile(r"\d+\.\d+\.\d+\.\d+/\d+")
_OPPOSITES = {
    "true": "false",
    "1": "0",
    "on": "off",
    "Enabled": "Disabled",
    "ENABLED": "DISABLED",
    "enabled": "disabled",
}
_OPPOSITES |= {after: before for before, after in _OPPOSITES.items()}
_NAMES_ANOTHER = re.compile(r"(?i)(arn|kms\w*|role|bucket(name)?|topics?|securitygroup(id)?s?|vault|webaclid)$")
_ON_DELETION = ("DeletionPolicy", "UpdateReplacePolicy")


@dataclass(kw_only=True)
class Drawn:
    """The weakenings of one seed, and how many draws each rule set aside."""

    weakenings: list[Weakening] = field(default_factory=list)
    aside: Counter[str] = field(default_factory=Counter)


def draw(world: World, number: int, seed: int) -> Drawn:
    """``number`` different weakenings (fewer if there are not so many); a seed draws the same from the same templates."""
    chance = random.Random(seed)  # noqa: S311  (a repeatable choice, no secret)
    chosen_tags = _chosen_tags(world)
    every = [resource for _, resource in world.assembly.resources() if not resource.type.startswith("AWS::CDK::")]
    ways: dict[int, list[list[Draw]]] = {}
    drawn = Drawn()
    seen: set[str] = set()
    for _ in range(number * 100 if every else 0):
        index = chance.randrange(len(every))
        if index not in ways:
            ways[index] = [found for found in map(list, _draws(every[index])) if found]
        if not ways[index]:
            continue
        one = chance.choice(chance.choice(ways[index]))
        if one.text in seen:
            continue
        seen.add(one.text)
        rule = aside(one, chosen_tags)
        if rule is not None:
            drawn.aside[rule] += 1
            continue
        drawn.weakenings.append(_weakening(one))
        if len(drawn.weakenings) == number:
            break
    return drawn


def _chosen_tags(world: World) -> frozenset[str]:
    """The tags by which backup plans choose what they keep."""
    return frozenset(
        str(test.get("ConditionKey", "")).removeprefix("aws:ResourceTag/")
        for selection in world.of_type("AWS::Backup::BackupSelection")
        for test in as_list(at(selection.properties, "BackupSelection", "Conditions", "StringEquals"))
    )


def _weakening(one: Draw) -> Weakening:
    if one.path[0] in _ON_DELETION:
        changed = dataclasses.replace(one.resource, definition={**one.resource.definition, str(one.path[0]): one.new})
    else:
        changed = with_property(one.resource, one.path, one.new)
    return Weakening(
        kind=one.way,
        resource=one.resource,
        place=one.place,
        was=json.dumps(one.was),
        changes={key_of(one.resource): changed},
    )


def _draws(resource: Resource) -> Iterator[Iterator[Draw]]:
    """The ways to harm the resource, place by place."""
    for name in _ON_DELETION:
        if resource.definition.get(name, "Delete") != "Delete":
            yield iter(
                [Draw(resource=resource, path=(name,), way="let go", was=resource.definition[name], new="Delete")]
            )
    documents = [
        path
        for path, _ in raw_documents(resource.properties)
        if "DataProtectionPolicy" not in path and isinstance(at(resource.properties, *path), Mapping)
    ]
    for path, was in _places(resource.properties, ()):
        document = next((one for one in documents if path[: len(one)] == one and path != one), None)
        ways = _of_statement(resource, document, path, was) if document else _of_property(resource, path, was)
        yield (Draw(resource=resource, path=path, way=way, was=was, new=new) for way, new in ways if new != was)


def _places(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if path:
        yield path, value
    if isinstance(value, Mapping) and not _expression(value):
        for name, child in value.items():
            yield from _places(child, (*path, name))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _places(child, (*path, index))


def _expression(value: Any) -> bool:
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::"))


def _of_property(resource: Resource, path: Path, was: Any) -> Iterator[tuple[str, Any]]:
    name, last = _name(path), path[-1]
    if isinstance(last, str):
        yield "drop property", GONE
    elif len(at(resource.properties, *path[:-1])) > 1:
        yield "drop item", GONE
    if isinstance(was, bool):
        yield "flip", not was
    elif isinstance(was, (int, float)) or (isinstance(was, str) and was.isdigit() and len(was) < 12):
        least, most = bounds(resource.type, path)
        kind, number = type(was), float(was)
        yield "fewer", kind(int(max(number > 1, least)))
        yield "more", kind(int(min(max(number, 1) * 100, most)))
    elif isinstance(was, str):
        if was in _OPPOSITES:
            yield "flip", _OPPOSITES[was]
        if _CIDR.fullmatch(was):
            yield "open", "0.0.0.0/0"
        if name in words.OLD_TLS:
            yield "lower TLS", words.OLD_TLS[name]
        for other in (*words.WEAKER.get(was, ()), *allowed_values(resource.type, path)):
            if other not in {was, _OPPOSITES.get(was)}:
                yield "other word", other
    if _NAMES_ANOTHER.search(name) and (_expression(was) or isinstance(was, str)):
        yield "elsewhere", _elsewhere(name)


def _of_statement(resource: Resource, document: Path, path: Path, was: Any) -> Iterator[tuple[str, Any]]:  # noqa: PLR0912
    """Ways to harm one element of a statement; ``Allow`` is widened, ``Deny`` narrowed."""
    inside = path[len(document) :]
    statements = at(resource.properties, *document, "Statement")
    if len(inside) < 2 or not isinstance(statements, list):
        return
    statement, element = statements[int(inside[1])], inside[2] if len(inside) > 2 else ""
    allows = statement["Effect"] == "Allow"
    identity = resource.type.startswith("AWS::IAM::") and document[-1] != "AssumeRolePolicyDocument"
    if not element and not allows and len(statements) > 1:
        yield "drop refusal", GONE
    elif element == "Effect" and not allows:
        yield "allow instead", "Allow"
    elif element in {"Action", "Resource"} and not allows and isinstance(was, str):
        if len(inside) == 3:
            yield "narrow refusal", "s3:GetBucketLocation" if element == "Action" else STRANGER
        elif len(statement[element]) > 1:
            yield "narrow refusal", GONE
    elif element == "Action" and allows and document[-1] != "AssumeRolePolicyDocument":
        yield "widen action", "*" if isinstance(was, (str, list)) else was
        if isinstance(was, str) and ":" in was:
            yield "widen action", f"{was.split(':')[0]}:*"
    elif element == "Resource" and allows and identity:
        yield "widen resource", "*"
    elif inside[2:] == ("Principal",):
        yield ("widen principal", {"AWS": "*"}) if allows else ("narrow refusal", {"AWS": STRANGER})
        if allows:
            yield "foreign principal", {"AWS": STRANGER}
    elif element == "Condition" and len(inside) < 6:
        if allows:
            yield "drop condition", GONE
        elif isinstance(was, str) and was in _OPPOSITES:
            yield "narrow refusal", _OPPOSITES[was]
        if len(inside) == 5 and allows and isinstance(was, str):
            yield "widen condition", "*" if "Like" in str(inside[3]) else _OPPOSITES.get(was, "999999999999")


def _elsewhere(name: str) -> str:
    if "Bucket" in name:
        return "somebody-elses-bucket"
    if "Vault" in name and "Arn" not in name:
        return "Default"
    return "sg-0123456789abcdef0" if "SecurityGroup" in name else "arn:aws:s3:::somebody-elses-bucket"


def _name(path: Path) -> str:
    return next((part for part in reversed(path) if isinstance(part, str)), "")
