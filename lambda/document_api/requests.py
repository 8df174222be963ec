"""What a caller asks for, taken from an API Gateway proxy event and checked before anything else sees it."""

import base64
import binascii
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from palisade_runtime.identifiers import InvalidIdentifierError, document_id, tenant_id, user_reference
from palisade_runtime.responses import RefusalError

LONGEST_BODY = 16 * 1024
LONGEST_TITLE = 200
CONTENT_TYPES = ("text/plain", "text/markdown", "text/csv")
MAY_CHANGE = frozenset({"editor"})
MAY_READ = frozenset({"editor", "reader"})


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks, as the authorizer established it; nothing else in a request names a tenant."""

    tenant: str
    user: str
    role: str


@dataclass(frozen=True, kw_only=True)
class CreateDocument:
    """POST /documents: announce a document of `size` bytes."""

    title: str
    content_type: str
    size: int


@dataclass(frozen=True, kw_only=True)
class ListDocuments:
    """GET /documents: one page, after the document `after`."""

    after: str | None


@dataclass(frozen=True, kw_only=True)
class ReadDocument:
    """GET /documents/{id}."""

    document: str


@dataclass(frozen=True, kw_only=True)
class DeleteDocument:
    """DELETE /documents/{id}."""

    document: str


Operation = CreateDocument | ListDocuments | ReadDocument | DeleteDocument


def read_caller(event: Mapping[str, Any]) -> Caller:
    """The caller from the authorizer's context; refuses a request that no authorizer let through."""
    context = (event.get("requestContext") or {}).get("authorizer") or {}
    user, role = context.get("user"), context.get("role")
    try:
        tenant = tenant_id(context.get("tenant"))
        user_reference(user)
    except InvalidIdentifierError:
        raise RefusalError(403, "forbidden", "The request carries no tenant or no user.") from None
    if not isinstance(role, str) or role not in MAY_READ:
        raise RefusalError(403, "forbidden", "The request carries no known role.")
    return Caller(tenant=tenant, user=str(user), role=role)


def read_operation(event: Mapping[str, Any], caller: Caller, *, largest_document: int) -> Operation:
    """The operation asked for; refuses unknown routes, roles without the right, and malformed input."""
    route = (event.get("httpMethod"), event.get("resource"))
    if route in {("POST", "/documents"), ("DELETE", "/documents/{id}")} and caller.role not in MAY_CHANGE:
        raise RefusalError(403, "forbidden", "The role reader may not change documents.")
    match route:
        case ("POST", "/documents"):
            return _creation(_body(event), largest_document)
        case ("GET", "/documents"):
            after = (event.get("queryStringParameters") or {}).get("after")
            return ListDocuments(after=None if after is None else _document(after))
        case ("GET", "/documents/{id}"):
            return ReadDocument(document=_path_document(event))
        case ("DELETE", "/documents/{id}"):
            return DeleteDocument(document=_path_document(event))
    raise RefusalError(404, "not_found", "There is no such resource.")


def _path_document(event: Mapping[str, Any]) -> str:
    return _document((event.get("pathParameters") or {}).get("id"))


def _document(value: object) -> str:
    # A malformed id is answered like an unknown one: neither tells anything about what exists.
    try:
        return document_id(value)
    except InvalidIdentifierError:
        raise RefusalError(404, "not_found", "There is no such document.") from None


def _body(event: Mapping[str, Any]) -> dict[str, object]:
    raw = event.get("body")
    if not isinstance(raw, str) or not raw:
        raise RefusalError(400, "invalid_body", "The body is missing: send a JSON object.")
    if len(raw) > LONGEST_BODY:
        raise RefusalError(413, "body_too_large", f"The body is longer than {LONGEST_BODY} characters.")
    try:
        text = base64.b64decode(raw, validate=True).decode("utf-8") if event.get("isBase64Encoded") else raw
        body = json.loads(text)
    except (binascii.Error, ValueError, RecursionError):
        raise RefusalError(400, "invalid_body", "The body is not JSON: send a JSON object.") from None
    if not isinstance(body, dict):
        raise RefusalError(400, "invalid_body", "The body is not a JSON object.")
    return body


def _creation(body: dict[str, object], largest_document: int) -> CreateDocument:
    title, content_type, size = (body.get(name) for name in ("title", "content_type", "size"))
    problems = []
    if not isinstance(title, str) or not _is_title(title):
        problems.append(f"title: expected 1 to {LONGEST_TITLE} printable characters")
    if content_type not in CONTENT_TYPES:
        problems.append(f"content_type: expected one of {', '.join(CONTENT_TYPES)}")
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= largest_document:
        problems.append(f"size: expected the number of bytes, 1 to {largest_document}")
    unknown = len(body.keys() - {"title", "content_type", "size"})
    if unknown:
        problems.append(f"{unknown} unknown field(s): send title, content_type and size only")
    if problems:
        raise RefusalError(400, "invalid_document", "; ".join(problems) + ".")
    return CreateDocument(title=str(title).strip(), content_type=str(content_type), size=int(str(size)))


def _is_title(title: str) -> bool:
    # Categories C*: controls, format characters (direction overrides among them), surrogates and unassigned.
    return 1 <= len(title.strip()) <= LONGEST_TITLE and not any(unicodedata.category(c).startswith("C") for c in title)
