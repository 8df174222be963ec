"""Applies weakenings and demands that each be caught, by a control that fits and at a resource that has to do with it."""

from __future__ import annotations

import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from assembly import Assembly
from gate.control import Finding
from gate.exceptions import EXEMPTIONS
from gate.judge import Judgements
from gate.run import scope_of
from gate.weaken import words
from gate.weaken.escapes import ESCAPES
from gate.weaken.mutations import Weakening, switches, weakenings
from gate.world import Scope, World, key_of
from stacks.settings import Deployment

GOAL = 0.95
SEED = 20260101


@dataclass(frozen=True, kw_only=True)
class Bitten:
    """What became of one weakening: the new findings (none: it escaped)."""

    weakening: Weakening
    caught_by: tuple[Finding, ...]


@dataclass(kw_only=True)
class Outcome:
    """All results, and what they amount to."""

    bitten: list[Bitten] = field(default_factory=list)

    @property
    def escaped(self) -> list[Weakening]:
        """Weakenings that nothing caught."""
        return [one.weakening for one in self.bitten if not one.caught_by]

    @property
    def unexplained(self) -> list[Weakening]:
        """Escaped weakenings for which no reason is written down."""
        return [one for one in self.escaped if not _reasoned(one)]

    @property
    def share(self) -> float:
        """Share caught."""
        return 1 - len(self.escaped) / len(self.bitten) if self.bitten else 1.0


def _reasoned(weakening: Weakening) -> bool:
    return any(escape.covers(weakening) for escape in ESCAPES)


def all_weakenings(world: World) -> list[Weakening]:
    """Every weakening of every resource of every template."""
    return [found for _, resource in world.assembly.resources() for found in weakenings(resource, world)]


def sample(found: Sequence[Weakening], size: int) -> list[Weakening]:
    """A fixed choice of ``size`` that holds every kind of every type at least once while there is room."""
    shuffled = list(found)
    random.Random(SEED).shuffle(shuffled)  # noqa: S311  (a repeatable choice, no secret)
    seen: set[tuple[str, str]] = set()
    first: list[Weakening] = []
    rest: list[Weakening] = []
    for one in shuffled:
        kind = (one.kind, one.resource.type)
        (rest if kind in seen else first).append(one)
        seen.add(kind)
    return [*first, *rest][:size]


def bite(assembly: Assembly, scope: Scope, *, size: int | None = None) -> Outcome:
    """Try every weakening (or a sample of ``size``) and record what caught it."""
    world = World(assembly, scope)
    judgements = Judgements.of(world)
    found = all_weakenings(world)
    outcome = Outcome()
    for weakening in found if size is None else sample(found, size):
        outcome.bitten.append(Bitten(weakening=weakening, caught_by=tuple(_caught(weakening, world, judgements))))
    return outcome


def _caught(weakening: Weakening, world: World, judgements: Judgements) -> Iterator[Finding]:
    return (finding for finding in new_findings(weakening, world, judgements) if _about(weakening, finding))


def new_findings(weakening: Weakening, world: World, judgements: Judgements) -> Iterator[Finding]:
    """What the gate finds in the weakened world and did not find before, exemptions aside."""
    changed = [stand_in if stand_in is not None else key for key, stand_in in weakening.changes.items()]
    gone = [weakening.resource] if None in weakening.changes.values() else []
    with world.trial(weakening.changes, weakening.stacks):
        for pair, after in judgements.again([*changed, *gone]):
            before = set(judgements.findings.get(pair, ()))
            for finding in after:
                if finding not in before and _fits(finding):
                    yield finding


def _fits(finding: Finding) -> bool:
    """A finding counts unless it is exempted, or only says that the control could not read the property."""
    return "have a shape this control cannot judge" not in finding.message and not any(
        exemption.control == finding.control
        and fnmatchcase(finding.where, exemption.where)
        and finding.message.startswith(exemption.finding)
        for exemption in EXEMPTIONS
    )


ABOUT: Mapping[str, str] = {
    "switch off": "",
    "swap key": r"encryption\.",
    "let go": r"data\.",
    "lower TLS": r"edge\.|data\.search",
    "open network": r"exposure\.group|network\.",
    "open ports": r"exposure\.group|network\.",
    "old runtime": r"compute\.function\.runtime",
    "only count": r"edge\.(waf|web-acl)",
    "add secret": r"secrets\.|data\.database\.identity",
    "add right": r"identity\.|compute\.function\.self-change|edge\.waf|workloads\.|quotas\.",
    "widen action": r"identity\.|exposure\.|keys\.|storage\.|network\.endpoints|backup\.vault|compute\.function\.self-change",
    "widen resource": r"identity\.|workloads\.",
    "widen principal": r"identity\.|exposure\.|keys\.|storage\.|network\.endpoints|backup\.vault|messaging\.|workloads\.",
    "foreign principal": r"identity\.|exposure\.|keys\.|storage\.|placement\.account|network\.endpoints|backup\.|messaging\.|"
    r"workloads\.|edge\.",
    "drop tag": r"backup\.|privacy\.",
    "shorten": r"logs\.|keys\.|backup\.|data\.|storage\.|edge\.headers|messaging\.|secrets\.|users\.|account\.",
}
"""Of which subjects a control must be to have caught a weakening of the kind for the right reason (any, if not listed)."""


def _about(weakening: Weakening, finding: Finding) -> bool:
    return re.match(ABOUT.get(weakening.kind, ""), finding.control) is not None


def unclassified(assembly: Assembly) -> list[str]:
    """Booleans of the templates of which nobody has said whether they protect, expose or neither."""
    names: dict[str, str] = {}
    for _, resource in assembly.resources():
        if resource.type.startswith(("Custom::", "AWS::CloudFormation::")):
            continue
        for path, _ in switches(resource):
            name = str(path[-1])
            if not (words.GUARDS.match(name) or words.OPENS.match(name) or name in words.NEUTRAL):
                names[name] = f"{name} ({resource.type} {'.'.join(map(str, path))})"
    return sorted(names.values())


def summary(outcome: Outcome) -> list[str]:
    """Lines of a report: the share by kind, what escaped with reasons, and what escaped without."""
    total: Counter[str] = Counter(one.weakening.kind for one in outcome.bitten)
    caught: Counter[str] = Counter(one.weakening.kind for one in outcome.bitten if one.caught_by)
    lines = [f"  {kind:<18}{caught[kind]:>6} of {number:>6} caught" for kind, number in sorted(total.items())]
    families: defaultdict[str, int] = defaultdict(int)
    for weakening in outcome.escaped:
        for escape in ESCAPES:
            if escape.covers(weakening):
                families[f"{escape.kind} of {escape.type} {escape.place}: {escape.reason}"] += 1
                break
    if families:
        lines.append("  escaped, with reasons:")
        lines += [f"    {number:>5}  {family}" for family, number in sorted(families.items())]
    if outcome.unexplained:
        lines.append("  escaped, without a reason (catch them, or write the reason into gate/weaken/escapes.py):")
        lines += [f"    {weakening.name} ({weakening.resource.type})" for weakening in outcome.unexplained[:200]]
    number = len(outcome.bitten)
    lines.append(f"gate: {number - len(outcome.escaped)} of {number} weakenings caught, {outcome.share:.1%}")
    return lines


def report(assembly: Assembly, deployment: Deployment | None, *, everything: bool) -> int:
    """Print what became of the weakenings; 0 if none escaped without a reason and the goal is met."""
    start = time.perf_counter()
    outcome = bite(assembly, scope_of(assembly, deployment), size=None if everything else 1500)
    for line in summary(outcome):
        print(line)
    print(f"  {time.perf_counter() - start:.1f} s")
    unknown = unclassified(assembly)
    idle = (
        [escape for escape in ESCAPES if not any(escape.covers(one) for one in outcome.escaped)] if everything else []
    )
    for escape in idle:
        print(f"  nothing escapes this way any more (gate/weaken/escapes.py): {escape.kind} of {escape.type}")
    for name in unknown:
        print(f"  nobody has said what this Boolean does (gate/weaken/words.py): {name}")
    return 1 if outcome.unexplained or outcome.share < GOAL or unknown or idle else 0


__all__ = ["Bitten", "Outcome", "all_weakenings", "bite", "key_of", "report", "sample", "summary", "unclassified"]
