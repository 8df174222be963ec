"""An issuer in memory: key pairs, a key set that can be rotated, and tokens made to order."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from authorize_request.keys import KeySet
from authorize_request.tokens import Rules
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ISSUER = "https://issuer.example.com/"
AUDIENCE = "documents"

_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_OTHER_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_EC = ec.generate_private_key(ec.SECP256R1())


def public_jwk(key: Any, **members: Any) -> dict[str, Any]:
    """A public key in the form of a key set's entry."""
    kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**json.loads(kind.to_jwk(key.public_key())), **members}


@dataclass
class Issuer:
    """Signs tokens and serves its key set, counting how often it is asked."""

    clock: Any
    rsa: Any = _RSA
    other_rsa: Any = _OTHER_RSA
    ec: Any = _EC
    fetches: int = 0
    down: bool = False
    entries: list[dict[str, Any]] = field(
        default_factory=lambda: [
            public_jwk(_RSA, kid="rsa-1", alg="RS256", use="sig"),
            public_jwk(_EC, kid="ec-1", alg="ES256", use="sig"),
        ]
    )

    def fetch(self) -> bytes:
        self.fetches += 1
        if self.down:
            raise ConnectionError("down")
        return json.dumps({"keys": self.entries}).encode()

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(self.clock().timestamp())
        standard = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "auth0|jane",
            "iat": now - 10,
            "nbf": now - 10,
            "exp": now + 600,
            "tenant": "acme",
            "role": "editor",
        }
        return {name: value for name, value in (standard | changes).items() if value is not ...}

    def token(
        self,
        *,
        key: Any = None,
        algorithm: str = "RS256",
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        headers = {"kid": "rsa-1" if algorithm == "RS256" else "ec-1", **(header or {})}
        signer = key or (self.ec if algorithm == "ES256" else self.rsa)
        return jwt.encode(self.claims(**claims), signer, algorithm=algorithm, headers=headers)

    def pool_token(self, *, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """An access token as a Cognito user pool makes it: no `aud`, no `nbf`, no `typ`."""
        own = {
            "aud": ...,
            "nbf": ...,
            "client_id": AUDIENCE,
            "token_use": "access",
            "username": "jane",
            "sub": "jane-1",
        }
        return self.token(header={"typ": None, **(header or {})}, **{**own, **claims})


@pytest.fixture
def issuer(clock: Any) -> Issuer:
    return Issuer(clock=clock)


@pytest.fixture
def keys(issuer: Issuer, clock: Any) -> KeySet:
    return KeySet(fetch=issuer.fetch, clock=clock)


@pytest.fixture
def rules() -> Rules:
    return Rules(issuer=ISSUER, audience=AUDIENCE, tenant_claim="tenant", role_claim="role")


@pytest.fixture
def pool_rules() -> Rules:
    return Rules(issuer=ISSUER, audience=AUDIENCE, tenant_claim="tenant", role_claim="role", own_pool=True)
