"""``python -m proofs bite``: weaken the assembly and demand that each proof turns BROKEN and names the guilty resource, or with
``--random`` that gate and proofs together notice what chance does."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assembly import Assembly, AssemblyError
from gate.run import scope_of
from gate.weaken.bite import all_weakenings
from gate.weaken.mutations import Weakening
from gate.world import Key, World
from proofs.finding import Case, Note
from proofs.model import Model
from proofs.register import chance
from proofs.register.apply import apply
from proofs.register.claims import Claim, RegisterError
from proofs.register.command import add_arguments, deployment_of, read
from proofs.register.decide import Decisions
from proofs.register.weaken import AGAINST, Against, more
from proofs.terms import Terms
from stacks.settings import ConfigError

SEED = 20260101
_CHOOSERS = frozenset(
    {
        "AWS::ECR::RegistryScanningConfiguration",
        "AWS::Backup::BackupPlan",
        "AWS::Backup::BackupSelection",
        "AWS::Backup::RestoreTestingSelection",
        "AWS::EC2::NetworkAclEntry",
        "AWS::Events::Rule",
    }
)
_CHOSEN = (
    "AWS::ECR::Repository",
    "AWS::Backup::RestoreTestingPlan",
    "AWS::AutoScaling::AutoScalingGroup",
    "AWS::DynamoDB::Table",
    "AWS::EC2::Subnet",
    "AWS::EC2::VPCEndpoint",
    "AWS::RDS::DBCluster",
    "AWS::S3::Bucket",
)
LEAST = 3
"""Weakenings that each claim that holds must have been tried with."""


@dataclass(frozen=True, kw_only=True)
class Bitten:
    """One weakening of one proof: the counter-examples that it made (none: it escaped)."""

    proof: str
    weakening: Weakening
    caught: bool
    named: str
    """The shortest new counter-example, whether or not it names the guilty resource."""


@dataclass(kw_only=True)
class Outcome:
    """What became of every weakening that was tried, by proof."""

    bitten: list[Bitten] = field(default_factory=list)

    def of(self, claim: Claim) -> list[Bitten]:
        """What was tried against a claim's proofs."""
        return [one for one in self.bitten if one.proof in claim.proofs]

    @property
    def escaped(self) -> list[Bitten]:
        """What no proof noticed."""
        return [one for one in self.bitten if not one.caught]


def choose(
    assembly: Assembly, claims: Iterable[Claim], *, each: int, deployment: Any = None
) -> dict[str, list[Weakening]]:
    """Up to ``each`` weakenings, spread over its families, for every proof that decides one of ``claims``."""
    world = World(assembly, scope_of(assembly, deployment))
    found = [*all_weakenings(world), *more(world)]
    proofs = dict.fromkeys(proof for claim in claims for proof in claim.proofs)
    return {proof_id: _chosen(found, AGAINST.get(proof_id, ()), each) for proof_id in proofs}


def bite(assembly: Assembly, terms: Terms, chosen: Mapping[str, Iterable[Weakening]]) -> Outcome:
    """Try each proof's weakenings: it must turn BROKEN and name the guilty resource, or one that it has to do with."""
    whole = Case(assembly, terms)
    before = Decisions(whole)
    outcome = Outcome()
    for proof_id, weakenings in chosen.items():
        known = {str(one) for one in before.finding(proof_id).broken}
        for weakening in weakenings:
            weakened = Case(apply(assembly, weakening), terms)
            new = [one for one in Decisions(weakened).finding(proof_id).broken if str(one) not in known]
            guilty = _guilty(whole.model, weakening)
            named = [one for one in new if _names(one, guilty)]
            shown = min(map(str, named or new), key=len, default="")
            outcome.bitten.append(Bitten(proof=proof_id, weakening=weakening, caught=bool(named), named=shown))
    return outcome


def _chosen(found: Sequence[Weakening], families: Sequence[Against], each: int) -> list[Weakening]:
    """A repeatable choice that takes from every family in turn."""
    piles = [[one for one in found if family.covers(one)] for family in families]
    for pile in piles:
        random.Random(SEED).shuffle(pile)  # noqa: S311  (a repeatable choice, no secret)
    chosen: dict[str, Weakening] = {}
    while any(piles) and len(chosen) < each:
        for pile in piles:
            if pile and len(chosen) < each:
                one = pile.pop()
                chosen.setdefault(f"{one.name} {one.was[:40]} {len(one.changes)}", one)
    return list(chosen.values())


def _guilty(model: Model, weakening: Weakening) -> set[str]:
    """The changed resources, and those that they name or that name them: where the harm shows."""
    found = {weakening.resource.path, *(changed.path for changed in weakening.changes.values() if changed is not None)}
    for stack_name in weakening.stacks:
        found |= {node.path for node in model if node.stack.name == stack_name}
        found |= {
            stack.account for stack in (*model.assembly.stacks, *weakening.stacks.values()) if stack.name == stack_name
        }
    keys: list[Key] = list(weakening.changes)
    for stack_name, logical_id in keys:
        node = model.node(stack_name, logical_id)
        if node is not None:
            found |= {node.path, *(other.path for other in (*model.references(node), *model.referrers(node)))}
            if weakening.resource.type in _CHOOSERS:
                # What a selection by tag chooses, a rule on events serves or an access list filters is named by neither.
                found |= {other.path for other in model.of(*_CHOSEN, account=node.account, region=node.region)}
    return found


def _names(note: Note, guilty: set[str]) -> bool:
    return note.where in guilty or any(path in note.what for path in guilty if "/" in path)


def run(arguments: Sequence[str]) -> int:
    """Print what became of the weakenings; 0 if every proof caught all of its own, 1 if not, 2 if nothing can be judged."""
    parser = argparse.ArgumentParser(
        prog="python -m proofs bite", description="Weaken the assembly and show that the proofs notice."
    )
    add_arguments(parser)
    parser.add_argument("--each", type=int, default=6, help="weakenings for each proof (6)")
    parser.add_argument(
        "--random", type=int, metavar="N", help="instead try N weakenings drawn by chance on gate and proofs"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the choice by chance (1)")
    chosen = parser.parse_args(arguments)
    start = time.perf_counter()
    try:
        _, claims, case, _ = read(chosen)
        deployment = deployment_of(case.assembly, chosen.deployment)
    except (AssemblyError, ConfigError, RegisterError) as error:
        sys.stderr.write(f"proofs: {error}\n")
        return 2
    if chosen.random is not None:
        chances = chance.try_chances(case, claims, chosen.random, seed=chosen.seed, deployment=deployment)
        lines, good = chance.table(chances), chances.share >= chance.GOAL
    else:
        outcome = bite(
            case.assembly, case.terms, choose(case.assembly, claims, each=chosen.each, deployment=deployment)
        )
        lines, good = table(outcome, claims), not outcome.escaped
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"  {time.perf_counter() - start:.0f} s\n")
    return 0 if good else 1


def table(outcome: Outcome, claims: Iterable[Claim]) -> Iterator[str]:
    """Claim, tried, caught; then what escaped."""
    yield f"  {'claim':<16}{'tried':>6}{'caught':>8}"
    for claim in claims:
        tried = outcome.of(claim)
        if tried:
            yield f"  {claim.id:<16}{len(tried):>6}{sum(one.caught for one in tried):>8}"
    for one in outcome.escaped:
        yield f"  escaped {one.proof}: {one.weakening.name}" + (f" (said only: {one.named})" if one.named else "")
    caught = len(outcome.bitten) - len(outcome.escaped)
    yield f"proofs: {caught} of {len(outcome.bitten)} weakenings caught, over {len({one.proof for one in outcome.bitten})} proofs"
