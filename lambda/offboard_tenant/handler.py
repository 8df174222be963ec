"""The desk: people say something under their own name in the archive, then call this function, which looks and decides.

Events: ``contract`` (``tenant``, ``ends``: a date or null, ``said``: when), ``hold`` and ``release`` (``tenant``, ``case``),
``delete`` (``tenant``, ``request``: when it was asked for), ``status`` (``tenant`` or none), ``certificate`` (``tenant``), and
once a day ``sweep``. Answers are JSON; a refusal is ``{"refused": [...]}``.
"""

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError
from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.identifiers import InvalidIdentifierError, tenant_id
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records
from palisade_runtime.tenants import DELETING, HeldError, NotAuthorizedError, Register, Tenant

from offboard_tenant.rules import (
    CASE,
    MOMENT,
    RefusedError,
    contract_problems,
    contract_request,
    deletion_problems,
    is_due,
    marks_due,
    people,
)

DEMAND = "demand-"
"""Begins the requests that people make; those that contracts' ends are begin otherwise."""

HOLDERS = 2
"""How many people it takes to release a hold, and to confirm one; it holds from the first word on."""


class SweepError(Exception):
    """Some tenants could not be looked after; the message counts them, the log tells which. The others were."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches. ``start`` begins an execution by name, once; ``tell`` mails operations."""

    register: Register
    records: Records
    start: Callable[[str, Mapping[str, str]], None]
    tell: Callable[[str, str], None]
    clock: Clock
    two_people: bool
    logger: Logger


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return answer(event, _services(context.invoked_function_arn.split(":")[4]))


def answer(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """Do what ``event`` asks for, or say why not.

    Raises:
        SweepError: some tenants could not be looked after.
        ClientError: a service did not answer; the same again goes on from there.
    """
    kind = str(event.get("kind"))
    if kind == "sweep":
        return sweep(services)
    try:
        if kind not in _DEEDS:
            raise RefusedError(f"kind must be sweep or one of {', '.join(_DEEDS)}")
        if kind == "status" and not event.get("tenant"):
            return {"tenants": [_shown(known, services) for known in services.register.all()]}
        return _DEEDS[kind](tenant_id(event.get("tenant")), event, services)
    except RefusedError as refusal:
        services.logger.warning("offboarding.refused", kind=kind[:20])
        return {"refused": list(refusal.problems)}
    except InvalidIdentifierError:
        return {"refused": ["tenant must be 1 to 63 small letters, digits and inner hyphens"]}


def sweep(services: Services) -> dict[str, Any]:
    """Once a day: begin what is due, go on with what was stopped, remind of what is coming.

    Raises:
        SweepError: after every tenant was looked at.
    """
    began, failed = [], 0
    for known in services.register.all():
        try:
            if _look_after(known, services):
                began.append(known.name)
        except Exception as error:
            services.logger.failure("sweep.failed", error, tenant=known.name)
            failed += 1
    if failed:
        raise SweepError(f"{failed} tenants")
    services.logger.info("sweep.done", began=len(began))
    return {"began": began}


def _look_after(known: Tenant, services: Services) -> bool:
    now = services.clock()
    for case in sorted(known.holds):
        if len(people(services.records.deeds("hold", f"{known.name}:{case}"))) < HOLDERS:
            services.tell(f"hold {case} of {known.name} waits", "One person placed it, another should confirm it.")
    for mark in marks_due(known, now.date()):
        days = (known.due - now.date()).days if known.due else 0
        services.tell(
            f"{known.name} will be deleted in {days} days",
            "Hold it, renew it, or let it go: docs/howto/offboarding.md.",
        )
        services.register.remind(known.name, mark)
        services.records.keep(known.name, f"reminded-{mark}", {"at": now, "days_before": days})
    if known.holds:
        if is_due(known, now.date()) or known.status == DELETING:
            services.tell(f"{known.name} is held", "Its deletion is due and waits until every hold is released.")
        return False
    if is_due(known, now.date()) and known.contract_ends is not None:
        request = contract_request(known.contract_ends)
        services.register.authorize(known.name, request, ended=known.contract_ends)
        _begin(known.name, request, services)
        return True
    if known.status == DELETING:
        _begin(known.name, known.request, services)
        return True
    return False


def _contract(tenant: str, event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    said, text = str(event.get("said")), event.get("ends")
    ends = _day(text)
    if not MOMENT.fullmatch(said):
        raise RefusedError("said must be the moment at which it was said, as 20260302T090000Z")
    now = services.clock()
    deeds = services.records.deeds("offboard", f"{tenant}:{text or 'renewed'}:{said}")
    problems = contract_problems(services.register.get(tenant), ends, deeds, now)
    if problems:
        raise RefusedError(*problems)
    body = {"contract_ends": ends, "by": people(deeds), "at": deeds[0].at, "reason": deeds[0].body.get("reason")}
    services.records.keep(tenant, f"contract-{said}", body)
    if not services.register.set_contract(tenant, ends):
        raise RefusedError("the tenant is being deleted already")
    return _status(tenant, event, services)


def _hold(tenant: str, event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    case = _case(event)
    deeds = services.records.deeds("hold", f"{tenant}:{case}")
    if not deeds:
        raise RefusedError("nobody placed this hold under their own name")
    if f"released-{case}" in services.records.events(tenant, f"released-{case}"):
        raise RefusedError(f"case {case} was released: hold under another reference")
    # First the hold, then its record: what is held a moment too early harms nobody.
    services.register.hold(tenant, case)
    for number, deed in enumerate(_firsts(deeds)[:HOLDERS]):
        name = f"held-{case}" if number == 0 else f"confirmed-{case}"
        services.records.keep(tenant, name, {"by": deed.person, "at": deed.at, "reason": deed.body.get("reason")})
    return _status(tenant, event, services)


def _release(tenant: str, event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    case = _case(event)
    deeds = _firsts(services.records.deeds("release", f"{tenant}:{case}"))
    if case not in services.register.get(tenant).holds:
        raise RefusedError(f"there is no hold {case}")
    if len(deeds) < HOLDERS:
        said = f"{deeds[0].person} did" if deeds else "nobody did yet"
        raise RefusedError(f"two people release a hold; {said}")
    body = {"by": [deed.person for deed in deeds], "at": services.clock(), "reason": deeds[0].body.get("reason")}
    # First the record: without it nothing is let go.
    services.records.keep(tenant, f"released-{case}", body)
    services.register.lift(tenant, case)
    return _status(tenant, event, services)


def _delete(tenant: str, event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    moment = str(event.get("request"))
    if not MOMENT.fullmatch(moment):
        raise RefusedError("request must be the moment at which it was asked for, as 20260302T090000Z")
    asked = services.records.deeds("delete", f"{tenant}:{moment}")
    approved = services.records.deeds("approve", f"{tenant}:{moment}")
    now = services.clock()
    problems = deletion_problems(asked, approved, now, two=services.two_people)
    if problems:
        raise RefusedError(*problems)
    request = f"{DEMAND}{moment}"
    try:
        services.register.authorize(tenant, request)
    except HeldError:
        raise RefusedError("it is held: nothing is deleted until every hold is released") from None
    except NotAuthorizedError:
        raise RefusedError(f"it is {services.register.get(tenant).status} by another request") from None
    _begin(tenant, request, services)
    return _status(tenant, event, services)


def _status(tenant: str, _event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    return {"tenants": [_shown(services.register.get(tenant), services)]}


def _certificates(tenant: str, _event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    names = services.records.events(tenant, "certificate-")
    return {"certificates": [services.records.read(tenant, name) for name in names]}


_DEEDS: Mapping[str, Callable[[str, Mapping[str, Any], Services], dict[str, Any]]] = {
    "contract": _contract,
    "hold": _hold,
    "release": _release,
    "delete": _delete,
    "status": _status,
    "certificate": _certificates,
}


def _begin(tenant: str, request: str, services: Services) -> None:
    """Record why, if that was not done, and start; called again every day until the deletion is over."""
    body = {"tenant": tenant, "request": request, "at": services.clock(), **_basis(tenant, request, services)}
    if services.records.keep(tenant, f"authorized-{request}", body):
        services.logger.info("deletion.authorized", tenant=tenant, request=request)
    # Once a day at most by this name: what failed begins again with the next sweep, from where it stands.
    services.start(f"{tenant}-{services.clock():%Y%m%d}", {"tenant": tenant, "request": request})


def _basis(tenant: str, request: str, services: Services) -> dict[str, Any]:
    if request.startswith(DEMAND):
        subject = f"{tenant}:{request.removeprefix(DEMAND)}"
        asked, approved = (services.records.deeds(deed, subject) for deed in ("delete", "approve"))
        because = next((deed.body["reason"] for deed in asked if deed.body.get("reason")), "it was asked for")
        return {"because": because, "asked_by": people(asked), "approved_by": people(approved)}
    return {"because": f"the contract ended on {services.register.get(tenant).contract_ends}"}


def _shown(known: Tenant, services: Services) -> dict[str, Any]:
    return {
        "tenant": known.name,
        "status": known.status or "active",
        "contract_ends": _iso(known.contract_ends),
        "deleted_from": _iso(known.due),
        "holds": {
            case: "held"
            if len(people(services.records.deeds("hold", f"{known.name}:{case}"))) >= HOLDERS
            else "unconfirmed"
            for case in sorted(known.holds)
        },
        "request": known.request or None,
        "closed_at": _iso(known.closed_at),
        "found": dict(known.found or {}),
    }


def _firsts(deeds: list[Any]) -> list[Any]:
    """The first deed of each person."""
    first: dict[str, Any] = {}
    for deed in deeds:
        first.setdefault(deed.person, deed)
    return list(first.values())


def _case(event: Mapping[str, Any]) -> str:
    case = event.get("case")
    if not isinstance(case, str) or not CASE.fullmatch(case):
        raise RefusedError("case must be a reference of 1 to 40 letters, digits and hyphens")
    return case


def _day(text: Any) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except (TypeError, ValueError):
        raise RefusedError("ends must be a date such as 2026-12-31, or null") from None


def _iso(value: date | datetime | None) -> str | None:
    return None if value is None else value.isoformat()


@functools.cache
def _services(account: str) -> Services:
    values = read_environment(
        text=("REGISTER", "RECORD_BUCKET", "RECORD_WORKFLOW", "MACHINE", "TOPIC", "TWO_PEOPLE", "STAGE")
    )
    states, sns = boto3.client("stepfunctions"), boto3.client("sns")

    def start(name: str, data: Mapping[str, str]) -> None:
        try:
            states.start_execution(stateMachineArn=values["MACHINE"], name=name, input=json.dumps(data))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise

    def tell(subject: str, text: str) -> None:
        sns.publish(TopicArn=values["TOPIC"], Subject=f"{values['STAGE']}: {subject}"[:100], Message=text)

    return Services(
        register=Register(dynamodb=boto3.client("dynamodb"), table=values["REGISTER"]),
        records=Records(
            s3=boto3.client("s3"), bucket=values["RECORD_BUCKET"], account=account, workflow=values["RECORD_WORKFLOW"]
        ),
        start=start,
        tell=tell,
        clock=utc_now,
        two_people=values["TWO_PEOPLE"] == "yes",
        logger=Logger(service="offboard_tenant"),
    )
