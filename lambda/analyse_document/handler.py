"""The function behind the queue of uploads. The text lives in memory only: it is neither written nor logged."""

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from palisade_runtime.clock import utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.logs import Logger
from palisade_runtime.sessions import TenantSessions, make_client
from palisade_runtime.tenants import closed

from analyse_document.providers import BedrockProvider, NoProvider, Provider
from analyse_document.statistics import analyse
from analyse_document.store import UploadStore
from analyse_document.uploads import UnreadableDocumentError, check_size, decode_text, parse_upload

# Names this function in role sessions and CloudTrail; the user who uploaded is on the item.
ACTOR = "analyse_document"


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches and reckons with."""

    sessions: TenantSessions
    provider: Provider
    table: str
    bucket: str
    register: str
    largest_document: int
    logger: Logger


def handle(event: Mapping[str, Any], _context: object) -> dict[str, object]:
    """Lambda's entry point."""
    return process(event, _services())


def process(event: Mapping[str, Any], services: Services) -> dict[str, object]:
    """Analyses a batch of messages; the answer names those that failed, and only they are delivered again.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    failures = []
    for record in event["Records"]:
        logger = services.logger.bind(request_id=str(record["messageId"]))
        try:
            _process_one(str(record["body"]), services, logger)
        except Exception as error:
            logger.failure("analysis.failed", error)
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def _process_one(body: str, services: Services, logger: Logger) -> None:
    upload = parse_upload(body, bucket=services.bucket)
    tenant = upload.address.tenant
    logger = logger.bind(tenant=tenant, user=ACTOR, document=upload.address.document)
    clients = services.sessions.open(tenant=tenant, user=ACTOR)
    store = UploadStore(
        clients=clients,
        table=services.table,
        bucket=services.bucket,
        upload=upload,
    )
    # A tenant who has left: whatever still arrives must not stay, and nothing may be written back.
    state = "closed" if closed(clients.dynamodb, services.register, tenant) else store.state()
    if state in {"absent", "deleting", "closed"}:
        # The URL outlives a deletion by some minutes: what arrives through it then must not stay.
        store.discard()
        logger.warning("upload.discarded", state=state)
        return
    if state == "done":
        logger.info("analysis.skipped")
        return
    status, result = _examine(store, upload.size, services, logger)
    if not store.record(status, result):
        logger.warning("analysis.outdated")
        return
    logger.info("analysis.recorded", status=status, size=upload.size)


def _examine(store: UploadStore, size: int, services: Services, logger: Logger) -> tuple[str, dict[str, Any]]:
    try:
        check_size(size, largest=services.largest_document)
        content = store.read(services.largest_document)
        check_size(len(content), largest=services.largest_document)
        text = decode_text(content)
    except UnreadableDocumentError as refusal:
        return "refused", {"reason": refusal.reason}
    result: dict[str, Any] = {"statistics": analyse(text).as_item()}
    try:
        summary = services.provider.summarize(text)
    except Exception as error:
        # Statistics do not wait for a provider's outage.
        logger.failure("summary.failed", error)
        summary = None
    return "analysed", {**result, **({"summary": summary} if summary else {})}


@functools.cache
def _services() -> Services:
    values = read_environment(
        text=("TABLE_NAME", "BUCKET_NAME", "TENANT_ROLE_ARN", "REGISTER"), integers=("LARGEST_DOCUMENT_BYTES",)
    )
    model_id = os.environ.get("SUMMARY_MODEL_ID", "").strip()
    return Services(
        sessions=TenantSessions(
            sts=make_client("sts"), role_arn=values["TENANT_ROLE_ARN"], make_client=make_client, clock=utc_now
        ),
        provider=BedrockProvider(client=make_client("bedrock-runtime"), model_id=model_id)
        if model_id
        else NoProvider(),
        table=values["TABLE_NAME"],
        bucket=values["BUCKET_NAME"],
        register=values["REGISTER"],
        largest_document=int(values["LARGEST_DOCUMENT_BYTES"]),
        logger=Logger(service="analyse_document"),
    )
