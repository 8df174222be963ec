"""The gate bites: weakenings made from the templates themselves are caught, property by property."""

from __future__ import annotations

import warnings

from assembly import Assembly
from gate.run import scope_of
from gate.weaken.bite import GOAL, all_weakenings, bite, summary, unclassified
from gate.world import World
from tests.fixture_deployment import FIXTURE

warnings.filterwarnings("ignore", message="pkg_resources is deprecated")


def test_weakened_templates_are_caught(assembly: Assembly) -> None:
    outcome = bite(assembly, scope_of(assembly, FIXTURE), size=1500)
    assert not outcome.unexplained, "\n".join(summary(outcome))
    assert outcome.share >= GOAL, "\n".join(summary(outcome))


def test_every_stack_is_weakened(assembly: Assembly) -> None:
    world = World(assembly, scope_of(assembly, FIXTURE))
    weakened = {weakening.resource.stack for weakening in all_weakenings(world)}
    bare = {
        stack.name
        for stack in assembly.stacks
        if any(resource.type.startswith("AWS::S3") for resource in stack.resources.values())
    } - weakened
    assert not bare
    assert len(weakened) >= len(assembly.stacks) // 2


def test_every_switch_in_the_templates_is_classified(assembly: Assembly) -> None:
    unknown = unclassified(assembly)
    assert not unknown, f"say in gate/weaken/words.py whether these protect, expose or neither: {unknown}"


def test_a_weakening_leaves_the_original_untouched(assembly: Assembly) -> None:
    world = World(assembly, scope_of(assembly, FIXTURE))
    before = {str(resource): repr(resource.properties) for _, resource in assembly.resources("AWS::S3::Bucket")}
    for weakening in all_weakenings(world)[:500]:
        with world.trial(weakening.changes, weakening.stacks):
            pass
    assert before == {str(resource): repr(resource.properties) for _, resource in assembly.resources("AWS::S3::Bucket")}
