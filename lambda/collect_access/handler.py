"""The steps of a collection: each account is asked under a role of its own, and its facts are kept as one record.

Events: ``{"do": "begin" | "gather" | "missing", "period", "round", "account", "begun", "error"}``. Answers ``{"ready", "jobs",
"tries"}``. Facts that are there are not collected again, so that an execution may begin anew at any step.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records

from collect_access import account, directory

MOST_TRIES = 30

Clients = Callable[[str, str, str | None], Any]
"""A client by account, service and region (None for services without regions), under the role that reads that account."""


class NotReadyError(Exception):
    """IAM has not made its reports in time; the step is tried again or the account is said to be missing."""


@dataclass(frozen=True, kw_only=True)
class Center:
    """Where people sign in: the management account, and what Identity Center calls its parts."""

    account: str
    region: str
    instance: str
    store_id: str


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches. ``owners`` are the accounts' owners by their ids."""

    records: Records
    clients: Clients
    clock: Clock
    logger: Logger
    owners: Mapping[str, str]
    regions: tuple[str, ...]
    center: Center


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Called by the state machine."""
    return collect(event, _services(context.invoked_function_arn.split(":")[4]))


def collect(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """Do one step.

    Raises:
        NotReadyError: reports are not there after many tries.
        ClientError: the account, or the archive, did not answer; the same step again goes on from there.
    """
    period, number, asked = event["period"], int(event["round"]), event["account"]
    name = f"{number:03d}.{asked}"
    if services.records.events(period, f"facts.{name}"):
        return {"ready": True, "jobs": {}, "tries": 0}
    if event["do"] == "missing":
        services.records.keep(period, f"missing.{name}", {"error": event["error"]["Error"], "at": _now(services)})
        services.logger.warning("review.account-missing", account=asked, period=period)
        return {"ready": True, "jobs": {}, "tries": 0}
    iam = services.clients(asked, "iam", None)
    if event["do"] == "begin":
        return {"ready": False, "jobs": account.begin(iam), "tries": 0}
    jobs, tries = event["begun"]["jobs"], event["begun"]["tries"] + 1
    if not account.ready(iam, jobs):
        if tries >= MOST_TRIES:
            raise NotReadyError(f"no reports of {asked} after {tries} tries")
        return {"ready": False, "jobs": jobs, "tries": tries}
    trails = [services.clients(asked, "cloudtrail", region) for region in services.regions]
    facts = {
        "account": asked,
        "owner": services.owners[asked],
        "at": _now(services),
        **account.read(iam, trails, jobs, services.clock()),
    }
    if asked == services.center.account:
        center = services.center
        facts["directory"] = directory.read(
            services.clients(asked, "sso-admin", center.region),
            services.clients(asked, "identitystore", center.region),
            instance=center.instance,
            store_id=center.store_id,
        )
    services.records.keep(period, f"facts.{name}", facts)
    return {"ready": True, "jobs": {}, "tries": tries}


def _now(services: Services) -> str:
    return services.clock().isoformat(timespec="seconds")


@functools.cache
def _services(own: str) -> Services:
    settings = read_environment(
        text=(
            "RECORD_BUCKET", "RECORD_WORKFLOW", "ACCOUNTS", "REGIONS", "REVIEWER", "EXTERNAL_ID",
            "CENTER_ACCOUNT", "CENTER_REGION", "CENTER_INSTANCE", "CENTER_STORE",
        )
    )  # fmt: skip
    patient = Config(retries={"mode": "adaptive", "max_attempts": 8})

    def client(asked: str, service: str, region: str | None) -> Any:
        session = boto3.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{asked}:role/{settings['REVIEWER']}",
            RoleSessionName="review",
            ExternalId=settings["EXTERNAL_ID"],
        )["Credentials"]
        return boto3.client(
            service,
            region_name=region,
            config=patient,
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session["SessionToken"],
        )

    return Services(
        records=Records(
            s3=boto3.client("s3"),
            bucket=settings["RECORD_BUCKET"],
            account=own,
            workflow=settings["RECORD_WORKFLOW"],
        ),
        clients=client,
        clock=utc_now,
        logger=Logger(service="collect-access"),
        owners={number: owner for owner, _, number in (one.partition("=") for one in settings["ACCOUNTS"].split())},
        regions=tuple(settings["REGIONS"].split()),
        center=Center(
            account=settings["CENTER_ACCOUNT"],
            region=settings["CENTER_REGION"],
            instance=settings["CENTER_INSTANCE"],
            store_id=settings["CENTER_STORE"],
        ),
    )
