"""``python -m proofs bite --random N --seed S``: of single-property weakenings drawn by chance, how many fail the build?

A weakening is caught if the gate finds something new, or else if a claim that held does not hold any more, or one breaks: what
makes ``python -m gate`` or ``python -m proofs prove`` exit with 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gate.judge import Judgements
from gate.run import scope_of
from gate.weaken.bite import new_findings
from gate.weaken.chance import draw
from gate.weaken.mutations import Weakening
from gate.world import World
from proofs.finding import Case
from proofs.register.apply import apply
from proofs.register.claims import Claim
from proofs.register.decide import Decided, Status, decide
from stacks.settings import Deployment

GOAL = 0.95


@dataclass(kw_only=True)
class Chances:
    """What became of each weakening: caught by the gate, by the proofs alone, or not at all; and what was set aside."""

    gate: list[Weakening] = field(default_factory=list)
    proofs: list[Weakening] = field(default_factory=list)
    escaped: list[Weakening] = field(default_factory=list)
    aside: Counter[str] = field(default_factory=Counter)

    @property
    def tried(self) -> int:
        """How many counted as weakenings."""
        return len(self.gate) + len(self.proofs) + len(self.escaped)

    @property
    def share(self) -> float:
        """Share caught."""
        return 1 - len(self.escaped) / self.tried if self.tried else 1.0


def try_chances(
    case: Case, claims: Sequence[Claim], number: int, *, seed: int, deployment: Deployment | None
) -> Chances:
    """Draw ``number`` weakenings and see what notices each: first the gate, then the proofs."""
    world = World(case.assembly, scope_of(case.assembly, deployment))
    judgements = Judgements.of(world)
    before = decide(case, claims)
    drawn = draw(world, number, seed)
    chances = Chances(aside=drawn.aside)
    for weakening in drawn.weakenings:
        if next(new_findings(weakening, world, judgements), None) is not None:
            chances.gate.append(weakening)
        elif _worse(before, decide(Case(apply(case.assembly, weakening), case.terms), claims)):
            chances.proofs.append(weakening)
        else:
            chances.escaped.append(weakening)
    return chances


def _worse(before: Sequence[Decided], after: Sequence[Decided]) -> bool:
    return any(
        old.status is not new.status and (new.status is Status.BROKEN or old.status is Status.HOLDS)
        for old, new in zip(before, after, strict=True)
    )


def table(chances: Chances) -> Iterator[str]:
    """What became of each way to weaken, then the escapes by property, then what was no weakening."""
    kinds = sorted({one.kind for one in (*chances.gate, *chances.proofs, *chances.escaped)})
    yield f"  {'':<20}{'drawn':>7}{'gate':>7}{'proofs':>8}{'escaped':>9}"
    for kind in kinds:
        counts = [sum(one.kind == kind for one in found) for found in (chances.gate, chances.proofs, chances.escaped)]
        yield f"  {kind:<20}{sum(counts):>7}{counts[0]:>7}{counts[1]:>8}{counts[2]:>9}"
    if chances.escaped:
        yield "  escaped:"
        places = Counter(f"{one.kind}: {one.resource.type} {_shape(one.place)}" for one in chances.escaped)
        yield from (f"    {count:>4}  {place}" for place, count in sorted(places.items()))
    yield "  drawn and set aside, as no weakening (gate/weaken/aside.py):"
    yield from (f"    {count:>4}  {reason}" for reason, count in chances.aside.most_common())
    yield (
        f"proofs: {chances.tried - len(chances.escaped)} of {chances.tried} weakenings drawn by chance caught "
        f"by gate and proofs, {chances.share:.1%}"
    )


def _shape(place: str) -> str:
    return ".".join("#" if part.isdigit() else part for part in place.split("."))
