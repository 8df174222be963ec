"""Resolves CloudFormation expressions of an assembly into canonical values, across stacks, accounts and regions.

A canonical value is plain data. What AWS will invent (an id, an address) stands in it as ``<stack/LogicalId>`` or
``<stack/LogicalId.Attribute>``: two such values are the same thing exactly if their texts are equal. What the assembly does
not say at all becomes :class:`Unresolved`, with the reason; no caller may take that for safe.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from assembly.identity import ARN_ATTRIBUTES, ENGINE_PORTS, ID_ATTRIBUTES, IDENTITIES, SINGLE_NAMES, Identity
from assembly.model import Assembly, Resource, Stack

INVENTED = re.compile(r"<([^/<>]+)/([^.<>]+)(?:\.([^<>]+))?>")
"""A value that AWS will invent: stack, logical id, attribute (none: what Ref returns)."""

_VARIABLE = re.compile(r"\$\{(!?)([^}!]*)\}")
_NO_VALUE: Any = object()
_PSEUDO = {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}


@dataclass(frozen=True, kw_only=True)
class Unresolved:
    """A value that the assembly does not determine: why, and as much of its text as is known (``<?>`` for the rest)."""

    reason: str
    shape: str = "<?>"

    def __str__(self) -> str:
        return f"{self.shape} (unresolved: {self.reason})"


def unresolved_in(value: Any) -> Iterator[Unresolved]:
    """Every unresolved value inside ``value``."""
    if isinstance(value, Unresolved):
        yield value
    elif isinstance(value, Mapping):
        for child in value.values():
            yield from unresolved_in(child)
    elif isinstance(value, list):
        for child in value:
            yield from unresolved_in(child)


class _AnyOrder(list[Any]):
    """A list whose order AWS chooses."""


class Resolver:
    """Evaluates expressions as CloudFormation would at deployment."""

    def __init__(self, assembly: Assembly, *, parameters: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """``parameters`` are values by stack and parameter name that stand before the templates' defaults."""
        self.assembly = assembly
        self._parameters = parameters or {}
        self._exports: dict[tuple[str, str, str], tuple[Stack, Any]] | None = None
        self._conditions: dict[tuple[str, str], bool | Unresolved] = {}
        self._open: set[tuple[str, str]] = set()
        self._functions: dict[str, Callable[[Any, Stack], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Join": self._join,
            "Fn::Sub": self._sub,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::FindInMap": self._find_in_map,
            "Fn::ImportValue": self._import_value,
            "Fn::If": self._if,
            "Fn::Base64": self._base64,
            "Fn::Cidr": self._cidr,
            "Fn::GetAZs": self._zones,
            "Fn::Length": self._length,
            "Fn::ToJsonString": self._to_json,
            "Fn::And": self._and,
            "Fn::Or": self._or,
            "Fn::Not": self._not,
            "Fn::Equals": self._equals,
            "Condition": self._condition,
        }

    # -------------------------------------------------------------------------------------------------------- values

    def properties(self, resource: Resource) -> dict[str, Any]:
        """The resource's properties as canonical values."""
        stack = self.assembly[resource.stack]
        return {
            name: value
            for name, raw in resource.properties.items()
            if (value := self._value(raw, stack)) is not _NO_VALUE
        }

    def value(self, expression: Any, stack: Stack) -> Any:
        """The canonical value of any expression of the stack's template (None for ``AWS::NoValue``)."""
        found = self._value(expression, stack)
        return None if found is _NO_VALUE else found

    def _value(self, raw: Any, stack: Stack) -> Any:
        if isinstance(raw, Mapping):
            if len(raw) == 1:
                (name, argument), *_ = raw.items()
                # A "Condition" with a mapping is a policy's; with a name it is a reference to a template's condition.
                function = self._functions.get(name)
                if function is not None and (
                    name != "Condition"
                    or (isinstance(argument, str) and argument in stack.template.get("Conditions", {}))
                ):
                    return function(argument, stack)
                if name.startswith("Fn::"):
                    return Unresolved(reason=f"{name} is only known to AWS")
            return {name: value for name, child in raw.items() if (value := self._value(child, stack)) is not _NO_VALUE}
        if isinstance(raw, list):
            return [value for child in raw if (value := self._value(child, stack)) is not _NO_VALUE]
        return raw

    def _ref(self, name: Any, stack: Stack) -> Any:  # noqa: PLR0911  (one return a kind of name)
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name == "AWS::AccountId":
            return stack.account
        if name == "AWS::Region":
            return stack.region
        if name == "AWS::StackName":
            return stack.name
        if name == "AWS::StackId":
            return (
                f"arn:aws:cloudformation:{stack.region}:{stack.account}:stack/{stack.name}/<{stack.name}/AWS::StackId>"
            )
        if name in _PSEUDO:
            return _PSEUDO[name]
        resource = stack.resources.get(name)
        if resource is not None:
            return self.reference_of(resource)
        if name in stack.template.get("Parameters", {}):
            return self._parameter(name, stack)
        return Unresolved(reason=f"{stack.name} has neither a resource nor a parameter {name}")

    def _parameter(self, name: str, stack: Stack) -> Any:
        given = self._parameters.get(stack.name, {})
        declared = stack.template["Parameters"][name]
        if name in given:
            value = given[name]
        elif "Default" in declared:
            value = declared["Default"]
        else:
            return Unresolved(reason=f"parameter {name} of {stack.name} has no default")
        kind = str(declared.get("Type", "String"))
        if kind.startswith("AWS::SSM::Parameter"):
            return self._stored(str(value), stack)
        if kind.startswith("List<") or kind == "CommaDelimitedList":
            return [part.strip() for part in str(value).split(",")]
        return value

    def _stored(self, name: str, stack: Stack) -> Any:
        for other, resource in self.assembly.resources("AWS::SSM::Parameter"):
            if (other.account, other.region) == (stack.account, stack.region) and self.name_of(resource) == name:
                return self._value(resource.properties.get("Value"), other)
        return Unresolved(reason=f"Systems Manager parameter {name} is read at deployment")

    def _get_att(self, argument: Any, stack: Stack) -> Any:  # noqa: PLR0911  (one return a kind of attribute)
        if isinstance(argument, str):
            logical_id, _, attribute = argument.partition(".")
        elif isinstance(argument, list) and len(argument) == 2 and all(isinstance(part, str) for part in argument):
            logical_id, attribute = argument
        else:
            return Unresolved(reason="Fn::GetAtt with a computed attribute")
        resource = stack.resources.get(logical_id)
        if resource is None:
            return Unresolved(reason=f"{stack.name} has no resource {logical_id}")
        if attribute in ARN_ATTRIBUTES and (arn := self.arn_of(resource)) is not None:
            return arn
        if attribute in ID_ATTRIBUTES and _identity(resource).ref == "name" and not _identity(resource).name:
            return self.reference_of(resource)
        if attribute in SINGLE_NAMES:
            return self.name_of(resource)
        if resource.type == "AWS::S3::Bucket" and attribute in {"DomainName", "RegionalDomainName"}:
            place = f"s3.{stack.region}" if attribute == "RegionalDomainName" else "s3"
            return _joined("", [self.name_of(resource), f".{place}.amazonaws.com"])
        if resource.type == "AWS::SQS::Queue" and attribute == "QueueUrl":
            return self.reference_of(resource)
        if resource.type.startswith("AWS::RDS::DB") and attribute == "Endpoint.Port":
            return self._port(resource, stack)
        if resource.type == "AWS::NetworkFirewall::Firewall" and attribute == "EndpointIds":
            return self._firewall_endpoints(resource, stack)
        return f"<{stack.name}/{logical_id}.{attribute}>"

    def _port(self, database: Resource, stack: Stack) -> Any:
        """The port that the database listens on: its own, or its engine's default."""
        given = self._value(database.properties.get("Port"), stack)
        if given is not None:
            return given
        engine = str(database.properties.get("Engine", ""))
        default = next((port for name, port in ENGINE_PORTS.items() if name in engine), None)
        if default is None or database.type != "AWS::RDS::DBInstance":
            return f"<{stack.name}/{database.logical_id}.Endpoint.Port>"
        return default

    def _firewall_endpoints(self, firewall: Resource, stack: Stack) -> Any:
        zones: list[str] = []
        for mapping in self._value(firewall.properties.get("SubnetMappings", []), stack):
            found = INVENTED.fullmatch(str(mapping.get("SubnetId")))
            subnet = self.assembly[found[1]].resources.get(found[2]) if found and found[1] in self.assembly else None
            zone = self._value(subnet.properties.get("AvailabilityZone"), stack) if subnet else None
            if not isinstance(zone, str):
                return Unresolved(reason=f"{firewall.path}: a subnet without a known zone")
            zones.append(zone)
        return _AnyOrder(f"{zone}:<{stack.name}/{firewall.logical_id}.{zone}>" for zone in zones)

    # ----------------------------------------------------------------------------------------------------- functions

    def _join(self, argument: Any, stack: Stack) -> Any:
        if not isinstance(argument, list) or len(argument) != 2:
            return Unresolved(reason="malformed Fn::Join")
        parts = self._value(argument[1], stack)
        return _joined(str(argument[0]), parts) if isinstance(parts, list) else _unknown(parts, "Fn::Join of no list")

    def _sub(self, argument: Any, stack: Stack) -> Any:
        template, given = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])
        parts: list[Any] = []
        end = 0
        for match in _VARIABLE.finditer(template):
            parts.append(template[end : match.start()])
            end = match.end()
            name = match[2].strip()
            if match[1]:
                parts.append("${" + name + "}")
            elif name in given:
                parts.append(self._value(given[name], stack))
            else:
                parts.append(self._get_att(name, stack) if "." in name else self._ref(name, stack))
        return _joined("", [*parts, template[end:]])

    def _select(self, argument: Any, stack: Stack) -> Any:
        if not isinstance(argument, list) or len(argument) != 2:
            return Unresolved(reason="malformed Fn::Select")
        index, items = self._value(argument[0], stack), self._value(argument[1], stack)
        if isinstance(items, Unresolved):
            return items
        if not isinstance(items, list):
            return Unresolved(reason="Fn::Select of no list")
        if isinstance(items, _AnyOrder) and len(items) > 1:
            return Unresolved(reason="Fn::Select of a list that AWS gives in any order")
        try:
            return items[int(index)]
        except (TypeError, ValueError, IndexError):
            return Unresolved(reason=f"Fn::Select {index} of {len(items)} values")

    def _split(self, argument: Any, stack: Stack) -> Any:
        if not isinstance(argument, list) or len(argument) != 2:
            return Unresolved(reason="malformed Fn::Split")
        separator, text = str(argument[0]), self._value(argument[1], stack)
        if not isinstance(text, str):
            return _unknown(text, "Fn::Split of no text")
        opaque = [match[0] for match in INVENTED.finditer(text) if match[3] and not _plain_attribute(match[3])]
        if opaque:
            return Unresolved(reason=f"Fn::Split of {opaque[0]}, whose text only AWS knows")
        # Ids and zones hold no separator that templates split at; what stands between the brackets stays whole.
        parts, start, depth = [], 0, 0
        for position, character in enumerate(text):
            depth += (character == "<") - (character == ">")
            if depth == 0 and position >= start and text.startswith(separator, position):
                parts.append(text[start:position])
                start = position + len(separator)
        return [*parts, text[start:]]

    def _find_in_map(self, argument: Any, stack: Stack) -> Any:
        if not isinstance(argument, list) or len(argument) < 3:
            return Unresolved(reason="malformed Fn::FindInMap")
        node: Any = stack.template.get("Mappings", {})
        for key in argument[:3]:
            name = self._value(key, stack)
            if isinstance(name, Unresolved):
                return name
            if not isinstance(node, Mapping) or str(name) not in node:
                default = argument[3].get("DefaultValue", _NO_VALUE) if len(argument) > 3 else _NO_VALUE
                if default is not _NO_VALUE:
                    return self._value(default, stack)
                return Unresolved(reason=f"no entry {name} in the mapping {argument[0]}")
            node = node[str(name)]
        return node

    def exports(self) -> Mapping[tuple[str, str, str], tuple[Stack, Any]]:
        """Exporting stack and expression by account, region and export name."""
        if self._exports is None:
            self._exports = {}
            for stack in self.assembly.stacks:
                for output in stack.outputs.values():
                    if "Export" in output:
                        name = self._value(output["Export"].get("Name"), stack)
                        self._exports[stack.account, stack.region, str(name)] = (stack, output.get("Value"))
        return self._exports

    def _import_value(self, argument: Any, stack: Stack) -> Any:
        name = self._value(argument, stack)
        if not isinstance(name, str):
            return _unknown(name, "Fn::ImportValue of no text")
        exported = self.exports().get((stack.account, stack.region, name))
        if exported is None:
            return Unresolved(reason=f"nothing in {stack.account} {stack.region} exports {name}")
        return self._guarded((stack.name, f"export {name}"), lambda: self._value(exported[1], exported[0]))

    def _guarded(self, key: tuple[str, str], compute: Callable[[], Any]) -> Any:
        if key in self._open:
            return Unresolved(reason=f"{key[1]} refers to itself")
        self._open.add(key)
        try:
            return compute()
        finally:
            self._open.discard(key)

    def _base64(self, argument: Any, stack: Stack) -> Any:
        text = self._value(argument, stack)
        if not isinstance(text, str):
            return _unknown(text, "Fn::Base64 of no text")
        if INVENTED.search(text):
            return Unresolved(reason="Fn::Base64 of a text with invented ids", shape=text)
        return base64.b64encode(text.encode()).decode()

    def _cidr(self, argument: Any, stack: Stack) -> Any:
        block, count, bits = (*[self._value(part, stack) for part in argument], 8)[:3]
        try:
            network = ip_network(str(block))
            prefix = network.max_prefixlen - int(bits)
            blocks = network.subnets(new_prefix=prefix)
            return [str(next(blocks)) for _ in range(int(count))]
        except (TypeError, ValueError, StopIteration):
            return Unresolved(reason=f"Fn::Cidr of {block}")

    def _zones(self, argument: Any, stack: Stack) -> Any:
        region = self._value(argument, stack) or stack.region
        # The names of the zones are AWS's; three letters from "a" on are what an account has in every region used here.
        return [f"{region}{letter}" for letter in "abc"] if isinstance(region, str) else region

    def _length(self, argument: Any, stack: Stack) -> Any:
        items = self._value(argument, stack)
        return len(items) if isinstance(items, list) else _unknown(items, "Fn::Length of no list")

    def _to_json(self, argument: Any, stack: Stack) -> Any:
        value = self._value(argument, stack)
        missing = next(unresolved_in(value), None)
        return missing if missing is not None else json.dumps(value, separators=(",", ":"))

    # ---------------------------------------------------------------------------------------------------- conditions

    def condition(self, name: str, stack: Stack) -> bool | Unresolved:
        """Whether the named condition of the stack's template holds."""
        key = (stack.name, name)
        if key not in self._conditions:
            body = stack.template.get("Conditions", {}).get(name)
            found = (
                Unresolved(reason=f"{stack.name} has no condition {name}")
                if body is None
                else self._guarded((stack.name, f"condition {name}"), lambda: self._value(body, stack))
            )
            self._conditions[key] = found if isinstance(found, (bool, Unresolved)) else _truth(found)
        return self._conditions[key]

    def _condition(self, name: Any, stack: Stack) -> Any:
        return self.condition(str(name), stack)

    def _if(self, argument: Any, stack: Stack) -> Any:
        if not isinstance(argument, list) or len(argument) != 3:
            return Unresolved(reason="malformed Fn::If")
        holds = self.condition(str(argument[0]), stack)
        if isinstance(holds, Unresolved):
            return Unresolved(reason=f"condition {argument[0]}: {holds.reason}")
        return self._value(argument[1 if holds else 2], stack)

    def _operands(self, argument: Any, stack: Stack) -> list[bool | Unresolved]:
        items = argument if isinstance(argument, list) else [argument]
        return [_truth(self._value(item, stack)) for item in items]

    def _and(self, argument: Any, stack: Stack) -> bool | Unresolved:
        operands = self._operands(argument, stack)
        if False in operands:
            return False
        return next((item for item in operands if isinstance(item, Unresolved)), True)

    def _or(self, argument: Any, stack: Stack) -> bool | Unresolved:
        operands = self._operands(argument, stack)
        if True in operands:
            return True
        return next((item for item in operands if isinstance(item, Unresolved)), False)

    def _not(self, argument: Any, stack: Stack) -> bool | Unresolved:
        (operand, *_) = self._operands(argument, stack)
        return operand if isinstance(operand, Unresolved) else not operand

    def _equals(self, argument: Any, stack: Stack) -> bool | Unresolved:
        left, right = (self._value(item, stack) for item in argument)
        for side in (left, right):
            if isinstance(side, Unresolved):
                return side
            if isinstance(side, str) and INVENTED.search(side) and left != right:
                return Unresolved(reason=f"compares {side}, whose text only AWS knows")
        return _text(left) == _text(right)

    # ------------------------------------------------------------------------------------------------------ identity

    def name_of(self, resource: Resource) -> str | Unresolved:
        """The resource's physical name; ``<stack/LogicalId>`` if AWS invents it."""
        named = _identity(resource).name
        raw = resource.properties.get(named) if named else None
        if raw is None:
            return f"<{resource.stack}/{resource.logical_id}>"
        value = self._guarded(
            (resource.stack, f"the name of {resource.logical_id}"),
            lambda: self._value(raw, self.assembly[resource.stack]),
        )
        if value is _NO_VALUE:
            return f"<{resource.stack}/{resource.logical_id}>"
        return value if isinstance(value, Unresolved) else str(value)

    def arn_of(self, resource: Resource) -> str | Unresolved | None:
        """The resource's ARN, or None if its type has none that is made of names."""
        form = _identity(resource).arn
        if not form:
            return None
        name = self.name_of(resource)
        stack = self.assembly[resource.stack]
        if resource.type == "AWS::SSM::Parameter" and isinstance(name, str):
            name = name.removeprefix("/")
        path = resource.properties.get("Path", "/") if "{path}" in form else "/"
        arn = form.format(
            name=name.shape if isinstance(name, Unresolved) else name,
            region=stack.region,
            account=stack.account,
            path=path if isinstance(path, str) else "/",
        )
        return Unresolved(reason=name.reason, shape=arn) if isinstance(name, Unresolved) else arn

    def reference_of(self, resource: Resource) -> str | Unresolved:
        """What ``Ref`` returns for the resource."""
        kind = _identity(resource).ref
        if kind == "arn" and (arn := self.arn_of(resource)) is not None:
            return arn
        name = self.name_of(resource)
        if kind == "url":
            stack = self.assembly[resource.stack]
            joined = _joined("", [f"https://sqs.{stack.region}.amazonaws.com/{stack.account}/", name])
            return joined if isinstance(joined, Unresolved) else str(joined)
        return name


def _identity(resource: Resource) -> Identity:
    return IDENTITIES.get(resource.type, _UNKNOWN_TYPE)


_UNKNOWN_TYPE = Identity()


def _plain_attribute(attribute: str) -> bool:
    """Attributes known to be ids, zones or names, in which no separator occurs."""
    return (
        attribute in ID_ATTRIBUTES
        or attribute in SINGLE_NAMES
        or re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d[a-z]", attribute) is not None
    )


def _joined(separator: str, parts: list[Any]) -> str | Unresolved:
    texts: list[str] = []
    reason = ""
    for part in parts:
        if isinstance(part, Unresolved):
            reason = reason or part.reason
            texts.append(part.shape)
        elif part is _NO_VALUE or part is None:
            continue
        else:
            texts.append(_text(part))
    text = separator.join(texts)
    return Unresolved(reason=reason, shape=text) if reason else text


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _truth(value: Any) -> bool | Unresolved:
    if isinstance(value, (bool, Unresolved)):
        return value
    if value in {"true", "false"}:
        return bool(value == "true")
    return Unresolved(reason=f"{value!r} is no condition")


def _unknown(value: Any, reason: str) -> Unresolved:
    return value if isinstance(value, Unresolved) else Unresolved(reason=reason)
