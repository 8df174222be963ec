"""Synthesizes the whole organization with every check on and rehearses it on an embedded AWS.

usage: python -m ops.rehearse [--deployment NAME] [--cli]       (make rehearse)
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

from ops.places import ROOT, OpsError, apart, synthesize

UPDATED = "cdk.out.updated"


def main(arguments: list[str] | None = None) -> int:
    """Synthesize before and after an ordinary change, deploy, verify, update, delete; return the exit status."""
    parser = argparse.ArgumentParser(prog="make rehearse", description=__doc__.split("\n\n")[0])
    parser.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
    parser.add_argument("--cli", action="store_true", help="deploy through the real CDK CLI (slower)")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    print("synthesizing every account and region, with every check on ...", flush=True)
    change = [sys.executable, "-m", "ops.changed", "--deployment", options.deployment, "--out", UPDATED]
    try:
        with apart(change, os.environ, stderr=subprocess.PIPE) as update:
            assembly = synthesize(options.deployment)
            # Shown only now: what is wrong with both assemblies would be said twice.
            said = update.communicate()[1]
    except OpsError as error:
        print(f"rehearse: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nrehearse: interrupted while synthesizing; nothing runs on", file=sys.stderr)
        return 130
    if update.returncode:
        print(f"{said}rehearse: the changed deployment could not be synthesized (ops/changed.py).", file=sys.stderr)
        return 1
    count = sum(len(stack.resources) for stack in assembly.stacks)
    seconds = time.monotonic() - started
    print(f"synthesized: {len(assembly.stacks)} stacks, {count} resources, no finding, {seconds:.1f} s", flush=True)
    command = [str(ROOT / ".venv-rehearsal" / "bin" / "python"), "-m", "rehearsal"]
    command += ["--assembly", "cdk.out", "--updated", UPDATED, *(["--cli"] if options.cli else [])]
    try:
        command += ["--note", _report(options.deployment)]
    except OpsError as error:
        print(f"rehearse: {error}", file=sys.stderr)
        return 1
    return _run(command)


def _run(command: list[str]) -> int:
    with subprocess.Popen(command, cwd=ROOT) as rehearsal:
        while True:
            try:
                return rehearsal.wait()
            except KeyboardInterrupt:
                # The rehearsal got the same signal and cleans up; wait for it.
                continue


def _report(deployment: str) -> str:
    """Write the trust report of the assembly and return the line that says where it is.

    What the proofs found is in the report; whether it is good enough is the gate's to say.

    Raises:
        OpsError: proofs or report could not be written.
    """
    proofs = ROOT / "build" / "proofs.json"
    proofs.parent.mkdir(exist_ok=True)
    proofs.unlink(missing_ok=True)
    proved = _captured("-m", "proofs", "prove", "--deployment", deployment, "--json", str(proofs))
    if not proofs.is_file():
        raise OpsError(f"the proofs could not run: {_said(proved)}")
    written = _captured("-m", "ops.report", "--proofs", str(proofs))
    if written.returncode:
        raise OpsError(f"the trust report could not be written: {_said(written)}")
    return f"trust {written.stdout.strip().splitlines()[-1]}"


def _captured(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def _said(result: subprocess.CompletedProcess[str]) -> str:
    lines = (result.stderr.strip() or result.stdout.strip() or "no reason given").splitlines()
    return " ".join(lines[-3:])


if __name__ == "__main__":
    sys.exit(main())
