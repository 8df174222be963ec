"""Everything the gate does, part by part, over one assembly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from assembly import Assembly
from gate import acknowledgements, lint, structure
from gate.control import Finding
from gate.exceptions import EXEMPTIONS
from gate.judge import judge_all
from gate.waivers import WaiverLike, apply_exemptions, apply_waivers
from gate.world import Scope, World
from stacks.configured import value_of
from stacks.settings import RESIDENCY_AREAS, Deployment, check, named

ROOT = Path(__file__).resolve().parent.parent
TAG = "palisade:deployment"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the gate: what it is called in the progress, and what it finds."""

    name: str
    run: Callable[[], list[Finding]]


def scope_of(assembly: Assembly, deployment: Deployment | None) -> Scope:
    """What the assembly may name: by its deployment if that is known, else by where its own stacks are.

    Without a deployment, the regions are those of the smallest residency area that holds every stack but the edge's.
    """
    accounts = {stack.account for stack in assembly.stacks}
    if deployment is not None:
        area = RESIDENCY_AREAS[deployment.residency]
        return Scope(accounts=frozenset({*accounts, *deployment.account_ids}), regions=area)
    regions = {stack.region for stack in assembly.stacks}
    core = regions - {"us-east-1"} or regions
    areas = sorted((area for area in RESIDENCY_AREAS.values() if core <= area), key=len)
    return Scope(accounts=frozenset(accounts), regions=areas[0] if areas else frozenset(core))


def deployment_named(name: str) -> Deployment | None:
    """``config/<name>.py``'s deployment, or None if there is no such file.

    Raises:
        ConfigError: it has problems.
    """
    if not (ROOT / "config" / f"{name}.py").is_file():
        return None
    return check(named(value_of(name, "DEPLOYMENT"), name))


def deployment_of(assembly: Assembly) -> Deployment | None:
    """The deployment that the stacks' tag names, if this repository holds it."""
    names = {stack.tags.get(TAG, "") for stack in assembly.stacks} - {""}
    return deployment_named(names.pop()) if len(names) == 1 else None


def invariants(assembly: Assembly, scope: Scope, waivers: Sequence[WaiverLike], *, today: date) -> list[Finding]:
    """What our own controls find, less exemptions and waivers, plus what is wrong with those."""
    world = World(assembly, scope)
    paths = [resource.path for _, resource in assembly.resources()]
    found = apply_exemptions([*judge_all(world), *structure.check(assembly)], EXEMPTIONS, paths)
    return apply_waivers(found, waivers, today=today)


def parts(
    assembly: Assembly, deployment: Deployment | None, waivers: Sequence[WaiverLike], *, today: date
) -> list[Part]:
    """The gate's parts for one assembly, in the order in which they run."""
    scope = scope_of(assembly, deployment)
    return [
        Part(name="invariants", run=lambda: invariants(assembly, scope, waivers, today=today)),
        Part(name="acknowledgements", run=lambda: acknowledgements.check(assembly)),
        Part(
            name="policy linter",
            run=lambda: lint.policies(assembly, World(assembly, scope), ROOT / "build" / "parliament"),
        ),
        Part(name="cfn-lint", run=lambda: lint.cloudformation(assembly, ROOT / "build" / "cfn-lint")),
        Part(name="workflows", run=lambda: lint.workflows(ROOT)),
    ]
