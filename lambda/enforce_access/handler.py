"""Makes policies, assignments and sessions be what the live grants say.

Called by the workflow with ``{"step": "open" | "close" | "give-up", "grant": ID}`` and by a schedule with
``{"step": "sweep"}``. Every step looks at how things are and does what is missing, so it may be called at any time, twice,
or after one that was cut short.
"""

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import boto3
from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.gatekeeping import document
from palisade_runtime.grants import Grant, Place, grant, grants, passages
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records

from enforce_access.center import Assignment, Center
from enforce_access.stage import Stage, Stages

LATE = timedelta(minutes=15)
"""How long after its end a grant still explains an assignment that is being taken away."""
_TURNS = 5


class NotSettledError(Exception):
    """AWS is still at work on it, or others are: look again."""


class NotYetError(Exception):
    """The grant has not ended."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches. ``accounts`` are the deployment's; ``count`` puts a number on a metric."""

    records: Records
    center: Center
    stages: Stages
    places: tuple[Place, ...]
    accounts: frozenset[str]
    count: Callable[[Mapping[str, int]], None]
    page: Callable[[str, str], None]
    clock: Clock
    logger: Logger


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    services = _services(context.invoked_function_arn.split(":")[4])
    if event.get("step") == "sweep":
        return sweep(services)
    return _STEPS[str(event["step"])](str(event["grant"]), services)


# --------------------------------------------------------------------------------------------------------------- steps


def open_(identity: str, services: Services) -> dict[str, Any]:
    """Let the grant's person in, if it is live, and say until when.

    Raises:
        NotSettledError: not everything is as it must be yet.
    """
    found = _known(identity, services)
    settle(found.place, services)
    live = found.live(services.clock())
    if live:
        services.records.keep(identity, "opened", {"at": services.clock().isoformat()})
    return {"grant": identity, "live": live, "until": found.end.strftime("%Y-%m-%dT%H:%M:%SZ")}


def close(identity: str, services: Services) -> dict[str, Any]:
    """Put the grant's person out, unless another grant of theirs lives, and record it.

    Raises:
        NotYetError: the grant lives.
        NotSettledError: not everything is as it must be yet.
    """
    found = _known(identity, services)
    if found.live(services.clock()):
        raise NotYetError(identity)
    settle(found.place, services)
    services.records.keep(identity, "closed", {"by": "workflow", "at": services.clock().isoformat()})
    return {"grant": identity, "live": False}


def give_up(identity: str, services: Services) -> dict[str, Any]:
    """End a grant that could not be opened, so that nothing of it is left half done."""
    found = _known(identity, services)
    now = services.clock()
    if found.live(now):
        said = {"by": "workflow", "why": "it could not be opened", "at": now.isoformat()}
        services.records.keep(identity, "revocation", said)
        services.page(
            f"Access to {found.place.stage} could not be opened",
            f"Request {identity} of {found.person} was approved and could not be carried out. It was ended; ask again. "
            "The log of enforce-access says why.",
        )
    return {"grant": identity, "live": False}


_STEPS: Mapping[str, Callable[[str, Services], dict[str, Any]]] = {"open": open_, "close": close, "give-up": give_up}


def _known(identity: str, services: Services) -> Grant:
    found = grant(services.records, identity)
    if found is None:
        raise LookupError(f"{identity} was not approved")
    return found


# -------------------------------------------------------------------------------------------------------------- settle


def settle(place: Place, services: Services) -> None:
    """Make the place be as the live grants say. Whoever writes looks once more after it: of several at once, the last one
    finds what the others recorded.

    Raises:
        NotSettledError: assignments are still on their way, or others kept changing things.
    """
    stage = services.stages(place.stage)
    for _ in range(_TURNS):
        policy, wanted, names = _wanted(place, stage, services)
        if not stage.stands(place.level, policy):
            stage.put(place.level, policy)
            services.logger.info("access.policy", stage=place.stage, level=place.level, people=len(wanted))
            continue
        break
    else:
        raise NotSettledError(f"{place.stage} {place.level}: its policy keeps changing")
    there = services.center.assigned(place.level, stage.account)
    for one in sorted(there - wanted):
        services.center.take(place.level, one)
    for one in sorted(wanted - there):
        services.center.assign(place.level, one)
    for person in stage.end_sessions(place.level, but=names):
        services.logger.info("access.session-ended", stage=place.stage, level=place.level, person=person)
    if there != wanted or _wanted(place, stage, services)[0] != policy:
        raise NotSettledError(f"{place.stage} {place.level}: assignments are on their way")


def _wanted(place: Place, stage: Stage, services: Services) -> tuple[dict[str, Any], set[Assignment], frozenset[str]]:
    """The policy, the assignments and the names of people that the live grants call for now."""
    now = services.clock()
    inside = passages(grants(services.records, now), place, now)
    assignments = {Assignment(account=stage.account, kind="USER", principal=one.user) for one in inside}
    return document(inside), assignments, frozenset(one.person for one in inside)


# --------------------------------------------------------------------------------------------------------------- sweep


def sweep(services: Services) -> dict[str, Any]:
    """Settle every place, take away what no grant explains, close what has ended, and count both.

    Raises:
        ExceptionGroup: some of it failed; the rest is done.
    """
    failures: list[Exception] = []
    unsettled = 0
    unexplained: list[tuple[str, Assignment]] = []
    for level in sorted({place.level for place in services.places}):
        try:
            unexplained += _unexplained(level, services)
        except Exception as error:  # Whatever it is, the other levels are looked at.
            services.logger.failure("access.unlooked", error, level=level)
            failures.append(error)
    for place in services.places:
        try:
            settle(place, services)
        except NotSettledError:
            unsettled += 1
        except Exception as error:
            services.logger.failure("access.unsettled", error, stage=place.stage, level=place.level)
            failures.append(error)
        else:
            _close_ended(place, services)
    services.count({"Unexplained": len(unexplained), "Unsettled": unsettled + len(failures)})
    if failures:
        raise ExceptionGroup("the sweep is not whole", failures)
    return {"unexplained": len(unexplained), "unsettled": unsettled}


def _unexplained(level: str, services: Services) -> list[tuple[str, Assignment]]:
    """Assignments that no grant explains: recorded, taken away, and told."""
    found = [(level, one) for one in _strangers(level, services)]
    for _, one in found:
        now = services.clock()
        said = {"level": level, "account": one.account, "kind": one.kind, "principal": one.principal}
        subject = f"unexplained-{now:%Y%m%d}"
        first = services.records.keep(
            subject, f"{level}-{one.account}-{one.principal}"[:128], {**said, "at": now.isoformat()}
        )
        services.logger.warning("access.unexplained", **said)
        if one.account in services.accounts:
            services.center.take(level, one)
        if first:
            services.page(
                f"Level {level} was held without a grant",
                f"{one.kind.lower()} {one.principal} held level {level} in account {one.account}, and no request explains it. "
                + (
                    "It is being taken away."
                    if one.account in services.accounts
                    else "The account is not of this deployment: take it away by hand."
                ),
            )
    return found


def _strangers(level: str, services: Services) -> Iterator[Assignment]:
    now = services.clock()
    known = grants(services.records, now)
    homes = {services.stages(place.stage).account: place for place in services.places if place.level == level}
    for account in sorted({*homes, *services.center.accounts(level)}):
        explained = {
            one.user
            for one in known
            if account in homes and one.place == homes[account] and one.start <= now < one.end + LATE
        }
        for one in sorted(services.center.assigned(level, account)):
            if one.kind != "USER" or one.principal not in explained:
                yield one


def _close_ended(place: Place, services: Services) -> None:
    now = services.clock()
    for one in grants(services.records, now):
        if one.place == place and not one.closed and not one.live(now):
            services.records.keep(one.id, "closed", {"by": "sweep", "at": now.isoformat()})


# --------------------------------------------------------------------------------------------------------------- shell


@functools.cache
def _services(account: str) -> Services:
    settings = read_environment(
        text=("RECORD_BUCKET", "RECORD_WORKFLOW", "PLACES", "TOPIC_ARN", "INSTANCE_ARN", "CENTER_REGION", "NAMESPACE")
    )
    written = json.loads(settings["PLACES"])
    metrics, topics, tokens = boto3.client("cloudwatch"), boto3.client("sns"), boto3.client("sts")

    def stage(name: str) -> Stage:
        home: str = written["stages"][name]
        answer = tokens.assume_role(
            RoleArn=written["role"].format(account=home), RoleSessionName="enforce-access", DurationSeconds=900
        )["Credentials"]
        session = boto3.Session(
            aws_access_key_id=answer["AccessKeyId"],
            aws_secret_access_key=answer["SecretAccessKey"],
            aws_session_token=answer["SessionToken"],
        )
        return Stage(
            account=home,
            iam=session.client("iam"),
            ssm=session.client("ssm"),
            policies={level: written["policy"].format(account=home, level=level) for level in written["sets"]},
            sets=written["sets"],
        )

    def count(numbers: Mapping[str, int]) -> None:
        metrics.put_metric_data(
            Namespace=settings["NAMESPACE"],
            MetricData=[{"MetricName": name, "Unit": "Count", "Value": value} for name, value in numbers.items()],
        )

    return Services(
        records=Records(
            s3=boto3.client("s3"),
            bucket=settings["RECORD_BUCKET"],
            account=account,
            workflow=settings["RECORD_WORKFLOW"],
        ),
        center=Center(
            admin=boto3.client("sso-admin", region_name=settings["CENTER_REGION"]),
            instance=settings["INSTANCE_ARN"],
            sets=written["sets"],
        ),
        stages=_for_a_while(stage, utc_now),
        places=tuple(Place(stage=name, level=level) for name in written["stages"] for level in written["sets"]),
        accounts=frozenset(written["accounts"]),
        count=count,
        page=lambda subject, text: topics.publish(TopicArn=settings["TOPIC_ARN"], Subject=subject[:100], Message=text),
        clock=utc_now,
        logger=Logger(service="enforce-access"),
    )


def _for_a_while(make: Stages, clock: Clock) -> Stages:
    """Stages are entered anew before their credentials, which last fifteen minutes, run out."""
    kept: dict[str, tuple[datetime, Stage]] = {}

    def stage(name: str) -> Stage:
        if name not in kept or clock() - kept[name][0] > timedelta(minutes=10):
            kept[name] = clock(), make(name)
        return kept[name][1]

    return stage
