"""The function behind the queue of findings: each becomes an incident, or part of the one that is open.

What is no finding fails, and after some deliveries waits for a person in the dead-letter queue: nothing is passed over.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from palisade_runtime.clock import utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.incidents.finding import UnknownFindingError, findings, ignored
from palisade_runtime.incidents.intake import CrowdedError, Intake
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches; alarms whose names begin with ``own_alarms`` are about the handling of incidents itself."""

    intake: Intake
    own_alarms: str
    logger: Logger


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return take(event, _services(context.invoked_function_arn.split(":")[4]))


def take(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """Take a batch of messages; the answer names those that are to be delivered again."""
    failed = []
    for message in event["Records"]:
        try:
            for incident in _taken(json.loads(message["body"]), services):
                services.logger.info("finding.taken", incident=incident)
        except (ValueError, UnknownFindingError, CrowdedError) as error:
            services.logger.failure("finding.refused", error, message=str(message["messageId"]))
            failed.append(message["messageId"])
        except Exception as error:  # One message's trouble is not that of the others.
            services.logger.failure("finding.failed", error, message=str(message["messageId"]))
            failed.append(message["messageId"])
    return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}


def _taken(event: Mapping[str, Any], services: Services) -> list[str]:
    if ignored(event, own_alarms=services.own_alarms):
        return []
    return [services.intake.take(finding) for finding in findings(event)]


@functools.cache
def _services(account: str) -> Services:
    names = ("RECORD_BUCKET", "RECORD_WORKFLOW", "MACHINE_ARN", "STAGES", "QUIET", "TENANT_BUCKETS", "OWN_ALARMS")
    settings = read_environment(text=names)
    return Services(
        intake=Intake(
            records=Records(
                s3=boto3.client("s3"),
                bucket=settings["RECORD_BUCKET"],
                account=account,
                workflow=settings["RECORD_WORKFLOW"],
            ),
            step_functions=boto3.client("stepfunctions"),
            machine_arn=settings["MACHINE_ARN"],
            quiet=frozenset(settings["QUIET"].split()),
            stages=json.loads(settings["STAGES"]),
            tenant_buckets=frozenset(settings["TENANT_BUCKETS"].split()),
            clock=utc_now,
        ),
        own_alarms=settings["OWN_ALARMS"],
        logger=Logger(service="take-finding"),
    )
