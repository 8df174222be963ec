"""A role of a permission set, by IAM Identity Center: the sign-in that "aws sso login" left, or one by device code.

https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_StartDeviceAuthorization.html
https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
"""

from __future__ import annotations

import json
import re
import sys
import time
import webbrowser
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ops.configured import deployment_of
from ops.credentials.ways_out import Credentials
from ops.places import OpsError
from stacks.names import Names
from stacks.settings import Deployment, Job

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_SLOWER = 5
"""Seconds that "slow down" adds to the time between two questions: https://www.rfc-editor.org/rfc/rfc8628#section-3.5"""
_MARGIN = timedelta(minutes=1)
CACHE = Path("~/.aws/sso/cache")


@dataclass(frozen=True, kw_only=True)
class Portal:
    """Where people sign in: the access portal's address and Identity Center's region."""

    start_url: str
    region: str


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """What a sign-in needs of the machine: its clock, and how it says where to sign in."""

    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    say: Callable[[str], None]
    open: Callable[[str], object]


def by_sign_in(options: Namespace) -> Credentials:
    """The role that ``options`` describe, of whoever is signed in or signs in now.

    Raises:
        OpsError: nobody signed in in time, or Identity Center gives this person no such role.
    """
    deployment = deployment_of(options.deployment)
    portal = portal_of(deployment, options.start_url)
    account, role = _account(deployment, options.account), _role(deployment, options.role)
    import boto3  # noqa: PLC0415 - half a second that --help should not wait for
    from botocore import UNSIGNED  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    unsigned = Config(signature_version=UNSIGNED)
    terminal = Terminal(
        now=lambda: datetime.now(UTC),
        sleep=time.sleep,
        say=lambda line: print(line, file=sys.stderr),
        open=(lambda _url: None) if options.no_browser else webbrowser.open,
    )
    try:
        sso = boto3.client("sso", region_name=portal.region, config=unsigned)
        kept = kept_token(CACHE.expanduser(), portal, terminal.now())
        if kept is not None:
            try:
                return role_credentials(sso, kept, account, role)
            except ClientError as error:
                if _code(error) != "UnauthorizedException":
                    raise
        oidc = boto3.client("sso-oidc", region_name=portal.region, config=unsigned)
        return role_credentials(sso, device_token(oidc, portal, terminal), account, role)
    except ClientError as error:
        raise OpsError(_meaning(error, account, role)) from None
    except BotoCoreError as error:
        raise OpsError(f"Identity Center in {portal.region} did not answer: {error}. Try again.") from None


def portal_of(deployment: Deployment, start_url: str) -> Portal:
    """The access portal of ``deployment``, at ``start_url`` if that is given.

    Raises:
        OpsError: the deployment has no Identity Center, or the address is none.
    """
    if deployment.organization is None:
        raise OpsError(
            f"deployment {deployment.name} has no Identity Center, because it has no organization. "
            'IAM users use "./palisade credentials mfa".'
        )
    center = deployment.organization.identity_center
    if not start_url and not center.store_id.startswith("d-"):
        raise OpsError("the access portal's address does not follow from config/. Give it with --start-url https://...")
    url = start_url or f"https://{center.store_id}.awsapps.com/start"
    if not re.fullmatch(r"https://[a-z0-9.-]+(/[A-Za-z0-9#/_.-]*)?", url):
        raise OpsError(f"--start-url {url}: must look like https://d-0123456789.awsapps.com/start. Correct it.")
    return Portal(start_url=url, region=center.region)


def kept_token(cache: Path, portal: Portal, now: datetime) -> str | None:
    """The token of a sign-in at ``portal`` that the AWS CLI keeps in ``cache`` and that still holds, if there is one."""
    for kept in _kept(cache):
        try:
            expires = datetime.fromisoformat(kept["expiresAt"].replace("UTC", "Z").replace("Z", "+00:00"))
            if (kept["startUrl"].rstrip("#/"), kept["region"]) == (portal.start_url.rstrip("#/"), portal.region) and (
                expires > now + _MARGIN
            ):
                return str(kept["accessToken"])
        except (AttributeError, KeyError, TypeError, ValueError):
            continue  # It is a client's registration, or another tool's.
    return None


def _kept(cache: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(cache.glob("*.json")):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict):
            yield found


def device_token(oidc: Any, portal: Portal, terminal: Terminal) -> str:
    """The token of whoever signs in with a browser, on this machine or another, and confirms the code shown here.

    Raises:
        OpsError: nobody did in time, or somebody refused.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415

    client = oidc.register_client(clientName="palisade", clientType="public", scopes=["sso:account:access"])
    proof = {"clientId": client["clientId"], "clientSecret": client["clientSecret"]}
    asked = oidc.start_device_authorization(**proof, startUrl=portal.start_url)
    terminal.say(f"Sign in at {asked['verificationUriComplete']} and confirm the code {asked['userCode']}.")
    terminal.open(asked["verificationUriComplete"])
    interval, until = asked.get("interval", _SLOWER), terminal.now() + timedelta(seconds=asked["expiresIn"])
    while terminal.now() < until:
        try:
            return str(oidc.create_token(**proof, grantType=_GRANT, deviceCode=asked["deviceCode"])["accessToken"])
        except ClientError as error:
            code = _code(error)
            if code == "SlowDownException":
                interval += _SLOWER
            elif code == "AccessDeniedException":
                raise OpsError("the sign-in was refused in the browser. Start again if that was a mistake.") from None
            elif code == "ExpiredTokenException":
                break
            elif code != "AuthorizationPendingException":
                raise
        terminal.sleep(interval)
    raise OpsError("nobody confirmed the code before it expired. Start again.")


def role_credentials(sso: Any, token: str, account: str, role: str) -> Credentials:
    """The credentials of ``role`` in ``account``; they end with the permission set's session, at most twelve hours."""
    answer = sso.get_role_credentials(roleName=role, accountId=account, accessToken=token)["roleCredentials"]
    return Credentials(
        key=answer["accessKeyId"],
        secret=answer["secretAccessKey"],
        token=answer["sessionToken"],
        expires=datetime.fromtimestamp(answer["expiration"] / 1000, UTC),
    )


def _account(deployment: Deployment, given: str) -> str:
    if re.fullmatch(r"\d{12}", given):
        return given
    if given not in deployment.owners:
        raise OpsError(f"--account {given}: choose an account id or one of {', '.join(sorted(deployment.owners))}.")
    return deployment.owners[given]


def _role(deployment: Deployment, given: str) -> str:
    jobs = {job.value: Names(deployment).permission_set(job) for job in Job}
    return jobs.get(given, given)


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _meaning(error: Any, account: str, role: str) -> str:
    code, message = _code(error), error.response.get("Error", {}).get("Message", "")
    if code in {"ForbiddenException", "ResourceNotFoundException"}:
        return (
            f"Identity Center gives you no role {role} in account {account} ({message}). Look at the access portal for what "
            "it gives you, or request access."
        )
    if code == "UnauthorizedException":
        return "the sign-in does not hold any more. Run the same command again and sign in."
    if code in {"InvalidRequestException", "InvalidClientException"}:
        return (
            f"Identity Center does not know the access portal ({message}). Check --start-url and the region in config/."
        )
    return f"Identity Center refused: {code}: {message}. Nothing was written."
