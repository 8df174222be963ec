"""Deploys one stage or account role with the pinned CDK CLI.

usage: python -m ops.deploy [--deployment NAME] [--yes] [--dry-run] [--reviewer EMAIL] OWNER       (make deploy STAGE=sandbox)

OWNER is a stage or an account role. The assembly is synthesized with every check on, then exactly those templates are
deployed; the CDK CLI asks before it widens permissions (--yes: it does not ask). The change ledger authorises and records
it first; --unrecorded WHY goes without, for the first deployment and for repairs of the ledger itself.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from fnmatch import fnmatch

from ops.changes import Ask, Source, ask_function, recorded
from ops.configured import deployment_of
from ops.places import ROOT, OpsError, require_account, stacks_of, synthesize
from stacks.names import Names


def main(arguments: list[str] | None = None) -> int:
    """Deploy and return the CDK CLI's exit status."""
    parser = argparse.ArgumentParser(
        prog="make deploy", description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n")[-1]
    )
    parser.add_argument("owner", nargs="?", default="", help="a stage (sandbox) or an account role (log-archive)")
    parser.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
    parser.add_argument("--yes", action="store_true", help="do not ask before permissions are widened")
    parser.add_argument("--dry-run", action="store_true", help="print the CDK command and stop")
    parser.add_argument("--reviewer", action="append", default=[], metavar="EMAIL", help="who reviewed the change, too")
    parser.add_argument("--unrecorded", default="", metavar="WHY", help="deploy without the change ledger")
    parser.add_argument("--except", dest="left_out", default="", metavar="PATTERN", help="leave out stacks named so")
    options = parser.parse_args(arguments)
    try:
        stacks = [
            stack
            for stack in stacks_of(synthesize(options.deployment), options.owner)
            if not fnmatch(stack.name, options.left_out)
        ]
        if not stacks:
            raise OpsError(f"--except {options.left_out} leaves no stack of {options.owner}.")
        command = deploy_command([stack.name for stack in stacks], ask=not options.yes)
        if options.dry_run:
            print(" ".join(command[1:]))
            return 0
        require_account(stacks)
        if options.unrecorded:
            print(f"deploy: NOT RECORDED in the change ledger: {options.unrecorded}", file=sys.stderr)
            return _run(command)
        with recorded(
            options.owner,
            stacks,
            ask=_ledger(options.deployment),
            source=Source(),
            reviewers=options.reviewer,
            moment=datetime.now(UTC).strftime("%Y%m%dT%H%M%S"),
        ) as outcome:
            status = _run(command)
            outcome.succeeded = status == 0
        return status
    except OpsError as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1


def _run(command: Sequence[str]) -> int:
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _ledger(name: str) -> Ask:
    import boto3  # noqa: PLC0415 - half a second that --dry-run should not wait for

    deployment = deployment_of(name)
    home, account = deployment.home.name, deployment.accounts.deployment
    return ask_function(
        f"arn:aws:lambda:{home}:{account}:function:{Names(deployment).change_ledger}",
        boto3.client("lambda", region_name=home),
    )


def deploy_command(stacks: Sequence[str], *, ask: bool) -> list[str]:
    """The CDK CLI's command for ``stacks``: one at a time if it may ask, because it refuses to ask while others run."""
    return [
        str(ROOT / "node_modules" / ".bin" / "cdk"),
        "deploy",
        "--app",
        "cdk.out",
        "--exclusively",
        "--concurrency",
        "1" if ask else "4",
        "--require-approval",
        "broadening" if ask else "never",
        "--progress",
        "events",
        *stacks,
    ]


if __name__ == "__main__":
    sys.exit(main())
