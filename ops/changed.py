"""Writes the assembly of the same deployment after an ordinary change, for the update half of a rehearsal.

usage: python -m ops.changed [--deployment NAME] [--out DIRECTORY]

Every stage keeps server logs longer, takes more requests, lets its database grow further and may call one more vendor:
values that reach log groups, API, cluster, firewall and alarms in place, without replacing anything that holds data.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys

from app import build
from stacks.settings import CLOUDWATCH_RETENTION_DAYS, ConfigError, Deployment, Stage, check
from stacks.synthesis import chosen_deployment, new_app

VENDOR = "status.example.com"


def changed(deployment: Deployment) -> Deployment:
    """The deployment after the change."""
    longer = min(days for days in CLOUDWATCH_RETENTION_DAYS if days > deployment.retention.server_log_days)
    return check(
        dataclasses.replace(
            deployment,
            retention=dataclasses.replace(deployment.retention, server_log_days=longer),
            stages=tuple(_changed_stage(stage) for stage in deployment.stages),
        )
    )


def _changed_stage(stage: Stage) -> Stage:
    return dataclasses.replace(
        stage,
        vendors=(*stage.vendors, VENDOR),
        throttle=dataclasses.replace(
            stage.throttle, rate_per_second=stage.throttle.rate_per_second + 1, burst=stage.throttle.burst + 2
        ),
        shape=dataclasses.replace(stage.shape, aurora_max_capacity=stage.shape.aurora_max_capacity + 1),
    )


def main(arguments: list[str] | None = None) -> int:
    """Synthesize without the checks, which the unchanged assembly has passed already."""
    parser = argparse.ArgumentParser(prog="python -m ops.changed", description=__doc__.split("\n\n")[0])
    parser.add_argument("--deployment", default="reference")
    parser.add_argument("--out", default="cdk.out.updated")
    options = parser.parse_args(arguments)
    os.environ["CDK_VALIDATION"] = "false"
    try:
        app = new_app(outdir=options.out, context={"deployment": options.deployment})
        build(app, changed(chosen_deployment(app))).synth()
    except ConfigError as error:
        print(f"palisade: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
