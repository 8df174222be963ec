"""Moves every credential to a new data key under the key in use.

Event: ``{"request", "after"?}``; ``request`` names somebody's deed ``reencrypt`` in the archive, and each item that is done
bears its name. Answers ``{"done", "moved", "after"}``: whoever calls goes on with ``after`` until ``done``; a call that
dies is repeated and finds what is left. Or ``{"refused"}`` with the reason.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
from botocore.exceptions import ClientError
from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.identifiers import InvalidIdentifierError, tenant_id, user_reference
from palisade_runtime.logs import Logger
from palisade_runtime.records import Deed, Records
from palisade_runtime.vault import (
    DIRECTORY,
    SETTINGS,
    Place,
    VaultClients,
    VaultError,
    VaultSessions,
    query,
    typed,
    vault_sessions,
    version_id,
)

DEED_HOURS = 24
"""How old the word of a person may be: repeating it goes on with what it began."""
SPARE_MILLISECONDS = 30_000
"""No tenant is begun with less left; one tenant's credentials take seconds."""

EVERYBODY = "all@vault"
"""In the archive, the subject of what concerns every tenant; none can be named so."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches."""

    sessions: VaultSessions
    table: str
    records: Records
    clock: Clock
    logger: Logger


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return reencrypt(
        event,
        _services(context.invoked_function_arn.split(":")[4]),
        lambda: context.get_remaining_time_in_millis() > SPARE_MILLISECONDS,
    )


def reencrypt(event: Mapping[str, Any], services: Services, time_left: Callable[[], bool]) -> dict[str, Any]:
    """Seal anew what the deed has not reached yet, as far as time allows.

    Raises:
        VaultError: a credential cannot be opened; it stays as it is, and those before it are done.
        ClientError: AWS did not answer; the same event again goes on from there.
    """
    try:
        request = version_id(event.get("request"))
        after = event.get("after")
        after = "" if after is None else tenant_id(after)
        deed = _deed(request, services)
    except (VaultError, InvalidIdentifierError) as refusal:
        services.logger.warning("vault.refused", kind="reencrypt", reason=str(refusal))
        return {"refused": str(refusal)}
    user = user_reference(deed.person or deed.user_id.casefold())
    services.records.keep(EVERYBODY, f"reencryption-began.{request}", {"at": deed.at.isoformat(), "who": deed.person})
    moved = 0
    for item in query(services.sessions.directory(user), services.table, DIRECTORY):
        tenant = item["entry"]
        if tenant <= after:
            continue
        if not time_left():
            return {"done": False, "moved": moved, "after": after}
        clients = services.sessions.of(tenant, user)
        moved += sum(_move(clients, services, one, request) for one in query(clients.dynamodb, services.table, tenant))
        after = tenant
    services.records.keep(
        EVERYBODY, f"reencryption-ended.{request}", {"at": services.clock().isoformat(), "who": deed.person}
    )
    services.logger.info("vault.reencrypted", request=request, moved=moved, user=user)
    return {"done": True, "moved": moved, "after": after}


def _move(clients: VaultClients, services: Services, item: Mapping[str, Any], request: str) -> bool:
    """Whether the item was sealed anew; not if it is a head, is done already, or changed in the meantime."""
    purpose, separator, version = item["entry"].partition("#")
    if not separator or item.get("sealed_for") == request:
        return False
    place = Place(tenant=clients.tenant, purpose=purpose)
    secret = clients.sealer.open(place, version, item["sealed"], key=item["key"])
    sealed = clients.sealer.seal(place, version, secret)
    try:
        clients.dynamodb.update_item(
            TableName=services.table,
            Key=typed(place.key(version)),
            UpdateExpression="SET sealed = :sealed, #key = :key, sealed_at = :now, sealed_for = :request",
            ConditionExpression="sealed = :before",
            ExpressionAttributeNames={"#key": "key"},
            ExpressionAttributeValues=typed(
                {
                    ":sealed": sealed,
                    ":key": clients.sealer.key,
                    ":now": services.clock().isoformat(),
                    ":request": request,
                    ":before": item["sealed"],
                }
            ),
        )
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
            raise
        return False
    return True


def _deed(request: str, services: Services) -> Deed:
    """Who said that everything be sealed anew, and when."""
    since = services.clock() - timedelta(hours=DEED_HOURS)
    deeds = [deed for deed in services.records.deeds("reencrypt", request) if deed.at >= since]
    if not deeds:
        raise VaultError(f"nobody said within the last {DEED_HOURS} hours that this be done")
    return deeds[0]


@functools.cache
def _services(account: str) -> Services:
    settings = read_environment(text=SETTINGS)
    return Services(
        sessions=vault_sessions(settings),
        table=settings["VAULT_TABLE_NAME"],
        records=Records(
            s3=boto3.client("s3"),
            bucket=settings["RECORD_BUCKET"],
            account=account,
            workflow=settings["RECORD_WORKFLOW"],
        ),
        clock=utc_now,
        logger=Logger(service="reencrypt-credentials"),
    )
