"""The function that keepers of credentials call after they said under their own name what they want.

Events: ``{"kind": "put", "request", "tenant", "purpose", "version", "value"}``, ``{"kind": "rotate" | "take-back", "request",
"tenant", "purpose", "version"}`` and ``{"kind": "list", "tenant"?}``. All but the last are refused unless somebody's deed
of that kind and request, which names the rest, lies in the archive. Answers ``{"state"}``, or ``{"entries", "key"}``, or
``{"refused"}`` with the reason.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.identifiers import InvalidIdentifierError, tenant_id, user_reference
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records
from palisade_runtime.vault import SETTINGS, Place, Secret, VaultError, vault_sessions, version_id

from keep_credential.keeping import Keeper

DEED_MINUTES = 15
"""How old the word of a person may be."""
ITSELF = "vault-keeper"
"""On whose behalf the list is made, which nobody needs to ask for by name."""

_DEEDS = {"put": "kept", "rotate": "rotated", "take-back": "taken-back"}


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches."""

    keeper: Keeper
    records: Records
    clock: Clock
    logger: Logger


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return keep(event, _services(context.invoked_function_arn.split(":")[4]))


def keep(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """Do what ``event`` asks for, or say why not.

    Raises:
        ClientError: AWS did not answer; the same event again goes on from there.
    """
    kind = event.get("kind")
    try:
        if kind == "list":
            return _list(event, services)
        if kind not in _DEEDS:
            raise VaultError("kind must be put, rotate, take-back or list")
        return _change(str(kind), event, services)
    except (VaultError, InvalidIdentifierError) as refusal:
        services.logger.warning("vault.refused", kind=str(kind), reason=str(refusal))
        return {"refused": str(refusal)}


def _change(kind: str, event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    place = Place(tenant=tenant_id(event.get("tenant")), purpose=str(event.get("purpose")))
    version, request = version_id(event.get("version")), version_id(event.get("request"))
    person = _doer(kind, request, {**place.context, "version": version}, services)
    user = user_reference(person)
    state = "current"
    if kind == "put":
        value = event.get("value")
        if not isinstance(value, str):
            raise VaultError("value must be text")
        state = services.keeper.put(place, version, Secret(value), user=user)
    elif kind == "rotate":
        services.keeper.rotate(place, version, user=user)
    else:
        services.keeper.take_back(place, version, user=user)
    said = {"at": services.clock().isoformat(), "purpose": place.purpose, "version": version, "who": person}
    services.records.keep(place.tenant, f"{_DEEDS[kind]}.{place.purpose}.{request}", said)
    services.logger.info(
        f"vault.{_DEEDS[kind]}", tenant=place.tenant, purpose=place.purpose, version=version, user=user
    )
    return {"state": state}


def _doer(kind: str, request: str, what: Mapping[str, str], services: Services) -> str:
    """Who said just now that this be done; IAM lets a person write under their own id only."""
    since = services.clock() - timedelta(minutes=DEED_MINUTES)
    deeds = [deed for deed in services.records.deeds(kind, request) if deed.at >= since and deed.body == what]
    if not deeds:
        raise VaultError(f"nobody said within the last {DEED_MINUTES} minutes that this be done")
    return deeds[-1].person or deeds[-1].user_id.casefold()


def _list(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    keeper = services.keeper
    asked = event.get("tenant")
    tenants = keeper.tenants(user=ITSELF) if asked is None else [tenant_id(asked)]
    entries = [entry for tenant in tenants for entry in keeper.entries(tenant, user=ITSELF)]
    return {"entries": entries, "key": keeper.sessions.current_key(ITSELF)}


@functools.cache
def _services(account: str) -> Services:
    settings = read_environment(text=SETTINGS)
    return Services(
        keeper=Keeper(sessions=vault_sessions(settings), table=settings["VAULT_TABLE_NAME"], clock=utc_now),
        records=Records(
            s3=boto3.client("s3"),
            bucket=settings["RECORD_BUCKET"],
            account=account,
            workflow=settings["RECORD_WORKFLOW"],
        ),
        clock=utc_now,
        logger=Logger(service="keep-credential"),
    )
