"""Compares two assemblies as promises: what breaks, who gains what, what opens, which data would go, what it costs.

usage: python -m ops.diff --base REF [--deployment NAME]                         (make diff BASE=main)
       python -m ops.diff --before FOLDER --after FOLDER [--deployment NAME]     (make diff BEFORE=... AFTER=...)

REF is synthesized with its own code in a temporary worktree and compared with the present tree. The folders may hold any
cloud assemblies, also those of others. Exit status: 1 if a promise breaks or data would be lost, 2 on bad input, else 0.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from assembly import Assembly, AssemblyError, load
from ops.diff.comparison import Comparison, compare
from ops.diff.page import markdown, terminal
from ops.diff.ref import Synthesized, synthesized
from ops.places import OpsError
from proofs.register.claims import RegisterError
from proofs.register.command import ELSEWHERE, deployment_of
from proofs.terms import Terms
from stacks.settings import ConfigError

BAD_INPUT = 2


def main(arguments: list[str] | None = None) -> int:
    """Compare, print, write, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="make diff",
        description=__doc__.split("\n\n")[0],
        epilog=__doc__.split("\n\n", 1)[-1],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--base", metavar="REF", help="git ref to compare the present tree with")
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="assembly before the change")
    parser.add_argument("--after", type=Path, metavar="FOLDER", help="assembly after it")
    parser.add_argument(
        "--deployment", help="config/<name>.py (with --base: reference, else what the stacks' tags name)"
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write it for a comment, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything as data, too")
    options = parser.parse_args(arguments)
    folders = [folder for folder in (options.before, options.after) if folder is not None]
    if (options.base is None) == (not folders) or len(folders) == 1:
        parser.error("give either --base REF, or both --before FOLDER and --after FOLDER")
    try:
        comparison = _of_ref(options) if options.base is not None else _of_folders(options)
        for file, text in (
            (options.markdown, markdown(comparison)),
            (options.json, json.dumps(comparison.as_json(), indent=1, ensure_ascii=False) + "\n"),
        ):
            if file is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
    except (OpsError, AssemblyError, ConfigError, RegisterError, OSError) as error:
        print(f"diff: {error}", file=sys.stderr)
        return BAD_INPUT
    print(terminal(comparison), end="")
    return 1 if comparison.stops else 0


def _of_ref(options: argparse.Namespace) -> Comparison:
    with synthesized(options.base, options.deployment or "reference") as (before, after):
        present = _terms(after, Terms())
        return compare(
            load(before.directory),
            load(after.directory),
            names=(before.name, after.name),
            terms=(_terms(before, present), present),
        )


def _of_folders(options: argparse.Namespace) -> Comparison:
    before, after = (load(folder, elsewhere=ELSEWHERE) for folder in (options.before, options.after))
    return compare(
        before,
        after,
        names=(str(options.before), str(options.after)),
        terms=(_own_terms(before, options.deployment), _own_terms(after, options.deployment)),
    )


def _own_terms(assembly: Assembly, name: str | None) -> Terms:
    deployment = deployment_of(assembly, name)
    return Terms() if deployment is None else Terms.of(deployment)


def _terms(tree: Synthesized, otherwise: Terms) -> Terms:
    """The tree's own terms; what its code does not know yet is as in ``otherwise``."""
    if tree.terms is None:
        return otherwise
    kept: dict[str, Any] = {}
    for field in dataclasses.fields(Terms):
        if field.name in tree.terms:
            value = tree.terms[field.name]
            known = getattr(otherwise, field.name)
            if isinstance(known, timedelta):
                value = timedelta(seconds=value)
            kept[field.name] = frozenset(value) if isinstance(known, frozenset) else value
    return dataclasses.replace(otherwise, **kept)


if __name__ == "__main__":
    sys.exit(main())
