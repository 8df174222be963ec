"""The assembly as the checks see it: references followed across stacks, names turned into resources.

Every look-up is recorded while :meth:`World.watch` is on, so that the gate knows which judgements depend on which resource;
that is what makes thousands of weakenings affordable.
"""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from assembly import Assembly, Resource, Stack
from assembly.identity import IDENTITIES
from assembly.resolve import Resolver, Unresolved

Key = tuple[str, str]
"""Stack name and logical id."""

NAMED_BY: Mapping[str, str] = {
    resource_type: IDENTITIES[resource_type].name
    for resource_type in (
        "AWS::S3::Bucket",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
        "AWS::IAM::Role",
        "AWS::IAM::ManagedPolicy",
        "AWS::Logs::LogGroup",
        "AWS::Backup::BackupVault",
        "AWS::Lambda::Function",
        "AWS::DynamoDB::Table",
        "AWS::CloudTrail::Trail",
        "AWS::KinesisFirehose::DeliveryStream",
        "AWS::SecretsManager::Secret",
        "AWS::SSM::Parameter",
        "AWS::StepFunctions::StateMachine",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::RDS::DBCluster",
        "AWS::Events::EventBus",
    )
}
"""The property that names a resource, for the types whose names others use or must not take."""
_ARN_NAME = (
    ("AWS::S3::Bucket", re.compile(r"arn:[^:]*:s3:::([^/*]+)")),
    ("AWS::SNS::Topic", re.compile(r"arn:[^:]*:sns:[^:]*:\d{12}:([^:*]+)")),
    ("AWS::SQS::Queue", re.compile(r"arn:[^:]*:sqs:[^:]*:\d{12}:([^:*]+)")),
    ("AWS::IAM::Role", re.compile(r"arn:[^:]*:iam::\d{12}:role/(?:.*/)?([^/*]+)")),
    ("AWS::IAM::ManagedPolicy", re.compile(r"arn:[^:]*:iam::\d{12}:policy/(?:.*/)?([^/*]+)")),
    ("AWS::Logs::LogGroup", re.compile(r"arn:[^:]*:logs:[^:]*:\d{12}:log-group:([^:*]+)")),
    ("AWS::Backup::BackupVault", re.compile(r"arn:[^:]*:backup:[^:]*:\d{12}:backup-vault:([^:*]+)")),
    ("AWS::Lambda::Function", re.compile(r"arn:[^:]*:lambda:[^:]*:\d{12}:function:([^:*]+)")),
    ("AWS::KMS::Key", re.compile(r"arn:[^:]*:kms:[^:]*:\d{12}:(alias/[^*]+)")),
    ("AWS::KMS::Key", re.compile(r"^(alias/[^*]+)$")),
    ("AWS::CloudTrail::Trail", re.compile(r"arn:[^:]*:cloudtrail:[^:]*:\d{12}:trail/([^:*]+)")),
    ("AWS::Events::EventBus", re.compile(r"arn:[^:]*:events:[^:]*:\d{12}:event-bus/([^:*]+)")),
    ("AWS::KinesisFirehose::DeliveryStream", re.compile(r"arn:[^:]*:firehose:[^:]*:\d{12}:deliverystream/([^:*]+)")),
)
_ARN_PLACE = re.compile(r"arn:[^:]*:[^:]*:([^:]*):(\d{12})?:")


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What a deployment may name: its accounts, its regions, and who else's accounts it knows (AWS's own)."""

    accounts: frozenset[str]
    regions: frozenset[str]


@dataclass
class World:
    """Every resource of every account, with look-ups that follow references, exports, names and aliases."""

    assembly: Assembly
    scope: Scope
    changed: dict[Key, Resource | None] = field(default_factory=dict)
    """Resources that stand in for those of the assembly (None: gone), for a trial change."""
    changed_stacks: dict[str, Stack] = field(default_factory=dict)
    """Stacks that stand in for those of the assembly, for a trial change."""
    _watched: set[Key | str] | None = None
    _pointers: dict[tuple[str, str], dict[Key, list[Key]]] = field(default_factory=dict)

    # ------------------------------------------------------------------------------------------------------- reading

    @cached_property
    def _stacks(self) -> dict[str, Stack]:
        return {stack.name: stack for stack in self.assembly.stacks}

    @cached_property
    def _keys_by_type(self) -> dict[str, list[Key]]:
        found: dict[str, list[Key]] = defaultdict(list)
        for stack, resource in self.assembly.resources():
            found[resource.type].append((stack.name, resource.logical_id))
        return found

    @cached_property
    def _names(self) -> dict[tuple[str, str], list[Key]]:
        names: dict[tuple[str, str], list[Key]] = defaultdict(list)
        for resource_type, prop in NAMED_BY.items():
            for stack_name, logical_id in self._keys_by_type[resource_type]:
                resource = self._stacks[stack_name].resources[logical_id]
                if prop in resource.properties:
                    names[resource_type, self.text(resource.properties[prop], resource)].append(
                        (stack_name, logical_id)
                    )
        for stack_name, logical_id in self._keys_by_type["AWS::KMS::Alias"]:
            alias = self._stacks[stack_name].resources[logical_id]
            target = self._reference(alias.properties.get("TargetKeyId"), self._stacks[stack_name])
            if target is not None:
                names["AWS::KMS::Key", self.text(alias.properties["AliasName"], alias)].append(target)
        return names

    @cached_property
    def aliases(self) -> dict[Key, str]:
        """The alias of each key."""
        return {
            key: name
            for (resource_type, name), keys in self._names.items()
            if resource_type == "AWS::KMS::Key"
            for key in keys
        }

    def stack(self, resource: Resource) -> Stack:
        """The stack that holds ``resource``."""
        return self.stack_named(resource.stack)

    def stack_named(self, name: str) -> Stack:
        """The stack of that name."""
        return self.changed_stacks.get(name) or self._stacks[name]

    def holders(self, resource_type: str, name: str) -> list[Key]:
        """Keys of the resources of a type that claim a physical name."""
        return self._names.get((resource_type, name), [])

    def other_key(self, key: Resource, near: Resource) -> str | None:
        """An export, in the place of ``near``, of a key of another class than ``key``."""
        stack = self.stack(near)
        mine = self.aliases.get(key_of(key), "")
        for (account, region, name), (exporter, value) in self._resolver.exports().items():
            if (account, region) != (stack.account, stack.region):
                continue
            target = self._reference(value, exporter)
            if target is not None and target in self.aliases and self.aliases[target] != mine:
                return name
        return None

    def exported(self, stack: Stack, name: str) -> bool:
        """Whether some stack of the same account and region exports ``name``."""
        return (stack.account, stack.region, name) in self._resolver.exports()

    @staticmethod
    def intrinsics(resource: Resource, function: str) -> Iterator[Any]:
        """Arguments of every use of an intrinsic function in the resource's properties."""
        for node in walk(resource.properties):
            if isinstance(node, Mapping) and len(node) == 1 and function in node:
                yield node[function]

    def get(self, key: Key) -> Resource | None:
        """The resource of that key, as it now stands."""
        self._touch(key)
        if key in self.changed:
            return self.changed[key]
        return self._stacks[key[0]].resources.get(key[1])

    def of_type(self, *types: str, near: Resource | None = None, same_region: bool = False) -> Iterator[Resource]:
        """Resources of the types, in the account of ``near`` if given, in its region too if asked."""
        here = None if near is None else self.stack(near)
        for resource_type in types:
            self._touch(resource_type)
            for key in self._keys_by_type.get(resource_type, ()):
                stack = self._stacks[key[0]]
                if here is not None and (
                    stack.account != here.account or (same_region and stack.region != here.region)
                ):
                    continue
                resource = self.get(key)
                if resource is not None and resource.type == resource_type:
                    yield resource
            for key, stand_in in self.changed.items():
                if (
                    stand_in is not None
                    and stand_in.type == resource_type
                    and key[1] not in self._stacks[key[0]].resources
                    and (here is None or self._stacks[key[0]].account == here.account)
                ):
                    yield stand_in

    # ---------------------------------------------------------------------------------------------------- references

    def _reference(self, value: Any, stack: Stack) -> Key | None:
        if isinstance(value, Mapping) and len(value) == 1:
            if "Ref" in value:
                return (stack.name, value["Ref"]) if value["Ref"] in stack.resources else None
            if "Fn::GetAtt" in value:
                target = value["Fn::GetAtt"]
                logical_id = target.split(".")[0] if isinstance(target, str) else target[0]
                return (stack.name, logical_id)
            if "Fn::ImportValue" in value and isinstance(value["Fn::ImportValue"], str):
                export = self._resolver.exports().get((stack.account, stack.region, value["Fn::ImportValue"]))
                return None if export is None else self._reference(export[1], export[0])
        return None

    def target(self, value: Any, near: Resource) -> Resource | None:
        """The one resource that ``value`` names: by reference, export, ARN, alias or literal name."""
        key = self._reference(value, self.stack(near))
        if key is not None:
            return self.get(key)
        if isinstance(value, Mapping) and "Fn::Select" in value:
            return next(self.targets(value, near), None)
        if isinstance(value, (str, Mapping)):
            if isinstance(value, Mapping):
                inside = next(self.targets(value, near), None)
                if inside is not None:
                    return inside
            return self._by_name(self.text(value, near), near)
        return None

    def targets(self, value: Any, near: Resource) -> Iterator[Resource]:
        """Every resource that ``value`` refers to, at any depth."""
        stack = self.stack(near)
        for node in walk(value):
            key = self._reference(node, stack)
            if key is not None:
                resource = self.get(key)
                if resource is not None:
                    yield resource

    def _by_name(self, text: str, near: Resource) -> Resource | None:
        place = _ARN_PLACE.match(text)
        here = self.stack(near)
        account = (place and place[2]) or None
        region = (place and place[1]) or None
        for resource_type, pattern in _ARN_NAME:
            found = pattern.match(text)
            if found:
                return self.named(resource_type, found[1], account=account, region=region)
        for resource_type in ("AWS::S3::Bucket", "AWS::Backup::BackupVault", "AWS::Logs::LogGroup"):
            named = self.named(
                resource_type, text, account=None if resource_type == "AWS::S3::Bucket" else here.account
            )
            if named is not None:
                return named
        return None

    def named(
        self, resource_type: str, name: str, *, account: str | None = None, region: str | None = None
    ) -> Resource | None:
        """The resource of that type and physical name."""
        for key in self._names.get((resource_type, name), ()):
            stack = self._stacks[key[0]]
            if account in {None, stack.account} and region in {None, stack.region}:
                return self.get(key)
        self._touch(resource_type)
        return None

    def pointing_at(self, resource: Resource, prop: str, *types: str) -> Iterator[Resource]:
        """Resources of ``types`` in any account whose property ``prop`` names ``resource``."""
        wanted = key_of(resource)
        for resource_type in types:
            self._touch(resource_type)
            index = self._pointers.get((resource_type, prop))
            if index is None:
                index = self._pointers[resource_type, prop] = self._pointers_of(resource_type, prop)
            for key in index.get(wanted, ()):
                other = self.get(key)
                if other is not None and (key not in self.changed or wanted in self._pointed_at(other, prop)):
                    yield other
            for key, stand_in in self.changed.items():
                if (
                    stand_in is not None
                    and stand_in.type == resource_type
                    and key not in index.get(wanted, ())
                    and wanted in self._pointed_at(stand_in, prop)
                ):
                    yield stand_in

    def _pointers_of(self, resource_type: str, prop: str) -> dict[Key, list[Key]]:
        index: dict[Key, list[Key]] = defaultdict(list)
        for key in self._keys_by_type.get(resource_type, ()):
            other = self._stacks[key[0]].resources[key[1]]
            for target in self._pointed_at(other, prop):
                index[target].append(key)
        return index

    def _pointed_at(self, other: Resource, prop: str) -> set[Key]:
        value = other.properties.get(prop)
        watched, self._watched = self._watched, None
        try:
            found = [self.target(item, other) for item in (value if isinstance(value, list) else [value])]
        finally:
            self._watched = watched
        return {key_of(one) for one in found if one is not None}

    # ---------------------------------------------------------------------------------------------------------- text

    def text(self, value: Any, near: Resource) -> str:
        """``value`` as the string CloudFormation would make of it; what only AWS knows stands as ``<stack/id>``."""
        if isinstance(value, str):
            return value
        found = self._resolver.value(value, self.stack(near))
        if isinstance(found, bool):
            return "true" if found else "false"
        return found.shape if isinstance(found, Unresolved) else str(found)

    @cached_property
    def _resolver(self) -> Resolver:
        return Resolver(self.assembly)

    # -------------------------------------------------------------------------------------------------------- trials

    def _touch(self, item: Key | str) -> None:
        if self._watched is not None:
            self._watched.add(item)

    @contextlib.contextmanager
    def watch(self) -> Iterator[set[Key | str]]:
        """Collect what is looked up inside: keys of resources, and types that were listed."""
        outer, self._watched = self._watched, set()
        try:
            yield self._watched
        finally:
            self._watched = outer

    @contextlib.contextmanager
    def trial(
        self, changes: Mapping[Key, Resource | None], stacks: Mapping[str, Stack] | None = None
    ) -> Iterator[None]:
        """The world as it would be with ``changes``."""
        self.changed = dict(changes)
        self.changed_stacks = dict(stacks or {})
        try:
            yield
        finally:
            self.changed, self.changed_stacks = {}, {}


def key_of(resource: Resource) -> Key:
    """Where the resource is: stack and logical id."""
    return resource.stack, resource.logical_id


def walk(value: Any) -> Iterator[Any]:
    """``value`` and everything inside it."""
    yield value
    if isinstance(value, Mapping):
        for child in value.values():
            yield from walk(child)
    elif isinstance(value, list):
        for child in value:
            yield from walk(child)


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every scalar inside ``value`` with its path."""
    if isinstance(value, Mapping):
        for name, child in value.items():
            yield from leaves(child, (*path, name))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from leaves(child, (*path, index))
    else:
        yield path, value


def as_list(value: Any) -> list[Any]:
    """A policy element that may be one value or several, as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def at(value: Any, *path: str | int, default: Any = None) -> Any:
    """The value at ``path``, or ``default`` where there is none."""
    for part in path:
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return default
    return value


def truthy(value: Any) -> bool:
    """CloudFormation's true: the Boolean or the word."""
    return value is True or value in {"true", "True", "1", 1}


def first(items: Iterable[Any]) -> Any:
    """The first item or None."""
    return next(iter(items), None)
