"""The ways in which temporary credentials leave the command: JSON, commands of a shell, or, asked for by name, a file."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ops.places import OpsError
from ops.private_files import write_private

SHELLS = ("bash", "fish", "powershell")
_PLAIN = re.compile(r"[A-Za-z0-9+/=_:.-]+")
_SECTION = re.compile(r"\s*\[(?P<name>[^\]]*)\]")
_PROFILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Temporary credentials. The secret parts are in no representation, so that none reaches a log by accident."""

    key: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    expires: datetime

    @property
    def until(self) -> str:
        """When they end, in UTC, as AWS writes it."""
        return self.expires.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables that every AWS SDK reads."""
        return {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_SESSION_TOKEN": self.token,
            "AWS_CREDENTIAL_EXPIRATION": self.until,
        }


def processed(credentials: Credentials) -> str:
    """What ``credential_process`` must print.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
    """
    return json.dumps(
        {
            "Version": 1,
            "AccessKeyId": credentials.key,
            "SecretAccessKey": credentials.secret,
            "SessionToken": credentials.token,
            "Expiration": credentials.until,
        }
    )


def exported(credentials: Credentials, shell: str) -> str:
    """Commands that a shell evaluates.

    Raises:
        OpsError: a value holds a character that a shell could read as more than text.
    """
    form = {"bash": "export {}='{}'", "fish": "set -gx {} '{}'", "powershell": "$Env:{} = '{}'"}[shell]
    for name, value in credentials.variables.items():
        if not _PLAIN.fullmatch(value):
            raise OpsError(
                f"{name} holds characters that no AWS credential has; nothing was printed. Check what answered."
            )
    return "\n".join(form.format(name, value) for name, value in credentials.variables.items())


def write_profile(path: Path, name: str, credentials: Credentials) -> None:
    """Put ``credentials`` into the profile ``name`` of the file ``path``, whole or not at all; all else in it stays.

    Raises:
        OpsError: others may read the file, or the profile holds a key that does not end by itself.
    """
    if not _PROFILE.fullmatch(name):
        raise OpsError(f"--write-profile {name!r}: must be letters, digits and _.@- only. Name it like emergency-mfa.")
    path = path.resolve()
    lines = path.read_text(encoding="utf-8").splitlines() if _is_private(path) else []
    begin, end = _span(lines, name)
    if any(line.split("=")[0].strip() == "aws_access_key_id" for line in lines[begin:end]) and not any(
        line.split("=")[0].strip() == "aws_session_token" for line in lines[begin:end]
    ):
        raise OpsError(
            f"--write-profile {name}: that profile of {path} holds a lasting access key. Name another profile."
        )
    section = [
        f"[{name}]",
        *(
            f"{variable.lower()} = {value}"
            for variable, value in credentials.variables.items()
            if "EXPIRATION" not in variable
        ),
        f"# until {credentials.until}",
        "",
    ]
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, "\n".join([*lines[:begin], *section, *lines[end:]]).rstrip("\n") + "\n")


def _is_private(path: Path) -> bool:
    """Whether ``path`` is there.

    Raises:
        OpsError: it is there and others than its owner may read or write it.
    """
    if not path.exists():
        return False
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise OpsError(f"{path} has mode {mode:04o}, so others than you can read it. Run: chmod 600 {path}")
    return True


def _span(lines: list[str], name: str) -> tuple[int, int]:
    """From which line to which the section ``name`` reaches; behind the end if there is none.

    A file that says a section twice is one that its readers refuse, so it does not matter which is found.
    """
    heads = [(number, found["name"].strip()) for number, line in enumerate(lines) if (found := _SECTION.match(line))]
    for position, (number, head) in enumerate(heads):
        if head == name:
            return number, heads[position + 1][0] if position + 1 < len(heads) else len(lines)
    return len(lines), len(lines)
