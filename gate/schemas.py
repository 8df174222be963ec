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
