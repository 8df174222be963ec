"""Verifies a token and says who it speaks for.

Only what the issuer signed with a key of its published set counts: the header's `jku`, `x5u`, `jwk` and `x5c` are
never read, and the algorithm must be one of two asymmetric ones and the very one its key is for, so a token cannot
choose how it is checked.
Source: https://datatracker.ietf.org/doc/html/rfc8725
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jwt
from palisade_runtime.identifiers import InvalidIdentifierError, tenant_id, user_reference

from authorize_request.keys import ALGORITHMS, KeySet

LONGEST_TOKEN = 8192
LONGEST_KEY_ID = 256
LONGEST_NAME = 128
CLOCK_SKEW_SECONDS = 30
LONGEST_LIFE_SECONDS = 3600
"""Nobody asks an outside issuer whether a user is still there, so its tokens may not outlive the user by more."""

ROLES = ("reader", "editor", "administrator")
_TYPES = ("jwt", "at+jwt")
# The year 5138; beyond it, and at infinity, comparing times would stop meaning anything.
_LATEST_TIME = 1e11


class InvalidTokenError(Exception):
    """A token that is refused; the text is a fixed reason and never quotes the token."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Whose tokens are accepted, for whom, and which claims carry tenant and role.

    ``own_pool`` means that the issuer is a Cognito user pool, and ``audience`` the id of its app client.
    """

    issuer: str
    audience: str
    tenant_claim: str
    role_claim: str
    own_pool: bool = False


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who a token speaks for; ``account`` is the user's name in the stage's own pool."""

    tenant: str
    user: str
    role: str
    account: str = ""


def verify(token: str, *, keys: KeySet, rules: Rules, now: datetime) -> Identity:
    """The identity in a valid token; anything else is InvalidTokenError."""
    if not token.isascii() or len(token) > LONGEST_TOKEN:
        raise InvalidTokenError("size")
    header = _header(token)
    key_id, algorithm = header["kid"], header["alg"]
    key = keys.find(key_id, algorithm)
    if key is None:
        raise InvalidTokenError("key")
    try:
        # Times and parties are checked below, against the clock that was passed in and with types taken seriously.
        claims = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            options=dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss"), False)
            | {"verify_signature": True, "verify_sub": False, "verify_jti": False},  # type: ignore[arg-type]
        )
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise InvalidTokenError("signature") from None
    return check_claims(claims, rules=rules, now=now)


def check_claims(claims: Mapping[str, Any], *, rules: Rules, now: datetime) -> Identity:
    """The identity in claims whose signature is verified."""
    if claims.get("iss") != rules.issuer:
        raise InvalidTokenError("issuer")
    _check_audience(claims, rules)
    _check_times(claims, now.timestamp())
    role = claims.get(rules.role_claim, ROLES[0])
    if role not in ROLES:
        raise InvalidTokenError("role")
    account = claims.get("username", "") if rules.own_pool else ""
    if rules.own_pool and not (isinstance(account, str) and 0 < len(account) <= LONGEST_NAME):
        raise InvalidTokenError("user name")
    try:
        user_reference(claims.get("sub"))
        return Identity(
            tenant=tenant_id(claims.get(rules.tenant_claim)), user=claims["sub"], role=role, account=account
        )
    except InvalidIdentifierError:
        raise InvalidTokenError("tenant or subject") from None


def _check_audience(claims: Mapping[str, Any], rules: Rules) -> None:
    """An access token of Cognito names its app in `client_id` and says what it is; an id token is for the app alone.

    Source: https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
    """
    if rules.own_pool:
        if claims.get("token_use") != "access":
            raise InvalidTokenError("use")
        if claims.get("client_id") != rules.audience:
            raise InvalidTokenError("client")
        return
    audience = claims.get("aud")
    if rules.audience not in (audience if isinstance(audience, list) else [audience]):
        raise InvalidTokenError("audience")


def _header(token: str) -> Mapping[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise InvalidTokenError("format") from None
    key_id, kind = header.get("kid"), header.get("typ", "JWT")
    if header.get("alg") not in ALGORITHMS:
        raise InvalidTokenError("algorithm")
    if not isinstance(key_id, str) or not 0 < len(key_id) <= LONGEST_KEY_ID:
        raise InvalidTokenError("key id")
    if "crit" in header or not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise InvalidTokenError("type")
    return header


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    expires, issued = _time(claims.get("exp")), _time(claims.get("iat"))
    # `nbf` is optional: common issuers leave it out. One that is there must be sound.
    begins = _time(claims["nbf"]) if "nbf" in claims else issued
    if now >= expires + CLOCK_SKEW_SECONDS:
        raise InvalidTokenError("expired")
    if max(issued, begins) > now + CLOCK_SKEW_SECONDS:
        raise InvalidTokenError("not yet valid")
    if not 0 < expires - issued <= LONGEST_LIFE_SECONDS:
        raise InvalidTokenError("lifetime")


def _time(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _LATEST_TIME:
        raise InvalidTokenError("times")
    return value
