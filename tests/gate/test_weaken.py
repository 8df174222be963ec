"""The gate bites: weakenings made from the templates themselves are caught, property by property."""

from __future__ import annotations

import warnings

from assembly import Assembly
from gate.judge import Judgements, controls_for, judge
from gate.run import scope_of
from gate.weaken.bite import GOAL, all_weakenings, bite, sample, summary, unclassified
from gate.world import Scope, World, key_of
from tests.fixture_deployment import FIXTURE
from tests.gate.conftest import Write

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


def test_what_is_judged_again_is_all_that_a_weakening_can_change(assembly: Assembly) -> None:
    world = World(assembly, scope_of(assembly, FIXTURE))
    judgements = Judgements.of(world)
    before = {finding for found in judgements.findings.values() for finding in found}
    for weakening in sample(all_weakenings(world), 1500)[::375]:
        changed = [stand_in or key for key, stand_in in weakening.changes.items()]
        gone = [weakening.resource] if None in weakening.changes.values() else []
        with world.trial(weakening.changes, weakening.stacks):
            quick = {f for pair, found in judgements.again([*changed, *gone]) for f in found} - before
            present = [world.get(key_of(resource)) for _, resource in assembly.resources()]
            added = [one for one in weakening.changes.values() if one is not None and one not in present]
            whole = {
                finding
                for resource in (*present, *added)
                if resource is not None
                for control in controls_for(resource.type)
                for finding in judge(control, resource, world)
            } - before
        assert quick == whole, weakening.name


def test_a_resource_that_nobody_wrote_a_test_for_is_weakened_and_caught(write: Write) -> None:
    group = {
        "Type": "AWS::Logs::LogGroup",
        "Properties": {
            "LogGroupName": "/acme/reports",
            "RetentionInDays": 30,
            "KmsKeyId": "arn:aws:kms:eu-central-1:111111111111:key/00000000-0000-0000-0000-000000000000",
        },
    }
    assembly = write({"Reports": group})
    outcome = bite(assembly, Scope(accounts=frozenset({"111111111111"}), regions=frozenset({"eu-central-1"})))
    caught = {(one.weakening.kind, one.weakening.place): bool(one.caught_by) for one in outcome.bitten}
    assert caught == {
        ("shorten", "RetentionInDays"): True,
        ("drop property", "RetentionInDays"): True,
        ("drop property", "KmsKeyId"): True,
    }
