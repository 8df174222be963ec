"""Decides every promise of many organizations at once, and says how time and memory grow.

usage: python -m ops.bench.grown [--assembly cdk.out] [TIMES]

One assembly is taken TIMES times, each with accounts, stacks and stages of its own. Prints JSON: resources, seconds
of all proofs (without reading or copying), megabytes resident at the most.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import re
import sys
import time
from pathlib import Path

from assembly import Assembly, Stack, load
from proofs.finding import Case
from proofs.register.claims import load as load_register
from proofs.register.command import ELSEWHERE, deployment_of
from proofs.register.decide import decide
from proofs.terms import Terms

OWNER = "palisade:owner"
_STEP = 1_000_003
"""Added to account numbers, so that no copy's is another's."""


def grown(assembly: Assembly, times: int) -> Assembly:
    """``times`` copies of the assembly that share nothing: other account numbers, stack names and stages."""
    return Assembly(
        directory=assembly.directory,
        stacks=tuple(stack for number in range(times) for stack in _copy(assembly, number)),
    )


def _copy(assembly: Assembly, number: int) -> list[Stack]:
    if number == 0:
        return list(assembly.stacks)
    accounts = {stack.account: f"{(int(stack.account) + number * _STEP) % 10**12:012d}" for stack in assembly.stacks}
    names = {stack.name: f"{stack.name}-{number}" for stack in assembly.stacks}
    words = {**accounts, **names}
    pattern = re.compile(
        "|".join(
            [rf"(?<!\d){account}(?!\d)" for account in accounts]
            + [rf"(?<![\w-]){re.escape(name)}(?![\w-])" for name in names]
        )
    )

    def renamed(text: str) -> str:
        return pattern.sub(lambda match: words[match[0]], text)

    return [
        dataclasses.replace(
            stack,
            name=names[stack.name],
            account=accounts[stack.account],
            template=json.loads(renamed(json.dumps(stack.template))),
            dependencies=tuple(names.get(name, name) for name in stack.dependencies),
            tags={**stack.tags, OWNER: f"{stack.tags.get(OWNER, '')}-{number}"},
            paths={logical_id: renamed(path) for logical_id, path in stack.paths.items()},
        )
        for stack in assembly.stacks
    ]


def _most_megabytes() -> int:
    """The most memory that this process held; not getrusage's, which a child inherits from whoever started it."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0  # no Linux
    return round(int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6)


def main(arguments: list[str] | None = None) -> int:
    """Grow, decide, print."""
    parser = argparse.ArgumentParser(prog="python -m ops.bench.grown", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--assembly", type=Path, default=Path("cdk.out"), help="folder of the assembly (cdk.out)")
    parser.add_argument("times", nargs="?", type=int, default=1, help="how many organizations (1)")
    options = parser.parse_args(arguments)
    one = load(options.assembly, elsewhere=ELSEWHERE)
    deployment = deployment_of(one)
    many, claims = grown(one, options.times), load_register().claims
    gc.disable()  # as the command does
    started = time.process_time()
    decide(Case(many, Terms() if deployment is None else Terms.of(deployment)), claims)
    seconds = time.process_time() - started
    print(
        json.dumps(
            {
                "resources": sum(len(stack.resources) for stack in many.stacks),
                "seconds": round(seconds, 3),
                "megabytes": _most_megabytes(),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
