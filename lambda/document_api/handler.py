"""The function behind the document API. Every answer is for the caller's tenant, through that tenant's session."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.identifiers import DocumentAddress, user_reference
from palisade_runtime.logs import Logger
from palisade_runtime.responses import RefusalError, refuse, respond
from palisade_runtime.sessions import TenantSessions, make_client
from palisade_runtime.tenants import closed

from document_api.documents import UPLOAD_SECONDS, is_present, plan_creation, present
from document_api.requests import (
    Caller,
    CreateDocument,
    DeleteDocument,
    ListDocuments,
    Operation,
    ReadDocument,
    read_caller,
    read_operation,
)
from document_api.store import DocumentStore


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches and reckons with."""

    sessions: TenantSessions
    table: str
    bucket: str
    register: str
    key_arn: str
    retention_days: int
    largest_document: int
    clock: Clock
    new_id: Callable[[], str]
    logger: Logger


def handle(event: Mapping[str, Any], _context: object) -> dict[str, object]:
    """Lambda's entry point."""
    return answer(event, _services())


def answer(event: Mapping[str, Any], services: Services) -> dict[str, object]:
    """The response to one request; whatever goes wrong, a response without detail of the inside."""
    request_id = str((event.get("requestContext") or {}).get("requestId", ""))
    logger = services.logger.bind(request_id=request_id)
    try:
        caller = read_caller(event)
        logger = logger.bind(tenant=caller.tenant, user=user_reference(caller.user))
        operation = read_operation(event, caller, largest_document=services.largest_document)
        response = _perform(operation, caller, services, logger)
    except RefusalError as refusal:
        logger.warning("request.refused", status=refusal.status, code=refusal.code)
        return refuse(refusal, request_id)
    except Exception as error:
        logger.failure("request.failed", error)
        return refuse(RefusalError(500, "internal", "Something failed. Asking again is safe."), request_id)
    logger.info("request.answered", operation=type(operation).__name__, status=response["statusCode"])
    return response


def _perform(operation: Operation, caller: Caller, services: Services, logger: Logger) -> dict[str, object]:
    clients = services.sessions.open(tenant=caller.tenant, user=caller.user)
    if closed(clients.dynamodb, services.register, caller.tenant):
        raise RefusalError(410, "closed", "This account is closed.")
    store = DocumentStore(
        clients=clients,
        table=services.table,
        bucket=services.bucket,
        key_arn=services.key_arn,
    )
    now = services.clock()
    match operation:
        case CreateDocument():
            address = DocumentAddress(tenant=caller.tenant, document=services.new_id())
            creation = plan_creation(operation, caller, address, now=now, retention_days=services.retention_days)
            store.add(creation.item)
            headers = {**creation.headers, "x-amz-server-side-encryption-aws-kms-key-id": services.key_arn}
            upload = {
                "method": "PUT",
                "url": store.sign_upload(creation.upload),
                "headers": headers,
                "expires_in_seconds": UPLOAD_SECONDS,
            }
            logger.info("document.created", document=address.document, size=operation.size)
            return respond(201, {**present(creation.item), "upload": upload})
        case ListDocuments():
            after = operation.after and DocumentAddress(tenant=caller.tenant, document=operation.after)
            items, last = store.page(after or None)
            shown = [present(item) for item in items if is_present(item, now=now)]
            return respond(200, {"documents": shown, "next": last})
        case ReadDocument():
            item = store.find(DocumentAddress(tenant=caller.tenant, document=operation.document))
            if item is None or not is_present(item, now=now):
                raise RefusalError(404, "not_found", "There is no such document.")
            return respond(200, present(item))
        case DeleteDocument():
            versions = store.delete(DocumentAddress(tenant=caller.tenant, document=operation.document))
            logger.info("document.deleted", document=operation.document, versions=versions)
            return respond(204)


@functools.cache
def _services() -> Services:
    values = read_environment(
        text=("TABLE_NAME", "BUCKET_NAME", "KEY_ARN", "TENANT_ROLE_ARN", "REGISTER"),
        integers=("RETENTION_DAYS", "LARGEST_DOCUMENT_BYTES"),
    )
    return Services(
        sessions=TenantSessions(
            sts=make_client("sts"), role_arn=values["TENANT_ROLE_ARN"], make_client=make_client, clock=utc_now
        ),
        table=values["TABLE_NAME"],
        bucket=values["BUCKET_NAME"],
        register=values["REGISTER"],
        key_arn=values["KEY_ARN"],
        retention_days=int(values["RETENTION_DAYS"]),
        largest_document=int(values["LARGEST_DOCUMENT_BYTES"]),
        clock=utc_now,
        new_id=lambda: uuid4().hex,
        logger=Logger(service="document_api"),
    )
