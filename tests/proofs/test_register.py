"""The register decides every promise from the assembly alone, and each proof notices when its promise stops holding."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import aws_cdk as cdk
import pytest
import yaml
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from assembly import Assembly, of_templates
from proofs.__main__ import main
from proofs.finding import PROOFS, Case, Verdict
from proofs.register.bite import LEAST, bite, choose
from proofs.register.claims import CLAIMS, FRAMEWORKS, Register, RegisterError, load
from proofs.register.decide import Decided, Status, as_json, decide, unexplained
from proofs.register.throttles import let_through
from proofs.register.weaken import AGAINST
from proofs.terms import Terms
from tests.fixture_deployment import FIXTURE


@pytest.fixture(scope="module")
def register() -> Register:
    return load()


@pytest.fixture(scope="module")
def case(assembly: Assembly) -> Case:
    return Case(assembly, Terms.of(FIXTURE))


@pytest.fixture(scope="module")
def decided(case: Case, register: Register) -> list[Decided]:
    return decide(case, register.claims)


def test_holds_every_promise_of_every_source(register: Register) -> None:
    assert {claim.source for claim in register.claims} == set(register.sources)
    for source in register.sources:
        numbers = [int(claim.id.removeprefix(f"{source}-")) for claim in register.claims if claim.source == source]
        assert numbers == list(range(1, len(numbers) + 1))


def test_maps_every_promise_to_every_framework_it_serves(register: Register) -> None:
    for claim in register.claims:
        assert set(claim.mappings) == set(FRAMEWORKS)
        assert all(claim.mappings[name] for name in ("SOC 2", "ISO 27001", "NIST 800-53", "GDPR")), claim.id


def test_names_only_proofs_that_exist(register: Register) -> None:
    assert {proof for claim in register.claims for proof in claim.proofs} - set(PROOFS) == set()


def test_breaks_no_promise(decided: list[Decided]) -> None:
    assert [(one.claim.id, str(one.shortest)) for one in decided if one.status is Status.BROKEN] == []


def test_shows_resources_for_what_holds(decided: list[Decided]) -> None:
    held = [one for one in decided if one.status is Status.HOLDS]
    assert len(held) >= 15
    for one in held:
        assert all(finding.evidence for finding in one.findings), one.claim.id


def test_attests_what_people_alone_can_keep(decided: list[Decided]) -> None:
    for one in decided:
        assert (one.status is Status.ATTEST) == (one.claim.kind == "organisational")


def test_never_holds_what_waits_for_something(decided: list[Decided]) -> None:
    assert [one.claim.id for one in decided if one.claim.waits and one.status is Status.HOLDS] == []


def test_knows_every_partial_promise_by_its_reason(decided: list[Decided], register: Register) -> None:
    assert unexplained(decided, register) == []


def test_fails_for_a_broken_a_silent_and_an_outdated_promise(decided: list[Decided], register: Register) -> None:
    holding = next(one for one in decided if one.status is Status.HOLDS)
    partial = next(one for one in decided if one.status is Status.PARTIAL)
    forgetful = Register(sources=register.sources, claims=register.claims, partial={holding.claim.id: "it was"})
    problems = unexplained([holding, partial], forgetful)
    assert [problem.split()[0] for problem in problems] == [holding.claim.id, partial.claim.id]


def test_writes_what_the_report_reads(case: Case, decided: list[Decided]) -> None:
    content = json.loads(json.dumps(as_json(case, decided, deployment="fixture")))
    assert set(content) == {"deployment", "assembly", "stacks", "resources", "claims", "waivers"}
    paths = {node.path for node in case.model}
    for claim in content["claims"]:
        assert {"id", "source", "topic", "kind", "claim", "status", "missing", "counter_examples", "evidence"} <= set(
            claim
        )
        for item in claim["evidence"]:
            assert item["text"]
            for resource in item["resources"]:
                assert {"stack", "path", "type", "logical_id"} <= set(resource)
                assert not resource["logical_id"] or resource["path"] in paths


def test_refuses_a_register_that_contradicts_itself(tmp_path: Path) -> None:
    content = yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))
    content["claims"][1]["id"] = content["claims"][0]["id"]
    content["claims"][2]["kind"] = "magical"
    claims, partial = tmp_path / "claims.yaml", tmp_path / "partial.yaml"
    claims.write_text(yaml.safe_dump(content), encoding="utf-8")
    partial.write_text("nobody-01: because\n", encoding="utf-8")
    with pytest.raises(RegisterError) as error:
        load(claims, partial)
    assert len(str(error.value).splitlines()) == 3


def test_proves_nothing_of_an_empty_assembly(register: Register) -> None:
    empty = Case(of_templates({}, account="123456789012", region="eu-west-1"), Terms())
    statuses = {one.status for one in decide(empty, register.claims)}
    assert Status.HOLDS not in statuses


@pytest.mark.parametrize(
    "name", sorted(name for name, judge in PROOFS.items() if judge.__module__.startswith("proofs.register."))
)
def test_takes_nothing_unresolved_for_safe(name: str, assembly: Assembly) -> None:
    """Every property is an expression that resolves to nothing: what hangs on one cannot hold."""
    if name in {"separation.one-account-a-stage", "secrets.none-in-templates"}:
        pytest.skip("hangs on where stacks are, and on what stands in templates: both are known")
    stacks = [
        dataclasses.replace(
            stack,
            template={
                "Resources": {
                    logical_id: {**body, "Properties": {key: {"Ref": "Unknown"} for key in body.get("Properties", {})}}
                    for logical_id, body in stack.template.get("Resources", {}).items()
                }
            },
        )
        for stack in assembly.stacks
    ]
    finding = PROOFS[name](Case(Assembly(directory=assembly.directory, stacks=tuple(stacks)), Terms.of(FIXTURE)))
    assert finding.verdict is not Verdict.HOLDS


def test_every_family_of_weakenings_belongs_to_a_proof() -> None:
    assert set(AGAINST) - set(PROOFS) == set()


def test_every_proof_decides_a_promise_or_says_why_not(register: Register) -> None:
    silent = set(PROOFS) - {proof for claim in register.claims for proof in claim.proofs}
    assert silent <= {"resilience.evidence-elsewhere"}, "what a proof shows belongs to a promise"


def test_every_proof_is_tried_with_three_weakenings_and_notices_one(assembly: Assembly, register: Register) -> None:
    """``make prove-bites`` tries them all."""
    technical = [claim for claim in register.claims if claim.kind == "technical"]
    chosen = choose(assembly, technical, each=LEAST, deployment=FIXTURE)
    assert {proof: len(found) for proof, found in chosen.items() if len(found) < LEAST} == {}
    outcome = bite(assembly, Terms.of(FIXTURE), {proof: found[:1] for proof, found in chosen.items()})
    assert [f"{one.proof}: {one.weakening.name}" for one in outcome.escaped] == []


def test_throttle_lets_the_burst_through_and_then_the_rate() -> None:
    assert let_through(10, 20) == (20, 10)
    assert let_through(100, 20) == (20, 100)
    assert let_through(10, 5) == (5, 10)


def test_judges_an_assembly_that_is_not_ours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = cdk.App(outdir=str(tmp_path / "cdk.out"), analytics_reporting=False)
    stack = cdk.Stack(app, "Shop")
    bucket = s3.Bucket(stack, "Uploads", event_bridge_enabled=True)
    queue = sqs.Queue(stack, "Orders")
    sns.Topic(stack, "News")
    function = lambda_.Function(
        stack,
        "Worker",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handle",
        code=lambda_.Code.from_inline("def handle(event, context):\n    return None\n"),
        dead_letter_queue=queue,
    )
    bucket.grant_read(function)
    app.synth()
    status = main(["--assembly", str(tmp_path / "cdk.out"), "--json", str(tmp_path / "claims.json")])
    assert status == 1
    claims = {one["id"]: one for one in json.loads((tmp_path / "claims.json").read_text(encoding="utf-8"))["claims"]}
    assert claims["paragon-01"]["status"] == "BROKEN"
    assert any("Uploads" in item["path"] for item in claims["paragon-01"]["counter_examples"])
    assert claims["promoted-04"]["status"] == "BROKEN"
    assert claims["perdoo-14"]["status"] != "HOLDS"
    assert "BROKEN" in capsys.readouterr().out


def test_says_what_is_wrong_with_what_it_is_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "--assembly", str(tmp_path)]) == 2
    assert "no such file" in capsys.readouterr().err
