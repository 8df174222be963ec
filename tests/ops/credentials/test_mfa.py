"""An IAM user's MFA code gives a session of a day; everything that can be wrong is said in one sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from ops.__main__ import main as palisade
from ops.credentials import main
from ops.credentials.mfa import session_by_code
from ops.places import OpsError

USER = "arn:aws:iam::111111111111:user/people/ada"
DEVICE = "arn:aws:iam::111111111111:mfa/ada-phone"
KEYS = {
    "AccessKeyId": "ASIAEXAMPLEEXAMPLE00",
    "SecretAccessKey": "a-secret",
    "SessionToken": "a-token",
    "Expiration": datetime(2026, 3, 3, 9, 30, tzinfo=UTC),
}


class _Aws:
    """STS and IAM that answer as planned, and the code that a person types."""

    def __init__(self) -> None:
        self.sts, self.iam = (boto3.client(name, region_name="eu-west-1") for name in ("sts", "iam"))
        self.says, self.lists = Stubber(self.sts), Stubber(self.iam)
        self.asked: list[str] = []

    def user(self, arn: str = USER) -> _Aws:
        self.says.add_response("get_caller_identity", {"Arn": arn, "Account": "111111111111", "UserId": "AIDA"}, {})
        return self

    def devices(self, *serials: str) -> _Aws:
        found = [
            {"UserName": "ada", "SerialNumber": one, "EnableDate": datetime(2026, 1, 1, tzinfo=UTC)} for one in serials
        ]
        self.lists.add_response("list_mfa_devices", {"MFADevices": found}, {"UserName": "ada"})
        return self

    def session(self, **expected: Any) -> _Aws:
        self.says.add_response("get_session_token", {"Credentials": KEYS}, expected)
        return self

    def get(self, *, device: str = "", hours: int = 24, code: str = "123456") -> Any:
        def ask(serial: str) -> str:
            self.asked.append(serial)
            return code

        return session_by_code(self.sts, self.iam, device=device, hours=hours, ask=ask)


@pytest.fixture
def aws() -> Iterator[_Aws]:
    services = _Aws()
    with services.says, services.lists:
        yield services
        services.says.assert_no_pending_responses()
        services.lists.assert_no_pending_responses()


def test_gives_a_session_of_a_day_for_the_only_device(aws: _Aws) -> None:
    aws.user().devices(DEVICE).session(SerialNumber=DEVICE, TokenCode="123456", DurationSeconds=86400)
    assert aws.get().token == "a-token"
    assert aws.asked == [DEVICE]


def test_takes_the_device_that_is_named_and_looks_for_none(aws: _Aws) -> None:
    aws.session(SerialNumber="GAHT12345678", TokenCode="123456", DurationSeconds=3600)
    assert aws.get(device="GAHT12345678", hours=1, code=" 123456\n").key == KEYS["AccessKeyId"]


@pytest.mark.parametrize(
    ("serials", "message"),
    [
        ((), "has no MFA device"),
        (("arn:aws:iam::111111111111:u2f/user/ada/key-1",), "in the console alone"),
        ((DEVICE, f"{DEVICE}-2"), "several MFA devices.*--device"),
    ],
)
def test_says_which_device_is_missing(aws: _Aws, serials: tuple[str, ...], message: str) -> None:
    aws.user().devices(*serials)
    with pytest.raises(OpsError, match=message):
        aws.get()
    assert aws.asked == []


def test_passes_over_security_keys_beside_an_app(aws: _Aws) -> None:
    aws.user().devices("arn:aws:iam::111111111111:u2f/user/ada/key-1", DEVICE)
    aws.session(SerialNumber=DEVICE, TokenCode="123456", DurationSeconds=86400)
    aws.get()


def test_refuses_whoever_is_no_iam_user(aws: _Aws) -> None:
    aws.user("arn:aws:sts::111111111111:assumed-role/engineer/ada")
    with pytest.raises(OpsError, match="only an IAM user"):
        aws.get()


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12a456", "\uff11\uff12\uff13\uff14\uff15\uff16"])
def test_refuses_a_code_that_is_none_before_it_counts(aws: _Aws, code: str) -> None:
    with pytest.raises(OpsError, match="six digits"):
        aws.get(device=DEVICE, code=code)


@pytest.mark.parametrize(
    ("code", "message", "meaning"),
    [
        (
            "AccessDenied",
            "MultiFactorAuthentication failed with invalid MFA one time pass code. ",
            "refused the MFA code",
        ),
        (
            "AccessDenied",
            "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number",
            "not this user's",
        ),
        ("AccessDenied", "Cannot call GetSessionToken with session credentials", "session already"),
        ("ExpiredToken", "The security token included in the request is expired", "has expired"),
        (
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
            "does not know the access key",
        ),
        ("SignatureDoesNotMatch", "Signature expired: 20260302T1 is now earlier than 20260302T2", "clock is off"),
        (
            "SignatureDoesNotMatch",
            "Signature not yet current: 20260302T2 is still later than 20260302T1",
            "clock is off",
        ),
        ("SignatureDoesNotMatch", "The request signature we calculated does not match", "does not belong"),
        ("Throttling", "Rate exceeded", "Throttling"),
    ],
)
def test_says_what_aws_refused_and_what_to_do(aws: _Aws, code: str, message: str, meaning: str) -> None:
    aws.says.add_client_error("get_session_token", code, message, 403)
    with pytest.raises(OpsError, match=meaning) as refused:
        aws.get(device=DEVICE, code="654321")
    assert "654321" not in str(refused.value)


def test_says_that_the_devices_may_not_be_listed(aws: _Aws) -> None:
    aws.user()
    aws.lists.add_client_error("list_mfa_devices", "AccessDenied", "no", 403)
    with pytest.raises(OpsError, match="--device"):
        aws.get()


@pytest.mark.parametrize("hours", ["0", "37"])
def test_refuses_a_session_that_aws_gives_nobody(hours: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mfa", "--hours", hours]) == 1
    assert "1 to 36 hours" in capsys.readouterr().err


def test_prints_no_secret_onto_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert palisade(["credentials", "mfa"]) == 1
    said = capsys.readouterr()
    assert "stay readable" in said.err
    assert said.out == ""


def test_notices_a_profile_that_waits_for_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PALISADE_ASKS_FOR_CREDENTIALS", "1")
    assert main(["mfa", "--process"]) == 1
    assert "waits for itself" in capsys.readouterr().err


def test_the_command_prints_json_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], credentials: Any
) -> None:
    monkeypatch.setattr("ops.credentials.by_mfa", lambda _options: credentials)
    assert main(["mfa", "--process"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["AccessKeyId"] == credentials.key
    assert said.err == ""
