"""What a review does: it is begun, its document written, people told until they have signed, and what they revoked followed
until it is gone. All of it is recorded once, so that every step may be done again.

The schedules and the state machine call one function with ``{"do": "begin" | "watch" | "open" | "weigh" | "look" | "told",
...}``; people call another, with other rights, with ``{"do": "list" | "status" | "show" | "sign" | "run", ...}``. ``ACTS`` says
which are let in where. What people did wrong is an answer (``{"refused": [...]}``) and no failure.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import ClientError
from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records

from review_access.findings import Rules
from review_access.periods import ACCESS, ADMIN, KINDS, PERIOD, kind_of, period
from review_access.report import markdown
from review_access.signing import LEAST_SIGNERS, Signature, problems
from review_access.store import Store

FOLLOW_DAYS = 7
"""How often accounts are looked at again while something revoked is still there."""
PATIENCE_DAYS = 30
"""After which whoever hears of escalations is told of that."""
COLLECTION_DAYS = 2
"""How long a review may have no document."""

Event = Mapping[str, Any]
Answer = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the functions reach, and the deployment's rules."""

    store: Store
    states: Any
    metrics: Any
    machine: str
    namespace: str
    acts: frozenset[str]
    due_days: int
    remind_days: tuple[int, ...]
    clock: Clock
    logger: Logger


def handle(event: Event, context: Any) -> Answer:
    """Lambda's entry point, for both functions."""
    return review(event, _services(context.invoked_function_arn.split(":")[4]))


def review(event: Event, services: Services) -> Answer:
    """Do what ``event`` asks for.

    Raises:
        ClientError: the archive, Step Functions or CloudWatch did not answer; the same event again goes on from there.
        LookupError: a step came before the one that it needs.
    """
    act = event.get("do")
    if not isinstance(act, str) or act not in services.acts:
        return {"refused": [f"do must be one of {', '.join(sorted(services.acts))}"]}
    if act in {"begin", "watch", "list"}:
        return _WITHOUT[act](event, services)
    name = event.get("period")
    if not isinstance(name, str) or not PERIOD.fullmatch(name):
        return {"refused": ["period must look like admin-2026-11 or access-2026-Q4"]}
    if act in {"status", "show", "sign"} and not services.store.opened(name):
        known = ", ".join(services.store.periods()) or "none yet"
        return {"refused": [f"there is no review {name}; there are {known}"]}
    return _OF_ONE[act](event, services)


# ---------------------------------------------------------------------------------------------------- begun and watched


def _begin(event: Event, services: Services) -> Answer:
    name = period(ACCESS if event.get("kind") == ACCESS else ADMIN, services.clock())
    return {"period": name, "began": _start(name, name, services)}


def _run(event: Event, services: Services) -> Answer:
    """Begin the present review of a kind, or go on with one that stands still."""
    name, now = event["period"], services.clock()
    if not services.store.opened(name) and name not in {period(kind, now) for kind in KINDS}:
        return {"refused": [f"{name} is not the present review of its kind"]}
    if services.store.state(name, kind_of(name))["closed"]:
        return {"refused": [f"{name} is closed"]}
    if name in _running(services):
        return {"period": name, "began": False}
    return {"period": name, "began": _start(name, f"{name}.{now:%Y%m%d%H%M%S}", services)}


def _watch(_event: Event, services: Services) -> Answer:
    """Begin what should have begun, go on with what stands still, and count what is overdue.

    An independent look from outside: whatever became of schedules and executions, a review that is not signed is counted.
    """
    store, now = services.store, services.clock()
    running, known = _running(services), store.periods()
    overdue = []
    for name in {*known, *(period(kind, now) for kind in KINDS)}:
        state = store.state(name, kind_of(name)) if name in known else None
        if state is not None and state["closed"]:
            continue
        if name not in running:
            _start(name, f"{name}.{now:%Y%m%d}", services)
        if state is not None and not state["complete"]:
            days = services.due_days if state["composed"] else COLLECTION_DAYS
            if now > _moment(store.opened(name)) + timedelta(days=days):
                overdue.append(name)
                services.logger.warning("review.overdue", period=name, undecided=len(state["undecided"]))
    _count("ReviewsOverdue", len(overdue), services)
    return {"overdue": sorted(overdue)}


def _running(services: Services) -> set[str]:
    pages = services.states.get_paginator("list_executions")
    found = pages.paginate(stateMachineArn=services.machine, statusFilter="RUNNING")
    return {one["name"].partition(".")[0] for page in found for one in page["executions"]}


def _start(name: str, execution: str, services: Services) -> bool:
    """An execution of the same name is begun once, however many events ask for it."""
    try:
        services.states.start_execution(
            stateMachineArn=services.machine, name=execution, input=json.dumps({"period": name})
        )
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ExecutionAlreadyExists":
            raise
        return False
    services.logger.info("review.begun", period=name)
    return True


# --------------------------------------------------------------------------------------------------- steps of a review


def _open(event: Event, services: Services) -> Answer:
    store, name = services.store, event["period"]
    store.records.keep(name, "opened", {"at": _text(services.clock())})
    return {"period": name, "round": 0, "accounts": list(store.accounts.values())}


def _weigh(event: Event, services: Services) -> Answer:
    """Write the document from the first collection; see from any later one what is gone."""
    store, name, number, now = services.store, event["period"], int(event["round"]), services.clock()
    collected = store.collected(name, number, now)
    _count("AccountsNotSeen", len(collected.missing), services)
    if store.document(name) is None:
        before = store.before(name)
        rights = sorted(collected.rights.values(), key=lambda one: one["right"])
        earlier = {one["right"] for one in before["rights"]} if before else set()
        document = {
            "period": name,
            "at": _text(now),
            "accounts": {account: owner for owner, account in store.accounts.items()},
            "missing": dict(sorted(collected.missing.items())),
            "limits": {account: each["limits"] for account, each in sorted(collected.facts.items()) if each["limits"]},
            "reviewers": list(store.reviewers[kind_of(name)]),
            "findings": collected.findings(name),
            "grants": collected.granted(name),
            "rights": rights,
            "before": before["period"] if before else None,
            "new": sorted(set(collected.rights) - earlier) if before else [],
            "gone": sorted(right for right in earlier - set(collected.rights) if collected.seen(right)),
            "open": _still_open(name, collected, services),
        }
        store.records.keep(name, "document", document)
        services.logger.info("review.written", period=name, findings=len(document["findings"]))
    written = store.document(name)
    if written is None:
        raise LookupError(f"{name}: the document was written and is not there")
    store.records.keep(name, "report", {"digest": written[1], "markdown": markdown(*written)})
    for one in store.periods():
        _settle(one, collected, services)
    return {"period": name, "round": number, "accounts": event["accounts"]}


def _settle(name: str, collected: Any, services: Services) -> None:
    found = services.store.document(name)
    if found is None:
        return
    rights = {one["id"]: one["right"] for one in found[0]["findings"]}
    for finding in services.store.state(name, kind_of(name))["open"]:
        right = rights[finding]
        if (right.startswith("unseen/") or collected.seen(right)) and not collected.there(right):
            services.store.records.keep(name, f"gone.{finding}", {"right": right, "at": _text(services.clock())})
            services.logger.info("review.right-gone", period=name, finding=finding)


def _still_open(name: str, collected: Any, services: Services) -> list[Answer]:
    found = []
    for one in services.store.periods():
        document = services.store.document(one) if one != name else None
        if document is None:
            continue
        state = services.store.state(one, kind_of(one))
        found += [
            {"period": one, "id": finding["id"], "right": finding["right"]}
            for finding in document[0]["findings"]
            if finding["id"] in state["open"] and collected.there(finding["right"])
        ]
    return found


def _look(event: Event, services: Services) -> Answer:
    """What comes next: tell somebody, collect again, wait, or close."""
    store, name, now = services.store, event["period"], services.clock()
    kind, number = kind_of(name), int(event["round"])
    state, found = store.state(name, kind), store.document(name)
    if found is None:
        raise LookupError(f"{name} has no document")
    document, digest = found
    base = {"period": name, "round": number, "accounts": event["accounts"]}
    if state["closed"]:
        return {**base, "next": "closed"}
    begun = _moment(document["at"])
    if not state["complete"]:
        mark, subject, late = _mark(begun, now, services)
        if f"told.{mark}" not in store.records.events(name, "told."):
            left = len(state["undecided"])
            text = (
                f"Review {name}: {len(document['findings'])} findings, {left} undecided, signed by "
                f"{', '.join(state['signers']) or 'nobody'} of two. Due {begun + timedelta(days=services.due_days):%d %B %Y}.\n\n"
                f"Read it:  ./palisade review show {name}\nSign it:  ./palisade review sign {name} --help\n\nDigest {digest}"
            )
            next_step = "escalate" if late else "remind"
            return {**base, "next": next_step, "mark": mark, "subject": f"{subject}: review {name}", "message": text}
        return {**base, "next": "wait", "until": _text(now + timedelta(days=1))}
    done = _moment((store.records.read(name, "complete") or {})["at"])
    wanted = (now - done).days // FOLLOW_DAYS + 1
    if number < wanted and now >= done + timedelta(days=1):
        return {**base, "round": wanted, "next": "collect"}
    mark = f"open-{number:03d}"
    if number and f"told.{mark}" not in store.records.events(name, "told."):
        rights = {one["id"]: f"{one['what']} of {one['who']} {one['account']}" for one in document["findings"]}
        late = now > done + timedelta(days=PATIENCE_DAYS)
        text = "Revoked, and still there:\n\n" + "\n".join(f"- {rights[one]} ({one})" for one in state["open"])
        return {
            **base, "next": "escalate" if late else "remind", "mark": mark,
            "subject": f"Still there: review {name}", "message": text,
        }  # fmt: skip
    return {**base, "next": "wait", "until": _text(now + timedelta(days=1))}


def _mark(begun: datetime, now: datetime, services: Services) -> tuple[str, str, bool]:
    """The newest mark that was passed, how its message begins, and whether it goes to those who hear of escalations."""
    days = (now - begun).days
    if days >= services.due_days:
        return f"overdue-{(days - services.due_days) // FOLLOW_DAYS:03d}", "OVERDUE", True
    passed = [one for one in (0, *services.remind_days) if one <= days]
    return f"day-{passed[-1]:03d}", "Please sign" if passed[-1] == 0 else "Not signed yet", False


def _told(event: Event, services: Services) -> Answer:
    services.store.records.keep(event["period"], f"told.{event['mark']}", {"at": _text(services.clock())})
    return {name: event[name] for name in ("period", "round", "accounts")}


# --------------------------------------------------------------------------------------------------- what people ask for


def _list(_event: Event, services: Services) -> Answer:
    return {"reviews": [_summary(name, services) for name in services.store.periods()]}


def _status(event: Event, services: Services) -> Answer:
    name, store = event["period"], services.store
    told = [one.removeprefix("told.") for one in store.records.events(name, "told.")]
    signatures = [
        {"person": one.person, "at": one.at, "decisions": len(one.decisions), "reason": one.reason}
        for one in store.signatures(name)
    ]
    return {
        **_summary(name, services),
        "told": told,
        "signatures": signatures,
        "state": store.state(name, kind_of(name)),
    }


def _summary(name: str, services: Services) -> Answer:
    store = services.store
    state, found = store.state(name, kind_of(name)), store.document(name)
    due = None if found is None else _text(_moment(found[0]["at"]) + timedelta(days=services.due_days))
    stands = (
        "closed" if state["closed"] else "open rights" if state["complete"] else "to sign" if found else "collecting"
    )
    if due and not state["complete"] and services.clock() > _moment(due):
        stands = "OVERDUE"
    return {
        "period": name, "stands": stands, "due": due, "findings": len(found[0]["findings"]) if found else 0,
        "undecided": len(state["undecided"]), "signers": state["signers"], "open": len(state["open"]),
    }  # fmt: skip


def _show(event: Event, services: Services) -> Answer:
    name = event["period"]
    found = services.store.document(name)
    if found is None:
        return {"refused": [f"{name} is being collected; it has no document yet"]}
    return {"document": found[0], "digest": found[1], "state": services.store.state(name, kind_of(name))}


def _sign(event: Event, services: Services) -> Answer:
    """Look at the deeds that a person wrote under their own session's id, and keep those that count."""
    store, name, number = services.store, event["period"], event.get("number")
    found = store.document(name)
    if found is None:
        return {"refused": [f"{name} has no document yet"]}
    if not isinstance(number, str) or not number.isalnum() or len(number) > 32:
        return {"refused": ["number must be letters and digits"]}
    refused: list[str] = []
    deeds = store.records.deeds("sign", f"{name}.{number}")
    for deed in deeds:
        signature = _signature(deed.body, deed.person, _text(deed.at))
        complete = bool(store.records.events(name, "complete"))
        wrong = problems(
            signature,
            document=found[0],
            digest=found[1],
            reviewers=store.reviewers[kind_of(name)],
            complete=complete,
        )
        # What counted once counts for good, also where it is asked about again after the review was complete.
        if wrong and not store.records.events(name, f"signature.{number}.{deed.person}"):
            refused += wrong
            services.logger.warning("review.signature-refused", period=name)
            continue
        said = {"digest": signature.digest, "decisions": dict(signature.decisions), "reason": signature.reason}
        store.records.keep(
            name, f"signature.{number}.{deed.person}", {"person": deed.person, "at": signature.at, **said}
        )
    if not deeds:
        refused.append("nobody signed under this number: write the signature first")
    state = store.state(name, kind_of(name))
    if not state["undecided"] and len(state["signers"]) >= LEAST_SIGNERS and not state["complete"]:
        body = {
            "at": _text(services.clock()),
            "digest": found[1],
            "decisions": state["decisions"],
            "signers": state["signers"],
        }
        store.records.keep(name, "complete", body)
        services.logger.info("review.complete", period=name)
    return {"refused": refused} if refused else _status(event, services)


def _signature(body: Mapping[str, Any], person: str, at: str) -> Signature:
    decisions = body.get("decisions")
    return Signature(
        person=person,
        digest=str(body.get("digest", "")),
        decisions={str(one): str(said) for one, said in decisions.items()} if isinstance(decisions, Mapping) else {},
        reason=str(body.get("reason", "")),
        at=at,
    )


_WITHOUT = {"begin": _begin, "watch": _watch, "list": _list}
_OF_ONE = {
    "open": _open, "weigh": _weigh, "look": _look, "told": _told,
    "status": _status, "show": _show, "sign": _sign, "run": _run,
}  # fmt: skip


def _count(name: str, value: int, services: Services) -> None:
    services.metrics.put_metric_data(
        Namespace=services.namespace, MetricData=[{"MetricName": name, "Unit": "Count", "Value": value}]
    )


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@functools.cache
def _services(own: str) -> Services:
    settings = read_environment(
        text=(
            "RECORD_BUCKET", "RECORD_WORKFLOW", "GRANTS_WORKFLOW", "ACCOUNTS", "PREFIX", "STANDING", "EMERGENCY",
            "DIRECTORY_ACCOUNT", "ADMIN_REVIEWERS", "ACCESS_REVIEWERS", "MACHINE", "NAMESPACE", "ACTS", "REMIND_DAYS",
        ),
        integers=("UNUSED_DAYS", "KEY_DAYS", "DUE_DAYS"),
    )  # fmt: skip
    s3 = boto3.client("s3")

    def records(workflow: str) -> Records:
        return Records(s3=s3, bucket=settings["RECORD_BUCKET"], account=own, workflow=workflow)

    def people(name: str) -> tuple[str, ...]:
        return tuple(one.casefold() for one in settings[name].split())

    return Services(
        store=Store(
            records=records(settings["RECORD_WORKFLOW"]),
            granted=records(settings["GRANTS_WORKFLOW"]),
            rules=Rules(
                prefix=settings["PREFIX"],
                standing=frozenset(
                    f"{what}:{owner}"
                    for what, _, owners in (one.rpartition(":") for one in settings["STANDING"].split())
                    for owner in owners.split(",")
                ),
                emergency=frozenset(settings["EMERGENCY"].split()),
                directory_account=settings["DIRECTORY_ACCOUNT"],
                unused_days=int(settings["UNUSED_DAYS"]),
                key_days=int(settings["KEY_DAYS"]),
            ),
            accounts=dict(one.split("=") for one in settings["ACCOUNTS"].split()),
            reviewers={ADMIN: people("ADMIN_REVIEWERS"), ACCESS: people("ACCESS_REVIEWERS")},
        ),
        states=boto3.client("stepfunctions"),
        metrics=boto3.client("cloudwatch"),
        machine=settings["MACHINE"],
        namespace=settings["NAMESPACE"],
        acts=frozenset(settings["ACTS"].split()),
        due_days=int(settings["DUE_DAYS"]),
        remind_days=tuple(int(one) for one in settings["REMIND_DAYS"].split()),
        clock=utc_now,
        logger=Logger(service="review-access"),
    )
