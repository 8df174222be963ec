"""Prepares the account of a stage or account role for deployment.

usage: python -m ops.bootstrap [--deployment NAME] [--print] OWNER       (make bootstrap STAGE=sandbox)

Puts the permissions boundary and the execution policies into the account, then bootstraps the CDK in every region that
the owner's stacks use. Needs administrator credentials of that account once; afterwards deployments have only the rights
that their templates need. --print writes the template to standard output and stops.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence

from assembly import Stack
from ops.bootstrap.execution import ExecutionPolicyError
from ops.bootstrap.template import STACK, template
from ops.places import ROOT, OpsError, require_account, stacks_of, synthesize


def main(arguments: list[str] | None = None) -> int:
    """Bootstrap and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="make bootstrap", description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n")[-1]
    )
    parser.add_argument("owner", nargs="?", default="", help="a stage (sandbox) or an account role (log-archive)")
    parser.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
    parser.add_argument("--print", action="store_true", help="print the template and stop")
    options = parser.parse_args(arguments)
    try:
        assembly = synthesize(options.deployment)
        stacks = stacks_of(assembly, options.owner)
        body = template(assembly, stacks)
        if options.print:
            print(json.dumps(body, indent=2))
            return 0
        require_account(stacks)
        policies = _apply(json.dumps(body), region=stacks[0].region)
    except (OpsError, ExecutionPolicyError, ValueError) as error:
        print(f"bootstrap: {error}", file=sys.stderr)
        return 1
    command = bootstrap_command(stacks, policies=policies)
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def bootstrap_command(stacks: Sequence[Stack], *, policies: str) -> list[str]:
    """The CDK CLI's command for every region of ``stacks``; ``policies`` are the execution policies' ARNs.

    The permissions boundary is not among its arguments: ``--custom-permissions-boundary`` would bound CloudFormation's own
    role, which makes the roles that the boundary is for, and the boundary forbids just that.
    https://docs.aws.amazon.com/cdk/v2/guide/customize-permissions-boundaries.html
    """
    places = sorted({f"aws://{stack.account}/{stack.region}" for stack in stacks})
    return [
        str(ROOT / "node_modules" / ".bin" / "cdk"),
        "bootstrap",
        *places,
        "--cloudformation-execution-policies",
        policies,
        "--bootstrap-customer-key",
        "--termination-protection",
        "--public-access-block-configuration",
    ]


def _apply(body: str, *, region: str) -> str:
    """Create or update the policies and return the execution policies' ARNs, separated by commas."""
    import boto3  # noqa: PLC0415 - half a second that --help should not wait for
    from botocore.exceptions import BotoCoreError, ClientError, WaiterError  # noqa: PLC0415

    client = boto3.client("cloudformation", region_name=region)
    request = {"StackName": STACK, "TemplateBody": body, "Capabilities": ["CAPABILITY_NAMED_IAM"]}
    try:
        try:
            client.create_stack(**request, EnableTerminationProtection=True)
            waiter = "stack_create_complete"
        except client.exceptions.AlreadyExistsException:
            client.update_stack(**request)
            waiter = "stack_update_complete"
        client.get_waiter(waiter).wait(StackName=STACK)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise OpsError(
                f"stack {STACK} could not be applied: {error}. Administrator credentials are needed once."
            ) from None
    except (BotoCoreError, WaiterError) as error:
        raise OpsError(f"stack {STACK} could not be applied: {error}") from None
    outputs = client.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    return str({output["OutputKey"]: output["OutputValue"] for output in outputs}["ExecutionPolicies"])


if __name__ == "__main__":
    sys.exit(main())
