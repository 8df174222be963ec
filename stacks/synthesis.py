"""Makes the app: feature flags, checks of every template, and the deployment that was asked for."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import cdk_nag

from stacks.configured import deployment_named
from stacks.settings import ConfigError, Deployment

_ROOT = Path(__file__).resolve().parent.parent


def new_app(*, outdir: Path | str | None = None, context: Mapping[str, Any] | None = None) -> cdk.App:
    """An app with the feature flags of ``cdk.json`` and the five policy packs.

    ``CDK_VALIDATION=false`` leaves out packs and validator for the inner loop; the gate never sets it.
    ``context`` overrides the flags, for tests.
    """
    flags = json.loads((_ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = cdk.App(
        outdir=None if outdir is None else str(outdir),
        post_cli_context={},
        context={**flags, **(context or {})},
    )
    packs = (
        cdk_nag.AwsSolutionsChecks,
        cdk_nag.NIST80053R5Checks,
        cdk_nag.HIPAASecurityChecks,
        cdk_nag.PCIDSS321Checks,
        cdk_nag.ServerlessChecks,
    )
    cdk.Validations.of(app).add_plugins(*(pack(app) for pack in packs))
    return app


def command_line_context(arguments: Sequence[str]) -> dict[str, str]:
    """What ``-c key=value`` says when ``app.py`` is run without the CDK CLI, which passes context by itself.

    Raises:
        ConfigError: an argument that is not of that form.
    """
    parser = argparse.ArgumentParser(prog="app.py", description="Writes the cloud assembly to cdk.out.")
    parser.add_argument(
        "-c", dest="context", action="append", default=[], metavar="KEY=VALUE", help="deployment=NAME or stage=NAME"
    )
    pairs: list[str] = parser.parse_args(arguments).context
    malformed = [pair for pair in pairs if "=" not in pair]
    if malformed:
        raise ConfigError([f"-c {pair}: must be KEY=VALUE, such as -c stage=sandbox." for pair in malformed])
    return {key: value for key, _, value in (pair.partition("=") for pair in pairs)}


def chosen_deployment(app: cdk.App) -> Deployment:
    """The deployment of ``-c deployment=NAME`` (default ``reference``), reduced to ``-c stage=NAME`` if that is given.

    Raises:
        ConfigError: no such deployment or stage, or the configuration has problems.
    """
    name = str(app.node.try_get_context("deployment") or "reference")
    deployment = deployment_named(name, place="-c deployment=")
    only = app.node.try_get_context("stage")
    if only is None:
        return deployment
    stages = tuple(stage for stage in deployment.stages if stage.name == only)
    if not stages:
        known = ", ".join(stage.name for stage in deployment.stages)
        raise ConfigError([f"-c stage={only}: config/{name}.py has no such stage. Choose one of {known}."])
    return dataclasses.replace(deployment, stages=stages)
