"""Judges drills when there is something to judge, and reminds of the next one. See the package."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import boto3
from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.logs import Logger
from palisade_runtime.records import Deed, Records

from judge_drill.rules import ID, Rules, first_taken, problems, stage_of

Answer = dict[str, Any]
_NEVER = "never"


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches. ``tell`` sends a message to the security team."""

    records: Records
    rules: Rules
    tell: Callable[[str, str], object]
    clock: Clock
    logger: Logger


def handle(event: Mapping[str, Any], context: Any) -> Answer:
    """Lambda's entry point."""
    return act(event, _services(context.invoked_function_arn.split(":")[4]))


def act(event: Mapping[str, Any], services: Services) -> Answer:
    """Do what ``event`` asks for.

    Raises:
        ClientError: AWS did not answer; the same event again goes on from there.
    """
    kind, identity = event.get("kind"), str(event.get("id", ""))
    if kind == "list":
        return {"outcome": "listed", "problems": [], "drills": _drills(services)}
    if kind == "remind":
        return _remind(services)
    if kind not in {"drill", "witness"} or not ID.fullmatch(identity):
        return _no(identity, "kind: drill or witness of a drill's id, such as live.20260302-0123456789")
    drill = _drill(identity, services)
    if drill is None:
        return _no(identity, f"nobody drilled under {identity}")
    return _judged(identity, drill, services, waiting=True)


def _judged(identity: str, drill: Deed, services: Services, *, waiting: bool) -> Answer:
    """The outcome of a drill, recorded once. As long as somebody may still witness it, it is open."""
    kept = services.records.read(identity, "outcome")
    if kept is None:
        found = problems(identity, drill, services.records.deeds("witness", identity), services.rules)
        taken = first_taken(drill)
        in_time = taken is not None and services.clock() - taken <= services.rules.heard_within
        if found and waiting and in_time:
            return {"id": identity, "outcome": "open", "problems": found}
        said = {
            "outcome": "failed" if found else "passed",
            "problems": found,
            "by": drill.person,
            "taken": None if taken is None else taken.isoformat(),
            "at": services.clock().isoformat(),
        }
        services.records.keep(identity, "outcome", said)
        kept = services.records.read(identity, "outcome") or said
        services.logger.info("drill.judged", drill=identity, outcome=kept["outcome"])
    return {"id": identity, "outcome": kept["outcome"], "problems": kept["problems"], "by": kept["by"]}


def _drill(identity: str, services: Services) -> Deed | None:
    """The earliest report under the id: whoever takes another's id reports nothing."""
    deeds = services.records.deeds("drill", identity)
    return deeds[0] if deeds else None


def _drills(services: Services) -> list[Answer]:
    found = []
    for identity in services.records.subjects_of("drill"):
        drill = _drill(identity, services) if ID.fullmatch(identity) else None
        if drill is not None:
            found.append(_judged(identity, drill, services, waiting=True))
    return found


def _remind(services: Services) -> Answer:
    """Judge what nobody witnessed in time, and tell which stages have not been drilled for too long."""
    last: dict[str, datetime] = {}
    for identity in services.records.subjects_of("drill"):
        drill = _drill(identity, services) if ID.fullmatch(identity) else None
        if drill is None:
            continue
        judged = _judged(identity, drill, services, waiting=True)
        stage = stage_of(identity)
        if judged["outcome"] == "passed":
            last[stage] = max(last.get(stage, drill.at), drill.at)
    due = {
        stage: last[stage].date().isoformat() if stage in last else _NEVER
        for stage in sorted(services.rules.stages)
        if stage not in last or services.clock() - last[stage] > services.rules.every
    }
    if due:
        lines = [f"{stage}: last passed {when}" for stage, when in due.items()]
        services.tell(
            "Break-glass drills are due",
            "\n".join((*lines, "", f"Every {services.rules.every.days} days: ./palisade break-glass drill --help")),
        )
    services.logger.info("drill.reminded", due=sorted(due))
    return {"outcome": "reminded", "problems": [], "due": due}


def _no(identity: str, *found: str) -> Answer:
    return {"id": identity, "outcome": "refused", "problems": list(found)}


@functools.cache
def _services(account: str) -> Services:
    settings = read_environment(
        text=("RECORD_BUCKET", "RECORD_WORKFLOW", "STAGES", "IDENTITIES", "TOPIC_ARN"),
        integers=("HEARD_MINUTES", "EVERY_DAYS"),
    )
    sns = boto3.client("sns")
    return Services(
        records=Records(
            s3=boto3.client("s3"),
            bucket=settings["RECORD_BUCKET"],
            account=account,
            workflow=settings["RECORD_WORKFLOW"],
        ),
        rules=Rules(
            stages=frozenset(settings["STAGES"].split()),
            identities=tuple(settings["IDENTITIES"].split()),
            heard_within=timedelta(minutes=int(settings["HEARD_MINUTES"])),
            every=timedelta(days=int(settings["EVERY_DAYS"])),
        ),
        tell=lambda subject, text: sns.publish(TopicArn=settings["TOPIC_ARN"], Subject=subject, Message=text),
        clock=utc_now,
        logger=Logger(service="judge_drill"),
    )
