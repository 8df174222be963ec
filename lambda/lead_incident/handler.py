"""The step of an incident's timer. It decides from the records and the time alone, so it may run twice, late or at once.

``{"incident"}`` becomes ``{"incident", "done", "until"}`` and, if somebody is to be called now, ``page``.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.incidents.clocks import Page, due, next_look
from palisade_runtime.incidents.follow import Follower
from palisade_runtime.incidents.history import History
from palisade_runtime.incidents.on_call import Rotation
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records
from palisade_runtime.redaction import redact_text

_AGAIN = timedelta(minutes=5)
"""When to try again what could not be brought up to date."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches and goes by."""

    records: Records
    follower: Follower
    rotation: Rotation
    clock: Clock
    logger: Logger


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return lead(event, _services(context.invoked_function_arn.split(":")[4]))


def lead(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """Say what ``event["incident"]`` needs next.

    Raises:
        KeyError: there is no such incident.
        ClientError: the archive did not answer; the same call again decides the same.
    """
    incident = str(event["incident"])
    history, now = History.read(services.records, incident), services.clock()
    followed = _followed(history, services, now)
    if history.closed and followed:
        return {"incident": incident, "done": True, "until": _text(now)}
    pages = due(history, services.rotation, now)
    until = next_look(history, services.rotation, now) if followed else now + _AGAIN
    answer = {"incident": incident, "done": False, "until": _text(now if len(pages) > 1 else until)}
    return answer if not pages else {**answer, "page": _message(history, pages[0])}


def _followed(history: History, services: Services, now: datetime) -> bool:
    try:
        services.follower.follow(history, services.rotation, now)
    except (ClientError, BotoCoreError) as error:
        # Calling people comes first; this is tried again soon.
        services.logger.failure("incident.behind", error, incident=history.incident)
        return False
    return True


def _message(history: History, page: Page) -> dict[str, Any]:
    """What is said to people. Titles come from outside, so whatever looks like a secret is taken out."""
    finding = history.opened["finding"]
    title = redact_text(str(finding["title"]))
    lines = [
        f"{history.priority.name}: {title}",
        f"Account {finding['account']}, region {finding['region']}. Found {history.count} times by {finding['kind']}.",
        f"Affected: {history.affected}.",
        f"To do: {page.why}.",
        f"Called: {', '.join(page.to)}.",
        f"./palisade incident show {history.incident}",
    ]
    if not history.acknowledged:
        lines.append(f"./palisade incident ack {history.incident}")
    subject = f"{history.priority.name} {page.why}: {title}"
    return {
        **page.as_json(),
        "incident": history.incident,
        "priority": history.priority.name,
        "subject": subject,
        "text": "\n".join(lines),
    }


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@functools.cache
def _services(account: str) -> Services:
    settings = read_environment(text=("RECORD_BUCKET", "RECORD_WORKFLOW", "ROTATION", "NAMESPACE"))
    records = Records(
        s3=boto3.client("s3"),
        bucket=settings["RECORD_BUCKET"],
        account=account,
        workflow=settings["RECORD_WORKFLOW"],
    )
    return Services(
        records=records,
        follower=Follower(
            records=records,
            ssm=boto3.client("ssm"),
            cloudwatch=boto3.client("cloudwatch"),
            namespace=settings["NAMESPACE"],
        ),
        rotation=Rotation.read(settings["ROTATION"]),
        clock=utc_now,
        logger=Logger(service="lead-incident"),
    )
