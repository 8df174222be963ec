"""The function that whoever deploys calls before and after: it refuses what must not go out, and records both.

Events: ``{"kind": "begin", <the change>}``, ``{"kind": "end", "owner", "change", "outcome": "succeeded" | "failed"}`` and
``{"kind": "last", "owner"}``, which asks for the commit that was last deployed. Answers ``{"event", "sequence", "digest",
"objections", "commit"}``.
"""

import functools
from collections.abc import Mapping
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
        ClientError: the archive did not answer; the same event again goes on from there.
    """
    kind = event.get("kind")
    if kind == "begin":
        return _begin(event, services)
    if kind == "end":
        return _end(event, services)
    if kind == "last":
        last = services.ledger.find(_owner(event, services), lambda one: one["event"] == "succeeded")
        return _NOTHING if last is None else _answer(last)
    raise RefusedChangeError(["kind must be begin, end or last"])


def _begin(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    change = Change.read(event)
    _owner(event, services)
    decided = services.ledger.find(
        change.owner, lambda one: one["change"] == change.change and one["event"] in {"authorised", "refused"}
    )
    if decided is None:
        approvers = services.ledger.approvers(change.owner, change.commit)
        found = objections(change, approvers, approval=change.owner in services.guarded)
        decided = services.ledger.append(
            change.owner,
            "refused" if found else "authorised",
            change.change,
            {**asdict(change), "approvers": approvers, "objections": found},
        )
    if (decided["commit"], decided["templates"]) != (change.commit, change.templates):
        raise RefusedChangeError([f"change {change.change} was begun with another commit or other templates"])
    services.logger.info("ledger.begun", change=change.change, decision=decided["event"])
    return _answer(decided)


def _end(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    owner, change, outcome = _owner(event, services), event.get("change"), event.get("outcome")
    if not isinstance(change, str) or outcome not in {"succeeded", "failed"}:
        raise RefusedChangeError(["change must be text and outcome succeeded or failed"])
    begun = services.ledger.find(owner, lambda one: one["change"] == change and one["event"] == "authorised")
    if begun is None:
        raise RefusedChangeError([f"change {change[:128]} was never authorised"])
    return _answer(services.ledger.append(owner, outcome, change, {"commit": begun["commit"]}))


def _owner(event: Mapping[str, Any], services: Services) -> str:
    owner = event.get("owner")
    if not isinstance(owner, str) or owner not in services.owners:
        raise RefusedChangeError([f"owner must be one of {', '.join(sorted(services.owners))}"])
    return owner


_NOTHING: dict[str, Any] = {"event": "none", "sequence": 0, "digest": "", "objections": [], "commit": ""}


def _answer(decided: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "event": decided["event"],
        "sequence": decided["sequence"],
        "digest": digest(canonical(decided)),
        "objections": decided.get("objections", []),
        "commit": decided["commit"],
    }


@functools.cache
def _services(account: str) -> Services:
    settings = read_environment(text=("OWNERS", "GUARDED", "RECORD_BUCKET", "RECORD_WORKFLOW"))
    return Services(
        ledger=Ledger(
            records=Records(
                s3=boto3.client("s3"),
                bucket=settings["RECORD_BUCKET"],
                account=account,
                workflow=settings["RECORD_WORKFLOW"],
            ),
            clock=utc_now,
        ),
        owners=frozenset(settings["OWNERS"].split()),
        guarded=frozenset(settings["GUARDED"].split()),
        logger=Logger(service="record-change"),
    )
