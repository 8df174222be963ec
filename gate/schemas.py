"""What CloudFormation's own schemas say a type can do, as cfn-lint packages them."""

from __future__ import annotations

import functools
import re
from typing import Any

_KEY = re.compile(
    r"(?i)^(kms|kmsmaster)?(kms)(master)?key(id|arn|identifier)?$|^(customermanagedkey|encryptionkey(arn|id)?)$"
)


@functools.cache
def schema(resource_type: str) -> dict[str, Any]:
    """The provider schema of a type; empty for a custom or unknown one."""
    import cfnlint.schema
    from cfnlint.schema import ResourceNotFoundError

    try:
        found: dict[str, Any] = cfnlint.schema.PROVIDER_SCHEMA_MANAGER.get_resource_schema(
            region="us-east-1", resource_type=resource_type
        ).schema
    except ResourceNotFoundError:
        return {}
    return found


@functools.cache
def key_properties(resource_type: str) -> tuple[tuple[str, ...], ...]:
    """Top-level properties of the type that name an encryption key."""
    return tuple((name,) for name in schema(resource_type).get("properties", {}) if _KEY.match(name))


@functools.cache
def property_names(resource_type: str) -> frozenset[str]:
    """Top-level properties of the type."""
    return frozenset(schema(resource_type).get("properties", {}))


def _at(resource_type: str, path: tuple[str | int, ...]) -> dict[str, Any]:
    """What the schema says of the value at ``path``; empty where it does not say."""
    root = schema(resource_type)
    node: dict[str, Any] = root
    for part in path:
        node = node.get("items", {}) if isinstance(part, int) else node.get("properties", {}).get(part, {})
        reference = node.get("$ref", "").rpartition("/")[2]
        if reference:
            node = root.get("definitions", {}).get(reference, {})
    return node


@functools.cache
def allowed_values(resource_type: str, path: tuple[str | int, ...]) -> tuple[str, ...]:
    """The words that the schema allows at ``path``; empty if it does not list them."""
    return tuple(str(value) for value in _at(resource_type, path).get("enum", ()))


@functools.cache
def demanded(resource_type: str, path: tuple[str | int, ...]) -> bool:
    """Whether CloudFormation refuses the resource without the property at ``path``."""
    return path[-1] in _at(resource_type, path[:-1]).get("required", ())


@functools.cache
def bounds(resource_type: str, path: tuple[str | int, ...]) -> tuple[float, float]:
    """The least and the greatest number that the schema allows at ``path``."""
    said = _at(resource_type, path)
    return float(said.get("minimum", 0)), float(said.get("maximum", "inf"))


@functools.cache
def offered(resource_type: str, region: str) -> bool:
    """Whether CloudFormation has the type in the region."""
    import cfnlint.schema
    from cfnlint.schema import ResourceNotFoundError

    try:
        cfnlint.schema.PROVIDER_SCHEMA_MANAGER.get_resource_schema(region=region, resource_type=resource_type)
    except ResourceNotFoundError:
        return False
    return True
