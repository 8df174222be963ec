"""Runs the whole gate: two lanes side by side, every step to its end, one line a step.

usage: python -m ops.check [--deployment NAME]       (make check)

The assembly lane synthesizes with every check on and judges the result; the code lane lints, type-checks and tests. What a
failed step printed is shown at the end; a step whose input failed is skipped and says so.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ops.places import ROOT

ALONE = ("tests/gate", "tests/lambda", "tests/proofs/policy", "tests/rehearsal")
"""Tests that run beside all others; they balance the two lanes."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command of a lane."""

    name: str
    command: Sequence[str]
    feeds_the_next: bool = False
    """True if the steps after it in its lane make no sense when it fails."""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a step ended: its exit status (None if skipped), seconds, and what it printed."""

    step: Step
    status: int | None
    seconds: float
    output: str


def lanes(deployment: str) -> tuple[Sequence[Step], Sequence[Step]]:
    """The assembly lane and the code lane."""
    python = sys.executable
    tool = f"{os.path.dirname(python)}/"
    assembly = [
        Step(
            name="synth, every account, five policy packs and the validator",
            command=[python, "app.py", "-c", f"deployment={deployment}"],
            feeds_the_next=True,
            environment={"CDK_OUTDIR": "cdk.out"},
        ),
        Step(
            name="gate: invariants, linters, acknowledgements, waivers",
            command=[python, "-m", "gate", "--deployment", deployment],
        ),
        Step(
            name="proofs: every promise, decided from the assembly",
            command=[python, "-m", "proofs", "prove", "--brief", "--deployment", deployment],
        ),
        Step(name="page of guardrails is up to date", command=[python, "-m", "ops.guardrails", "--check"]),
        Step(name="picture is up to date", command=[python, "-m", "ops.picture", "--check"]),
        Step(name="coverage of standards is up to date", command=[python, "-m", "ops.coverage", "--check"]),
        Step(name="tests of gate, functions and rehearsal", command=[python, "-m", "pytest", *ALONE]),
    ]
    code = [
        Step(name="ruff", command=[f"{tool}ruff", "check", "--quiet", "."]),
        Step(name="ruff format", command=[f"{tool}ruff", "format", "--check", "--quiet", "."]),
        Step(name="mypy --strict", command=[f"{tool}mypy", "."]),
        Step(name="tests of all else", command=[python, "-m", "pytest", *(f"--ignore={folder}" for folder in ALONE)]),
    ]
    return assembly, code


def main(arguments: list[str] | None = None) -> int:
    """Run both lanes and return 1 if any step failed."""
    parser = argparse.ArgumentParser(
        prog="make check", description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n")[-1]
    )
    parser.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    outcomes: list[Outcome] = []
    threads = [threading.Thread(target=_run, args=(lane, outcomes)) for lane in lanes(options.deployment)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failed = [outcome for outcome in outcomes if outcome.status != 0]
    for outcome in failed:
        if outcome.status is not None:
            print(f"\n--- {outcome.step.name}: status {outcome.status}\n{outcome.output.rstrip()}")
    print(f"check: {len(outcomes) - len(failed)} passed, {len(failed)} failed, {time.monotonic() - started:.1f} s")
    return 1 if failed else 0


def _run(lane: Sequence[Step], outcomes: list[Outcome]) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "CDK_VALIDATION"}
    environment.pop("CDK_OUTDIR", None)
    skipping = False
    for step in lane:
        if skipping:
            outcome = Outcome(step=step, status=None, seconds=0.0, output="")
        else:
            started = time.monotonic()
            result = subprocess.run(
                step.command,
                cwd=ROOT,
                env={**environment, **step.environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
            )
            seconds = time.monotonic() - started
            outcome = Outcome(step=step, status=result.returncode, seconds=seconds, output=result.stdout)
            skipping = step.feeds_the_next and result.returncode != 0
        outcomes.append(outcome)
        print(_line(outcome), flush=True)


def _line(outcome: Outcome) -> str:
    word = {0: "ok", None: "skipped"}.get(outcome.status, "FAILED")
    said = [line.strip() for line in outcome.output.splitlines() if line.strip()]
    last = f"  {said[-1][:100]}" if said and outcome.status == 0 else ""
    return f"  {word:<8}{outcome.seconds:6.1f} s  {outcome.step.name}{last}"


if __name__ == "__main__":
    sys.exit(main())
