"""The function that AWS Backup's completed restores start: looks, judges, reports, and tells people of a failure."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from palisade_runtime.environment import read_environment
from palisade_runtime.logs import Logger

from validate_restore.inspection import Clients, inspect
from validate_restore.verdict import judge

_DONE = frozenset({"FAILED", "SUCCESSFUL", "TIMED_OUT"})


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches."""

    backup: Any
    sns: Any
    clients: Clients
    topic: str
    logger: Logger


def handle(event: Mapping[str, Any], _context: object) -> None:
    """Lambda's entry point."""
    validate(event, _services())


def validate(event: Mapping[str, Any], services: Services) -> None:
    """Report on one completed restore job; jobs that no restore test made, and those already judged, are left alone.

    Raises:
        ClientError: a service did not answer. Lambda tries again, then keeps the event in the dead-letter queue.
        UnknownKindError: a restore test of a type of store that this function cannot check.
    """
    job_id = event["detail"]["restoreJobId"]
    logger = services.logger.bind(restore_job=job_id)
    job = services.backup.describe_restore_job(RestoreJobId=job_id)
    if not job.get("CreatedBy", {}).get("RestoreTestingPlanArn"):
        logger.info("restore.not-a-test")
        return
    if job.get("ValidationStatus") in _DONE:
        logger.info("restore.already-judged", status=job["ValidationStatus"])
        return
    arn, resource_type = job["CreatedResourceArn"], job["ResourceType"]
    verdict = judge(inspect(arn, resource_type, services.clients), backup_bytes=int(job.get("BackupSizeInBytes") or 0))
    logger.info("restore.judged", status=verdict.status, resource_type=resource_type)
    if not verdict.fit:
        # Before the result is reported, so that a second try after a failure here still tells somebody.
        services.sns.publish(
            TopicArn=services.topic,
            Subject="A restore test failed",
            Message=(
                f"{verdict.message}\n\nStore: {job.get('SourceResourceArn', 'unknown')}\nRestored as: {arn}\n"
                f"Restore job: {job_id}\n\nWhat to do: docs/howto/restore.md, section on failed tests."
            ),
        )
    services.backup.put_restore_validation_result(
        RestoreJobId=job_id, ValidationStatus=verdict.status, ValidationStatusMessage=verdict.message
    )


@functools.cache
def _services() -> Services:
    settings = read_environment(text=("TOPIC_ARN",))
    return Services(
        backup=boto3.client("backup"),
        sns=boto3.client("sns"),
        clients=Clients(rds=boto3.client("rds"), dynamodb=boto3.client("dynamodb"), s3=boto3.client("s3")),
        topic=settings["TOPIC_ARN"],
        logger=Logger(service="validate-restore"),
    )
