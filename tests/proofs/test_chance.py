"""Weakenings drawn by chance: the draw is repeatable and wide, what is set aside is set aside for a reason, few escape."""

from __future__ import annotations

import pytest

from assembly import Assembly
from gate.run import scope_of
from gate.weaken.aside import RULES
from gate.weaken.chance import Drawn, draw
from gate.world import World
from proofs.finding import Case
from proofs.register import chance
from proofs.register.claims import load
from proofs.terms import Terms
from tests.fixture_deployment import FIXTURE


@pytest.fixture(scope="module")
def drawn(assembly: Assembly) -> Drawn:
    return draw(World(assembly, scope_of(assembly, FIXTURE)), 2000, 7)


def test_a_seed_draws_the_same_and_another_seed_something_else(assembly: Assembly, drawn: Drawn) -> None:
    names = [(one.kind, one.name) for one in drawn.weakenings]
    world = World(assembly, scope_of(assembly, FIXTURE))
    again, other = draw(world, 50, 7), draw(world, 50, 8)
    assert [(one.kind, one.name) for one in again.weakenings] == names[:50]
    assert [(one.kind, one.name) for one in other.weakenings] != names[:50]


def test_draws_in_every_way_from_most_types(assembly: Assembly, drawn: Drawn) -> None:
    assert {one.kind for one in drawn.weakenings} >= {
        "drop property", "drop item", "flip", "fewer", "more", "open", "lower TLS", "other word", "elsewhere", "let go",
        "widen action", "widen resource", "widen principal", "foreign principal", "drop condition", "widen condition",
        "drop refusal", "narrow refusal", "allow instead",
    }  # fmt: skip
    types = {resource.type for _, resource in assembly.resources()}
    assert len({one.resource.type for one in drawn.weakenings}) > len(types) / 2


def test_every_change_is_one_property_of_one_resource(assembly: Assembly, drawn: Drawn) -> None:
    for one in drawn.weakenings:
        ((key, changed),) = one.changes.items()
        before = assembly[key[0]].resources[key[1]]
        assert changed is not None
        differing = [
            name
            for name in {*before.properties, *changed.properties}
            if before.properties.get(name) != changed.properties.get(name)
        ]
        assert len(differing) == (0 if one.kind == "let go" else 1), one.name


def test_no_rule_is_idle(drawn: Drawn) -> None:
    assert set(RULES) - set(drawn.aside) <= {
        "it holds no data",
        "the type of a published value",
        "in whose clock a window is",
        "where else a component finds what it needs",
    }, "seldom drawn, or never"


def test_gate_and_proofs_notice_what_chance_does(assembly: Assembly) -> None:
    """A sample: ``python -m proofs bite --random 1000`` is the measure, whose goal is 95 %; 100 may be unlucky by 5 %."""
    case = Case(assembly, Terms.of(FIXTURE))
    chances = chance.try_chances(case, load().claims, 100, seed=1, deployment=FIXTURE)
    assert chances.tried == 100
    assert chances.share >= chance.GOAL - 0.05, "\n".join(chance.table(chances))


def test_says_what_escaped_and_what_was_set_aside(drawn: Drawn) -> None:
    half = len(drawn.weakenings) // 2
    chances = chance.Chances(gate=drawn.weakenings[:half], escaped=drawn.weakenings[half:], aside=drawn.aside)
    text = "\n".join(chance.table(chances))
    assert f"{half} of {len(drawn.weakenings)} weakenings drawn by chance caught" in text
    assert "a name or a word about it" in text
    assert chances.escaped[0].resource.type in text
