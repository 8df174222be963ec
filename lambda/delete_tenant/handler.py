"""Called by the state machine, again and again until it says that it is done.

It works through a session that carries the tenant's tag, and in the database through a role that sees one tenant's rows: what
belongs to another tenant, AWS and PostgreSQL refuse. Before every batch it asks whether the deletion still may go on.
"""

import functools
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from palisade_runtime.clock import utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.identifiers import tenant_id
from palisade_runtime.logs import Logger
from palisade_runtime.sessions import TenantSessions, make_client
from palisade_runtime.tenants import permit

from delete_tenant.stores import ObjectStore, Page, Store, TableStore, UserStore

ACTOR = "delete_tenant"
SPARE_MILLISECONDS = 60_000
"""A batch is not begun with less time left than this."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches: stores by name, each made for one tenant's session."""

    sessions: TenantSessions
    register: str
    stores: Mapping[str, Callable[[Any], Store]]
    logger: Logger


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return work(event, _services(), context.get_remaining_time_in_millis)


def work(event: Mapping[str, Any], services: Services, left: Callable[[], int]) -> dict[str, Any]:
    """Count or delete (``phase``) what ``tenant`` has in ``store``; the answer is the next call's event until ``done``.

    Raises:
        HeldError, NotAuthorizedError: it must not go on.
        Whatever a store raises: the same call again goes on from there.
    """
    tenant, request, phase = tenant_id(event["tenant"]), str(event["request"]), event["phase"]
    clients = services.sessions.open(tenant=tenant, user=ACTOR)
    store = services.stores[event["store"]](clients)
    step = store.delete if phase == "delete" else store.count
    number, checkpoint = int(event["number"]), event["checkpoint"] or None
    logger = services.logger.bind(tenant=tenant, request=request, store=event["store"], phase=phase)
    while True:
        permit(clients.dynamodb, services.register, tenant, request)
        page: Page = step(tenant, checkpoint)
        number, checkpoint = number + page.number, page.next
        if checkpoint is None or left() < SPARE_MILLISECONDS:
            logger.info("tenant.counted" if phase == "count" else "tenant.deleted", number=number, done=not checkpoint)
            return {**event, "number": number, "checkpoint": checkpoint or "", "done": checkpoint is None}


@functools.cache
def _services() -> Services:
    values = read_environment(
        text=("TENANT_ROLE_ARN", "REGISTER", "STORES", "HOST", "DATABASE", "USER_POOL_ID"), integers=("PORT",)
    )
    made: dict[str, Callable[[Any], Store]] = {}
    for name, (kind, *where) in json.loads(values["STORES"]).items():
        match kind:
            case "table":
                made[name] = functools.partial(_table, *where)
            case "objects":
                made[name] = functools.partial(_objects, *where)
            case "database":
                made[name] = functools.partial(_database, values)
            case "users":
                providers = json.loads(os.environ.get("PROVIDER_TENANTS") or "{}")
                made[name] = functools.partial(_users, values["USER_POOL_ID"], providers)
            case _:
                raise ValueError(f"STORES: {name} is of the unknown kind {kind}")
    return Services(
        sessions=TenantSessions(
            sts=make_client("sts"), role_arn=values["TENANT_ROLE_ARN"], make_client=make_client, clock=utc_now
        ),
        register=values["REGISTER"],
        stores=made,
        logger=Logger(service="delete_tenant"),
    )


def _table(table: str, sort: str, clients: Any) -> Store:
    return TableStore(dynamodb=clients.dynamodb, table=table, sort=sort)


def _objects(bucket: str, clients: Any) -> Store:
    return ObjectStore(s3=clients.s3, bucket=bucket)


def _users(pool: str, providers: Mapping[str, str], _clients: Any) -> Store:
    return UserStore(cognito=make_client("cognito-idp"), pool=pool, providers=providers)


def _database(values: Mapping[str, str], _clients: Any) -> Store:
    # The driver is loaded by the step that needs it.
    from delete_tenant.database import DatabaseStore  # noqa: PLC0415

    host, port = values["HOST"], int(values["PORT"])

    def password(user: str) -> str:
        token: str = boto3.client("rds").generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user)
        return token

    return DatabaseStore.at(host=host, port=port, database=values["DATABASE"], password=password)
