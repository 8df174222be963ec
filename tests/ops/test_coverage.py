"""Coverage of published standards: read from data, decided over the assembly, and every met control turns when weakened."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import ops.coverage.checks  # noqa: F401  (registers the checks)
from assembly import Assembly, Resource, load, of_templates
from assembly.change import GONE, put
from assembly.resolve import INVENTED
from gate.acknowledgements import Acknowledgement, written
from gate.control import CONTROLS
from gate.weaken.mutations import weakenings
from ops.coverage import __main__ as command
from ops.coverage import controls
from ops.coverage.controls import Control, ControlsError, Standards
from ops.coverage.judge import CHECKS, Case, Row, Status, decide, decide_one, of_recommendation
from ops.coverage.needs import Need, NeedError, parse, steps_of
from ops.coverage.page import page
from proofs.model.change import changed, without
from stacks.settings import Waiver
from tests.fixture_deployment import FIXTURE

ACCOUNT, REGION = "111111111111", "eu-west-1"


@pytest.fixture(scope="session")
def standards() -> Standards:
    return controls.load()


@pytest.fixture(scope="session")
def case(assembly: Assembly) -> Case:
    return Case(assembly, deployment=FIXTURE, acknowledged=written(assembly))


@pytest.fixture(scope="session")
def rows(case: Case, standards: Standards) -> dict[str, Row]:
    return decide(case, standards)


def small(resources: Mapping[str, Any]) -> Assembly:
    return of_templates({"shop": {"Resources": resources}}, account=ACCOUNT, region=REGION)


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


# ---------------------------------------------------------------------------------------------------------------- data


def test_every_check_and_control_of_the_gate_that_decides_exists_and_judges_the_same_types(
    standards: Standards,
) -> None:
    for control in standards.controls.values():
        assert not control.check or control.check in CHECKS, control.id
        for name in control.gate:
            types = CONTROLS[name].types
            assert "*" in types or set(types) & set(control.types), f"{control.id}: {name} judges none of its types"


def test_every_check_is_used(standards: Standards) -> None:
    assert set(CHECKS) == {control.check for control in standards.controls.values()} - {""}


def test_every_control_of_the_foundational_standard_is_there_once_and_cis_is_whole(standards: Standards) -> None:
    assert len(standards.fsbp) == len(set(standards.fsbp)) > 300
    numbers = [one.number for one in standards.cis]
    assert len(numbers) == len(set(numbers))
    assert [len([n for n in numbers if n.split(".")[0] == part]) for part in "12345"] == [21, 9, 9, 16, 8]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{id: A.1, severity: high, title: x, typo: 1}", "unknown field typo"),
        ("{id: A.1, severity: grave, title: x}", "severity 'grave' is none of"),
        ("{id: A.1, severity: high, title: x, needs: [Name resembles x]}", "is no condition"),
        ("{id: A.1, severity: high, title: x, each: region}", "both are needed"),
        ("{id: A.1, severity: high, title: x}, {id: A.1, severity: low, title: y}", "is there twice"),
    ],
)
def test_a_malformed_entry_is_refused_with_its_reason(tmp_path: Path, entry: str, said: str) -> None:
    file = tmp_path / "controls.yaml"
    file.write_text(f"source: {{}}\nfsbp: [{entry}]\ncis_only: []\ncis: []\n")
    with pytest.raises(ControlsError, match=said):
        controls.load(file)


# --------------------------------------------------------------------------------------------------------------- needs


@pytest.mark.parametrize(
    ("text", "properties", "expected"),
    [
        ("On is true", {"On": True}, True),
        ("On is true", {"On": "true"}, True),
        ("On is true", {"On": False}, False),
        ("On is true", {}, False),
        ("On only true", {}, True),
        ("On is not true", {}, True),
        ("On is not true", {"On": True}, False),
        ("Days at least 7", {"Days": "35"}, True),
        ("Days at least 7", {"Days": 6}, False),
        ("Days at least 7", {"Days": {"Ref": "Unknown"}}, False),
        ("Zones counts at least 2", {"Zones": ["a", "b"]}, True),
        ("Zones counts at least 2", {"Zones": ["a"]}, False),
        ("Zones counts at most 1", {}, True),
        ("A.*.On is true", {"A": [{"On": True}, {"On": False}]}, False),
        ("A.*.On is true", {"A": []}, False),
        ("A[Key=x.y].Value is true", {"A": [{"Key": "x.y", "Value": "true"}, {"Key": "z", "Value": "false"}]}, True),
        ("A[Key=x.y].Value is true", {"A": [{"Key": "z", "Value": "true"}]}, False),
        ("Name | Other given", {"Other": "x"}, True),
        ("Name | Other given", {"Name": ""}, False),
        ("Name | Other absent", {"Other": "x"}, False),
        ("Kinds says audit, error", {"Kinds": ["audit", "error"]}, True),
        ("Kinds says audit, error", {"Kinds": ["audit"]}, False),
    ],
)
def test_conditions_mean_what_they_say(text: str, properties: Mapping[str, Any], expected: bool) -> None:
    assert parse(text).holds(properties) is expected


@pytest.mark.parametrize("text", ["", "On", "On is", "On given now", "Days at least many", "Days resembles 7"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(NeedError):
        parse(text)


# ------------------------------------------------------------------------------------------------------------ deciding


def one(standards: Standards, name: str, resources: Mapping[str, Any], **more: Any) -> Row:
    return decide_one(Case(small(resources), **more), standards.controls[name])


def test_a_control_does_not_apply_until_a_resource_of_its_types_appears(standards: Standards) -> None:
    assert one(standards, "EFS.8", {}).status is Status.NOT_APPLICABLE
    assert one(standards, "EFS.8", {"Files": resource("EFS::FileSystem")}).status is Status.NOT_COVERED
    assert one(standards, "EFS.8", {"Files": resource("EFS::FileSystem", Encrypted=True)}).status is Status.MET


def test_what_nothing_decides_is_never_met(standards: Standards) -> None:
    assert one(standards, "EKS.2", {"Cluster": resource("EKS::Cluster")}).status is Status.NOT_COVERED


def test_one_resource_at_fault_is_enough(standards: Standards) -> None:
    good = resource("DynamoDB::Table", DeletionProtectionEnabled=True)
    row = one(standards, "DynamoDB.6", {"Good": good, "Bad": resource("DynamoDB::Table")})
    assert row.status is Status.NOT_COVERED
    assert [fault.where for fault in row.faults] == ["shop/Bad"]


def test_every_account_and_region_needs_what_keeps_it(standards: Standards) -> None:
    detector = resource("GuardDuty::Detector", Enable=True)
    assert one(standards, "GuardDuty.1", {"Detector": detector}).status is Status.MET
    there = dataclasses.replace(
        small({"Detector": detector}).stacks[0], name="other", region="eu-central-1", template={}
    )
    both = Assembly(directory=Path(), stacks=(small({"Detector": detector}).stacks[0], there))
    row = decide_one(Case(both), standards.controls["GuardDuty.1"])
    assert [fault.where for fault in row.faults] == [f"{ACCOUNT} eu-central-1"]


def test_a_waiver_waives_with_its_reason_and_another_does_not(standards: Standards) -> None:
    vpc = {"Vpc": resource("EC2::VPC", CidrBlock="10.0.0.0/16")}
    waiver = Waiver(
        control="network.flow-log.all-traffic",
        where="shop/Vpc",
        reason="traffic is logged by the customer",
        owner="a@b.example",
        expires=date(2030, 1, 1),
    )
    row = one(standards, "EC2.6", vpc, waivers=[waiver])
    assert row.status is Status.WAIVED
    assert "traffic is logged by the customer" in row.why
    other = dataclasses.replace(waiver, where="shop/Vpc2")
    assert one(standards, "EC2.6", vpc, waivers=[other]).status is Status.NOT_COVERED


def test_an_acknowledgement_of_a_fitting_rule_waives_where_it_stands(standards: Standards) -> None:
    secret = {"Origin": resource("SecretsManager::Secret")}
    said = Acknowledgement(where="shop/Origin", id="AwsSolutions::AwsSolutions-SMG4", reason="it is replaced by hand")
    row = one(standards, "SecretsManager.1", secret, acknowledged=[said])
    assert (row.status, row.why) == (Status.WAIVED, "it is replaced by hand")
    elsewhere = dataclasses.replace(said, where="shop/Other")
    assert one(standards, "SecretsManager.1", secret, acknowledged=[elsewhere]).status is Status.NOT_COVERED


def test_a_recommendation_is_no_better_than_its_worst_control(standards: Standards, rows: dict[str, Row]) -> None:
    for recommendation in standards.cis:
        row = of_recommendation(recommendation, rows)
        if row.status is Status.MET:
            assert all(rows[name].status in {Status.MET, Status.NOT_APPLICABLE} for name in recommendation.controls)
        if not recommendation.controls:
            assert row.status is Status.NOT_COVERED


# --------------------------------------------------------------------------------------------- the real deployment


def test_most_of_what_applies_is_met(rows: dict[str, Row]) -> None:
    met = [row for row in rows.values() if row.status is Status.MET]
    assert len(met) > 70
    assert all(row.judged for row in met if not row.why.startswith("`"))


def test_every_met_control_turns_when_something_is_weakened(
    case: Case, rows: dict[str, Row], standards: Standards
) -> None:
    toothless = [
        row.id for row in rows.values() if row.status is Status.MET and not _bites(case, standards.controls[row.id])
    ]
    assert not toothless


def _bites(case: Case, control: Control) -> bool:
    acknowledged = written(case.assembly) if control.excused_by else []
    return any(
        decide_one(Case(weak, deployment=FIXTURE, acknowledged=acknowledged), control).status is Status.NOT_COVERED
        for weak in _weakened(case.assembly, control)
    )


def _weakened(assembly: Assembly, control: Control) -> Iterator[Assembly]:
    """Assemblies in which the control should fail: its own condition turned round; the gate's weakenings of what it judges;
    the resources of which the check speaks taken away or changed."""
    wanted = [*control.needs, *(need for by in control.by for need in by.needs)]
    types = (*control.types, *(kind for by in control.by for kind in by.types))
    judged = [item for _, item in assembly.resources(*types)] if types else []
    for item in judged[:40]:
        for need in wanted:
            yield from _against(assembly, item, need)
    if control.by:
        yield without(assembly, *judged)
    if control.gate or control.check:
        yield from _guessed(assembly, judged[:12])
        # The first are of few stacks, and those of one stack are of a kind.
        yield from _guessed(assembly, judged[12 :: max(1, len(judged) // 12)])
        yield from HINTS[control.check](assembly) if control.check in HINTS else ()


def _guessed(assembly: Assembly, judged: list[Resource]) -> Iterator[Assembly]:
    from gate.run import scope_of  # noqa: PLC0415
    from gate.world import World  # noqa: PLC0415

    world = World(assembly, scope_of(assembly, FIXTURE))
    for item in judged:
        yield _redefined(assembly, item, {k: v for k, v in item.definition.items() if "Policy" not in k})
        around = defaultdict(list)
        for other in assembly[item.stack].resources.values():
            if other is not item and item.logical_id in json.dumps(other.definition):
                around[other.type].append(other)
        for others in around.values():
            yield without(assembly, *others)
        for weakening in weakenings(item, world):
            if len(weakening.changes) == 1 and (new := next(iter(weakening.changes.values()))) is not None:
                yield _redefined(assembly, item, new.definition)


def _redefined(assembly: Assembly, item: Resource, definition: Mapping[str, Any]) -> Assembly:
    return Assembly(
        directory=assembly.directory,
        stacks=tuple(
            dataclasses.replace(stack, template=put(stack.template, ("Resources", item.logical_id), definition))
            if stack.name == item.stack
            else stack
            for stack in assembly.stacks
        ),
    )


_AGAINST = {"is": "?", "only": "?", "at least": 0, "at most": 10**6, "counts at most": [1] * 99}


def _against(assembly: Assembly, item: Resource, need: Need) -> Iterator[Assembly]:
    """The assembly with one of the values that the condition names gone, or changed into one that it does not allow."""
    weak = assembly
    for path in need.paths:
        for place in _places(item.properties, steps_of(path)):
            fewer = ["?"] if need.value == "2" else []
            bad = {"is not": need.values[0], "absent": "?", "counts at least": fewer}.get(
                need.operator, _AGAINST.get(need.operator, GONE)
            )
            value = True if bad == "true" else bad
            yield changed(assembly, item, *place, to=value)
            weak = changed(weak, item, *place)
        if need.operator in {"is not", "only"} and "*" not in path and "[" not in path:
            bad = "?" if need.operator == "only" else need.values[0]
            value = True if bad == "true" else bad
            yield changed(assembly, item, *path.split("."), to=value)
    yield weak


def _places(value: Any, steps: list[tuple[str, str]]) -> Iterator[tuple[str | int, ...]]:
    if not steps:
        yield ()
        return
    (name, chosen), rest = steps[0], steps[1:]
    if isinstance(value, list):
        for index, item in enumerate(value):
            if name == "*" or (chosen and str(item.get(name)).lower() == chosen.lower()):
                yield from ((index, *end) for end in _places(item, rest))
    elif isinstance(value, Mapping) and name in value:
        yield from ((name, *end) for end in _places(value[name], rest))


def _named(assembly: Assembly, kind: str) -> list[Resource]:
    return [item for _, item in assembly.resources(kind)]


def _statement(action: str, **more: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Action": action, "Resource": "*", **more}]}


def _with_policy(assembly: Assembly, document: Mapping[str, Any]) -> Iterator[Assembly]:
    yield changed(assembly, _named(assembly, "AWS::IAM::ManagedPolicy")[0], "PolicyDocument", to=document)


def _without_all(*kinds: str) -> Any:
    return lambda assembly: iter([without(assembly, *(item for kind in kinds for item in _named(assembly, kind)))])


def _role_with(arn: str) -> Any:
    return lambda assembly: iter(
        [changed(assembly, _named(assembly, "AWS::IAM::Role")[0], "ManagedPolicyArns", to=[arn])]
    )


def _open_entry(assembly: Assembly) -> Iterator[Assembly]:
    for item in _named(assembly, "AWS::EC2::NetworkAclEntry"):
        if item.properties.get("RuleAction") == "allow" and not item.properties.get("Egress"):
            weak = changed(assembly, item, "CidrBlock", to="0.0.0.0/0")
            yield changed(weak, weak[item.stack].resources[item.logical_id], "PortRange", to={"From": 22, "To": 22})


def _public_subnets(assembly: Assembly) -> Iterator[Assembly]:
    for item in _named(assembly, "AWS::RDS::DBSubnetGroup"):
        ids = [other.logical_id for other in _named(assembly, "AWS::EC2::Subnet")]
        network = next(other.stack for other in _named(assembly, "AWS::EC2::Subnet"))
        exports = [
            {"Fn::ImportValue": output["Export"]["Name"]}
            for output in assembly[network].outputs.values()
            if "Export" in output and output["Value"].get("Ref") in ids
        ]
        yield changed(assembly, item, "SubnetIds", to=exports)
        yield changed(assembly, item, "SubnetIds", to=["subnet-elsewhere"])


HINTS: Mapping[str, Any] = {
    "allows not everything": lambda assembly: _with_policy(assembly, _statement("*")),
    "allows no whole service": lambda assembly: _with_policy(assembly, _statement("s3:*")),
    "every account is trailed": lambda assembly: iter(
        [
            changed(assembly, trail, "IsMultiRegionTrail", to=False)
            for trail in _named(assembly, "AWS::CloudTrail::Trail")
        ]
    ),
    "guarded by a web firewall": _without_all("AWS::WAFv2::WebACLAssociation"),
    "its bucket exists": _without_all("AWS::S3::Bucket"),
    "its bucket logs access": lambda assembly: iter(
        [_without_logging(assembly, bucket) for bucket in _named(assembly, "AWS::S3::Bucket")]
    ),
    "its subnets have no way to the internet": _public_subnets,
    "keeps remote administration out": _open_entry,
    "logs its requests": _without_all("AWS::Logs::Delivery"),
    "may report to Systems Manager": _without_all("AWS::IAM::ManagedPolicy"),
    "nobody has all of CloudShell": _role_with("arn:aws:iam::aws:policy/AWSCloudShellFullAccess"),
    "nobody may share snapshots of databases": _without_all("AWS::Organizations::Policy"),
    "somebody hears of the organization": _without_all("AWS::Events::Rule"),
    "somebody may talk to AWS Support": _without_all("AWS::IAM::Role", "AWS::SSO::PermissionSet"),
    "the firewall logs": _without_all("AWS::NetworkFirewall::LoggingConfiguration"),
    "has two instances": _without_all("AWS::RDS::DBInstance"),
    "images are scanned": _without_all("AWS::ECR::RegistryScanningConfiguration"),
    "has a policy of its own": lambda assembly: iter(
        [
            changed(without(assembly, *_named(assembly, "AWS::Events::EventBusPolicy")), bus, "Policy")
            for bus in _named(assembly, "AWS::Events::EventBus")
        ]
    ),
    "Security Hub is on everywhere": _without_all("AWS::SecurityHub::Hub", "AWS::SecurityHub::PolicyAssociation"),
    "used by a subnet": _without_all("AWS::EC2::SubnetNetworkAclAssociation"),
    "rotates by itself": _without_all("AWS::SecretsManager::RotationSchedule"),
    **{f"endpoint {name}": _without_all("AWS::EC2::VPCEndpoint") for name in ("ec2", "ecr.api", "ecr.dkr", "ssm")},
}
"""What each check has to notice, where no general weakening touches it."""


def _without_logging(assembly: Assembly, bucket: Resource) -> Assembly:
    return changed(assembly, bucket, "LoggingConfiguration")


# -------------------------------------------------------------------------------------------------------- page, command


def test_the_page_names_every_control_once_and_no_account(rows: dict[str, Row], standards: Standards) -> None:
    text = page(standards, rows, "fixture")
    for name in (*standards.fsbp, *(one.number for one in standards.cis)):
        assert text.count(f"\n| {name} |") == 1, name
    assert not any(account in text for account in FIXTURE.account_ids)
    assert not INVENTED.search(text)


def test_a_page_that_is_out_of_date_is_refused(
    synthesized: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "coverage.md"
    arguments = ["--assembly", str(synthesized), "--out", str(out)]
    assert command.main([*arguments, "--json", str(tmp_path / "coverage.json")]) == 0
    assert command.main([*arguments, "--check"]) == 0
    out.write_text(out.read_text().replace("| met |", "| MET |"))
    assert command.main([*arguments, "--check"]) == 1
    assert "make coverage" in capsys.readouterr().err
    assert json.loads((tmp_path / "coverage.json").read_text())["fsbp"][0]["id"] == "Account.1"


def test_a_folder_without_an_assembly_is_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--assembly", str(tmp_path)]) == 2
    assert "manifest.json: no such file" in capsys.readouterr().err
    with pytest.raises(Exception, match="no such file"):
        load(tmp_path)
