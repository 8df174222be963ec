"""People of Identity Center get a role's credentials by the sign-in that is kept, or by a new one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.configured import deployment_of
from ops.credentials import main
from ops.credentials.sign_in import Portal, Terminal, device_token, kept_token, portal_of, role_credentials
from ops.places import OpsError

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PORTAL = Portal(start_url="https://d-0123456789.awsapps.com/start", region="eu-west-1")


def _error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "CreateToken")


class _Oidc:
    """Identity Center's token service: answers each question with the next of ``answers``."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.calls = list(answers), list[dict[str, Any]]()

    def register_client(self, **_: object) -> dict[str, str]:
        return {"clientId": "client", "clientSecret": "proof"}

    def start_device_authorization(self, **call: object) -> dict[str, object]:
        assert call["startUrl"] == PORTAL.start_url
        where = "https://device.sso.eu-west-1.amazonaws.com/?user_code=ABCD-EFGH"
        return {
            "deviceCode": "device",
            "userCode": "ABCD-EFGH",
            "verificationUriComplete": where,
            "expiresIn": 600,
            "interval": 1,
        }

    def create_token(self, **call: Any) -> dict[str, str]:
        self.calls.append(call)
        answer = self.answers.pop(0) if self.answers else "AuthorizationPendingException"
        if answer.endswith("Exception"):
            raise _error(answer)
        return {"accessToken": answer}


class _Clock:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.at, self.slept, self.said = NOW, list[float](), list[str]()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)

    @property
    def terminal(self) -> Terminal:
        return Terminal(now=lambda: self.at, sleep=self.sleep, say=self.said.append, open=lambda _url: None)


def test_waits_until_the_browser_confirms_and_slows_down_when_told() -> None:
    clock, oidc = _Clock(), _Oidc("AuthorizationPendingException", "SlowDownException", "a-token")
    assert device_token(oidc, PORTAL, clock.terminal) == "a-token"
    assert clock.slept == [1, 6]
    assert "ABCD-EFGH" in clock.said[0]
    assert "a-token" not in "".join(clock.said)


@pytest.mark.parametrize(
    ("answers", "message"),
    [((), "before it expired"), (("ExpiredTokenException",), "expired"), (("AccessDeniedException",), "refused")],
)
def test_says_that_nobody_signed_in(answers: Sequence[str], message: str) -> None:
    clock = _Clock()
    with pytest.raises(OpsError, match=message):
        device_token(_Oidc(*answers), PORTAL, clock.terminal)
    assert clock.at <= NOW + timedelta(seconds=601)


def _kept(folder: Path, **changed: str) -> None:
    token = {
        "startUrl": PORTAL.start_url + "/#/",
        "region": "eu-west-1",
        "accessToken": "kept",
        "expiresAt": "2026-03-02T17:00:00Z",
    }
    (folder / "a.json").write_text(json.dumps({**token, **changed}), encoding="utf-8")


def test_uses_the_sign_in_that_the_aws_cli_keeps(tmp_path: Path) -> None:
    (tmp_path / "0.json").write_text("{", encoding="utf-8")
    (tmp_path / "1.json").write_text('{"clientId": "c", "expiresAt": "2026-06-01T00:00:00Z"}', encoding="utf-8")
    _kept(tmp_path)
    assert kept_token(tmp_path, PORTAL, NOW) == "kept"
    assert kept_token(tmp_path, PORTAL, NOW + timedelta(hours=7, minutes=58)) == "kept"


@pytest.mark.parametrize(
    "changed",
    [
        {"expiresAt": "2026-03-02T09:00:30Z"},
        {"expiresAt": "2026-03-02T08:00:00UTC"},
        {"region": "us-east-1"},
        {"startUrl": "https://d-9999999999.awsapps.com/start"},
        {"expiresAt": "soon"},
    ],
)
def test_uses_no_other_sign_in_and_none_that_ends(tmp_path: Path, changed: dict[str, str]) -> None:
    _kept(tmp_path, **changed)
    assert kept_token(tmp_path, PORTAL, NOW) is None


def test_reads_the_role_that_was_asked_for() -> None:
    class _Sso:
        def get_role_credentials(self, **call: str) -> dict[str, Any]:
            assert call == {"roleName": "palisade-engineer", "accountId": "666666666666", "accessToken": "kept"}
            keys = {"accessKeyId": "ASIA", "secretAccessKey": "s", "sessionToken": "t"}
            return {"roleCredentials": {**keys, "expiration": int(NOW.timestamp() * 1000)}}

    assert role_credentials(_Sso(), "kept", "666666666666", "palisade-engineer").expires == NOW


def test_the_portal_follows_from_the_configuration() -> None:
    reference = deployment_of("reference")
    assert portal_of(reference, "") == PORTAL
    with pytest.raises(OpsError, match="--start-url"):
        portal_of(reference, "http://d-1.awsapps.com/start")


@pytest.fixture
def signed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A kept sign-in, and an Identity Center that answers with an error."""
    token = tmp_path / "cache"
    token.mkdir()
    _kept(token, expiresAt="2999-01-01T00:00:00Z")
    monkeypatch.setattr("ops.credentials.sign_in.CACHE", token)

    def answer(code: str) -> None:
        class _Sso:
            def get_role_credentials(self, **_: str) -> None:
                raise ClientError({"Error": {"Code": code, "Message": "No access"}}, "GetRoleCredentials")

        monkeypatch.setattr("boto3.client", lambda *_args, **_kept: _Sso())

    return answer


def test_says_that_the_role_is_not_given(signed_in: Callable[[str], None], capsys: pytest.CaptureFixture[str]) -> None:
    signed_in("ForbiddenException")
    assert main(["sign-in", "--account", "live", "--role", "read-only", "--process"]) == 1
    said = capsys.readouterr()
    assert "no role palisade-read-only in account 777777777777" in said.err
    assert "kept" not in said.err + said.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--account", "liver", "--role", "x"], "--account liver"),
        (["--account", "live", "--role", "x", "--deployment", "nowhere"], "--deployment nowhere"),
    ],
)
def test_refuses_what_is_not_configured(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sign-in", *arguments, "--process"]) == 1
    assert message in capsys.readouterr().err
