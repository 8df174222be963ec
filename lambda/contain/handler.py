"""The function that responders call: it plans, does and undoes containment in one stage, by what they said under their own names.

Events: ``{"kind": "plan", "action", "target"}``, ``{"kind": "do", "id"}``, ``{"kind": "undo", "id"}`` and ``{"kind": "list"}``.
Answers carry an ``outcome``; one that is refused carries ``problems``.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from palisade_runtime.clock import utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records

from contain.action import Action, RefusedError
from contain.addresses import BlockAddress, Firewall
from contain.containment import Containment
from contain.functions import IsolateFunction
from contain.instances import QuarantineInstance
from contain.keys import DisableAccessKey, DisableKey
from contain.roles import RevokeSessions
from contain.users import BlockUser

EDGE_REGION = "us-east-1"
_ID = re.compile(r"[0-9a-f]{12}-[0-9]{1,6}")


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches."""

    containment: Containment
    logger: Logger


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return answer(event, _services(context.invoked_function_arn.split(":")[4]))


def answer(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """Do what ``event`` asks for.

    Raises:
        ClientError: AWS did not answer; the same event again goes on from there.
    """
    kind, containment = event.get("kind"), services.containment
    identity = str(event.get("id"))
    try:
        if kind == "list":
            return {"outcome": "listed", "containments": containment.every()}
        if kind == "plan":
            said = containment.plan(str(event.get("action")), str(event.get("target")))
        elif kind not in {"do", "undo"}:
            raise RefusedError("kind must be plan, do, undo or list.")
        elif not _ID.fullmatch(identity):
            raise RefusedError(f'{identity[:64]} is no id of a containment. "plan" and "list" say them.')
        else:
            said = containment.do(identity) if kind == "do" else containment.undo(identity)
    except RefusedError as error:
        services.logger.warning("refused", kind=str(kind), id=identity)
        return {"outcome": "refused", "id": identity, "problems": list(error.problems)}
    services.logger.info("answered", kind=str(kind), id=said["id"], outcome=said["outcome"])
    return said


@functools.cache
def _services(account: str) -> Services:
    texts = (
        "RECORD_BUCKET",
        "RECORD_WORKFLOW",
        "STAGE",
        "GUARDED",
        "BOUNDARY",
        "EMERGENCY_ROLE",
        "OWN_ROLE",
        "VPC",
        "QUARANTINE_GROUP",
        "KEY_ALIASES",
        "BLOCKED_HERE",
        "BLOCKED_AT_EDGE",
        "USER_POOL",
    )
    settings = read_environment(text=texts)
    iam = boto3.client("iam")
    actions: list[Action] = [
        QuarantineInstance(
            ec2=boto3.client("ec2"),
            scaling=boto3.client("autoscaling"),
            vpc=settings["VPC"],
            group=settings["QUARANTINE_GROUP"],
        ),
        RevokeSessions(
            iam=iam,
            boundary=settings["BOUNDARY"],
            spared=settings["OWN_ROLE"],
            emergency=settings["EMERGENCY_ROLE"],
        ),
        DisableKey(kms=boto3.client("kms"), aliases=frozenset(settings["KEY_ALIASES"].split())),
        DisableAccessKey(iam=iam),
        BlockAddress(
            firewalls={
                "edge": _firewall(
                    boto3.client("wafv2", region_name=EDGE_REGION), "CLOUDFRONT", settings["BLOCKED_AT_EDGE"]
                ),
                "home region": _firewall(boto3.client("wafv2"), "REGIONAL", settings["BLOCKED_HERE"]),
            }
        ),
        IsolateFunction(functions=boto3.client("lambda"), prefix=f"{settings['STAGE']}-"),
    ]
    if settings["USER_POOL"] != "-":
        actions.append(BlockUser(cognito=boto3.client("cognito-idp"), pool=settings["USER_POOL"]))
    return Services(
        containment=Containment(
            records=Records(
                s3=boto3.client("s3"),
                bucket=settings["RECORD_BUCKET"],
                account=account,
                workflow=settings["RECORD_WORKFLOW"],
            ),
            actions={action.name: action for action in actions},
            guarded=settings["GUARDED"] == "yes",
            clock=utc_now,
        ),
        logger=Logger(service="contain"),
    )


def _firewall(waf: Any, scope: str, name: str) -> Firewall:
    return Firewall(waf=waf, scope=scope, sets={4: f"{name}-v4", 6: f"{name}-v6"})
