"""Commands on promises and policies.

usage: python -m proofs [prove] [--assembly cdk.out] [--deployment NAME] [--json FILE] [--brief] [CLAIM ...]
       python -m proofs bite [--assembly cdk.out] [--each 6] [--random N [--seed 1]] [CLAIM ...]
       python -m proofs list
       python -m proofs ask [--assembly cdk.out] QUESTION
       python -m proofs evaluate [FILE]

prove      decide every claim of proofs/claims.yaml from an assembly and show why; exit status 1 if one is broken, or
           partial without a reason in proofs/partial.yaml
bite       weaken the assembly and show that each claim's proofs notice, and name the guilty resource; with --random, change N
           properties by chance and show how many gate and proofs notice together; exit status 1 if too few
list       print every proof with what it decides
ask        answer a question about an assembly: "can internet reach subnet data on 6432", "what can reach the database",
           "who can decrypt sandbox-keys/Data"
evaluate   decide requests against their policies: JSON lines in FILE or standard input, one JSON line out for each;
           exit status 1 if a line was malformed
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from proofs import ask
from proofs.policy import lines

USAGE_ERROR: Final = 2


def evaluate(arguments: Sequence[str]) -> int:
    """Answer the JSON lines of a file, or of standard input."""
    if len(arguments) > 1:
        return _usage(f"evaluate takes one file, not {len(arguments)}")
    if not arguments or arguments[0] == "-":
        return lines.run(sys.stdin.buffer, sys.stdout)
    try:
        with Path(arguments[0]).open("rb") as source:
            return lines.run(source, sys.stdout)
    except OSError as error:
        return _usage(f"cannot read {arguments[0]}: {error.strerror}")


def _when_asked(module: str, name: str) -> Callable[[Sequence[str]], int]:
    """A command whose module is imported only when it runs, so that the others do with the standard library."""
    return lambda arguments: int(getattr(importlib.import_module(module), name)(arguments))


COMMANDS: Final[dict[str, Callable[[Sequence[str]], int]]] = {
    "ask": ask.run,
    "bite": _when_asked("proofs.register.bite", "run"),
    "evaluate": evaluate,
    "list": _when_asked("proofs.register.command", "listed"),
    "prove": _when_asked("proofs.register.command", "prove"),
}


def main(arguments: Sequence[str]) -> int:
    """Run one command; the result is the exit status."""
    if arguments and arguments[0] in ("-h", "--help"):
        sys.stdout.write(f"{__doc__}")
        return 0
    if not arguments or arguments[0].startswith("-"):
        return COMMANDS["prove"](arguments)
    chosen = COMMANDS.get(arguments[0])
    if chosen is None:
        return _usage(f"unknown command {arguments[0]!r}; commands: {', '.join(COMMANDS)}")
    return chosen(arguments[1:])


def _usage(problem: str) -> int:
    sys.stderr.write(f"python -m proofs: {problem}\n")
    return USAGE_ERROR


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
