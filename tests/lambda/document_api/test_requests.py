"""What a caller may say, and what is refused before anything is touched."""

import base64
import json
from typing import Any

import pytest
from document_api.requests import (
    LONGEST_BODY,
    Caller,
    CreateDocument,
    DeleteDocument,
    ListDocuments,
    ReadDocument,
    read_caller,
    read_operation,
)
from palisade_runtime.responses import RefusalError

ID = "0123456789abcdef0123456789abcdef"
EDITOR = Caller(tenant="acme", user="jane", role="editor")
READER = Caller(tenant="acme", user="jane", role="reader")
LARGEST = 1000


def _event(method: str, resource: str, **more: Any) -> dict[str, Any]:
    return {"httpMethod": method, "resource": resource, **more}


def _post(body: object, **more: Any) -> dict[str, Any]:
    return _event("POST", "/documents", body=body if isinstance(body, str) else json.dumps(body), **more)


def _refused(event: dict[str, Any], caller: Caller = EDITOR) -> RefusalError:
    with pytest.raises(RefusalError) as refusal:
        read_operation(event, caller, largest_document=LARGEST)
    return refusal.value


GOOD = {"title": " Minutes ", "content_type": "text/plain", "size": 12}


def test_reads_every_operation() -> None:
    events = {
        CreateDocument(title="Minutes", content_type="text/plain", size=12): _post(GOOD),
        ListDocuments(after=None): _event("GET", "/documents", queryStringParameters=None),
        ListDocuments(after=ID): _event("GET", "/documents", queryStringParameters={"after": ID}),
        ReadDocument(document=ID): _event("GET", "/documents/{id}", pathParameters={"id": ID}),
        DeleteDocument(document=ID): _event("DELETE", "/documents/{id}", pathParameters={"id": ID}),
    }
    for operation, event in events.items():
        assert read_operation(event, EDITOR, largest_document=LARGEST) == operation


def test_reads_a_base64_body() -> None:
    body = base64.b64encode(json.dumps(GOOD).encode()).decode()
    operation = read_operation(_post(body, isBase64Encoded=True), EDITOR, largest_document=LARGEST)
    assert operation == CreateDocument(title="Minutes", content_type="text/plain", size=12)


@pytest.mark.parametrize(
    ("method", "resource"),
    [("PUT", "/documents"), ("GET", "/"), ("GET", "/documents/{id}/x"), ("", ""), ("get", "/documents"), (None, None)],
)
def test_unknown_route_is_not_found(method: str, resource: str) -> None:
    assert _refused(_event(method, resource)).status == 404


@pytest.mark.parametrize(("method", "resource"), [("POST", "/documents"), ("DELETE", "/documents/{id}")])
def test_reader_may_not_change(method: str, resource: str) -> None:
    assert _refused(_event(method, resource, body="{}", pathParameters={"id": ID}), READER).status == 403


def test_reader_may_read() -> None:
    event = _event("GET", "/documents/{id}", pathParameters={"id": ID})
    assert read_operation(event, READER, largest_document=LARGEST) == ReadDocument(document=ID)


@pytest.mark.parametrize(
    "value", ["", "..", "../beta/" + ID, "beta/" + ID, ID.upper(), ID + "\x00", ID + "%00", "*", "ì" * 32, "a" * 10**6]
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_hostile_id_is_not_found(method: str, value: str) -> None:
    assert _refused(_event(method, "/documents/{id}", pathParameters={"id": value})).status == 404


def test_missing_path_parameters_are_not_found() -> None:
    assert _refused(_event("GET", "/documents/{id}", pathParameters=None)).status == 404


@pytest.mark.parametrize("after", ["", "beta", '{"tenant":"beta"}', ID[:-1]])
def test_hostile_page_mark_is_refused(after: str) -> None:
    assert _refused(_event("GET", "/documents", queryStringParameters={"after": after})).status == 404


@pytest.mark.parametrize("body", ["", "{", "[]", '"x"', "null", "[" * 5000])
def test_refuses_what_is_no_json_object(body: str) -> None:
    assert _refused(_post(body)).code == "invalid_body"


def test_refuses_missing_body() -> None:
    assert _refused(_event("POST", "/documents", body=None)).code == "invalid_body"


@pytest.mark.parametrize("body", ["%%%", base64.b64encode(b"\xff\xfe").decode()])
def test_refuses_broken_base64(body: str) -> None:
    assert _refused(_post(body, isBase64Encoded=True)).code == "invalid_body"


def test_refuses_long_body() -> None:
    assert _refused(_post("x" * (LONGEST_BODY + 1))).status == 413


def test_lists_every_problem_of_a_document_at_once() -> None:
    message = _refused(_post({"title": "", "content_type": "text/html", "size": 0, "tenant": "beta"})).message
    for part in ("title", "content_type", "size", "1 unknown field"):
        assert part in message
    assert "beta" not in message


@pytest.mark.parametrize("title", [None, 5, "", "   ", "a" * 201, "a\x00b", "a\nb", "a\u202eb", "\ud800", ["a"]])
def test_refuses_title(title: object) -> None:
    assert "title" in _refused(_post({**GOOD, "title": title})).message


@pytest.mark.parametrize(
    "content_type", [None, "", "text/html", "text/plain; charset=x", "TEXT/PLAIN", "a/b\r\nX: y", {}]
)
def test_refuses_content_type(content_type: object) -> None:
    assert "content_type" in _refused(_post({**GOOD, "content_type": content_type})).message


@pytest.mark.parametrize("size", [None, 0, -1, LARGEST + 1, 1.5, "12", True, 10**30])
def test_refuses_size(size: object) -> None:
    assert "size" in _refused(_post({**GOOD, "size": size})).message


def test_reads_the_caller_from_the_authorizer() -> None:
    event = {"requestContext": {"authorizer": {"tenant": "acme", "user": "jane", "role": "editor"}}}
    assert read_caller(event) == EDITOR


@pytest.mark.parametrize(
    "context",
    [
        None,
        {},
        {"user": "jane", "role": "editor"},
        {"tenant": "*", "user": "jane", "role": "editor"},
        {"tenant": "acme", "role": "editor"},
        {"tenant": "acme", "user": "", "role": "editor"},
        {"tenant": "acme", "user": "jane\n", "role": "editor"},
        {"tenant": "acme", "user": ["jane"], "role": "editor"},
        {"tenant": "acme", "user": "jane", "role": ["editor"]},
        {"tenant": "acme", "user": "jane"},
        {"tenant": "acme", "user": "jane", "role": "owner"},
    ],
)
def test_refuses_a_request_that_no_authorizer_vouched_for(context: object) -> None:
    with pytest.raises(RefusalError) as refusal:
        read_caller({"requestContext": {"authorizer": context}, "headers": {"tenant": "acme"}})
    assert refusal.value.status == 403
