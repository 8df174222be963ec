"""Asks CloudFormation in turn which stacks have drifted from their templates, and counts them.

A comparison takes minutes and nobody waits for it: each run counts what earlier runs found, and asks for the comparisons
that are due. So it may run twice, or miss a run, without harm.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
"""

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import ClientError
from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.logs import Logger, describe_error

COMPARABLE = (
    "CREATE_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_FAILED",
)
"""Stacks in any other state are being changed, or never were whole."""
DUE_AFTER = timedelta(hours=12)
OVERDUE_AFTER = timedelta(hours=36)

Clients = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Names of stacks that differ from their templates, of those not compared for too long, and of those due now."""

    drifted: tuple[str, ...]
    overdue: tuple[str, ...]
    due: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Whose stacks are watched, where, and under which name they are counted."""

    owner: str
    regions: tuple[str, ...]
    namespace: str
    clients: Clients
    clock: Clock
    logger: Logger


def handle(_event: Mapping[str, Any], _context: object) -> None:
    """Called by a schedule."""
    run(_watch())


def run(watch: Watch) -> None:
    """Count what was found in every region, then ask for what is due.

    Raises:
        ClientError: a region does not answer. Lambda tries again; without an answer there is no count, which alarms too.
    """
    now = watch.clock()
    verdicts = {}
    for region in watch.regions:
        cloudformation = watch.clients("cloudformation", region_name=region)
        pages = cloudformation.get_paginator("list_stacks").paginate(StackStatusFilter=list(COMPARABLE))
        verdicts[region] = judge((stack for page in pages for stack in page["StackSummaries"]), watch.owner, now)
        for kind in ("drifted", "overdue"):
            for name in getattr(verdicts[region], kind):
                watch.logger.warning(f"stack.{kind}", stack=name, region=region)
    watch.clients("cloudwatch").put_metric_data(
        Namespace=watch.namespace,
        MetricData=[
            {"MetricName": name, "Unit": "Count", "Value": sum(len(getattr(one, kind)) for one in verdicts.values())}
            for name, kind in (("StacksDrifted", "drifted"), ("StacksNotCompared", "overdue"))
        ],
    )
    for region, verdict in verdicts.items():
        _compare(verdict.due, watch.clients("cloudformation", region_name=region), watch.logger.bind(region=region))


def judge(stacks: Iterable[Mapping[str, Any]], owner: str, now: datetime) -> Verdict:
    """Sort the stacks of ``owner`` by what their last comparison found and when it was."""
    drifted, overdue, due = [], [], []
    for stack in stacks:
        name, drift = stack["StackName"], stack.get("DriftInformation", {})
        if not name.startswith(f"{owner}-") or "ParentId" in stack:
            continue
        compared = drift.get("LastCheckTimestamp")
        changed = stack.get("LastUpdatedTime") or stack["CreationTime"]
        if drift.get("StackDriftStatus") == "DRIFTED":
            drifted.append(name)
        if now - max(compared or changed, changed) > OVERDUE_AFTER:
            overdue.append(name)
        if compared is None or compared < changed or now - compared > DUE_AFTER:
            due.append(name)
    return Verdict(drifted=tuple(drifted), overdue=tuple(overdue), due=tuple(due))


def _compare(names: Iterable[str], cloudformation: Any, logger: Logger) -> None:
    for name in names:
        try:
            cloudformation.detect_stack_drift(StackName=name)
        except ClientError as error:
            # One is under way, or the stack has just begun to change: it stays due, and is overdue in time.
            logger.warning("stack.not-compared", stack=name, error=describe_error(error))


@functools.cache
def _watch() -> Watch:
    values = read_environment(text=("OWNER", "REGIONS", "NAMESPACE"))
    return Watch(
        owner=values["OWNER"],
        regions=tuple(values["REGIONS"].split(",")),
        namespace=values["NAMESPACE"],
        clients=boto3.client,
        clock=utc_now,
        logger=Logger(service="detect_drift"),
    )
