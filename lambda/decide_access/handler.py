"""Decides about requests, and sets off what carries the decision out. What it is called with: see the package."""

import functools
import ipaddress
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import ClientError
from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.gatekeeping import LONGEST, document, size
from palisade_runtime.grants import ID, Place, grant, grants, passages, recent
from palisade_runtime.identifiers import InvalidIdentifierError, tenant_id
from palisade_runtime.logs import Logger
from palisade_runtime.records import Deed, Records

from decide_access.directory import Directory
from decide_access.rules import Rules, consenting, read_consent, read_wish

Answer = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches. ``start`` begins an execution by name with a request's id; ``page`` tells the team."""

    records: Records
    directory: Directory
    rules: Rules
    start: Callable[[str, str], None]
    page: Callable[[str, str], None]
    clock: Clock
    logger: Logger


class RefusalError(Exception):
    """It is not to be; ``problems`` says everything that stands against it."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def handle(event: Mapping[str, Any], context: Any) -> Answer:
    """Lambda's entry point."""
    return decide(event, _services(context.invoked_function_arn.split(":")[4]))


def decide(event: Mapping[str, Any], services: Services) -> Answer:
    """Do what ``event`` asks for. What stands against it is in the answer.

    Raises:
        ClientError: AWS did not answer; the same event again goes on from there.
    """
    kind, identity = event.get("kind"), event.get("id")
    if kind == "list":
        return {
            "outcome": "listed",
            "requests": [_state(one, services) for one in recent(services.records, _now(services))],
        }
    act = _ACTS.get(str(kind))
    if act is None:
        return _no("", f"kind: one of {', '.join(sorted((*_ACTS, 'list')))}")
    if not isinstance(identity, str) or not ID.fullmatch(identity):
        return _no("", "id: a date and ten hexadecimal digits, such as 20260302-0123456789")
    try:
        answer = act(identity, event, services)
    except RefusalError as refusal:
        answer = _no(identity, *refusal.problems)
    services.logger.info("access.answered", kind=kind, request=identity, outcome=answer["outcome"])
    return answer


# ------------------------------------------------------------------------------------------------------------- request


def _request(identity: str, _event: Mapping[str, Any], services: Services) -> Answer:
    if "request" not in services.records.events(identity):
        services.records.keep(identity, "request", _judged(identity, services))
    kept = _kept(identity, "request", services)
    if kept["outcome"] == "refused":
        raise RefusalError(*kept["problems"])
    if kept["on_call"]:
        return _decided(identity, kept, services, by=kept["by"], outcome="approved")
    return {"id": identity, "outcome": "waiting", "problems": [], **_told(kept)}


def _judged(identity: str, services: Services) -> dict[str, Any]:
    """The record of a request: what is asked, by whom, and what stands against it."""
    person, said, at, through = _asked(identity, services)
    now = _now(services)
    wish, problems = read_wish(said, services.rules)
    if abs((now.date() - datetime.strptime(identity[:8], "%Y%m%d").date()).days) > 1:  # noqa: DTZ007 - a date
        problems.append("id: it begins with another day than today's")
    user = services.directory.user(person)
    if user is None:
        problems.append(f"{person} is not in the directory")
    elif wish is not None and not services.directory.asks(user, wish.level):
        problems.append(f"{person} is not of the group that may ask for level {wish.level}")
    if wish is not None and wish.on_call:
        if through == "chat":
            problems.append("on_call: whoever is on call asks with their own credentials, not by chat")
        elif user is not None and not services.directory.on_call_now(user):
            problems.append(f"{person} is not on call: have another person approve it")
    about = {} if wish is None else asdict(wish)
    return {
        "tenants": [],
        "on_call": False,
        **about,
        "outcome": "refused" if problems else "accepted",
        "problems": problems,
        "by": person,
        "user": user,
        "through": through,
        "asked": at.isoformat(timespec="seconds"),
        "at": now.isoformat(timespec="seconds"),
    }


def _asked(identity: str, services: Services) -> tuple[str, Mapping[str, Any], datetime, str]:
    deeds = services.records.deeds("request", identity)
    if len({one.person for one in deeds}) > 1:
        raise RefusalError(f"id: {identity} was taken by another person at the same time; ask again")
    if deeds:
        return deeds[0].person, deeds[0].body, deeds[0].at, "command"
    asked = services.records.read(identity, "asked")
    if asked is None:
        raise RefusalError(f"nobody asked under {identity}")
    return str(asked.get("by", "")).casefold(), asked, _now(services), "chat"


def _page(identity: str, kept: Mapping[str, Any], services: Services) -> None:
    """Whoever is on call lets themselves in, and everybody hears of it at once: before anything is open."""
    services.page(
        f"On call: {kept['by']} lets themselves into {kept['stage']}",
        f"{kept['by']} is on call and takes level {kept['level']} of {kept['stage']} for {kept['minutes']} minutes from "
        f"{kept['address']}, approved by nobody else. Reason: {kept['reason']}\n"
        f"Revoke: ./palisade access revoke {identity}",
    )


# ------------------------------------------------------------------------------------------------------------ decision


def _approve(identity: str, _event: Mapping[str, Any], services: Services) -> Answer:
    return _by_another(identity, "approve", "approved", services)


def _deny(identity: str, _event: Mapping[str, Any], services: Services) -> Answer:
    return _by_another(identity, "deny", "denied", services)


def _by_another(identity: str, deed: str, outcome: str, services: Services) -> Answer:
    kept = _accepted(identity, services)
    doers = [one for one in services.records.deeds(deed, identity) if one.person != kept["by"]]
    if not doers:
        raise RefusalError(f"nobody but {kept['by']} {outcome} it; nobody decides about their own request")
    return _decided(identity, kept, services, by=doers[0].person, outcome=outcome)


def _decided(identity: str, kept: Mapping[str, Any], services: Services, *, by: str, outcome: str) -> Answer:
    """The first decision stands; whoever comes later hears of it."""
    if "decision" not in services.records.events(identity):
        now = _now(services)
        end = now + timedelta(minutes=kept["minutes"])
        on_call = outcome == "approved" and by == kept["by"]
        if outcome == "approved":
            problems = [*_too_late(kept, now, services), *_not_now(kept, end, services)]
            if problems:
                raise RefusalError(*problems)
        if on_call:
            _page(identity, kept, services)
        said = {"outcome": outcome, "by": by, "on_call": on_call, "at": now.isoformat(), "expires": end.isoformat()}
        services.records.keep(identity, "decision", said)
    decision = _kept(identity, "decision", services)
    if decision["outcome"] == "approved":
        services.start(identity, identity)
    problems = [] if decision["outcome"] == outcome else [f"{decision['by']} {decision['outcome']} it before"]
    return {"id": identity, "outcome": decision["outcome"], "problems": problems, **_told(kept), "decision": decision}


def _too_late(kept: Mapping[str, Any], now: datetime, services: Services) -> list[str]:
    waited = now - datetime.fromisoformat(kept["at"])
    if waited > timedelta(hours=services.rules.waiting_hours):
        return [f"it waited longer than {services.rules.waiting_hours} hours; ask again"]
    return []


def _not_now(kept: Mapping[str, Any], end: datetime, services: Services) -> list[str]:
    """What has come to stand against a request since it was accepted."""
    problems = []
    if services.directory.user(kept["by"]) != kept["user"] or not services.directory.asks(kept["user"], kept["level"]):
        problems.append(f"{kept['by']} is no longer of the group that may ask for level {kept['level']}")
    if kept["level"] in services.rules.customer_data:
        problems += [
            f"{tenant} has not consented until {end:%Y-%m-%d}: have another person than {kept['by']} record the "
            "consent (./palisade access consent)"
            for tenant in kept["tenants"]
            if not _consented(tenant, kept["by"], end, services)
        ]
    return problems + _crowded(kept, services)


def _crowded(kept: Mapping[str, Any], services: Services) -> list[str]:
    """The policy before a level holds only so many people at a time; each needs about as much of it as the others."""
    now = _now(services)
    there = passages(grants(services.records, now), Place(stage=kept["stage"], level=kept["level"]), now)
    needed = size(document(there)) // len(there) if there else 0
    if there and size(document(there)) + 2 * needed > LONGEST:
        return [f"{len(there)} others hold level {kept['level']} of {kept['stage']}; wait until one of them is through"]
    return []


# ------------------------------------------------------------------------------------------------------ early end, word


def _revoke(identity: str, _event: Mapping[str, Any], services: Services) -> Answer:
    kept = _accepted(identity, services)
    deeds = services.records.deeds("revoke", identity)
    if not deeds:
        raise RefusalError(f"nobody revoked {identity}")
    if "decision" not in services.records.events(identity):
        # Whoever takes a request back before it is decided, denies it.
        return _decided(identity, kept, services, by=deeds[0].person, outcome="denied")
    return _ended(identity, kept, deeds[0].person, "revoked", services)


def _ended(identity: str, kept: Mapping[str, Any], by: str, why: str, services: Services) -> Answer:
    found = grant(services.records, identity)
    if found is None:
        raise RefusalError(f"{identity} was not approved, so there is nothing to revoke")
    if not found.revoked and _now(services) < found.end:
        services.records.keep(identity, "revocation", {"by": by, "why": why, "at": _now(services).isoformat()})
        found = grant(services.records, identity)
    if found is None or not found.revoked:
        raise RefusalError(f"{identity} has expired already")
    services.start(f"{identity}-end", identity)
    return {"id": identity, "outcome": "revoked", "problems": [], **_told(kept)}


def _consent(identity: str, event: Mapping[str, Any], services: Services) -> Answer:
    tenant = _tenant(event)
    deed = _word(services, "consent", tenant, identity)
    problems = read_consent(deed.body, services.rules, _now(services).date())
    if problems:
        raise RefusalError(*problems)
    said = {"until": deed.body["until"], "evidence": deed.body["evidence"].strip()}
    services.records.keep(
        _customer(tenant), f"consent-{identity}", {**said, "by": deed.person, "at": _now(services).isoformat()}
    )
    return {"id": identity, "outcome": "recorded", "problems": [], "tenant": tenant, **said}


def _withdraw(identity: str, event: Mapping[str, Any], services: Services) -> Answer:
    """From now on the customer's consent is not there, and who is inside by it is put out."""
    tenant = _tenant(event)
    deed = _word(services, "withdraw", tenant, identity)
    now = _now(services)
    services.records.keep(_customer(tenant), f"withdrawn-{identity}", {"by": deed.person, "at": now.isoformat()})
    inside = [one for one in grants(services.records, now) if tenant in one.tenants and one.live(now)]
    for one in inside:
        _ended(one.id, _kept(one.id, "request", services), deed.person, f"{tenant} withdrew consent", services)
    return {
        "id": identity,
        "outcome": "withdrawn",
        "problems": [],
        "tenant": tenant,
        "revoked": [one.id for one in inside],
    }


def _consented(tenant: str, asker: str, end: datetime, services: Services) -> bool:
    records, customer = services.records, _customer(tenant)
    consents = [_kept(customer, one, services) for one in records.events(customer, "consent-")]
    withdrawals = [
        datetime.fromisoformat(_kept(customer, one, services)["at"]) for one in records.events(customer, "withdrawn-")
    ]
    return consenting(consents, max(withdrawals, default=None), asker=asker, end=end)


def _word(services: Services, deed: str, tenant: str, identity: str) -> Deed:
    deeds = services.records.deeds(deed, f"{tenant}.{identity}")
    if not deeds:
        raise RefusalError(f"nobody recorded this of {tenant} under {identity}")
    return deeds[0]


def _tenant(event: Mapping[str, Any]) -> str:
    try:
        return tenant_id(event.get("tenant"))
    except InvalidIdentifierError as error:
        raise RefusalError("tenant: small letters, digits and inner hyphens") from error


def _customer(tenant: str) -> str:
    return f"customer.{tenant}"


# ---------------------------------------------------------------------------------------------------------------- show


def _show(identity: str, _event: Mapping[str, Any], services: Services) -> Answer:
    state = _state(identity, services)
    if state["state"] == "unknown":
        raise RefusalError(f"there is no request {identity}")
    return {"outcome": "shown", "problems": [], **state}


def _state(identity: str, services: Services) -> dict[str, Any]:
    """Where a request stands."""
    events = services.records.events(identity)
    said = {event: services.records.read(identity, event) or {} for event in events}
    request, decision = said.get("request", {}), said.get("decision", {})
    now = _now(services)
    if not request:
        state = "unknown"
    elif request["outcome"] == "refused":
        state = "refused"
    elif not decision:
        state = "forgotten" if _too_late(request, now, services) else "waiting"
    elif decision["outcome"] == "denied":
        state = "denied"
    elif "closed" in events:
        state = "closed"
    elif "revocation" in events or now >= datetime.fromisoformat(decision["expires"]):
        state = "closing"
    else:
        state = "open" if "opened" in events else "opening"
    return {"id": identity, "state": state, **_told(request), "events": said}


def _told(kept: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: kept[name] for name in ("stage", "level", "by", "address", "minutes", "reason", "tenants") if name in kept
    }


def _accepted(identity: str, services: Services) -> Mapping[str, Any]:
    kept = services.records.read(identity, "request")
    if kept is None:
        raise RefusalError(f"there is no request {identity}")
    if kept["outcome"] == "refused":
        raise RefusalError(f"{identity} was refused: {'; '.join(kept['problems'])}")
    return kept


def _kept(subject: str, event: str, services: Services) -> Mapping[str, Any]:
    found = services.records.read(subject, event)
    if found is None:
        raise LookupError(f"{subject}/{event} was recorded and is not there")
    return found


def _now(services: Services) -> datetime:
    return services.clock()


def _no(identity: str, *problems: str) -> Answer:
    return {"id": identity, "outcome": "refused", "problems": list(problems)}


_ACTS: Mapping[str, Callable[[str, Mapping[str, Any], Services], Answer]] = {
    "approve": _approve,
    "consent": _consent,
    "deny": _deny,
    "request": _request,
    "revoke": _revoke,
    "show": _show,
    "withdraw": _withdraw,
}


# -------------------------------------------------------------------------------------------------------------- shell


@functools.cache
def _services(account: str) -> Services:
    settings = read_environment(
        text=("RECORD_BUCKET", "RECORD_WORKFLOW", "RULES", "MACHINE_ARN", "TOPIC_ARN", "STORE_ID", "CENTER_REGION")
    )
    rules = json.loads(settings["RULES"])
    machines, topics = boto3.client("stepfunctions"), boto3.client("sns")

    def start(name: str, identity: str) -> None:
        try:
            machines.start_execution(
                stateMachineArn=settings["MACHINE_ARN"], name=name, input=json.dumps({"grant": identity})
            )
        except ClientError as error:
            # It is under way, or was: the same decision, told twice.
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise

    def page(subject: str, text: str) -> None:
        plain = re.sub(r"[^ -~]", " ", subject)[:100]
        topics.publish(TopicArn=settings["TOPIC_ARN"], Subject=plain, Message=text)

    return Services(
        records=Records(
            s3=boto3.client("s3"),
            bucket=settings["RECORD_BUCKET"],
            account=account,
            workflow=settings["RECORD_WORKFLOW"],
        ),
        directory=Directory(
            store=boto3.client("identitystore", region_name=settings["CENTER_REGION"]),
            store_id=settings["STORE_ID"],
            groups=rules["groups"],
            on_call=rules["on_call"],
        ),
        rules=read_rules(rules),
        start=start,
        page=page,
        clock=utc_now,
        logger=Logger(service="decide-access"),
    )


def read_rules(rules: Mapping[str, Any]) -> Rules:
    """The rules as the stack writes them into the environment."""

    def names(key: str) -> frozenset[str]:
        found: Sequence[str] = rules[key]
        return frozenset(found)

    return Rules(
        stages=names("stages"),
        levels=frozenset(rules["groups"]),
        customer_data=names("customer_data"),
        networks=tuple(ipaddress.IPv4Network(one) for one in rules["networks"]),
        shortest_minutes=rules["shortest_minutes"],
        longest_minutes=rules["longest_minutes"],
        waiting_hours=rules["waiting_hours"],
        consent_days=rules["consent_days"],
    )
