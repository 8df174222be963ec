"""The secret that the chat signs with: the current version, and the one before it for a day after the change.

Whatever the chat signed while somebody changes the secret is accepted, whichever side changes first.
Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError
from palisade_runtime.clock import Clock

OVERLAP = timedelta(days=1)
_REMEMBERED = timedelta(minutes=1)


@dataclass(kw_only=True)
class SigningSecrets:
    """The versions of the secret ``arn`` that count now, asked for once a minute."""

    client: Any
    arn: str
    clock: Clock
    _values: tuple[str, ...] = field(default=(), repr=False)
    _until: datetime | None = None

    def valid(self) -> tuple[str, ...]:
        """The values that count, the current one first.

        Raises:
            ClientError: Secrets Manager did not answer; nothing can be checked.
        """
        now = self.clock()
        if self._until is None or now >= self._until:
            current = self.client.get_secret_value(SecretId=self.arn, VersionStage="AWSCURRENT")
            before = self._previous() if now - current["CreatedDate"] < OVERLAP else ()
            self._values, self._until = (str(current["SecretString"]), *before), now + _REMEMBERED
        return self._values

    def _previous(self) -> tuple[str, ...]:
        try:
            answer = self.client.get_secret_value(SecretId=self.arn, VersionStage="AWSPREVIOUS")
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ResourceNotFoundException":
                raise
            return ()
        return (str(answer["SecretString"]),)
