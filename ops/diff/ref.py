"""Synthesizes a git ref with its own code, beside the present tree."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ops.places import ROOT, OpsError, apart

_PINS = ("requirements.txt", "requirements/dev.txt", "requirements/layer-token.txt", "package-lock.json")
_TERMS = """
import dataclasses, importlib, json, sys
from proofs.terms import Terms
terms = Terms.of(importlib.import_module("config." + sys.argv[1]).DEPLOYMENT)
plain = lambda one: sorted(one) if isinstance(one, frozenset) else one.total_seconds()
print(json.dumps(dataclasses.asdict(terms), default=plain))
"""
"""Run by the ref's own code, whose configuration and settings may differ from the present ones."""


@dataclass(frozen=True, kw_only=True)
class Synthesized:
    """Where a tree's assembly lies, what to call it, and its terms as plain data (None if its code cannot tell)."""

    name: str
    directory: Path
    terms: dict[str, Any] | None = None


def commit_of(ref: str) -> str:
    """The commit that a git ref names.

    Raises:
        OpsError: there is none, or this is no git checkout.
    """
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if found.returncode:
        raise OpsError(
            f"{ref!r} is no commit, branch or tag here. "
            'List them with "git branch --all" and "git tag"; a shallow clone needs "git fetch --unshallow" first.'
        )
    return found.stdout.strip()


@contextmanager
def synthesized(ref: str, deployment: str) -> Iterator[tuple[Synthesized, Synthesized]]:
    """The assemblies of ``ref`` and of the present tree, made side by side; they are gone when the block is left.

    Checks are off: the gate judges each tree by itself, this compares them.

    Raises:
        OpsError: the ref is unknown, or one of the two cannot be synthesized.
    """
    commit = commit_of(ref)
    with TemporaryDirectory(prefix="palisade-diff-", ignore_cleanup_errors=True) as folder:
        tree = Path(folder) / "tree"
        added = _git("worktree", "add", "--quiet", "--detach", str(tree), commit)
        if added.returncode:
            raise OpsError(f"git cannot check {ref} out: {added.stderr.strip()}")
        try:
            _lend_layers(tree)
            outputs = Path(folder) / "before", Path(folder) / "after"
            problems = _synthesize({tree: outputs[0], ROOT: outputs[1]}, deployment)
            if ROOT in problems:
                raise OpsError(f"the present tree cannot be synthesized:\n{problems[ROOT]}")
            if tree in problems:
                raise OpsError(_cannot(ref, commit, tree, problems[tree]))
            yield (
                Synthesized(name=f"{ref} ({commit[:10]})", directory=outputs[0], terms=_terms(tree, deployment)),
                Synthesized(name="this tree", directory=outputs[1], terms=_terms(ROOT, deployment)),
            )
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _synthesize(trees: dict[Path, Path], deployment: str) -> dict[Path, str]:
    """What each tree that failed said last."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {"CDK_VALIDATION": "false"}
    command = [sys.executable, "app.py", "-c", f"deployment={deployment}"]
    problems = {}
    with ExitStack() as running:
        started = {
            tree: running.enter_context(
                apart(
                    command,
                    {**environment, "CDK_OUTDIR": str(out)},
                    cwd=tree,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                )
            )
            for tree, out in trees.items()
        }
        for tree, synthesis in started.items():
            said, _ = synthesis.communicate()
            if synthesis.returncode:
                problems[tree] = "\n".join(f"  {line}" for line in said.strip().splitlines()[-6:])
    return problems


def _cannot(ref: str, commit: str, tree: Path, said: str) -> str:
    other = [name for name in _PINS if not _same(tree / name, ROOT / name)]
    pins = f"Its pins differ from the present ones ({', '.join(other)}). " if other else ""
    return (
        f"{ref} ({commit[:10]}) cannot be synthesized in the present environment:\n{said}\n{pins}"
        f'Synthesize it in its own: "git worktree add ../base {commit[:10]} && make -C ../base setup synth", then '
        '"make synth" here and "make diff BEFORE=../base/cdk.out AFTER=cdk.out".'
    )


def _same(one: Path, other: Path) -> bool:
    texts = [path.read_bytes() if path.is_file() else b"" for path in (one, other)]
    return texts[0] == texts[1]


def _lend_layers(tree: Path) -> None:
    """What set-up fetched for functions; a tree with another lock of them says so itself when it is synthesized."""
    layers = ROOT / "build" / "layers"
    if layers.is_dir():
        shutil.copytree(layers, tree / "build" / "layers")


def _terms(tree: Path, deployment: str) -> dict[str, Any] | None:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    with suppress(ValueError):
        asked = subprocess.run(
            [sys.executable, "-c", _TERMS, deployment],
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if asked.returncode == 0:
            found: dict[str, Any] = json.loads(asked.stdout)
            return found
    return None


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise OpsError("git is not installed; install it, or compare two folders with BEFORE= and AFTER=.") from None
