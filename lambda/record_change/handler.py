"""The function that whoever deploys calls before and after: it refuses what must not go out, and records both.

Events: ``{"kind": "begin", <the change>}``, ``{"kind": "end", "change", "outcome": "succeeded" | "failed"}``, and from a
schedule ``{"kind": "sweep"}``. Answers ``{"event", "sequence", "digest", "objections"}``.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import boto3
from palisade_runtime.clock import utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records

from record_change.chain import canonical, digest
from record_change.ledger import Ledger
from record_change.rules import Change, RefusedChangeError, objections


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches, and its rules: ``owners`` have a chain, ``guarded`` ones need an approval."""

    ledger: Ledger
    dynamodb: Any
    approvals: str
    owners: frozenset[str]
    guarded: frozenset[str]
    logger: Logger


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return record(event, _services(context.invoked_function_arn.split(":")[4]))


def record(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """Do what ``event`` asks for.

    Raises:
        RefusedChangeError: the event is malformed; nothing was recorded.
        ClientError: nothing, or not everything, was recorded; the same event again goes on from there.
    """
    kind = event.get("kind")
    if kind == "sweep":
        found = sum(services.ledger.archive_recent(owner) for owner in sorted(services.owners))
        services.logger.info("ledger.swept", missing=found)
        return {"event": "swept", "missing": found}
    if kind == "begin":
        return _begin(event, services)
    if kind == "end":
        return _end(event, services)
    raise RefusedChangeError(["kind must be begin, end or sweep"])


def _begin(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    change = Change.read(event)
    if change.owner not in services.owners:
        raise RefusedChangeError([f"owner must be one of {', '.join(sorted(services.owners))}"])
    decided = next(
        filter(None, (services.ledger.event(change.change, name) for name in ("authorised", "refused"))), None
    )
    if decided is None:
        approvers = _approvers(change, services)
        found = objections(change, approvers, approval=change.owner in services.guarded)
        decided = services.ledger.append(
            change.owner,
            "refused" if found else "authorised",
            change.change,
            {**asdict(change), "approvers": list(approvers), "objections": found},
        )
    elif {key: decided[key] for key in ("commit", "templates")} != {
        "commit": change.commit,
        "templates": change.templates,
    }:
        raise RefusedChangeError([f"change {change.change} was begun with another commit or other templates"])
    else:
        services.ledger.append(decided["chain"], decided["event"], change.change, {})
    services.logger.info("ledger.begun", change=change.change, decision=decided["event"])
    return _answer(decided)


def _end(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    change, outcome = event.get("change"), event.get("outcome")
    if not isinstance(change, str) or outcome not in {"succeeded", "failed"}:
        raise RefusedChangeError(["change must be text and outcome succeeded or failed"])
    begun = services.ledger.event(change, "authorised")
    if begun is None:
        raise RefusedChangeError([f"change {change[:128]} was never authorised"])
    ended = services.ledger.append(begun["chain"], outcome, change, {"commit": begun["commit"]})
    return _answer(ended)


def _approvers(change: Change, services: Services) -> Sequence[str]:
    """Who approved this commit for this owner. IAM lets a person write only under the id of their own session.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    found: set[str] = set()
    start: dict[str, Any] = {}
    while True:
        answer = services.dynamodb.scan(
            TableName=services.approvals,
            FilterExpression="#what = :what AND expires_at > :now",
            ExpressionAttributeNames={"#what": "what"},
            ExpressionAttributeValues={
                ":what": {"S": f"{change.owner}@{change.commit}"},
                ":now": {"N": str(int(services.ledger.clock().timestamp()))},
            },
            ConsistentRead=True,
            **start,
        )
        found.update(item["approver"]["S"].partition(":")[2].casefold() for item in answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return sorted(found)
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _answer(decided: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "event": decided["event"],
        "sequence": decided["sequence"],
        "digest": digest(canonical(decided)),
        "objections": decided.get("objections", []),
    }


@functools.cache
def _services(account: str) -> Services:
    settings = read_environment(
        text=("LEDGER_TABLE", "APPROVAL_TABLE", "OWNERS", "GUARDED", "RECORD_BUCKET", "RECORD_WORKFLOW")
    )
    dynamodb = boto3.client("dynamodb")
    return Services(
        ledger=Ledger(
            dynamodb=dynamodb,
            table=settings["LEDGER_TABLE"],
            records=Records(
                s3=boto3.client("s3"),
                bucket=settings["RECORD_BUCKET"],
                account=account,
                workflow=settings["RECORD_WORKFLOW"],
            ),
            clock=utc_now,
        ),
        dynamodb=dynamodb,
        approvals=settings["APPROVAL_TABLE"],
        owners=frozenset(settings["OWNERS"].split()),
        guarded=frozenset(settings["GUARDED"].split()),
        logger=Logger(service="record-change"),
    )
