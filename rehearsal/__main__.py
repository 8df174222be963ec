"""Command line of the rehearsal."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import assembly
from rehearsal.cli import Cli
from rehearsal.cycle import Rehearsal, Result, issuer_names, organization_of
from rehearsal.honesty import LIST, Honesty
from rehearsal.progress import Progress
from rehearsal.server import EmbeddedAws, RehearsalError


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal",
        description="Creates, verifies, updates and deletes every stack of an assembly on an embedded AWS.",
    )
    parser.add_argument("--assembly", type=Path, required=True, help="the synthesized assembly, e.g. cdk.out")
    parser.add_argument("--updated", type=Path, help="a second assembly with a real change, for the update")
    parser.add_argument("--keep-going", action="store_true", help="go on after a failure and report all of them")
    parser.add_argument("--only", nargs="+", metavar="STACK", help="these stacks and what they depend on")
    parser.add_argument("--fault", choices=("create", "update"), help="let one resource fail, show the way back")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result as JSON, too")
    parser.add_argument("--cli", action="store_true", help="the same through the real CDK CLI; slower")
    parser.add_argument("--note", default="", help="a line to print above the last one")
    parser.add_argument("--recorded", type=Path, default=LIST, help=argparse.SUPPRESS)
    parser.add_argument("--log", action="store_true", help="show the end of the embedded AWS's log after a failure")
    return parser.parse_args(argv)


def _forget_credentials() -> None:
    """Make sure that nothing here can speak to AWS, whoever is logged in."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(
        AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull, AWS_EC2_METADATA_DISABLED="true"
    )


def _terminate(_number: int, _frame: Any) -> None:
    raise SystemExit(143)


def main(argv: list[str] | None = None) -> int:
    """Run one rehearsal; 0 only if everything passed."""
    arguments = _arguments(argv)
    signal.signal(signal.SIGTERM, _terminate)
    _forget_credentials()
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        print("\nrehearsal: interrupted; the embedded AWS is gone", file=sys.stderr)
        return 130
    except (RehearsalError, assembly.AssemblyError) as error:
        print(f"rehearsal: {error}", file=sys.stderr)
    except Exception as error:
        if arguments.log:
            raise
        print(f"rehearsal: broken off by {type(error).__name__}: {error}. --log shows where.", file=sys.stderr)
    return 2


def _run(arguments: argparse.Namespace) -> int:
    if arguments.fault == "update" and not arguments.updated:
        raise RehearsalError("--fault update needs --updated, a second assembly to fail in.")
    first = assembly.load(arguments.assembly)
    second = assembly.load(arguments.updated) if arguments.updated else None
    if arguments.only:
        first = _only(first, arguments.only)
        second = _only(second, arguments.only) if second else None
    if not first.stacks:
        raise RehearsalError(f"{arguments.assembly} has no stacks. Synthesize first: make synth.")
    progress = Progress()
    with EmbeddedAws(
        home_region=first.stacks[0].region,
        accounts=tuple(sorted({stack.account for stack in first.stacks})),
        names=issuer_names(first),
        organization=organization_of(first),
    ) as aws:
        progress.line(f"{progress.seconds:6.1f} s  embedded AWS answers on {aws.endpoint}")
        rehearsal = Rehearsal(
            first,
            second,
            aws,
            Honesty.load(arguments.recorded),
            progress,
            keep_going=arguments.keep_going,
            fault=arguments.fault or "",
            cli=Cli(aws, first, second, progress) if arguments.cli else None,
        )
        result = rehearsal.run()
        if not result.ok and arguments.log:
            progress.line(aws.tail(60))
    _report(result, progress, arguments.json, note=arguments.note)
    return 0 if result.ok else 1


def _only(whole: assembly.Assembly, names: list[str]) -> assembly.Assembly:
    """The stacks of these names and all they depend on."""
    unknown = [name for name in names if name not in whole]
    if unknown:
        known = ", ".join(stack.name for stack in whole.stacks)
        raise RehearsalError(f"--only {' '.join(unknown)}: no such stack. The assembly has {known}.")
    wanted: set[str] = set()

    def add(name: str) -> None:
        if name not in wanted:
            wanted.add(name)
            for other in whole[name].dependencies:
                add(other)

    for name in names:
        add(name)
    return dataclasses.replace(whole, stacks=tuple(stack for stack in whole.stacks if stack.name in wanted))


def _report(result: Result, progress: Progress, target: Path | None, *, note: str) -> None:
    progress.table(list(result.rows.values()))
    progress.scenarios(result.scenarios)
    for failure in result.failures:
        progress.line(f"FAILED {failure}")
    progress.line(f"peak memory of the embedded AWS: {result.memory} MiB")
    if note:
        progress.line(note)
    progress.line(result.last_line())
    if target:
        rows = {name: vars(row) for name, row in result.rows.items()}
        target.write_text(
            json.dumps(
                {
                    "ok": result.ok,
                    "line": result.last_line(),
                    "seconds": result.seconds,
                    "memory_mib": result.memory,
                    "failures": result.failures,
                    "scenarios": {says: vars(tried) for says, tried in result.scenarios.items()},
                    "stacks": rows,
                },
                indent=2,
            )
        )


if __name__ == "__main__":
    sys.exit(main())
