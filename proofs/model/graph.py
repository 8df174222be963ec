"""Every resource of every account with resolved properties, found by id, name or ARN, and who refers to whom."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from assembly import Assembly, Resource, Stack
from assembly.resolve import INVENTED, Resolver, Unresolved
from proofs.model.organization import Organization

_ARN = re.compile(r"arn:aws[\w-]*:[a-z0-9-]+:[a-z0-9-]*:\d*:[^\s\"',*?]+")


class Node:
    """One resource as it will be deployed: where, and its properties as canonical values."""

    def __init__(self, model: Model, stack: Stack, resource: Resource) -> None:
        self._model = model
        self.stack = stack
        self.resource = resource
        self.type = resource.type
        self.path = resource.path
        self.account = stack.account
        self.region = stack.region

    @cached_property
    def properties(self) -> dict[str, Any]:
        """The properties, resolved."""
        return self._model.resolver.properties(self.resource)

    @cached_property
    def id(self) -> str:
        """What ``Ref`` gives."""
        return _known(self._model.resolver.reference_of(self.resource))

    @cached_property
    def name(self) -> str:
        """The physical name, or ``<stack/LogicalId>`` if AWS invents it."""
        return _known(self._model.resolver.name_of(self.resource))

    @cached_property
    def arn(self) -> str:
        """The ARN, or the id for types whose ARN is not made of names."""
        arn = self._model.resolver.arn_of(self.resource)
        return self.id if arn is None else _known(arn)

    @cached_property
    def tags(self) -> dict[str, str]:
        """The tags it will have, those of its stack included."""
        raw = self.properties.get("Tags") or self.properties.get("HostedZoneTags") or []
        own = raw if isinstance(raw, Mapping) else {at(item, "Key"): at(item, "Value") for item in as_list(raw)}
        return {**self.stack.tags, **{str(key): str(value) for key, value in own.items()}}

    def get(self, *path: str | int, default: Any = None) -> Any:
        """The resolved property at ``path``."""
        return at(self.properties, *path, default=default)

    @property
    def retained(self) -> bool:
        """Whether the resource outlives its stack."""
        return self.resource.definition.get("DeletionPolicy") in {"Retain", "Snapshot", "RetainExceptOnCreate"}

    def __str__(self) -> str:
        return f"{self.path} ({self.type})"

    def __repr__(self) -> str:
        return f"Node({self})"


class Model:
    """The whole assembly. Nodes are compared by identity: one model has one node per resource."""

    def __init__(self, assembly: Assembly, *, parameters: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """``parameters`` are values by stack and parameter name that stand before the templates' defaults."""
        self.assembly = assembly
        self.resolver = Resolver(assembly, parameters=parameters)
        self.doubtful: dict[Node, Unresolved] = {}
        """Resources that exist only if a condition holds that could not be decided; they are taken as existing."""
        self._nodes: dict[tuple[str, str], Node] = {}
        self._by_type: dict[str, list[Node]] = defaultdict(list)
        self._by_account: dict[tuple[str, str], list[Node]] = defaultdict(list)
        for stack, resource in assembly.resources():
            condition = resource.definition.get("Condition")
            holds = True if condition is None else self.resolver.condition(condition, stack)
            if holds is False:
                continue
            node = Node(self, stack, resource)
            self._nodes[stack.name, resource.logical_id] = node
            self._by_type[resource.type].append(node)
            self._by_account[resource.type, stack.account].append(node)
            if isinstance(holds, Unresolved):
                self.doubtful[node] = holds

    @cached_property
    def organization(self) -> Organization:
        """Who is where in the organization, and what holds whom."""
        return Organization(self)

    # -------------------------------------------------------------------------------------------------------- look-up

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    def __len__(self) -> int:
        return len(self._nodes)

    def of(self, *types: str, account: str | None = None, region: str | None = None) -> Iterator[Node]:
        """Every resource of the types, in one account and region if given."""
        for resource_type in types:
            found = self._by_type.get(resource_type, ())
            if account is not None:
                found = self._by_account.get((resource_type, account), ())
            yield from (node for node in found if region in {None, node.region})

    @cached_property
    def _by_path(self) -> dict[str, Node]:
        return {node.path: node for node in self}

    def at_path(self, path: str) -> Node | None:
        """The resource of that construct path."""
        return self._by_path.get(path)

    def types(self) -> list[str]:
        """Every type that occurs."""
        return sorted(self._by_type)

    def node(self, stack: str, logical_id: str) -> Node | None:
        """The resource of that stack and logical id."""
        return self._nodes.get((stack, logical_id))

    @cached_property
    def _by_identity(self) -> dict[str, list[Node]]:
        index: dict[str, list[Node]] = defaultdict(list)
        for node in self:
            for identity in dict.fromkeys((node.id, node.name, node.arn, node.arn.removesuffix(":*"))):
                index[identity].append(node)
        for alias in self.of("AWS::KMS::Alias"):
            invented = INVENTED.search(str(alias.get("TargetKeyId")))
            key = self.node(invented[1], invented[2]) if invented else None
            if key is not None:
                index[alias.name].insert(0, key)
                index[alias.arn].insert(0, key)
        return index

    def find(self, value: Any, *types: str, near: Node | None = None) -> Node | None:
        """The resource that a value names by id, name, ARN or alias; of one of ``types``, in the account and region of
        ``near``, where a name alone would fit several. None if the assembly holds no such resource."""
        if not isinstance(value, str) or not value:
            return None
        invented = INVENTED.fullmatch(value)
        if invented:
            node = self._nodes.get((invented[1], invented[2]))
            return node if node is not None and (not types or node.type in types) else None
        found = [node for node in self._by_identity.get(value, ()) if not types or node.type in types]
        if not value.startswith("arn:") and near is not None and len(found) > 1:
            found = [
                node
                for node in found
                if (node.account, node.region) == (near.account, near.region) or node.type == "AWS::S3::Bucket"
            ]
        if not found and value.startswith("arn:"):
            return self._of_part(value, types)
        return found[0] if found else None

    def _of_part(self, arn: str, types: tuple[str, ...]) -> Node | None:
        """The resource that holds what the ARN names: an object's bucket, a stream's group, an index's table."""
        for separator in ("/", ":"):
            shorter = arn.rstrip(":*/")
            while shorter.count(":") >= 5:
                for node in self._by_identity.get(shorter, ()):
                    if not types or node.type in types:
                        return node
                head, found, _ = shorter.rpartition(separator)
                if not found:
                    break
                shorter = head
        return None

    # ---------------------------------------------------------------------------------------------------- references

    @cached_property
    def _references(self) -> dict[Node, dict[Node, None]]:
        return {node: dict.fromkeys(self._named_in(node)) for node in self}

    @cached_property
    def _referrers(self) -> dict[Node, list[Node]]:
        found: dict[Node, list[Node]] = defaultdict(list)
        for node, others in self._references.items():
            for other in others:
                found[other].append(node)
        return found

    def references(self, node: Node) -> list[Node]:
        """The resources that the node names anywhere in its properties, in any account."""
        return list(self._references[node])

    def referrers(self, node: Node, *types: str) -> list[Node]:
        """The resources that name the node anywhere in their properties."""
        return [other for other in self._referrers.get(node, ()) if not types or other.type in types]

    def _named_in(self, node: Node) -> Iterator[Node]:
        for value in walk(node.resource.properties):
            # A reference to a resource with a name of its own resolves to that name, which alone could be another type's.
            found = self._referenced(value, node.stack)
            if found is not None and found is not node:
                yield found
        for value in walk(node.properties):
            if not isinstance(value, str) or len(value) < 3:
                continue
            if "<" in value:
                for invented in INVENTED.finditer(value):
                    other = self._nodes.get((invented[1], invented[2]))
                    if other is not None and other is not node:
                        yield other
            if "arn:" in value:
                for arn in _ARN.findall(value):
                    other = self.find(arn)
                    if other is not None and other is not node:
                        yield other
            elif value in self._by_identity and not value.isdigit():
                other = self.find(value, near=node)
                if other is not None and other is not node and other.type in _CALLED_BY_NAME:
                    yield other

    def _referenced(self, value: Any, stack: Stack) -> Node | None:
        if isinstance(value, Mapping) and len(value) == 1:
            if isinstance(value.get("Ref"), str):
                return self._nodes.get((stack.name, value["Ref"]))
            target = value.get("Fn::GetAtt")
            if isinstance(target, str):
                return self._nodes.get((stack.name, target.split(".")[0]))
            if isinstance(target, list) and target:
                return self._nodes.get((stack.name, str(target[0])))
            if isinstance(value.get("Fn::ImportValue"), str):
                exported = self.resolver.exports().get((stack.account, stack.region, value["Fn::ImportValue"]))
                return None if exported is None else self._referenced(exported[1], exported[0])
        return None


_CALLED_BY_NAME = frozenset(
    {
        "AWS::Backup::BackupVault",
        "AWS::CloudTrail::Trail",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::RDS::DBCluster",
        "AWS::S3::Bucket",
        "AWS::DynamoDB::Table",
    }
)
"""Types that other resources call by their bare names or aliases."""


def _known(value: str | Unresolved) -> str:
    return value.shape if isinstance(value, Unresolved) else value


def walk(value: Any) -> Iterator[Any]:
    """``value`` and everything inside it."""
    yield value
    if isinstance(value, Mapping):
        for child in value.values():
            yield from walk(child)
    elif isinstance(value, list):
        for child in value:
            yield from walk(child)


def at(value: Any, *path: str | int, default: Any = None) -> Any:
    """The value at ``path``, or ``default`` where there is none."""
    for part in path:
        is_index = isinstance(value, list) and isinstance(part, int) and -len(value) <= part < len(value)
        if not is_index and not (isinstance(value, Mapping) and part in value):
            return default
        value = value[part]
    return value


def as_list(value: Any) -> list[Any]:
    """A value that may be one, several or absent, as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def as_mapping(value: Any) -> Mapping[str, Any]:
    """A value that should be a mapping; an unresolved or absent one is empty."""
    return value if isinstance(value, Mapping) else {}


def truthy(value: Any) -> bool:
    """CloudFormation's true: the Boolean or the word. An unresolved value is not true."""
    return value is True or value in {"true", "True"} if isinstance(value, (bool, str)) else False
