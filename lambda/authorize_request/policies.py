"""The answer of a Lambda authorizer: who may invoke which methods of one stage of one API.

API Gateway keeps an answer for the token's next requests, to whatever method: an Allow therefore covers every method
the role may call, and nothing outside the stage the token was presented to.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
"""

import re
from typing import Any

from palisade_runtime.identifiers import user_reference

from authorize_request.tokens import Identity

METHODS = {
    "reader": ("GET",),
    "editor": ("GET", "POST", "DELETE"),
    "administrator": ("GET", "POST", "DELETE", "PUT", "PATCH"),
}
"""An editor makes and deletes; only an administrator changes what is there for everybody."""

_METHOD_ARN = re.compile(
    r"(arn:aws[a-z-]*:execute-api:[a-z0-9-]+:\d{12}:[A-Za-z0-9]+/[A-Za-z0-9_-]+)/[A-Z]+(?:/.*)?", re.DOTALL
)


def stage_of(method_arn: object) -> str | None:
    """The ARN of the stage that a method ARN is part of, or None when it is not one."""
    found = _METHOD_ARN.fullmatch(method_arn) if isinstance(method_arn, str) else None
    return found[1] if found else None


def allow(identity: Identity, stage: str) -> dict[str, Any]:
    """Lets `identity` call the methods of its role."""
    return {
        **_answer(user_reference(identity.user), "Allow", [f"{stage}/{method}/*" for method in METHODS[identity.role]]),
        "context": {"tenant": identity.tenant, "user": identity.user, "role": identity.role},
    }


def deny(stage: str | None) -> dict[str, Any]:
    """Refuses every method; without saying why."""
    return _answer("refused", "Deny", [f"{stage}/*" if stage else "*"])


def _answer(principal: str, effect: str, resources: list[str]) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resources}
    return {"principalId": principal, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
