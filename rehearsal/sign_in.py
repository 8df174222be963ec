"""A person with a password and an authenticator: signs in to a user pool as an application's library does, by SRP.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-authentication-flow-methods.html
The protocol: https://datatracker.ietf.org/doc/html/rfc2945, over the 3072-bit group of https://datatracker.ietf.org/doc/html/rfc3526
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import secrets
import struct
import time
from typing import Any


def _pi(bits: int) -> int:
    """Pi times two to the power of ``bits``, by Machin's formula."""
    guard = 64

    def arctan(inverse: int) -> int:
        power = (1 << (bits + guard)) // inverse
        total, number, sign = power, 3, -1
        while power:
            power //= inverse * inverse
            total += sign * (power // number)
            number, sign = number + 2, -sign
        return total

    return (4 * (4 * arctan(5) - arctan(239))) >> guard


_N = 2**3072 - 2**3008 - 1 + 2**64 * (_pi(2942) + 1690314)
_G = 2


def _bytes(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _hash(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


def code(secret: str, at: float | None = None) -> str:
    """What an authenticator shows for ``secret`` (RFC 6238: six digits, thirty seconds)."""
    counter = struct.pack(">Q", int(time.time() if at is None else at) // 30)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    place = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[place : place + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


class Person:
    """Somebody whom an administrator invited; ``password`` is at first the one in the invitation."""

    def __init__(self, client: Any, *, pool: str, app: str, email: str, password: str) -> None:
        # AWS finds the pool by the app's id; the embedded AWS also wants to know the account, which the signature tells.
        client.meta.events.register_first("choose-signer.cognito-identity-provider.*", lambda **_: "v4")
        self._client, self._pool, self._app = client, pool, app
        self._email, self._password = email, password
        self._authenticator = ""

    def accept(self, password: str) -> None:
        """Take the invitation: sign in with the password in it, choose one's own, and enrol an authenticator."""
        answer = self._prove()
        assert answer["ChallengeName"] == "NEW_PASSWORD_REQUIRED", f"an invited user was asked for {answer}"
        answer = self._answer(answer, NEW_PASSWORD=password)
        self._password = password
        token = answer["AuthenticationResult"]["AccessToken"]
        self._authenticator = self._client.associate_software_token(AccessToken=token)["SecretCode"]
        self._client.verify_software_token(AccessToken=token, UserCode=code(self._authenticator))

    def sign_in(self, *, wrong_code: bool = False) -> dict[str, str]:
        """The tokens of a session: password by SRP, then the authenticator's code."""
        answer = self._prove()
        assert answer.get("ChallengeName") == "SOFTWARE_TOKEN_MFA", "a password alone was enough"
        shown = code(self._authenticator)
        if wrong_code:
            shown = f"{(int(shown) + 1) % 1_000_000:06d}"
        found: dict[str, str] = self._answer(answer, SOFTWARE_TOKEN_MFA_CODE=shown)["AuthenticationResult"]
        return found

    def _answer(self, challenge: dict[str, Any], **responses: str) -> dict[str, Any]:
        found: dict[str, Any] = self._client.respond_to_auth_challenge(
            ClientId=self._app,
            ChallengeName=challenge["ChallengeName"],
            Session=challenge["Session"],
            ChallengeResponses={"USERNAME": self._name, **responses},
        )
        return found

    def _prove(self) -> dict[str, Any]:
        private = secrets.randbelow(_N - 2) + 1
        public = pow(_G, private, _N)
        started = self._client.initiate_auth(
            ClientId=self._app,
            AuthFlow="USER_SRP_AUTH",
            AuthParameters={"USERNAME": self._email, "SRP_A": f"{public:x}"},
        )["ChallengeParameters"]
        self._name = started["USER_ID_FOR_SRP"]
        theirs, block = int(started["SRP_B"], 16), started["SECRET_BLOCK"]
        pool = self._pool.split("_", 1)[1]
        inner = hashlib.sha256(f"{pool}{self._name}:{self._password}".encode()).digest()
        x = _hash(_bytes(int(started["SALT"], 16)), inner)
        u, k = _hash(_bytes(public), _bytes(theirs)), _hash(_bytes(_N), _bytes(_G))
        shared = pow(theirs - k * pow(_G, x, _N), private + u * x, _N)
        extracted = hmac.new(_bytes(u), _bytes(shared), hashlib.sha256).digest()
        key = hmac.new(extracted, b"Caldera Derived Key\x01", hashlib.sha256).digest()[:16]
        now = datetime.datetime.now(datetime.UTC)
        stamp = f"{now:%a %b} {now.day} {now:%H:%M:%S} UTC {now.year}"
        message = f"{pool}{self._name}".encode() + base64.b64decode(block) + stamp.encode()
        found: dict[str, Any] = self._client.respond_to_auth_challenge(
            ClientId=self._app,
            ChallengeName="PASSWORD_VERIFIER",
            ChallengeResponses={
                "USERNAME": self._name,
                "TIMESTAMP": stamp,
                "PASSWORD_CLAIM_SECRET_BLOCK": block,
                "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode(),
            },
        )
        return found
