"""Prints the address plan; for one stage, also the addresses its connections come from, and writes them to a file.

usage: python -m ops.addresses [--deployment NAME] [--out FILE] [STAGE]       (make addresses STAGE=sandbox)

Without STAGE nothing but config/ is read. With STAGE the deployed parameter is read with the AWS credentials in use, and
FILE (default: egress-addresses-<stage>.json) gets the document that the stage serves to the public.
"""

from __future__ import annotations

import app  # noqa: F401 - puts constructs/ on the path

# isort: split

import argparse
import json
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from palisade.network import AddressPlan, Tier

from ops.configured import deployment_of
from ops.places import OpsError, account_in_use
from stacks.names import Names
from stacks.settings import Deployment, Stage

PRIVATE = tuple(IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


def main(arguments: list[str] | None = None) -> int:
    """Print, write, and return the exit status."""
    parser = argparse.ArgumentParser(prog="make addresses", description=__doc__.split("\n\n")[0])
    parser.add_argument("stage", nargs="?", default="", help="also read this stage's egress addresses from AWS")
    parser.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
    parser.add_argument("--out", type=Path, help="where to write them (default: egress-addresses-<stage>.json)")
    options = parser.parse_args(arguments)
    try:
        deployment = deployment_of(options.deployment)
        print("\n".join(plan(deployment)))
        if options.stage:
            stage = chosen(deployment, options.stage)
            document = egress_document(deployment, stage)
            target = options.out or Path(f"egress-addresses-{stage.name}.json")
            target.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
            print(f"\n{stage.name} calls out from {', '.join(document['egress_addresses'])} (written to {target})")
    except OpsError as error:
        print(f"addresses: {error}", file=sys.stderr)
        return 1
    return 0


def plan(deployment: Deployment) -> Iterator[str]:
    """One line for each stage and tier, then the next free blocks."""
    for stage in deployment.stages:
        addresses = AddressPlan(stage.network)
        yield f"{stage.name:<15}{stage.network}"
        for tier in Tier:
            zones = ", ".join(str(addresses.subnet(tier, zone)) for zone in range(3))
            yield f"  {tier.value:<13}{addresses.tier(tier)!s:<17}{zones}"
    yield f"free           {', '.join(str(block) for block in free_blocks(deployment))}"


def free_blocks(deployment: Deployment, *, wanted: int = 3) -> list[IPv4Network]:
    """The first private /16 blocks that no stage uses."""
    taken = [stage.network for stage in deployment.stages]
    free: list[IPv4Network] = []
    for private in PRIVATE:
        for block in private.subnets(new_prefix=16):
            if len(free) < wanted and not any(block.overlaps(network) for network in taken):
                free.append(block)
    return free


def chosen(deployment: Deployment, name: str) -> Stage:
    """The stage of that name.

    Raises:
        OpsError: there is none; the message lists those there are.
    """
    for stage in deployment.stages:
        if stage.name == name:
            return stage
    known = ", ".join(stage.name for stage in deployment.stages)
    raise OpsError(f"STAGE={name}: config/{deployment.name}.py has no such stage. Choose one of {known}.")


def egress_document(deployment: Deployment, stage: Stage) -> dict[str, Any]:
    """What the stage serves to the public, read from its deployed parameter.

    Raises:
        OpsError: credentials of another account, no parameter (not deployed yet), or no addresses in it.
    """
    import boto3  # noqa: PLC0415 - half a second that the plan alone should not wait for
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    account = account_in_use()
    if account != stage.account:
        raise OpsError(
            f"the credentials are of account {account}, but {stage.name} is account {stage.account}. Switch profile."
        )
    name = Names(deployment).parameter("network", "egress-addresses")
    try:
        client = boto3.client("ssm", region_name=deployment.home.name)
        value: str = client.get_parameter(Name=name)["Parameter"]["Value"]
    except (BotoCoreError, ClientError) as error:
        raise OpsError(
            f"{name} cannot be read in {stage.name} ({error}). Deploy {stage.name}-network first, or ask for the right to "
            "read it."
        ) from None
    try:
        addresses = [str(IPv4Address(address)) for address in value.split(",")]
    except ValueError:
        raise OpsError(
            f"{name} does not hold addresses but {value[:80]!r}. Deploy {stage.name}-network again."
        ) from None
    return {"stage": stage.name, "region": deployment.home.name, "egress_addresses": addresses}


if __name__ == "__main__":
    sys.exit(main())
