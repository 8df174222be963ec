"""Deploys one stage or account role with the pinned CDK CLI.

usage: python -m ops.deploy [--deployment NAME] [--yes] [--dry-run] OWNER       (make deploy STAGE=sandbox)

OWNER is a stage or an account role. The assembly is synthesized with every check on, then exactly those templates are
deployed; the CDK CLI asks before it widens permissions (--yes: it does not ask).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence

from ops.places import ROOT, OpsError, require_account, stacks_of, synthesize


def main(arguments: list[str] | None = None) -> int:
    """Deploy and return the CDK CLI's exit status."""
    parser = argparse.ArgumentParser(
        prog="make deploy", description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n")[-1]
    )
    parser.add_argument("owner", nargs="?", default="", help="a stage (sandbox) or an account role (log-archive)")
    parser.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
    parser.add_argument("--yes", action="store_true", help="do not ask before permissions are widened")
    parser.add_argument("--dry-run", action="store_true", help="print the CDK command and stop")
    options = parser.parse_args(arguments)
    try:
        stacks = stacks_of(synthesize(options.deployment), options.owner)
        command = deploy_command([stack.name for stack in stacks], ask=not options.yes)
        if options.dry_run:
            print(" ".join(command[1:]))
            return 0
        require_account(stacks)
    except OpsError as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1
    return subprocess.run(command, cwd=ROOT, check=False).returncode


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
