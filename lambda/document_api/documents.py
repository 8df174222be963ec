"""Decisions about documents: what is stored, what is signed, what is shown. No input or output."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from palisade_runtime.identifiers import DocumentAddress, user_reference

from document_api.requests import Caller, CreateDocument

UPLOAD_SECONDS = 900
PAGE_SIZE = 50

AWAITING_UPLOAD = "awaiting_upload"
DELETING = "deleting"


@dataclass(frozen=True, kw_only=True)
class Creation:
    """A new document: its item, and the upload that its tenant may make once."""

    item: dict[str, Any]
    upload: dict[str, Any]
    headers: dict[str, str]


def plan_creation(
    request: CreateDocument, caller: Caller, address: DocumentAddress, *, now: datetime, retention_days: int
) -> Creation:
    """The item, which expires `retention_days` after `now`, and the parameters the upload URL is signed for."""
    context = encryption_context(address.tenant)
    return Creation(
        item={
            "tenant": address.tenant,
            "document": address.document,
            "title": request.title,
            "content_type": request.content_type,
            "size": request.size,
            "status": AWAITING_UPLOAD,
            "created_at": now.isoformat(timespec="seconds"),
            "created_by": user_reference(caller.user),
            "expires_at": int((now + timedelta(days=retention_days)).timestamp()),
        },
        upload={
            "Key": address.object_key,
            "ContentType": request.content_type,
            "ContentLength": request.size,
            "IfNoneMatch": "*",
            "ServerSideEncryption": "aws:kms",
            "SSEKMSEncryptionContext": context,
        },
        headers={
            "Content-Type": request.content_type,
            "Content-Length": str(request.size),
            "If-None-Match": "*",
            "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-context": context,
        },
    )


def encryption_context(tenant: str) -> str:
    """The KMS encryption context of a tenant's objects, as S3 takes it: base64 of a JSON object.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context
    """
    return base64.b64encode(json.dumps({"tenant": tenant}, separators=(",", ":")).encode()).decode()


def is_present(item: Mapping[str, Any] | None, *, now: datetime) -> bool:
    """Whether an item is still shown: TTL removes items some time after they expire, a reader must not wait."""
    return item is not None and item["status"] != DELETING and int(item["expires_at"]) > now.timestamp()


def present(item: Mapping[str, Any]) -> dict[str, Any]:
    """What the API shows of an item."""
    shown = ("title", "content_type", "size", "status", "created_at", "created_by", "reason", "statistics", "summary")
    return {
        "id": item["document"],
        "expires_at": datetime.fromtimestamp(int(item["expires_at"]), tz=UTC).isoformat(timespec="seconds"),
        **{name: item[name] for name in shown if name in item},
    }
