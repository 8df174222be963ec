"""The desk: people say something under their own name in the archive, then call this function, which looks and decides.

Events: ``request`` and ``approve`` (``export``: ``<tenant>-<moment>``), ``fetch`` (``export``, ``said``: the random name of the
deed) and ``list``. Answers are JSON; a refusal is ``{"refused": [...]}``.
"""

import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import ClientError
from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records
from palisade_runtime.sessions import make_client

MOST_ROWS, MOST_HOURS = 1000, 24
LONGEST_REASON = 500
WAITS = timedelta(hours=24)
"""A request that nobody approved by then lapses."""
LINK = timedelta(minutes=15)
"""How long a link is good, and how long ago its deed may have been."""

_EXPORT = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?-[0-9]{8}T[0-9]{6}Z")
_SAID = re.compile(r"[0-9a-f]{32}")


class RefusedError(Exception):
    """It is not done; each argument is a reason."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches. ``start`` begins an execution by name, once; ``sign`` makes a link good for so many seconds."""

    records: Records
    start: Callable[[str, Mapping[str, object]], None]
    sign: Callable[[str, int], str]
    clock: Clock
    logger: Logger


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return answer(event, _services(context.invoked_function_arn.split(":")[4]))


def answer(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """Do what ``event`` asks for, or say why not.

    Raises:
        ClientError: a service did not answer; the same again goes on from there.
    """
    kind = str(event.get("kind"))
    try:
        if kind == "list":
            return {"exports": [_shown(export, services) for export in services.records.subjects()]}
        if kind not in _DEEDS:
            raise RefusedError(f"kind must be list or one of {', '.join(_DEEDS)}")
        export = event.get("export")
        if not isinstance(export, str) or not _EXPORT.fullmatch(export):
            raise RefusedError("export must be the name of an export, as acme-20260302T090000Z")
        return _DEEDS[kind](export, event, services)
    except RefusedError as refusal:
        services.logger.warning("debug_export.refused", kind=kind[:20])
        return {"refused": list(refusal.args)}


def _request(export: str, _event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    deeds = services.records.deeds("request", export)
    if not deeds:
        raise RefusedError("nobody asked for it under their own name")
    first = deeds[0]
    problems = request_problems(first.body)
    if services.clock() - first.at > WAITS:
        problems.append("it was asked for more than a day ago: ask again")
    if problems:
        raise RefusedError(*problems)
    said = {name: first.body[name] for name in ("reason", "rows", "hours")}
    tenant, _, _ = export.rpartition("-")
    services.records.keep(export, "requested", {"by": first.person, "at": first.at, "tenant": tenant, **said})
    return {"exports": [_shown(export, services)]}


def request_problems(body: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with what somebody asked for."""
    problems = []
    for name, most in (("rows", MOST_ROWS), ("hours", MOST_HOURS)):
        number = body.get(name)
        if type(number) is not int or not 1 <= number <= most:
            problems.append(f"{name} must be a number from 1 to {most}")
    reason = body.get("reason")
    if not isinstance(reason, str) or not reason.strip() or len(reason) > LONGEST_REASON:
        problems.append(f"reason must say why, in 1 to {LONGEST_REASON} characters")
    return problems


def _approve(export: str, _event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    asked, now = _record(export, "requested", services), services.clock()
    if asked is None:
        raise RefusedError("nobody asked for it")
    approved = _record(export, "approved", services)
    if approved is None:
        since = datetime.fromisoformat(asked["at"])
        if now - since > WAITS:
            raise RefusedError("it was asked for more than a day ago: ask again")
        said = [deed for deed in services.records.deeds("approve", export) if deed.at >= since.replace(microsecond=0)]
        others = [deed for deed in said if deed.person != asked["by"]]
        if not others:
            raise RefusedError(f"another person than {asked['by']} approves it under their own name")
        ends = now + timedelta(hours=asked["hours"])
        services.records.keep(
            export, "approved", {"by": others[0].person, "at": now, "expires_at": f"{ends:%Y-%m-%dT%H:%M:%SZ}"}
        )
        approved = services.records.read(export, "approved") or {}
    if now < _moment(approved["expires_at"]):
        services.start(
            export,
            {"export": export, "tenant": asked["tenant"], "rows": asked["rows"], "expires_at": approved["expires_at"]},
        )
    return {"exports": [_shown(export, services)]}


def _fetch(export: str, event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    said, now = event.get("said"), services.clock()
    if not isinstance(said, str) or not _SAID.fullmatch(said):
        raise RefusedError("said must be 32 hexadecimal digits that you chose by chance")
    asked, approved = _record(export, "requested", services), _record(export, "approved", services)
    if asked is None or approved is None:
        raise RefusedError("nobody approved it")
    deeds = services.records.deeds("fetch", f"{export}:{said}")
    if len(deeds) != 1 or now - deeds[0].at > LINK:
        raise RefusedError("nobody said just now, under their own name, that they fetch it")
    person = deeds[0].person
    if person not in {asked["by"], approved["by"]}:
        raise RefusedError("only who asked for it and who approved it get a link")
    ends = _moment(approved["expires_at"])
    seconds = int(min(LINK, ends - now).total_seconds())
    if seconds < 1 or _record(export, "deleted", services) is not None:
        raise RefusedError("it has expired")
    made = _record(export, "made", services)
    if made is None:
        raise RefusedError("it is being made: fetch it in a minute")
    # First the record, and one link a deed: nobody who overhears its name gets another.
    if not services.records.keep(export, f"fetched-{said}", {"by": person, "at": now, "seconds": seconds}):
        raise RefusedError("this deed had its link: fetch again")
    services.logger.info("debug_export.fetched", export=export, seconds=seconds)
    return {
        "link": services.sign(f"{export}.json", seconds),
        "seconds": seconds,
        "sha256": made["sha256"],
        "rows": made["rows"],
        "expires_at": approved["expires_at"],
    }


_DEEDS: Mapping[str, Callable[[str, Mapping[str, Any], Services], dict[str, Any]]] = {
    "request": _request,
    "approve": _approve,
    "fetch": _fetch,
}


def _record(export: str, event: str, services: Services) -> dict[str, Any] | None:
    return services.records.read(export, event)


def _shown(export: str, services: Services) -> dict[str, Any]:
    events = services.records.events(export)
    asked, approved, made = (
        services.records.read(export, name) or {} if name in events else {}
        for name in ("requested", "approved", "made")
    )
    ends = approved.get("expires_at")
    if "deleted" in events:
        state = "deleted"
    elif ends and services.clock() >= _moment(ends):
        state = "expired"
    else:
        state = "made" if made else "approved" if approved else "waits"
    return {
        "export": export,
        "state": state,
        "asked_by": asked.get("by"),
        "reason": asked.get("reason"),
        "most_rows": asked.get("rows"),
        "hours": asked.get("hours"),
        "approved_by": approved.get("by"),
        "expires_at": ends,
        "rows": made.get("rows"),
        "fetched": sum(event.startswith("fetched-") for event in events),
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@functools.cache
def _services(account: str) -> Services:
    values = read_environment(text=("RECORD_BUCKET", "RECORD_WORKFLOW", "MACHINE", "BUCKET_NAME"))
    states, s3 = boto3.client("stepfunctions"), make_client("s3")

    def start(name: str, data: Mapping[str, object]) -> None:
        try:
            states.start_execution(stateMachineArn=values["MACHINE"], name=name, input=json.dumps(data))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise

    def sign(key: str, seconds: int) -> str:
        link: str = s3.generate_presigned_url(
            "get_object", Params={"Bucket": values["BUCKET_NAME"], "Key": key}, ExpiresIn=seconds
        )
        return link

    return Services(
        records=Records(
            s3=boto3.client("s3"), bucket=values["RECORD_BUCKET"], account=account, workflow=values["RECORD_WORKFLOW"]
        ),
        start=start,
        sign=sign,
        clock=utc_now,
        logger=Logger(service="export_debug_data"),
    )
