"""A session of an IAM user, by MFA code.

Only one-time codes work here: AWS takes security keys and passkeys in the console alone.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
"""

from __future__ import annotations

import getpass
import os
import re
import sys
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from ops.credentials.ways_out import Credentials
from ops.places import OpsError

USUAL_HOURS = 24
LONGEST_HOURS = 36
_ASKING = "PALISADE_ASKS_FOR_CREDENTIALS"
"""Set for whatever this command starts, so that it notices when that is itself."""


def by_mfa(options: Namespace) -> Credentials:
    """The session that ``options`` describe; the code is asked for on the terminal or read from standard input.

    Raises:
        OpsError: there is no device, the code is wrong, the clock is off, or the key is not an IAM user's own.
    """
    if not 1 <= options.hours <= LONGEST_HOURS:
        raise OpsError(
            f"--hours {options.hours}: an IAM user's session lasts 1 to {LONGEST_HOURS} hours. Choose one of them."
        )
    if os.environ.get(_ASKING):
        raise OpsError(
            "the profile in use gets its key from this command, which therefore waits for itself. Give the profile of the "
            "user's own access key with --profile, in credential_process too."
        )
    import boto3  # noqa: PLC0415 - half a second that --help should not wait for
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    os.environ[_ASKING] = "1"
    try:
        session = boto3.Session(profile_name=options.profile)
        region = session.region_name or "us-east-1"
        return session_by_code(
            session.client("sts", region_name=region),
            session.client("iam", region_name=region),
            device=options.device,
            hours=options.hours,
            ask=_from_stdin if options.code_stdin else _from_terminal,
        )
    except BotoCoreError as error:
        raise OpsError(
            f"the user's own access key was not found or could not be used: {error}. Put it into a profile of "
            "~/.aws/credentials and name it with --profile."
        ) from None


def session_by_code(sts: Any, iam: Any, *, device: str, hours: int, ask: Callable[[str], str]) -> Credentials:
    """A session of ``hours`` for the code that ``ask`` returns; without ``device``, for the user's only one.

    Raises:
        OpsError: as in :func:`by_mfa`.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415

    try:
        serial = device or _only_device(iam, _user(sts))
        code = ask(serial).strip()
        if not re.fullmatch(r"[0-9]{6}", code):
            raise OpsError("the MFA code must be the six digits that the device shows. Try again with those.")
        answer = sts.get_session_token(SerialNumber=serial, TokenCode=code, DurationSeconds=hours * 3600)["Credentials"]
    except ClientError as error:
        raise OpsError(_meaning(error.response.get("Error", {}))) from None
    return Credentials(
        key=answer["AccessKeyId"],
        secret=answer["SecretAccessKey"],
        token=answer["SessionToken"],
        expires=answer["Expiration"],
    )


def _user(sts: Any) -> str:
    arn: str = sts.get_caller_identity()["Arn"]
    found = re.fullmatch(r"arn:aws:iam::\d{12}:user/(?:.*/)?([^/]+)", arn)
    if found is None:
        raise OpsError(
            f"the credentials in use are those of {arn}, but only an IAM user's own access key gets a session by MFA. "
            'Name its profile with --profile; people of Identity Center use "./palisade credentials sign-in".'
        )
    return found[1]


def _only_device(iam: Any, user: str) -> str:
    from botocore.exceptions import ClientError  # noqa: PLC0415

    try:
        serials = [str(one["SerialNumber"]) for one in iam.list_mfa_devices(UserName=user)["MFADevices"]]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "AccessDenied":
            raise
        raise OpsError(
            f"user {user} may not list its own MFA devices. Give the device with --device; IAM, Security credentials, "
            "shows its identifier."
        ) from None
    usable = [serial for serial in serials if ":u2f/" not in serial]
    if not serials:
        raise OpsError(
            f"user {user} has no MFA device. Register an authenticator app: IAM, Security credentials, Assign MFA."
        )
    if not usable:
        raise OpsError(
            f"user {user} has security keys or passkeys only ({', '.join(serials)}), which AWS takes in the console alone. "
            'Use "aws login", or register an authenticator app beside them.'
        )
    if len(usable) > 1:
        raise OpsError(f"user {user} has several MFA devices; choose one with --device: {', '.join(usable)}.")
    return usable[0]


_MEANINGS = (
    (
        "invalid MFA one time pass code",
        "AWS refused the MFA code. Wait for the next one, because each counts once, and try again; if none works, the clock of "
        "the device is off: resynchronise it (IAM, Security credentials).",
    ),
    (
        "unable to validate MFA code|serialNumber",
        "the MFA device is not this user's. Give its identifier with --device; IAM, Security credentials, shows it.",
    ),
    (
        "with session credentials",
        "the credentials in use are a session already. Name the profile of the user's own access key with --profile.",
    ),
    (
        "^ExpiredToken",
        "the session in use has expired. Unset AWS_SESSION_TOKEN, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name the "
        "profile of the user's own access key with --profile.",
    ),
    (
        "^(InvalidClientTokenId|UnrecognizedClientException)",
        "AWS does not know the access key: it was deleted, disabled or mistyped. Make a new one for the user.",
    ),
    (
        "^(RequestExpired|RequestTimeTooSkewed)|Signature (expired|not yet current)",
        "this machine's clock is off, says AWS. Set it (timedatectl set-ntp true) and try again.",
    ),
    (
        "^SignatureDoesNotMatch",
        "the secret access key does not belong to the access key id. Correct it in the profile.",
    ),
)
"""What AWS answers, and what that means; the first that fits."""


def _meaning(error: dict[str, str]) -> str:
    said = f"{error.get('Code', '')}: {error.get('Message', '')}"
    return next(
        (meaning for pattern, meaning in _MEANINGS if re.search(pattern, said)),
        f"AWS refused the session: {said}. Nothing was written.",
    )


def _from_terminal(serial: str) -> str:
    # Opens the terminal itself: with credential_process both output streams belong to the AWS CLI.
    return getpass.getpass(f"MFA code of {serial}: ")


def _from_stdin(_serial: str) -> str:
    return sys.stdin.readline()
