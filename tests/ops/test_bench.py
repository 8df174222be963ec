"""The proofs stay quick as templates grow, and the samples that measure them are what they say."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from assembly import Assembly, load
from ops.bench.grown import grown
from ops.bench.mixed import mixed
from ops.places import ROOT
from proofs.finding import Case
from proofs.policy import lines
from proofs.register.claims import load as load_register
from proofs.register.decide import decide
from proofs.terms import Terms
from tests.fixture_deployment import FIXTURE


def test_copies_of_an_assembly_share_nothing(assembly: Assembly) -> None:
    two = grown(assembly, 2)
    first, second = two.stacks[: len(assembly.stacks)], two.stacks[len(assembly.stacks) :]
    assert first == assembly.stacks
    assert not {stack.account for stack in first} & {stack.account for stack in second}
    assert len({stack.name for stack in two.stacks}) == 2 * len(assembly.stacks)
    for stack in second:
        text = json.dumps(stack.template)
        assert not [other.account for other in first if other.account in text], stack.name


def test_proofs_of_three_organizations_cost_about_three_times_those_of_one(assembly: Assembly) -> None:
    claims, terms = load_register().claims, Terms.of(FIXTURE)

    def seconds(many: Assembly) -> float:
        started = time.process_time()
        decided = decide(Case(many, terms), claims)
        spent = time.process_time() - started
        found = next(one for claim in decided for one in claim.findings if one.proof == "encryption.at-rest")
        judged.append(len(set(found.evidence)))
        return spent

    judged: list[int] = []
    seconds(assembly)
    once, thrice = seconds(assembly), seconds(grown(assembly, 3))
    assert judged[2] == 3 * judged[1]
    # Three times would be linear, nine quadratic.
    assert thrice < once * 6


def test_all_proofs_of_one_organization_take_five_seconds_and_half_a_gigabyte_at_most(synthesized: Path) -> None:
    command = [sys.executable, "-m", "ops.bench.grown", "--assembly", str(synthesized)]
    found = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    assert found["seconds"] < 5
    assert found["megabytes"] < 500
    assert found["resources"] == sum(len(stack.resources) for stack in load(synthesized).stacks)


def test_mixed_lines_are_decided_ten_thousand_a_second(assembly: Assembly) -> None:
    """Measured against reading the same JSON, which is the floor, so that a busy machine does not decide."""
    text = list(mixed(assembly, 4000))

    def seconds(work: Any) -> float:
        started = time.process_time()
        for _ in work:
            pass
        return time.process_time() - started

    floor = min(seconds(map(json.loads, text)) for _ in range(3))
    spent = min(seconds(lines.answers(text)) for _ in range(3))
    decisions = {json.loads(answer)["decision"] for answer, _ in lines.answers(text)}
    assert {"Allowed", "ExplicitlyDenied", "ImplicitlyDenied"} <= decisions
    # Reading these longer lines takes about 17 us each; 10,000 a second leave 100 us.
    assert spent < floor * 6
