"""``python -m gate``: judge the cloud assembly, report once, exit 1 on any finding."""

from __future__ import annotations

import argparse
import sys
import textwrap
import time
import warnings
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from assembly import Assembly, AssemblyError, load
from gate import acknowledgements
from gate.control import CONTROLS, Finding
from gate.run import deployment_named, deployment_of, parts
from stacks.configured import waivers
from stacks.settings import ConfigError, Deployment

MOST_SHOWN = 200


def main(arguments: list[str] | None = None) -> int:
    """Run one command of the gate; 0 if it found nothing, 1 if it did, 2 if it could not judge."""
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    parser = argparse.ArgumentParser(
        prog="python -m gate", description="Judge a synthesized cloud assembly: exit 1 on any finding."
    )
    parser.add_argument(
        "command",
        nargs="?",
        default="judge",
        choices=("judge", "acknowledgements", "controls", "weaken", "ledger"),
        help="judge (default): every part; acknowledgements: list them; controls: list them; "
        "weaken: show that weakened templates are caught; ledger: write the fixture deployment's ledger anew",
    )
    parser.add_argument("--assembly", type=Path, default=Path("cdk.out"), help="folder of the assembly (cdk.out)")
    parser.add_argument("--deployment", help="config/NAME.py; by default the one that the stacks' tags name")
    parser.add_argument("--all", action="store_true", help="weaken: every weakening, not a sample")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "controls":
            return _controls()
        if chosen.command == "ledger":
            from gate.fixture import write_ledger

            return write_ledger()
        assembly = load(chosen.assembly)
        deployment = _deployment(chosen.deployment, assembly)
        if chosen.command == "acknowledgements":
            return _acknowledgements(assembly)
        if chosen.command == "weaken":
            from gate.weaken.bite import report

            return report(assembly, deployment, everything=chosen.all)
        return _judge(assembly, deployment)
    except (AssemblyError, ConfigError) as error:
        print(f"gate: {error}", file=sys.stderr)
        return 2


def _deployment(name: str | None, assembly: Assembly) -> Deployment | None:
    if name is None:
        return deployment_of(assembly)
    deployment = deployment_named(name)
    if deployment is None:
        raise ConfigError([f"--deployment {name}: there is no config/{name}.py. Name one of config/'s modules."])
    return deployment


def _judge(assembly: Assembly, deployment: Deployment | None) -> int:
    waived = waivers()
    today = datetime.now(tz=UTC).date()
    resources = sum(len(stack.resources) for stack in assembly.stacks)
    print(
        f"gate: {assembly.directory}, {len(assembly.stacks)} stacks, {resources} resources, {len(CONTROLS)} controls, "
        f"deployment {deployment.name if deployment else 'unknown (scope taken from the stacks)'}"
    )
    findings: list[Finding] = []
    for part in parts(assembly, deployment, waived, today=today):
        start = time.perf_counter()
        print(f"  {part.name:<18}", end="", flush=True)
        found = part.run()
        findings += found
        print(f"{len(found) or 'no':>4} finding{'' if len(found) == 1 else 's':<2}{time.perf_counter() - start:6.1f} s")
    if findings:
        print()
        _print(findings)
    print(f"gate: {len(findings)} findings" if findings else "gate: nothing found")
    return 1 if findings else 0


def _print(findings: list[Finding]) -> None:
    counted = Counter(findings)
    for shown, (finding, times) in enumerate(sorted(counted.items())):
        if shown == MOST_SHOWN:
            print(f"  ... and {len(counted) - MOST_SHOWN} more")
            break
        again = f" (x{times})" if times > 1 else ""
        print(
            textwrap.fill(
                f"{finding.where}: {finding.message} [{finding.control}]{again}",
                118,
                initial_indent="  ",
                subsequent_indent="      ",
                break_long_words=False,
            )
        )
        if finding.fix:
            print(textwrap.fill(f"fix: {finding.fix}", 118, initial_indent="      ", subsequent_indent="      "))
    print()
    for control, number in Counter(finding.control for finding in findings).most_common(15):
        print(f"  {number:>5}  {control}")


def _acknowledgements(assembly: Assembly) -> int:
    entries = acknowledgements.written(assembly)
    place = ""
    for entry in entries:
        if entry.where != place:
            place = entry.where
            print(place)
        print(textwrap.fill(f"{entry.id}: {entry.reason}", 118, initial_indent="    ", subsequent_indent="        "))
    reasons = {entry.reason for entry in entries}
    print(f"{len(entries)} acknowledgements on {len({e.where for e in entries})} constructs, {len(reasons)} reasons")
    return 0


def _controls() -> int:
    for control in sorted(CONTROLS.values(), key=lambda one: one.id):
        print(f"{control.id}\n    {control.promise}\n    {control.source}")
    print(f"{len(CONTROLS)} controls")
    return 0


if __name__ == "__main__":
    sys.exit(main())
