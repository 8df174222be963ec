"""The function that people's commands call. Who did what it takes from the deed that IAM let them write, never from the call.

Events: ``{"kind": "list", "all"}``, ``{"kind": "show" | "draft", "incident", "of"}``, and for each deed ``{"kind": <deed>,
"incident", "deed": <id>}`` after the person wrote ``<deed>@<incident>@<id>``; ``report`` names no incident. Answers
``{"ok": true, ...}`` or ``{"ok": false, "problems": [...]}``.
"""

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.incidents import drafts
from palisade_runtime.incidents.clocks import notify_by, postmortem_by
from palisade_runtime.incidents.finding import Finding, Subject
from palisade_runtime.incidents.follow import Follower, missed
from palisade_runtime.incidents.history import History
from palisade_runtime.incidents.intake import Intake
from palisade_runtime.incidents.on_call import Rotation
from palisade_runtime.logs import Logger
from palisade_runtime.records import Deed, Records

from answer_responder.deeds import DEEDS, SEVERITIES, RefusedDeedError, read, report_problems

INCIDENT = re.compile(r"[0-9a-f]{20}-[1-9][0-9]{0,5}")
_DEED_ID = re.compile(r"[0-9a-f]{32}")
_MOST_SHOWN = 50
_DRAFTS = ("postmortem", "customers", "regulator")


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches and goes by."""

    records: Records
    intake: Intake
    follower: Follower
    rotation: Rotation
    step_functions: Any
    clock: Clock
    logger: Logger


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return answer(event, _services(context.invoked_function_arn.split(":")[4]))


def answer(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """Do what ``event`` asks for.

    Raises:
        ClientError: the archive or Step Functions did not answer; the same call again goes on from there.
    """
    try:
        return _answer(event.get("kind"), event, services)
    except RefusedDeedError as refusal:
        return {"ok": False, "problems": list(refusal.problems)}


def _answer(kind: object, event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    match kind:
        case "list":
            return {"ok": True, "incidents": _list(bool(event.get("all")), services)}
        case "report":
            return _report(event, services)
        case "show":
            return {"ok": True, "incident": shown(_history(event, services), services.rotation, services)}
        case "draft":
            return {"ok": True, "text": _draft(event, _history(event, services), services)}
        case str() if kind in DEEDS:
            return _do(kind, event, _history(event, services), services)
    raise RefusedDeedError([f"kind must be list, show, draft or one of {', '.join(DEEDS)}"])


def _do(kind: str, event: Mapping[str, Any], history: History, services: Services) -> dict[str, Any]:
    deed_id = _deed_id(event)
    deed = _deed(kind, f"{history.incident}@{deed_id}", services)
    kept = read(kind, deed.body, history, services.rotation, deed_id)
    first = services.records.keep(
        history.incident,
        kept.name,
        {**kept.body, "at": services.clock().isoformat(timespec="milliseconds"), "by": deed.person, "deed": deed_id},
    )
    history = History.read(services.records, history.incident)
    by = str(history.records[kept.name]["by"])
    services.logger.info("incident.deed", incident=history.incident, deed=kind, first=first)
    try:
        services.follower.follow(history, services.rotation, services.clock())
    except (ClientError, BotoCoreError) as error:
        # The deed stands; the timer brings the rest up to date.
        services.logger.failure("incident.behind", error, incident=history.incident)
    return {"ok": True, "by": by, "first": first, "incident": shown(history, services.rotation, services)}


def _report(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    deed_id = _deed_id(event)
    deed = _deed("report", deed_id, services)
    problems = list(report_problems(deed.body))
    if problems:
        raise RefusedDeedError(problems)
    body = deed.body
    incident = services.intake.take(
        Finding(
            kind="report",
            type="ReportedByAPerson",
            title=" ".join(str(body["title"]).split()),
            account=body["account"],
            region=str(body.get("region") or "unknown"),
            severity=SEVERITIES[body["priority"]],
            subjects=(
                *(Subject(kind="named tenant", id=one, tenant=one) for one in body.get("tenants", [])),
                *(Subject(kind="named resource", id=one) for one in body.get("resources", [])),
            ),
            occurred_at=deed.at,
            found_at=deed.at,
            source=f"{deed.person}/{deed_id}",
            about=deed_id,
        )
    )
    services.logger.info("incident.reported", incident=incident)
    history = History.read(services.records, incident)
    return {"ok": True, "by": deed.person, "first": True, "incident": shown(history, services.rotation, services)}


def _deed(kind: str, subject: str, services: Services) -> Deed:
    found = services.records.deeds(kind, subject)
    if not found:
        raise RefusedDeedError([f"nobody wrote the deed {kind}@{subject}"])
    return found[0]


def _deed_id(event: Mapping[str, Any]) -> str:
    deed = event.get("deed")
    if not isinstance(deed, str) or not _DEED_ID.fullmatch(deed):
        raise RefusedDeedError(["deed must be 32 hexadecimal digits"])
    return deed


def _history(event: Mapping[str, Any], services: Services) -> History:
    incident = event.get("incident")
    if not isinstance(incident, str) or not INCIDENT.fullmatch(incident):
        raise RefusedDeedError(['incident must be an incident\'s name; "./palisade incident list" prints them'])
    try:
        return History.read(services.records, incident)
    except KeyError:
        raise RefusedDeedError([f'there is no incident {incident}; "./palisade incident list" prints them']) from None


def _list(everything: bool, services: Services) -> list[dict[str, Any]]:
    names = services.records.subjects() if everything else _running(services)
    histories = [History.read(services.records, name) for name in names[:_MOST_SHOWN]]
    shown_ones = [_summary(one) for one in histories if everything or not one.closed]
    return sorted(shown_ones, key=lambda one: (one["priority"], one["opened_at"]))


def _running(services: Services) -> list[str]:
    """Incidents whose timers run."""
    pages = services.step_functions.get_paginator("list_executions").paginate(
        stateMachineArn=services.intake.machine_arn, statusFilter="RUNNING"
    )
    names = (INCIDENT.match(one["name"]) for page in pages for one in page["executions"])
    return list(dict.fromkeys(found[0] for found in names if found))


def _summary(history: History) -> dict[str, Any]:
    finding = history.opened["finding"]
    return {
        "incident": history.incident,
        "priority": history.priority.name,
        "status": history.status,
        "assignee": history.assignee,
        "title": finding["title"],
        "account": finding["account"],
        "region": finding["region"],
        "found": history.count,
        "opened_at": history.opened_at.isoformat(),
    }


def shown(history: History, rotation: Rotation, services: Services) -> dict[str, Any]:
    """Everything there is to know of one incident."""
    deadlines = {"customers and regulator": notify_by(history), "post-mortem": postmortem_by(history, rotation)}
    return {
        **_summary(history),
        "why": history.opened["why"],
        "breach": history.breach,
        "affected": history.affected.as_record(),
        "subjects": history.opened["finding"]["subjects"],
        "item": history.records.get("item", {}).get("item"),
        "open": [] if history.closed else history.open_duties(),
        "missed": list(missed(history, rotation, services.clock())),
        "deadlines": {name: at.isoformat() for name, at in deadlines.items() if at is not None},
        "timeline": [[at.isoformat(), what] for at, what in drafts.timeline(history)],
    }


def _draft(event: Mapping[str, Any], history: History, services: Services) -> str:
    match event.get("of"):
        case "postmortem":
            return drafts.postmortem(history, services.rotation)
        case "customers":
            return drafts.letter_to_customers(history)
        case "regulator":
            return drafts.letter_to_regulator(history)
    raise RefusedDeedError([f"of must be one of {', '.join(_DRAFTS)}"])


@functools.cache
def _services(account: str) -> Services:
    names = ("RECORD_BUCKET", "RECORD_WORKFLOW", "MACHINE_ARN", "STAGES", "QUIET", "ROTATION", "NAMESPACE")
    settings = read_environment(text=names)
    step_functions = boto3.client("stepfunctions")
    records = Records(
        s3=boto3.client("s3"),
        bucket=settings["RECORD_BUCKET"],
        account=account,
        workflow=settings["RECORD_WORKFLOW"],
    )
    return Services(
        records=records,
        intake=Intake(
            records=records,
            step_functions=step_functions,
            machine_arn=settings["MACHINE_ARN"],
            quiet=frozenset(settings["QUIET"].split()),
            stages=json.loads(settings["STAGES"]),
            tenant_buckets=frozenset(),
            clock=utc_now,
        ),
        follower=Follower(
            records=records,
            ssm=boto3.client("ssm"),
            cloudwatch=boto3.client("cloudwatch"),
            namespace=settings["NAMESPACE"],
        ),
        rotation=Rotation.read(settings["ROTATION"]),
        step_functions=step_functions,
        clock=utc_now,
        logger=Logger(service="answer-responder"),
    )
