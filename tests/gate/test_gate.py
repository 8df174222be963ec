"""The whole gate over the fixture deployment: nothing is found, and what it lets stand is reasoned."""

from __future__ import annotations

import dataclasses
import re
import warnings
from datetime import date
from pathlib import Path

import pytest

from assembly import Assembly
from gate import acknowledgements, ledger, lint
from gate.control import CONTROLS, Finding
from gate.exceptions import EXEMPTIONS
from gate.judge import judge_all
from gate.run import invariants, scope_of
from gate.waivers import _exempts
from gate.world import World
from proofs.model.change import changed
from tests.fixture_deployment import FIXTURE

warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
TODAY = date(2026, 1, 1)
BUILD = Path(__file__).resolve().parents[2] / "build"


def _readable(findings: list[Finding]) -> str:
    return "\n".join(str(finding) for finding in sorted(findings))


def test_no_invariant_is_broken(assembly: Assembly) -> None:
    found = invariants(assembly, scope_of(assembly, FIXTURE), (), today=TODAY)
    assert not found, _readable(found)


def test_each_acknowledgement_is_narrow_reasoned_and_matches_a_finding(assembly: Assembly) -> None:
    found = acknowledgements.check(assembly)
    assert not found, _readable(found)


def test_no_policy_document_is_faulty(assembly: Assembly) -> None:
    found = lint.policies(assembly, World(assembly, scope_of(assembly, FIXTURE)), BUILD / "parliament-fixture")
    assert not found, _readable(found)


def test_a_faulty_policy_is_found_again_in_what_was_kept(assembly: Assembly, tmp_path: Path) -> None:
    policy = next(one for _, one in assembly.resources("AWS::IAM::ManagedPolicy"))
    statement = {"Effect": "Allow", "Action": "s3:GetObjekt", "Resource": "arn:aws:s3:::a/*"}
    one = changed(assembly, policy, "PolicyDocument", to={"Version": "2012-10-17", "Statement": [statement]})
    one = dataclasses.replace(one, stacks=(one[policy.stack],))
    first, again = (lint.policies(one, World(one, scope_of(assembly, FIXTURE)), tmp_path) for _ in range(2))
    assert [finding.control for finding in first] == ["lint.policy.unknown-action"]
    assert again == first


def test_cloudformation_takes_every_template(assembly: Assembly) -> None:
    found = lint.cloudformation(assembly, BUILD / "cfn-lint-fixture")
    assert not found, _readable(found)


def test_stateful_resources_are_those_of_the_ledger(assembly: Assembly) -> None:
    found = ledger.check(assembly)
    assert not found, _readable(found)


def test_each_exemption_stands_for_a_finding_of_the_fixture(assembly: Assembly) -> None:
    found = judge_all(World(assembly, scope_of(assembly, FIXTURE)))
    idle = [one for one in EXEMPTIONS if not any(_exempts(one, finding) for finding in found)]
    assert not idle, idle


@pytest.mark.parametrize("exemption", EXEMPTIONS, ids=lambda one: f"{one.control} {one.where}")
def test_an_exemption_says_why(exemption: object) -> None:
    reason = exemption.reason  # type: ignore[attr-defined]
    assert len(reason.split()) >= 10
    assert [one.reason for one in EXEMPTIONS].count(reason) == 1


def test_every_control_states_promise_fix_and_source() -> None:
    assert len(CONTROLS) > 100
    for control in CONTROLS.values():
        assert control.promise.endswith("."), control.id
        assert control.fix.endswith("."), control.id
        assert control.source.startswith("https://docs.aws.amazon.com/"), control.id


def test_each_control_that_a_construct_names_is_one_of_the_gate() -> None:
    root = Path(__file__).resolve().parents[2]
    named = {
        (file.name, match)
        for folder in ("constructs", "stacks")
        for file in (root / folder).rglob("*.py")
        for match in re.findall(r"Control: `*([a-z]+\.[a-z-]+\.[a-z-]+)", file.read_text(encoding="utf-8"))
    }
    assert len(named) > 20
    unknown = sorted(one for one in named if one[1] not in CONTROLS)
    assert not unknown, f"gate/invariants has no such control: {unknown}"
