"""Called by the state machine alone: ``make``, then, when the time is over, ``delete`` and ``verify``.

Items are read through a session that carries the tenant's tag: what belongs to another tenant, AWS refuses. The key of the
pseudonyms is made for one export, held in memory and thrown away, so nobody can lead a pseudonym back.
"""

import functools
import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import boto3
from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.identifiers import tenant_id
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records
from palisade_runtime.sessions import TenantSessions, make_client

from make_debug_export.pseudonyms import FIELDS, pseudonymise

ACTOR = "make_debug_export"


class ExpiredError(Exception):
    """Its time was over before it was made."""


class LeftOverError(Exception):
    """A version is still there; the same call again goes on."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches; ``table`` is read, ``bucket`` keeps exports."""

    sessions: TenantSessions
    table: str
    s3: Any
    bucket: str
    records: Records
    clock: Clock
    logger: Logger


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return work(event, _services(context.invoked_function_arn.split(":")[4]))


def work(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """Do ``kind`` to ``export``; each may be repeated.

    Raises:
        ExpiredError: there is nothing to make any more.
        LeftOverError: something is still there.
        ClientError: a service did not answer; the same again goes on from there.
    """
    kind, export = event["kind"], str(event["export"])
    if kind == "make":
        return _make(export, event, services)
    versions = list(_versions(export, services))
    if kind == "delete":
        for one in versions:
            services.s3.delete_object(Bucket=services.bucket, Key=one["Key"], VersionId=one["VersionId"])
        return {"deleted": len(versions)}
    if versions:
        raise LeftOverError(f"{len(versions)} versions")
    services.records.keep(export, "deleted", {"at": services.clock()})
    services.logger.info("debug_export.deleted", export=export)
    return {"left": 0}


def _make(export: str, event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    made = services.records.read(export, "made")
    if made is None:
        if services.clock() >= datetime.fromisoformat(event["expires_at"]):
            raise ExpiredError(export)
        key = secrets.token_bytes(32)
        rows = [pseudonymise(item, key) for item in _items(tenant_id(event["tenant"]), int(event["rows"]), services)]
        body = json.dumps({"items": rows, "expires_at": event["expires_at"]}, indent=1).encode()
        services.s3.put_object(Bucket=services.bucket, Key=f"{export}.json", Body=body, ContentType="application/json")
        made = {"at": services.clock(), "rows": len(rows), "sha256": hashlib.sha256(body).hexdigest()}
        services.records.keep(export, "made", made)
        services.logger.info("debug_export.made", export=export, rows=len(rows))
    return {"rows": made["rows"]}


def _items(tenant: str, most: int, services: Services) -> Iterator[Mapping[str, Any]]:
    dynamodb = services.sessions.open(tenant=tenant, user=ACTOR).dynamodb
    names = {f"#{name}": name for name in FIELDS}
    start: dict[str, Any] = {}
    while most > 0:
        answer = dynamodb.query(
            TableName=services.table,
            KeyConditionExpression="#tenant = :tenant",
            ProjectionExpression=", ".join(names),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={":tenant": {"S": tenant}},
            Select="SPECIFIC_ATTRIBUTES",
            Limit=most,
            **start,
        )
        yield from answer["Items"]
        most -= len(answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _versions(export: str, services: Services) -> Iterator[dict[str, str]]:
    answer = services.s3.list_object_versions(Bucket=services.bucket, Prefix=f"{export}.json")
    for one in (*answer.get("Versions", ()), *answer.get("DeleteMarkers", ())):
        yield {"Key": one["Key"], "VersionId": one["VersionId"]}


@functools.cache
def _services(account: str) -> Services:
    values = read_environment(text=("TENANT_ROLE_ARN", "TABLE_NAME", "BUCKET_NAME", "RECORD_BUCKET", "RECORD_WORKFLOW"))
    return Services(
        sessions=TenantSessions(
            sts=make_client("sts"), role_arn=values["TENANT_ROLE_ARN"], make_client=make_client, clock=utc_now
        ),
        table=values["TABLE_NAME"],
        s3=make_client("s3"),
        bucket=values["BUCKET_NAME"],
        records=Records(
            s3=boto3.client("s3"), bucket=values["RECORD_BUCKET"], account=account, workflow=values["RECORD_WORKFLOW"]
        ),
        clock=utc_now,
        logger=Logger(service="make_debug_export"),
    )
