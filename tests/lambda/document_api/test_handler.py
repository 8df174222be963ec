"""The document API against a stage in memory: create, list, read, delete, and never another tenant's."""

import base64
import dataclasses
import json
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from document_api import handler
from document_api.documents import PAGE_SIZE
from document_api.handler import Services, answer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

RETENTION_DAYS = 90


@pytest.fixture
def services(stage: Any) -> Services:
    numbers = count(1)
    return Services(
        sessions=stage.sessions,
        table=stage.table,
        bucket=stage.bucket,
        register=stage.register,
        key_arn=stage.key_arn,
        retention_days=RETENTION_DAYS,
        largest_document=1000,
        clock=stage.clock,
        new_id=lambda: f"{next(numbers):032x}",
        logger=stage.logger,
    )


def _call(services: Services, method: str, document: str | None = None, **more: Any) -> tuple[int, Any]:
    caller = {"tenant": "acme", "user": "auth0|jane", "role": "editor"} | more.pop("caller", {})
    event = {
        "httpMethod": method,
        "resource": "/documents/{id}" if document is not None else "/documents",
        "pathParameters": {"id": document} if document is not None else None,
        "requestContext": {"requestId": "request-1", "authorizer": caller},
        **more,
    }
    response = answer(event, services)
    body = response["body"]
    assert isinstance(body, str)
    status = response["statusCode"]
    assert isinstance(status, int)
    return status, json.loads(body) if body else None


def _create(services: Services, tenant: str = "acme", title: str = "Minutes", size: int = 5) -> dict[str, Any]:
    body = json.dumps({"title": title, "content_type": "text/plain", "size": size})
    status, created = _call(services, "POST", body=body, caller={"tenant": tenant})
    assert status == 201
    assert isinstance(created, dict)
    return created


def test_creates_a_document_that_awaits_its_upload(services: Services, stage: Any) -> None:
    created = _create(services)
    assert (created["status"], created["title"], created["size"]) == ("awaiting_upload", "Minutes", 5)
    item = stage.items()[0]
    assert item["tenant"] == {"S": "acme"}
    assert item["created_by"]["S"].startswith("hashed-")
    assert int(item["expires_at"]["N"]) == int((stage.clock() + timedelta(days=RETENTION_DAYS)).timestamp())


def test_upload_url_is_signed_for_exactly_the_headers_it_asks_for(services: Services, stage: Any) -> None:
    created = _create(services)
    upload = created["upload"]
    url = urlsplit(upload["url"])
    query = parse_qs(url.query)
    signed = set(query["X-Amz-SignedHeaders"][0].split(";"))
    assert url.path == f"/acme/{created['id']}"
    assert url.hostname == "documents-bucket.s3.eu-west-1.amazonaws.com"
    assert signed == {name.lower() for name in upload["headers"]} | {"host"}
    assert int(query["X-Amz-Expires"][0]) == upload["expires_in_seconds"]
    assert query["X-Amz-Credential"][0].split("/")[0] in stage.sts.tenant_of
    assert upload["method"] == "PUT"


def test_upload_binds_tenant_key_size_and_single_use(services: Services, stage: Any) -> None:
    headers = _create(services, tenant="beta", size=7)["upload"]["headers"]
    context = json.loads(base64.b64decode(headers["x-amz-server-side-encryption-context"]))
    assert context == {"tenant": "beta"}
    assert headers["x-amz-server-side-encryption-aws-kms-key-id"] == stage.key_arn
    assert headers["x-amz-server-side-encryption"] == "aws:kms"
    assert headers["Content-Length"] == "7"
    assert headers["If-None-Match"] == "*"


def test_reads_what_was_created(services: Services) -> None:
    created = _create(services)
    status, read = _call(services, "GET", created["id"])
    assert status == 200
    assert read == {name: value for name, value in created.items() if name != "upload"}
    assert read["expires_at"] == "2026-05-31T09:00:00+00:00"


def test_lists_page_by_page(services: Services) -> None:
    expected = {_create(services)["id"] for _ in range(PAGE_SIZE + 3)}
    _create(services, tenant="beta")
    _, first = _call(services, "GET")
    _, second = _call(services, "GET", queryStringParameters={"after": first["next"]})
    assert len(first["documents"]) == PAGE_SIZE
    assert second["next"] is None
    assert {shown["id"] for shown in (*first["documents"], *second["documents"])} == expected


def test_expired_document_is_gone_before_the_table_removes_it(services: Services, stage: Any) -> None:
    created = _create(services)
    stage.clock.advance(days=RETENTION_DAYS, seconds=-1)
    assert _call(services, "GET", created["id"])[0] == 200
    stage.clock.advance(seconds=1)
    assert _call(services, "GET", created["id"])[0] == 404
    assert _call(services, "GET")[1]["documents"] == []


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_another_tenants_document_cannot_be_told_from_none(method: str, services: Services, stage: Any) -> None:
    created = _create(services, tenant="beta")
    stage.upload(created, "beta", b"hello")
    theirs = _call(services, method, created["id"])
    nobodys = _call(services, method, "f" * 32)
    assert theirs == nobodys
    assert _call(services, "GET", created["id"], caller={"tenant": "beta"})[0] == 200
    assert stage.versions("beta/") == [f"beta/{created['id']}"]


def test_deletes_every_version_and_the_item(services: Services, stage: Any) -> None:
    created, other = _create(services), _create(services)
    for content in (b"one", b"two", b"three"):
        stage.upload(created, "acme", content)
    stage.upload(other, "acme", b"stays")
    stage.s3.delete_object(Bucket=stage.bucket, Key=f"acme/{created['id']}")
    assert _call(services, "DELETE", created["id"]) == (204, None)
    assert stage.versions() == [f"acme/{other['id']}"]
    assert [item["document"]["S"] for item in stage.items()] == [other["id"]]


def test_deleting_again_succeeds(services: Services) -> None:
    created = _create(services)
    assert [_call(services, "DELETE", created["id"])[0] for _ in range(2)] == [204, 204]


def test_deletes_objects_whose_item_is_gone(services: Services, stage: Any) -> None:
    created = _create(services)
    stage.upload(created, "acme", b"hello")
    key = {"tenant": {"S": "acme"}, "document": {"S": created["id"]}}
    stage.dynamodb.delete_item(TableName=stage.table, Key=key)
    assert _call(services, "DELETE", created["id"])[0] == 204
    assert stage.versions() == []


def test_leaves_a_key_alone_that_only_begins_like_the_documents(services: Services, stage: Any) -> None:
    created = _create(services)
    stage.s3.put_object(Bucket=stage.bucket, Key=f"acme/{created['id']}0", Body=b"x")
    _call(services, "DELETE", created["id"])
    assert stage.versions() == [f"acme/{created['id']}0"]


@pytest.mark.parametrize("broken", ["ListObjectVersions", "DeleteObjects", "DeleteItem"])
def test_interrupted_deletion_hides_the_document_and_resumes(broken: str, services: Services, stage: Any) -> None:
    created = _create(services)
    stage.upload(created, "acme", b"hello")
    stage.failing.add(broken)
    assert _call(services, "DELETE", created["id"])[0] == 500
    assert _call(services, "GET", created["id"])[0] == 404
    assert stage.items()[0]["status"] == {"S": "deleting"}
    assert "title" not in stage.items()[0]
    stage.failing.clear()
    assert _call(services, "DELETE", created["id"])[0] == 204
    assert (stage.items(), stage.versions()) == ([], [])


def test_version_that_s3_declines_to_delete_keeps_the_item(
    services: Services, stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = _create(services)
    stage.upload(created, "acme", b"hello")
    clients = stage.sessions.open(tenant="acme", user="auth0|jane")
    with monkeypatch.context() as patch:
        patch.setattr(clients.s3, "delete_objects", lambda **_: {"Errors": [{"Code": "InternalError"}]})
        assert _call(services, "DELETE", created["id"])[0] == 500
    assert len(stage.items()) == 1
    assert _call(services, "DELETE", created["id"])[0] == 204


def test_an_id_in_use_is_never_overwritten(services: Services, stage: Any) -> None:
    fixed = dataclasses.replace(services, new_id=lambda: "a" * 32)
    _create(fixed)
    body = json.dumps({"title": "Second", "content_type": "text/plain", "size": 5})
    assert _call(fixed, "POST", body=body)[0] == 500
    assert stage.items()[0]["title"] == {"S": "Minutes"}


def test_failure_shows_nothing_of_the_inside(services: Services, stage: Any) -> None:
    stage.failing.add("GetItem")
    status, body = _call(services, "GET", "0" * 32)
    assert (status, body["error"]["code"], body["request_id"]) == (500, "internal", "request-1")
    assert "order" not in json.dumps(body)
    assert stage.lines.parsed[-1]["error"] == "ConnectionError"


def test_every_line_carries_tenant_user_and_request_and_no_title(services: Services, stage: Any) -> None:
    created = _create(services, title="Merger with Initech")
    _call(services, "GET", created["id"])
    _call(services, "DELETE", created["id"])
    _call(services, "GET", "nonsense")
    assert len(stage.lines.parsed) >= 4
    for line in stage.lines.parsed:
        assert (line["tenant"], line["request_id"]) == ("acme", "request-1")
        assert line["user"].startswith("hashed-")
    assert "Initech" not in stage.lines.text
    assert "X-Amz" not in stage.lines.text


def test_request_without_authorizer_is_refused_and_touches_nothing(services: Services, stage: Any) -> None:
    response = answer({"httpMethod": "GET", "resource": "/documents", "headers": {"x-tenant": "acme"}}, services)
    assert response["statusCode"] == 403
    assert stage.sts.calls == []


_TENANTS = ("acme", "acme-2", "beta")
_STEP = st.tuples(
    st.sampled_from(_TENANTS), st.sampled_from(("create", "read", "list", "delete")), st.integers(0, 5), st.booleans()
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_STEP, max_size=12))
def test_no_sequence_of_requests_crosses_tenants(services: Services, stage: Any, steps: list[Any]) -> None:
    owned: dict[str, set[str]] = {tenant: set() for tenant in _TENANTS}
    for item in stage.items():
        stage.dynamodb.delete_item(TableName=stage.table, Key={name: item[name] for name in ("tenant", "document")})
    for tenant, operation, number, uploads in steps:
        known = sorted(set().union(*owned.values()))
        target = known[number % len(known)] if known else "0" * 32
        if operation == "create":
            created = _create(services, tenant=tenant)
            owned[tenant].add(created["id"])
            if uploads:
                stage.upload(created, tenant, b"hello")
        elif operation == "list":
            shown = _call(services, "GET", caller={"tenant": tenant})[1]["documents"]
            assert {document["id"] for document in shown} == owned[tenant]
        elif operation == "read":
            expected = 200 if target in owned[tenant] else 404
            assert _call(services, "GET", target, caller={"tenant": tenant})[0] == expected
        else:
            assert _call(services, "DELETE", target, caller={"tenant": tenant})[0] == 204
            owned[tenant].discard(target)
    stored = {(item["tenant"]["S"], item["document"]["S"]) for item in stage.items()}
    assert stored == {(tenant, document) for tenant, documents in owned.items() for document in documents}
    assert not stage.crossings


def test_the_stage_notices_a_crossing(stage: Any) -> None:
    clients = stage.sessions.open(tenant="acme", user="jane")
    with pytest.raises(Exception, match="GetObject"):
        clients.s3.get_object(Bucket=stage.bucket, Key="beta/" + "0" * 32)
    with pytest.raises(Exception, match="Scan"):
        clients.dynamodb.scan(TableName=stage.table)
    assert len(stage.crossings) == 2
    stage.crossings.clear()


def test_entry_point_builds_its_services_from_the_environment(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    handler._services.cache_clear()
    environment = {
        "TABLE_NAME": stage.table,
        "BUCKET_NAME": stage.bucket,
        "REGISTER": stage.register,
        "KEY_ARN": stage.key_arn,
        "TENANT_ROLE_ARN": "arn:aws:iam::123456789012:role/tenant",
        "RETENTION_DAYS": "90",
        "LARGEST_DOCUMENT_BYTES": "1000",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    caller = {"tenant": "acme", "user": "jane", "role": "reader"}
    event = {"httpMethod": "GET", "resource": "/documents", "requestContext": {"authorizer": caller}}
    try:
        response = handler.handle(event, None)
    finally:
        handler._services.cache_clear()
    assert json.loads(str(response["body"])) == {"documents": [], "next": None}


def test_a_tenant_who_has_left_is_told_so_and_nothing_is_written(services: Services, stage: Any) -> None:
    closed_at = {"S": "2026-03-01T00:00:00+00:00"}
    stage.dynamodb.put_item(TableName=stage.register, Item={"tenant": {"S": "acme"}, "closed_at": closed_at})
    body = json.dumps({"title": "Late", "content_type": "text/plain", "size": 5})
    assert _call(services, "POST", body=body)[0] == 410
    assert stage.items() == []
    assert _create(services, tenant="other")["status"] == "awaiting_upload"
