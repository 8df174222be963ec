"""Called by Cognito before it signs a token: says whose user this is, and refuses whoever belongs to nobody.

The tenant comes from where no user can write: from the provider that let the user in, each of which speaks for one tenant,
or from an attribute that only administrators of the pool set.
Source: https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
"""

import functools
import json
from collections.abc import Iterable, Mapping
from typing import Any

from palisade_runtime.environment import read_environment
from palisade_runtime.identifiers import InvalidIdentifierError, tenant_id, user_reference
from palisade_runtime.logs import Logger

ROLES = ("administrator", "editor", "reader")
"""The most powerful first. Whoever is in no group reads."""


class NoTenantError(Exception):
    """Nobody said whose user this is, or two did and disagree. Cognito refuses the sign-in and shows this text."""

    def __init__(self) -> None:
        super().__init__("no tenant")


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Lambda's entry point."""
    logger = Logger(service="shape_token").bind(user=_reference(event))
    request = event.get("request") or {}
    try:
        tenant = tenant_of(request.get("userAttributes") or {}, _provider_tenants())
    except NoTenantError:
        logger.warning("token.refused", reason="no tenant")
        raise
    role = role_of((request.get("groupConfiguration") or {}).get("groupsToOverride") or [])
    logger.info("token.shaped", tenant=tenant, role=role)
    event["response"] = {
        "claimsAndScopeOverrideDetails": {
            "accessTokenGeneration": {"claimsToAddOrOverride": {"tenant": tenant, "role": role}}
        }
    }
    return event


def tenant_of(attributes: Mapping[str, Any], provider_tenants: Mapping[str, str]) -> str:
    """The tenant of a user: its provider's, or its own attribute, or both if they agree; else NoTenantError."""
    named = {provider_tenants[name] for name in _providers(attributes.get("identities")) if name in provider_tenants}
    if attributes.get("custom:tenant"):
        named.add(str(attributes["custom:tenant"]))
    if len(named) != 1:
        raise NoTenantError
    try:
        return tenant_id(named.pop())
    except InvalidIdentifierError:
        raise NoTenantError from None


def role_of(groups: Iterable[object]) -> str:
    """The most powerful role among the groups."""
    present = set(map(str, groups))
    return next((role for role in ROLES if role in present), ROLES[-1])


def _providers(identities: object) -> list[str]:
    """Names of the providers that a user signs in through; Cognito gives them as JSON in an attribute of its own."""
    try:
        parsed = json.loads(identities) if isinstance(identities, str) else []
    except ValueError:
        raise NoTenantError from None
    entries = parsed if isinstance(parsed, list) else [parsed]
    return [str(entry.get("providerName")) for entry in entries if isinstance(entry, dict)]


def _reference(event: Mapping[str, Any]) -> str:
    try:
        return user_reference((event.get("request") or {}).get("userAttributes", {}).get("sub"))
    except InvalidIdentifierError:
        return "unknown"


@functools.cache
def _provider_tenants() -> Mapping[str, str]:
    tenants = json.loads(read_environment(text=("PROVIDER_TENANTS",))["PROVIDER_TENANTS"])
    return {str(name): str(tenant) for name, tenant in tenants.items()}
