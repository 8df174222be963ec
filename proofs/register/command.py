"""``python -m proofs prove``: decide every claim, print it, and fail when one is broken or partial without a reason."""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assembly import Assembly, AssemblyError, load
from proofs.finding import PROOFS, Case, promise_of
from proofs.register.claims import Claim, Register, RegisterError
from proofs.register.claims import load as load_register
from proofs.register.decide import Decided, Status, as_json, decide, unexplained
from proofs.terms import Terms
from stacks.settings import ConfigError, Deployment, check

_WIDTH = 118
_TAG = "palisade:deployment"
_CONFIG = Path(__file__).resolve().parent.parent.parent / "config"
ELSEWHERE = ("000000000000", "us-east-1")
"""The account and region of stacks that leave theirs open, as those of others may."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What every command on the register takes."""
    parser.add_argument(
        "--assembly", type=Path, default=Path("cdk.out"), help="folder of the assembly, or of templates (cdk.out)"
    )
    parser.add_argument("--deployment", help="config/NAME.py; by default the one that the stacks' tags name")
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help="ids, or beginnings of ids; by default every claim")


def prove(arguments: Sequence[str]) -> int:
    """Decide claims; 0 if each holds, is to be attested or is known to be partial, 1 if not, 2 if nothing can be decided."""
    parser = argparse.ArgumentParser(prog="python -m proofs prove", description="Decide every claim from the assembly.")
    add_arguments(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the decisions to FILE")
    parser.add_argument("--brief", action="store_true", help="one line a claim")
    chosen = parser.parse_args(arguments)
    start = time.perf_counter()
    try:
        register, claims, case, name = read(chosen)
    except (AssemblyError, ConfigError, RegisterError) as error:
        sys.stderr.write(f"proofs: {error}\n")
        return 2
    # The process ends with the answer: looking for circles among a model's many objects would only take time.
    gc.disable()
    decided = decide(case, claims)
    if chosen.json is not None:
        content = as_json(case, decided, deployment=name, waivers=_waivers())
        chosen.json.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for one in decided:
        sys.stdout.write(_shown(one, register, brief=chosen.brief))
    problems = unexplained(decided, register)
    counts = Counter(one.status for one in decided)
    resources = sum(len(stack.resources) for stack in case.assembly.stacks)
    sys.stdout.write(
        f"proofs: {len(decided)} claims over {len(case.assembly.stacks)} stacks, {resources} resources: "
        + ", ".join(f"{counts[status]} {status}" for status in Status)
        + f"; {time.perf_counter() - start:.1f} s\n"
    )
    for problem in problems:
        sys.stdout.write(_fold(f"proofs: {problem}", "        "))
    return 1 if problems else 0


def read(chosen: argparse.Namespace) -> tuple[Register, list[Claim], Case, str]:
    """Register, chosen claims, case and name of the deployment that a command was given.

    Raises:
        AssemblyError, ConfigError, RegisterError: one of them cannot be read, or a chosen claim does not exist.
    """
    register = load_register()
    assembly = load(chosen.assembly, elsewhere=ELSEWHERE)
    deployment = deployment_of(assembly, chosen.deployment)
    unknown = [name for name in chosen.claims if not any(c.id.startswith(name) for c in register.claims)]
    if unknown:
        raise RegisterError(
            "\n".join(f"no claim begins with {name!r}; proofs/claims.yaml lists them" for name in unknown)
        )
    claims = [c for c in register.claims if not chosen.claims or c.id.startswith(tuple(chosen.claims))]
    case = Case(assembly, Terms() if deployment is None else Terms.of(deployment))
    return register, claims, case, "" if deployment is None else deployment.name


def deployment_of(assembly: Assembly, name: str | None = None) -> Deployment | None:
    """The named deployment, else the one that the stacks' tags name if this repository holds it.

    Raises:
        ConfigError: it was named and does not exist, or it has problems.
    """
    names = {stack.tags.get(_TAG, "") for stack in assembly.stacks} - {""} if name is None else {name}
    if len(names) != 1 or not (_CONFIG / f"{next(iter(names))}.py").is_file():
        if name is not None:
            raise ConfigError([f"--deployment {name}: there is no config/{name}.py. Name one of config/'s modules."])
        return None
    return check(importlib.import_module(f"config.{names.pop()}").DEPLOYMENT)


def listed(arguments: Sequence[str]) -> int:
    """Print every proof and the claims that it decides."""
    argparse.ArgumentParser(prog="python -m proofs list", description="Print every proof.").parse_args(arguments)
    register = load_register()
    for proof_id, judge in sorted(PROOFS.items()):
        claims = [claim.id for claim in register.claims if proof_id in claim.proofs]
        sys.stdout.write(f"{proof_id}\n" + _fold(f"    {promise_of(judge)}", "    "))
        sys.stdout.write(f"    decides {', '.join(claims) or 'no claim'}\n")
    return 0


def _waivers() -> Sequence[Any]:
    found: Sequence[Any] = importlib.import_module("config.waivers").WAIVERS
    return found


def _shown(decided: Decided, register: Register, *, brief: bool) -> str:
    claim = decided.claim
    lines = _fold(f"{decided.status:<8}{claim.id:<15}{claim.claim}", " " * 23)
    if brief:
        return lines.splitlines()[0] + "\n"
    for finding in decided.findings:
        if finding.evidence and not finding.broken:
            number = len({note.where for note in finding.evidence})
            lines += _fold(f"        shown: {finding.promise} ({number} resources)", " " * 15)
    shortest = decided.shortest
    if shortest is not None:
        lines += _fold(f"        broken: {shortest}", " " * 16)
        if len(decided.counter_examples) > 1:
            lines += f"                and {len(decided.counter_examples) - 1} more\n"
    for missing in decided.missing[:4]:
        lines += _fold(f"        missing: {missing}", " " * 17)
    if len(decided.missing) > 4:
        lines += f"                 and {len(decided.missing) - 4} more\n"
    if claim.kept_by:
        lines += _fold(f"        kept by: {claim.kept_by}", " " * 17)
    if decided.status is Status.PARTIAL and claim.id in register.partial:
        lines += _fold(f"        known: {register.partial[claim.id]}", " " * 15)
    return lines


def _fold(text: str, indent: str) -> str:
    return (
        textwrap.fill(
            text,
            _WIDTH,
            subsequent_indent=indent,
            break_long_words=False,
            drop_whitespace=True,
            replace_whitespace=False,
        )
        + "\n"
    )
