"""Opens a credential as a workload would and says so; what it says goes nowhere.

Event: ``{"tenant", "purpose"}``. Answers ``{"version"}``, or ``{"refused"}`` with the reason.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from palisade_runtime.identifiers import InvalidIdentifierError, tenant_id
from palisade_runtime.logs import Logger
from palisade_runtime.vault import Place, Vault, VaultError, lent_vault

ITSELF = "vault-check"
"""On whose behalf it reads."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches."""

    vault: Vault
    logger: Logger


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return check(event, _services(context.invoked_function_arn.split(":")[4]))


def check(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """Read the credential and forget it.

    Raises:
        ClientError: the read could not be recorded, so it did not happen; or AWS did not answer.
    """
    try:
        place = Place(tenant=tenant_id(event.get("tenant")), purpose=str(event.get("purpose")))
        return {"version": services.vault.read(place, user=ITSELF).version}
    except (VaultError, InvalidIdentifierError) as refusal:
        services.logger.warning("vault.refused", reason=str(refusal))
        return {"refused": str(refusal)}


@functools.cache
def _services(account: str) -> Services:
    logger = Logger(service="check-credential")
    return Services(vault=lent_vault(account, logger), logger=logger)
