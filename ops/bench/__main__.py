"""Measures what users wait for, and prints a table with ratios to the floor.

usage: python -m ops.bench [--runs N] [--only NAME ...]       (make bench)

The floor is the same resources written in plain JavaScript and synthesized without any check, in the same run on the same
machine. Seconds are the least of the runs, memory the most. These are benchmarks, not timed tests.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from assembly import load
from ops.bench.measure import BenchError, Run, measure
from ops.bench.mixed import mixed
from ops.places import ROOT, OpsError, pinned_node, synthesize
from proofs.register.command import ELSEWHERE

FLOOR = "floor: plain JavaScript, no checks"


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n")[-1]
    )
    parser.add_argument("--runs", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--only", nargs="+", default=[], help="only rows whose name contains one of these, or growth")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            _table(Path(scratch), options.runs, options.only)
        if not options.only or any("growth".startswith(name) for name in options.only):
            _growth()
    except (BenchError, OpsError, subprocess.CalledProcessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


def _table(scratch: Path, runs: int, only: list[str]) -> None:
    assembly = synthesize("reference")
    stage = next(stack.tags["palisade:owner"] for stack in assembly.stacks if stack.name.endswith("-network"))
    resources = sum(len(stack.resources) for stack in assembly.stacks)
    print(
        f"{len(assembly.stacks)} stacks, {resources} resources; seconds: least of {runs} runs; memory: most, all processes\n"
    )
    print(f"| {'what':<44} | seconds | x floor | MB    |\n| {'-' * 44} | ------: | ------: | ----: |")
    floor = 0.0
    for name, run in _rows(scratch, stage).items():
        if only and name != FLOOR and not any(part in name for part in only):
            continue
        results = [run() for _ in range(runs)]
        seconds, megabytes = min(r.seconds for r in results), max(r.megabytes for r in results)
        floor = floor or seconds
        print(f"| {name:<44} | {seconds:>7.1f} | {seconds / floor:>7.1f} | {megabytes:>5.0f} |", flush=True)


def _rows(scratch: Path, stage: str) -> Mapping[str, Callable[[], Run]]:
    python = sys.executable
    out = {"CDK_OUTDIR": str(scratch / "out")}
    fast = {**out, "CDK_VALIDATION": "false"}

    def run(*command: str, environment: Mapping[str, str] | None = None) -> Callable[[], Run]:
        return lambda: measure(command, cwd=ROOT, environment=environment)

    return {
        FLOOR: run(
            *(str(pinned_node()), "ops/bench/floor.js", str(_library(scratch)), "cdk.out", str(scratch / "floor")),
            environment=fast,
        ),
        "synth, whole organization, every check on": run(python, "app.py", environment=out),
        "synth, whole organization, checks off": run(python, "app.py", environment=fast),
        "inner loop: one stage, checks off": run(python, "app.py", "-c", f"stage={stage}", environment=fast),
        "test suite": run(python, "-m", "pytest"),
        "gate on a finished assembly": run(python, "-m", "gate"),
        "proofs on a finished assembly": run(python, "-m", "proofs", "prove", "--brief"),
        "evaluate 20,000 mixed lines": run(python, "-m", "proofs", "evaluate", str(_lines(scratch))),
        "make check, warm": run("make", "check"),
        "rehearsal, from synth to last line": run(python, "-m", "ops.rehearse"),
    }


def _lines(scratch: Path) -> Path:
    file = scratch / "mixed.jsonl"
    if not file.exists():
        file.write_text("\n".join(mixed(load(ROOT / "cdk.out", elsewhere=ELSEWHERE), 20_000)), encoding="utf-8")
    return file


def _growth() -> None:
    """How the proofs' time and memory grow with the resources; about 1.0 a resource is linear."""
    print("\n| organizations | resources | seconds of CPU | a resource, x of one | MB    |")
    print("| ------------: | --------: | -------------: | -------------------: | ----: |")
    one = 0.0
    for times in (1, 10, 50):
        command = [sys.executable, "-m", "ops.bench.grown", str(times)]
        found = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
        each = found["seconds"] / found["resources"]
        one = one or each
        print(
            f"| {times:>13} | {found['resources']:>9} | {found['seconds']:>14.1f} | {each / one:>20.1f} "
            f"| {found['megabytes']:>5} |",
            flush=True,
        )


def _library(scratch: Path) -> Path:
    """aws-cdk-lib as JavaScript, out of the Python package that carries it."""
    folder = scratch / "aws-cdk-lib"
    if not folder.exists():
        (archive,) = (ROOT / ".venv").glob("lib/python3*/site-packages/aws_cdk/_jsii/aws-cdk-lib@*.tgz")
        with tarfile.open(archive) as packed:
            packed.extractall(scratch / "unpacked", filter="data")
        modules = folder / "node_modules"
        modules.mkdir(parents=True)
        shutil.move(scratch / "unpacked" / "package", modules / "aws-cdk-lib")
        for name in ("constructs", "@aws-cdk/cloud-assembly-schema", "@aws-cdk/asset-awscli-v1"):
            for found in (ROOT / ".venv").glob(f"lib/python3*/site-packages/**/_jsii/{name.rpartition('/')[2]}@*.tgz"):
                with tarfile.open(found) as packed:
                    packed.extractall(scratch / "unpacked", filter="data")
                (modules / name).parent.mkdir(exist_ok=True)
                shutil.move(scratch / "unpacked" / "package", modules / name)
    return folder / "node_modules" / "aws-cdk-lib"


if __name__ == "__main__":
    sys.exit(main())
