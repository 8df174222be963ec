"""The API's authorizer. A refusal is an answer and not an error, so that a stranger cannot raise the alarm at will."""

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.identifiers import user_reference
from palisade_runtime.logs import Logger

from authorize_request.directory import Directory, DirectoryUnavailableError, look_up_in
from authorize_request.keys import KeySet, KeysUnavailableError, fetch_keys_of
from authorize_request.policies import allow, deny, stage_of
from authorize_request.tokens import InvalidTokenError, Rules, verify


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches and reckons with; ``directory`` where the stage has its own users."""

    keys: KeySet
    rules: Rules
    directory: Directory | None = None
    clock: Clock
    logger: Logger


def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Lambda's entry point."""
    return authorize(event, _services())


def authorize(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """The policy for one request: Allow for a valid token, Deny for everything else.

    Raises KeysUnavailableError or DirectoryUnavailableError when the issuer's keys or users cannot be had.
    """
    stage = stage_of(event.get("methodArn"))
    request_id = str((event.get("requestContext") or {}).get("requestId", ""))
    logger = services.logger.bind(request_id=request_id)
    try:
        if stage is None:
            raise InvalidTokenError("method")
        identity = verify(bearer_token(event), keys=services.keys, rules=services.rules, now=services.clock())
        if services.directory is not None and not services.directory.holds(identity.account, identity.user):
            raise InvalidTokenError("user")
    except InvalidTokenError as refusal:
        logger.warning("request.denied", reason=str(refusal))
        return deny(stage)
    except KeysUnavailableError as error:
        # Nobody can be judged: that is our failure and not the caller's, so it may raise the alarm.
        logger.failure("keys.unavailable", error)
        raise
    except DirectoryUnavailableError as error:
        logger.failure("directory.unavailable", error)
        raise
    logger.info("request.allowed", tenant=identity.tenant, user=user_reference(identity.user), role=identity.role)
    return allow(identity, stage)


def bearer_token(event: Mapping[str, Any]) -> str:
    """The token of the one Authorization header; two of them are refused, lest two readers choose differently."""
    several = event.get("multiValueHeaders") or {name: [value] for name, value in (event.get("headers") or {}).items()}
    values = [value for name, found in several.items() if name.lower() == "authorization" for value in found]
    if len(values) != 1 or not isinstance(values[0], str):
        raise InvalidTokenError("header")
    scheme, _, token = values[0].partition(" ")
    if scheme.lower() != "bearer" or not token or token != token.strip():
        raise InvalidTokenError("header")
    return token


@functools.cache
def _services() -> Services:
    values = read_environment(text=("ISSUER", "AUDIENCE", "TENANT_CLAIM", "ROLE_CLAIM"))
    pool_id = os.environ.get("USER_POOL_ID", "").strip()
    return Services(
        keys=KeySet(fetch=fetch_keys_of(values["ISSUER"]), clock=utc_now),
        rules=Rules(
            issuer=values["ISSUER"],
            audience=values["AUDIENCE"],
            tenant_claim=values["TENANT_CLAIM"],
            role_claim=values["ROLE_CLAIM"],
            own_pool=bool(pool_id),
        ),
        directory=_directory(pool_id) if pool_id else None,
        clock=utc_now,
        logger=Logger(service="authorize_request"),
    )


def _directory(pool_id: str) -> Directory:
    # API Gateway waits for the answer, and so does a person.
    config = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2})
    return Directory(look_up=look_up_in(boto3.client("cognito-idp", config=config), pool_id), clock=utc_now)
