"""Log lines, settings, responses and sessions."""

import io
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from palisade_runtime.clock import utc_now
from palisade_runtime.environment import InvalidEnvironmentError, read_environment
from palisade_runtime.identifiers import InvalidIdentifierError
from palisade_runtime.logs import Logger, describe_error
from palisade_runtime.responses import SECURITY_HEADERS, RefusalError, refuse, respond
from palisade_runtime.sessions import CAPACITY, SESSION_SECONDS, TenantSessions, make_client

ROLE = "arn:aws:iam::111122223333:role/tenant"


def test_line_is_json_with_time_level_and_context(lines: Any, clock: Any) -> None:
    logger = Logger(service="s", clock=clock, output=lines).bind(tenant="acme", user="jane", request_id="r-1")
    logger.info("document.created", document="d", size=3)
    assert lines.parsed == [
        {
            "timestamp": "2026-03-02T09:00:00.000Z",
            "level": "INFO",
            "service": "s",
            "event": "document.created",
            "tenant": "acme",
            "user": "jane",
            "request_id": "r-1",
            "document": "d",
            "size": 3,
        }
    ]
    assert lines.text.endswith("}\n")


def test_binding_leaves_the_first_logger_alone(lines: Any, clock: Any) -> None:
    logger = Logger(service="s", clock=clock, output=lines)
    logger.bind(tenant="acme")
    logger.warning("x")
    assert "tenant" not in lines.parsed[0]
    assert lines.parsed[0]["level"] == "WARN"


def test_line_is_redacted_and_one_line(lines: Any, clock: Any) -> None:
    logger = Logger(service="s", clock=clock, output=lines).bind(user="jane@example.com")
    logger.info("x", note="first\nsecond jane@example.com", headers={"Authorization": "Bearer abcdefgh"})
    assert "jane" not in lines.text
    assert "abcdefgh" not in lines.text
    assert lines.text.count("\n") == 1


def test_failure_gives_the_kind_of_error_and_never_its_text(lines: Any, clock: Any) -> None:
    Logger(service="s", clock=clock, output=lines).failure("x", ValueError("the document said: attack at dawn"))
    assert lines.parsed[0]["error"] == "ValueError"
    assert "dawn" not in lines.text


def test_failure_gives_the_code_aws_answered_with() -> None:
    error = RuntimeError()
    error.response = {"Error": {"Code": "Throttling", "Message": "secret"}}  # type: ignore[attr-defined]
    assert describe_error(error) == "RuntimeError(Throttling)"


def test_writes_to_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.StringIO()
    monkeypatch.setattr("sys.stdout", output)
    Logger(service="s").info("x")
    assert json.loads(output.getvalue())["event"] == "x"


def test_clock_knows_its_zone() -> None:
    assert utc_now().utcoffset() == timedelta(0)


def test_environment_lists_every_problem_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYS", "-1")
    monkeypatch.setenv("BLANK", "  ")
    with pytest.raises(InvalidEnvironmentError) as refusal:
        read_environment(text=("MISSING_ONE", "BLANK"), integers=("DAYS",))
    assert str(refusal.value) == (
        "MISSING_ONE: missing, set it on the function; BLANK: missing, set it on the function; "
        "DAYS: expected a positive whole number"
    )


@pytest.mark.parametrize("value", ["0", "1.5", "x", "٣", "1e3"])
def test_environment_refuses_what_is_no_positive_number(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYS", value)
    with pytest.raises(InvalidEnvironmentError):
        read_environment(text=(), integers=("DAYS",))


def test_every_response_carries_the_security_headers() -> None:
    for response in (respond(200, {"a": 1}), respond(204), refuse(RefusalError(400, "c", "m"), "r")):
        headers = response["headers"]
        assert isinstance(headers, dict)
        assert SECURITY_HEADERS.items() <= headers.items()
    assert SECURITY_HEADERS["Strict-Transport-Security"].startswith("max-age=63072000")


def test_response_without_body_has_no_content_type() -> None:
    assert respond(204)["body"] == ""
    assert "Content-Type" not in respond(204)["headers"]  # type: ignore[operator]


def test_response_writes_decimals_as_numbers_and_nothing_else_unknown() -> None:
    assert respond(200, {"a": Decimal("1.50"), "b": Decimal(2)})["body"] == '{"a": 1.5, "b": 2}'
    with pytest.raises(TypeError):
        respond(200, {"a": object()})


class RecordingSts:
    """Answers with credentials that end an hour from now."""

    def __init__(self, clock: Any) -> None:
        self.calls: list[dict[str, Any]] = []
        self._clock = clock

    def assume_role(self, **request: Any) -> dict[str, Any]:
        self.calls.append(request)
        expiration: datetime = self._clock() + timedelta(seconds=request["DurationSeconds"])
        return {
            "Credentials": {
                "AccessKeyId": f"id-{len(self.calls)}",
                "SecretAccessKey": "k",
                "SessionToken": "t",
                "Expiration": expiration,
            }
        }


def _client(service: str, credentials: Mapping[str, str]) -> str:
    return f"{service} {credentials['AccessKeyId']}"


@pytest.fixture
def sts(clock: Any) -> RecordingSts:
    return RecordingSts(clock)


@pytest.fixture
def sessions(sts: RecordingSts, clock: Any) -> TenantSessions:
    return TenantSessions(sts=sts, role_arn=ROLE, make_client=_client, clock=clock)


def test_session_carries_tenant_as_transitive_tag_and_user_as_source(
    sessions: TenantSessions, sts: RecordingSts
) -> None:
    clients = sessions.open(tenant="acme", user="jane")
    assert sts.calls == [
        {
            "RoleArn": ROLE,
            "RoleSessionName": "jane",
            "SourceIdentity": "jane",
            "DurationSeconds": SESSION_SECONDS,
            "Tags": [{"Key": "tenant", "Value": "acme"}],
            "TransitiveTagKeys": ["tenant"],
        }
    ]
    assert (clients.tenant, clients.s3, clients.dynamodb) == ("acme", "s3 id-1", "dynamodb id-1")


def test_session_is_reused_for_the_same_tenant_and_user_only(sessions: TenantSessions, sts: RecordingSts) -> None:
    first = sessions.open(tenant="acme", user="jane")
    assert sessions.open(tenant="acme", user="jane") is first
    assert sessions.open(tenant="beta", user="jane").tenant == "beta"
    assert sessions.open(tenant="acme", user="john") is not first
    assert len(sts.calls) == 3


def test_session_near_its_end_is_replaced(sessions: TenantSessions, sts: RecordingSts, clock: Any) -> None:
    sessions.open(tenant="acme", user="jane")
    clock.advance(minutes=39)
    sessions.open(tenant="acme", user="jane")
    assert len(sts.calls) == 1
    clock.advance(minutes=2)
    sessions.open(tenant="acme", user="jane")
    assert len(sts.calls) == 2


def test_sessions_kept_are_bounded_and_the_longest_unused_leaves(sessions: TenantSessions, sts: RecordingSts) -> None:
    for number in range(CAPACITY):
        sessions.open(tenant=f"t{number}", user="jane")
    sessions.open(tenant="t0", user="jane")
    sessions.open(tenant="one-more", user="jane")
    count = len(sts.calls)
    sessions.open(tenant="t0", user="jane")
    assert len(sts.calls) == count
    sessions.open(tenant="t1", user="jane")
    assert len(sts.calls) == count + 1


@pytest.mark.parametrize(("tenant", "user"), [("*", "jane"), ("acme/..", "jane"), ("acme", ""), ("acme", "\x00")])
def test_no_session_is_asked_for_with_hostile_names(
    tenant: str, user: str, sessions: TenantSessions, sts: RecordingSts
) -> None:
    with pytest.raises(InvalidIdentifierError):
        sessions.open(tenant=tenant, user=user)
    assert not sts.calls


def test_clients_use_the_credentials_they_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "own")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own")
    tagged = make_client("s3", {"AccessKeyId": "tagged", "SecretAccessKey": "s", "SessionToken": "t"})
    url = tagged.generate_presigned_url("get_object", Params={"Bucket": "documents", "Key": "k"})
    assert url.startswith("https://documents.s3.eu-west-1.amazonaws.com/k?")
    assert "X-Amz-Credential=tagged" in url
    assert make_client("sts").meta.region_name == "eu-west-1"
