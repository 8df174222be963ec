"""Deletes the stacks of one stage or account role, after showing what goes and what stays.

usage: python -m ops.destroy [--deployment NAME] [--confirm OWNER] OWNER       (make destroy STAGE=sandbox)

Without --confirm it asks for the owner's name. Termination protection is lifted stack by stack, just before each is
deleted; resources that hold data are retained by CloudFormation and listed. It stops at the first stack that fails.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from assembly import Resource, Stack
from ops.places import OpsError, require_account, stacks_of, synthesize

_RETAINED = frozenset({"Retain", "RetainExceptOnCreate", "Snapshot"})


def main(arguments: list[str] | None = None) -> int:
    """Show, ask, delete; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="make destroy", description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n")[-1]
    )
    parser.add_argument("owner", nargs="?", default="", help="a stage (sandbox) or an account role (log-archive)")
    parser.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
    parser.add_argument(
        "--confirm", default=None, metavar="OWNER", help="the owner's name again, instead of being asked"
    )
    options = parser.parse_args(arguments)
    try:
        stacks = tuple(reversed(stacks_of(synthesize(options.deployment), options.owner)))
        print("\n".join(plan(stacks)))
        if (options.confirm if options.confirm is not None else _asked(options.owner)) != options.owner:
            raise OpsError("not confirmed; nothing was changed.")
        require_account(stacks)
        delete(stacks, _client)
    except KeyboardInterrupt:
        print(
            "\ndestroy: interrupted; a deletion that began goes on in AWS. The same command does the rest.",
            file=sys.stderr,
        )
        return 130
    except OpsError as error:
        print(f"destroy: {error}", file=sys.stderr)
        return 1
    return 0


def _asked(owner: str) -> str:
    """What was typed; nothing if nobody can type, or Ctrl-C or Ctrl-D was."""
    try:
        return input(f'\nType "{owner}" to delete all this: ').strip()
    except (EOFError, KeyboardInterrupt):
        print()
        return ""


def plan(stacks: Sequence[Stack]) -> list[str]:
    """Lines that say what would be deleted and what retained, in order of deletion."""
    lines = []
    for stack in stacks:
        retained = [resource for resource in stack.resources.values() if _retained(resource)]
        protected = ", protected" if stack.termination_protection else ""
        lines.append(
            f"{stack.name} ({stack.region}{protected}): {len(stack.resources) - len(retained)} resources deleted"
        )
        lines.extend(f"    stays: {resource}" for resource in retained)
    return lines


def delete(stacks: Sequence[Stack], client: Callable[[str], Any]) -> None:
    """Delete ``stacks`` in order; ``client`` gives a CloudFormation client for a region.

    Raises:
        OpsError: a stack could not be deleted; those after it are untouched.
    """
    from botocore.exceptions import BotoCoreError, ClientError, WaiterError  # noqa: PLC0415

    for stack in stacks:
        cloudformation = client(stack.region)
        try:
            if not _exists(cloudformation, stack.name):
                print(f"{stack.name}: not there")
                continue
            cloudformation.update_termination_protection(StackName=stack.name, EnableTerminationProtection=False)
            cloudformation.delete_stack(StackName=stack.name)
            print(f"{stack.name}: deleting ...", flush=True)
            cloudformation.get_waiter("stack_delete_complete").wait(
                StackName=stack.name, WaiterConfig={"Delay": 5, "MaxAttempts": 720}
            )
        except (BotoCoreError, ClientError, WaiterError) as error:
            raise OpsError(
                f"{stack.name} could not be deleted: {error}. Look at its events, remove what it names (a deletion "
                "protection, a bucket that is not empty), and run the same command again."
            ) from None


def _retained(resource: Resource) -> bool:
    return resource.definition.get("DeletionPolicy") in _RETAINED


def _exists(cloudformation: Any, name: str) -> bool:
    from botocore.exceptions import ClientError  # noqa: PLC0415

    try:
        cloudformation.describe_stacks(StackName=name)
    except ClientError as error:
        if "does not exist" in str(error):
            return False
        raise
    return True


def _client(region: str) -> Any:
    import boto3  # noqa: PLC0415

    return boto3.client("cloudformation", region_name=region)


if __name__ == "__main__":
    sys.exit(main())
