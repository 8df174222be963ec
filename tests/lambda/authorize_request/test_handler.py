"""The authorizer's answers."""

import json
from typing import Any

import pytest
from authorize_request import handler
from authorize_request.handler import Services, authorize, bearer_token
from authorize_request.keys import KeysUnavailableError
from authorize_request.policies import METHODS, allow, deny, stage_of
from authorize_request.tokens import Identity, InvalidTokenError
from palisade_runtime.logs import Logger

STAGE = "arn:aws:execute-api:eu-west-1:111122223333:abc123/v1"


@pytest.fixture
def services(keys: Any, rules: Any, clock: Any, lines: Any) -> Services:
    return Services(keys=keys, rules=rules, clock=clock, logger=Logger(service="t", clock=clock, output=lines))


def _event(token: object, **changes: Any) -> dict[str, Any]:
    headers = {"Host": "x", "authorization": token}
    return {
        "type": "REQUEST",
        "methodArn": f"{STAGE}/GET/documents",
        "headers": headers,
        "requestContext": {"requestId": "request-1"},
        **changes,
    }


def _statement(answer: dict[str, Any]) -> dict[str, Any]:
    statements = answer["policyDocument"]["Statement"]
    assert len(statements) == 1
    assert isinstance(statements[0], dict)
    return statements[0]


def test_lets_an_editor_read_and_change_on_this_stage_only(services: Services, issuer: Any) -> None:
    answer = authorize(_event(f"Bearer {issuer.token()}"), services)
    assert _statement(answer) == {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": [f"{STAGE}/GET/*", f"{STAGE}/POST/*", f"{STAGE}/DELETE/*"],
    }
    assert answer["context"] == {"tenant": "acme", "user": "auth0|jane", "role": "editor"}
    assert answer["principalId"].startswith("hashed-")


def test_lets_a_reader_only_read(services: Services, issuer: Any) -> None:
    answer = authorize(_event(f"Bearer {issuer.token(role='reader')}"), services)
    assert _statement(answer)["Resource"] == [f"{STAGE}/GET/*"]


def test_no_role_reaches_every_method() -> None:
    assert all("*" not in methods for methods in METHODS.values())


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer  x"},
        {"Authorization": "Bearer x "},
        {"Authorization": "Basic amFuZTpodW50ZXIy"},
        {"Authorization": None},
        {"X-Authorization": "Bearer x"},
        {"Authorization": "Bearer x", "authorization": "Bearer y"},
    ],
)
def test_refuses_without_exactly_one_bearer_token(headers: Any, services: Services) -> None:
    assert _statement(authorize(_event("", headers=headers), services))["Effect"] == "Deny"


def test_refuses_a_repeated_header() -> None:
    with pytest.raises(InvalidTokenError):
        bearer_token({"multiValueHeaders": {"Authorization": ["Bearer a", "Bearer b"]}})
    assert bearer_token({"multiValueHeaders": {"Authorization": ["bearer a"]}}) == "a"


def test_refusal_is_an_answer_and_says_nothing(services: Services) -> None:
    answer = authorize(_event("Bearer a.b.c"), services)
    assert answer == {
        "principalId": "refused",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": [f"{STAGE}/*"]}],
        },
    }


def test_outage_of_the_issuer_lets_nobody_in_and_may_raise_the_alarm(
    services: Services, issuer: Any, lines: Any
) -> None:
    issuer.down = True
    with pytest.raises(KeysUnavailableError):
        authorize(_event(f"Bearer {issuer.token()}"), services)
    assert (lines.parsed[-1]["level"], lines.parsed[-1]["event"]) == ("ERROR", "keys.unavailable")


@pytest.mark.parametrize("arn", [None, "", "*", f"{STAGE}", "arn:aws:s3:::bucket/v1/GET/x", f"{STAGE}/*/x", "x" * 5000])
def test_refuses_everything_when_the_method_is_not_one(arn: object, services: Services, issuer: Any) -> None:
    answer = authorize(_event(f"Bearer {issuer.token()}", methodArn=arn), services)
    assert _statement(answer) == {"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": ["*"]}


@pytest.mark.parametrize("path", ["documents", "documents/../x", "", "a/b/c", "*", "\n"])
def test_a_path_never_widens_the_stage(path: str) -> None:
    assert stage_of(f"{STAGE}/GET/{path}") == STAGE
    assert stage_of(f"{STAGE}/GET") == STAGE


def test_answers_keep_to_the_shape_api_gateway_reads() -> None:
    for answer in (allow(Identity(tenant="a", user="jane", role="reader"), STAGE), deny(None)):
        assert set(answer) <= {"principalId", "policyDocument", "context"}
        assert answer["policyDocument"]["Version"] == "2012-10-17"
        assert all(isinstance(value, str) for value in answer.get("context", {}).values())


def test_never_logs_a_token_nor_an_address(services: Services, issuer: Any, lines: Any) -> None:
    tokens = [
        issuer.token(sub="jane@example.com"),
        issuer.token(key=issuer.other_rsa),
        issuer.token(exp=1),
        "not.a.token",
        "x" * 9000,
    ]
    for token in tokens:
        authorize(_event(f"Bearer {token}"), services)
    assert len(lines.parsed) == len(tokens)
    assert all(line["request_id"] == "request-1" for line in lines.parsed)
    assert "jane" not in lines.text
    for token in tokens:
        assert token not in lines.text
        assert all(part not in lines.text for part in token.split(".") if len(part) > 20)


def test_allowed_request_is_logged_with_tenant_and_user(services: Services, issuer: Any, lines: Any) -> None:
    authorize(_event(f"Bearer {issuer.token(sub='jane')}"), services)
    line = lines.parsed[-1]
    assert (line["tenant"], line["user"], line["role"]) == ("acme", "jane", "editor")


def test_entry_point_builds_its_services_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    handler._services.cache_clear()
    environment = {
        "ISSUER": "https://issuer.example.com/",
        "AUDIENCE": "documents",
        "TENANT_CLAIM": "tenant",
        "ROLE_CLAIM": "role",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    try:
        answer = handler.handle(_event("Bearer x"), None)
    finally:
        handler._services.cache_clear()
    assert json.loads(json.dumps(answer))["principalId"] == "refused"
