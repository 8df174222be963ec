"""A token does not outlive its user: the pool is asked, its answer kept for a minute and no longer."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from authorize_request.directory import (
    FRESH_FOR,
    MOST_USERS,
    Directory,
    DirectoryUnavailableError,
    is_present,
    look_up_in,
)
from authorize_request.handler import Services, authorize
from botocore.stub import Stubber
from palisade_runtime.logs import Logger

ARN = "arn:aws:execute-api:eu-west-1:111122223333:abc123/v1/GET/documents"


class Pool:
    """A user pool in memory, counting how often it is asked."""

    def __init__(self) -> None:
        self.users: dict[str, dict[str, Any]] = {"jane": user("jane-1")}
        self.asked = 0
        self.down = False

    def look_up(self, name: str) -> dict[str, Any] | None:
        self.asked += 1
        if self.down:
            raise DirectoryUnavailableError
        return self.users.get(name)


def user(subject: str, **changes: Any) -> dict[str, Any]:
    attributes = [{"Name": "sub", "Value": subject}, {"Name": "email", "Value": "jane@example.com"}]
    return {"Enabled": True, "UserStatus": "CONFIRMED", "UserAttributes": attributes, **changes}


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def services(pool: Pool, keys: Any, pool_rules: Any, clock: Any, lines: Any) -> Services:
    return Services(
        keys=keys,
        rules=pool_rules,
        directory=Directory(look_up=pool.look_up, clock=clock),
        clock=clock,
        logger=Logger(service="t", clock=clock, output=lines),
    )


def _effect(services: Services, token: str) -> str:
    event = {"methodArn": ARN, "headers": {"Authorization": f"Bearer {token}"}}
    return str(authorize(event, services)["policyDocument"]["Statement"][0]["Effect"])


def test_token_of_a_removed_user_is_refused_within_a_minute(
    services: Services, pool: Pool, issuer: Any, clock: Any
) -> None:
    token = issuer.pool_token()
    assert _effect(services, token) == "Allow"
    del pool.users["jane"]
    clock.advance(seconds=FRESH_FOR.total_seconds())
    assert _effect(services, token) == "Deny"
    clock.advance(minutes=3)
    assert _effect(services, token) == "Deny", "the token itself has not expired yet"


def test_token_of_a_user_removed_before_its_first_use_is_refused_at_once(
    services: Services, pool: Pool, issuer: Any
) -> None:
    pool.users.clear()
    assert _effect(services, issuer.pool_token()) == "Deny"


def test_a_new_user_of_an_old_name_does_not_revive_old_tokens(services: Services, pool: Pool, issuer: Any) -> None:
    pool.users["jane"] = user("jane-2")
    assert _effect(services, issuer.pool_token()) == "Deny"


@pytest.mark.parametrize(
    "changes",
    [
        {"Enabled": False},
        {"Enabled": "true"},
        {"UserStatus": "RESET_REQUIRED"},
        {"UserStatus": "FORCE_CHANGE_PASSWORD"},
        {"UserStatus": "UNCONFIRMED"},
        {"UserStatus": None},
        {"UserAttributes": []},
    ],
)
def test_only_an_enabled_confirmed_user_is_there(changes: dict[str, Any]) -> None:
    assert is_present(user("jane-1"), "jane-1")
    assert is_present(user("jane-1", UserStatus="EXTERNAL_PROVIDER"), "jane-1")
    assert not is_present({**user("jane-1"), **changes}, "jane-1")


def test_asks_once_a_minute_however_many_requests_come(services: Services, pool: Pool, issuer: Any, clock: Any) -> None:
    token = issuer.pool_token()
    for _ in range(20):
        assert _effect(services, token) == "Allow"
    assert pool.asked == 1
    clock.advance(seconds=FRESH_FOR.total_seconds())
    assert _effect(services, token) == "Allow"
    assert pool.asked == 2


def test_an_unreachable_pool_lets_nobody_in_and_may_raise_the_alarm(
    services: Services, pool: Pool, issuer: Any, clock: Any, lines: Any
) -> None:
    token = issuer.pool_token()
    assert _effect(services, token) == "Allow"
    pool.down = True
    clock.advance(seconds=FRESH_FOR.total_seconds())
    with pytest.raises(DirectoryUnavailableError):
        _effect(services, token)
    assert (lines.parsed[-1]["level"], lines.parsed[-1]["event"]) == ("ERROR", "directory.unavailable")


def test_a_forged_token_asks_nobody(services: Services, pool: Pool, issuer: Any) -> None:
    assert _effect(services, issuer.pool_token(key=issuer.other_rsa)) == "Deny"
    assert pool.asked == 0


def test_answers_kept_are_bounded(clock: Any) -> None:
    directory = Directory(look_up=user, clock=clock)
    for number in range(MOST_USERS + 5):
        directory.holds(str(number), str(number))
    assert len(directory._answers) == MOST_USERS


@pytest.fixture
def cognito() -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client("cognito-idp", region_name="eu-west-1")
    with Stubber(client) as stub:
        yield client, stub


def test_nobody_of_the_name_is_an_answer_and_anything_else_is_none(cognito: tuple[Any, Stubber]) -> None:
    client, stub = cognito
    look_up = look_up_in(client, "eu-west-1_pool")
    wanted = {"UserPoolId": "eu-west-1_pool", "Username": "jane"}
    stub.add_response("admin_get_user", {"Username": "jane", "Enabled": True}, wanted)
    assert (look_up("jane") or {})["Enabled"] is True
    stub.add_client_error("admin_get_user", "UserNotFoundException", expected_params=wanted)
    assert look_up("jane") is None
    for code in ("TooManyRequestsException", "ResourceNotFoundException", "NotAuthorizedException"):
        stub.add_client_error("admin_get_user", code, expected_params=wanted)
        with pytest.raises(DirectoryUnavailableError):
            look_up("jane")
