"""Called by the state machine alone: its events are what the deletion's steps answered.

``{"kind": "open"}`` puts the tombstone, ``counted`` keeps how much there was, ``certify`` writes the certificate once nothing is
left, and ``stopped`` records that a hold came between. Everything may be repeated.
"""

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import boto3
from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.identifiers import tenant_id
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records
from palisade_runtime.tenants import Register

from certify_deletion.certificate import Kept, certificate, digest, markdown

DRAIN_MINUTES = 20
"""From the tombstone to the first count: an upload's URL is good for fifteen, and what is under way takes its time."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches, and the facts of its stage."""

    register: Register
    records: Records
    clock: Clock
    where: Mapping[str, str]
    backups: tuple[Kept, ...]
    logs: tuple[Kept, ...]
    logger: Logger


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return act(event, _services(context.invoked_function_arn.split(":")[4]))


def act(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """Do what ``event`` asks for.

    Raises:
        HeldError, NotAuthorizedError: it must not go on.
        ValueError: the event is none.
        ClientError: a store did not answer; the same again goes on from there.
    """
    tenant, request = tenant_id(event["tenant"]), str(event["request"])
    logger = services.logger.bind(tenant=tenant, request=request)
    match event["kind"]:
        case "open":
            at = services.register.close(tenant, request, services.clock())
            services.records.keep(tenant, f"begun-{request}", {"tenant": tenant, "request": request, "closed_at": at})
            logger.info("deletion.begun")
            return {"drained_at": _text(at + timedelta(minutes=DRAIN_MINUTES))}
        case "counted":
            return {"found": dict(services.register.count(tenant, _numbers(event["counts"])))}
        case "certify":
            return _certify(tenant, request, event, services, logger)
        case "stopped":
            at = services.clock()
            name = f"stopped-{request}-{at:%Y%m%dT%H%M%SZ}"
            services.records.keep(tenant, name, {"tenant": tenant, "request": request, "at": at, "because": "hold"})
            logger.warning("deletion.stopped", reason="hold")
            return {"stopped": True}
    raise ValueError(f"unknown kind {event['kind']}")


def _certify(tenant: str, request: str, event: Mapping[str, Any], services: Services, logger: Logger) -> dict[str, Any]:
    left, rounds = _numbers(event["counts"]), int(event["rounds"]) + 1
    if any(left.values()):
        logger.warning("deletion.incomplete", left=left)
        return {"left": sum(left.values()), "rounds": rounds}
    known = services.register.get(tenant)
    if known.found is None or known.closed_at is None or known.request != request:
        raise ValueError(f"{tenant} was not counted for {request}")
    made = certificate(
        where=services.where,
        tenant=tenant,
        request=request,
        basis=_basis(services.records.read(tenant, f"authorized-{request}") or {}),
        closed_at=known.closed_at,
        at=services.clock(),
        found=known.found,
        left=left,
        backups=services.backups,
        logs=services.logs,
    )
    body = {"certificate": made, "digest": digest(made), "markdown": markdown(made)}
    if not services.records.keep(tenant, f"certificate-{request}", body):
        # The first one is the certificate: this call is a repetition.
        body = services.records.read(tenant, f"certificate-{request}") or body
    services.register.finish(tenant, request)
    logger.info("deletion.certified", digest=body["digest"])
    return {"left": 0, "rounds": rounds, "digest": body["digest"]}


def _basis(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: record[name] for name in ("because", "asked_by", "approved_by", "at") if record.get(name)}


def _numbers(counts: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    return {str(one["store"]): int(one["number"]) for one in counts}


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


@functools.cache
def _services(account: str) -> Services:
    values = read_environment(
        text=("REGISTER", "RECORD_BUCKET", "RECORD_WORKFLOW", "DEPLOYMENT", "STAGE", "BACKUPS", "LOGS")
    )
    return Services(
        register=Register(dynamodb=boto3.client("dynamodb"), table=values["REGISTER"]),
        records=Records(
            s3=boto3.client("s3"), bucket=values["RECORD_BUCKET"], account=account, workflow=values["RECORD_WORKFLOW"]
        ),
        clock=utc_now,
        where={"deployment": values["DEPLOYMENT"], "stage": values["STAGE"], "account": account},
        backups=_kept(values["BACKUPS"]),
        logs=_kept(values["LOGS"]),
        logger=Logger(service="certify_deletion"),
    )


def _kept(text: str) -> tuple[Kept, ...]:
    return tuple(Kept(what=what, days=days, why=why) for what, days, why in json.loads(text))
