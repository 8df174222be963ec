"""The comparison of two assemblies as promises: pairs of small ones for each kind of change, and faults planted in a real one."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from assembly import Assembly, Resource, of_templates
from ops import places
from ops.diff import __main__ as command
from ops.diff import ref
from ops.diff.claims import term_changes
from ops.diff.comparison import Comparison, compare
from ops.diff.data import Fate
from ops.diff.grants import GrantChange, spoken_condition
from ops.diff.page import COMMENT_SIZE, markdown, terminal, verdict
from ops.places import OpsError
from proofs.model import changed, put
from proofs.terms import Terms
from tests.proofs.networks import gateway, resource, vpc

ACCOUNT, REGION = "111111111111", "eu-west-1"
Resources = dict[str, dict[str, Any]]


def small(resources: Mapping[str, Any], stack: str = "shop") -> Assembly:
    return of_templates({stack: {"Resources": dict(resources)}}, account=ACCOUNT, region=REGION)


def difference(before: Resources, after: Resources) -> Comparison:
    return compare(small(before), small(after))


def lines(comparison: Comparison) -> str:
    return terminal(comparison)


# ---------------------------------------------------------------------------------------------------------------- data

KEPT = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


def bucket(name: str = "orders", **attributes: Any) -> dict[str, Any]:
    return resource("S3::Bucket", BucketName=name) | attributes


def fates(comparison: Comparison) -> dict[str, Fate]:
    return {change.path: change.fate for change in comparison.stores}


def test_a_removed_store_without_a_deletion_policy_is_lost_and_one_with_it_is_told_apart() -> None:
    lost = difference({"Orders": bucket()}, {})
    assert fates(lost) == {"shop/Orders": Fate.DELETED}
    assert lost.stops
    kept = difference({"Orders": bucket(**KEPT)}, {})
    assert fates(kept) == {"shop/Orders": Fate.KEPT}
    assert not kept.loses


def test_a_removed_cluster_leaves_a_snapshot_unless_told_otherwise() -> None:
    cluster = resource("RDS::DBCluster", Engine="aurora-postgresql")
    assert fates(difference({"Base": cluster}, {})) == {"shop/Base": Fate.SNAPSHOT}
    assert fates(difference({"Base": cluster | {"DeletionPolicy": "Delete"}}, {})) == {"shop/Base": Fate.DELETED}


def test_a_property_that_cannot_be_updated_replaces_its_store() -> None:
    found = difference({"Orders": bucket("old", **KEPT)}, {"Orders": bucket("new", **KEPT)})
    (change,) = found.stores
    assert change.fate is Fate.REPLACED
    assert "BucketName (old -> new)" in change.why
    assert "the old one is kept" in change.why
    assert found.stops


def test_a_property_that_can_be_updated_replaces_nothing() -> None:
    old = bucket(**KEPT)
    new = bucket(**KEPT)
    new["Properties"]["VersioningConfiguration"] = {"Status": "Enabled"}
    assert not difference({"Orders": old}, {"Orders": new}).stores


def test_replacement_reaches_what_refers_to_the_replaced_by_its_id() -> None:
    def parts(key: str) -> Resources:
        network = resource("EC2::VPC", CidrBlock=key)
        file_system = resource("EFS::FileSystem", AvailabilityZoneName={"Ref": "Net"}) | KEPT
        return {"Net": network, "Files": file_system}

    (change,) = difference(parts("10.0.0.0/16"), parts("10.1.0.0/16")).stores
    assert (change.path, change.fate) == ("shop/Files", Fate.REPLACED)
    assert "names shop/Net, which is replaced" in change.why


def test_a_new_logical_id_is_a_new_empty_store_whose_name_is_taken() -> None:
    (change,) = difference({"Orders": bucket(**KEPT)}, {"Sales": bucket(**KEPT)}).stores
    assert change.fate is Fate.REPLACED
    assert "shop/Sales" in change.why
    assert "while the name orders is taken" in change.why


def test_the_same_logical_id_of_another_type_is_refused() -> None:
    (change,) = difference({"Orders": bucket()}, {"Orders": resource("SQS::Queue")}).stores
    assert change.fate is Fate.REFUSED


def test_a_stack_that_is_gone_stays_deployed() -> None:
    found = compare(small({"Orders": bucket()}, "shop"), small({}, "other"))
    assert fates(found) == {"shop/Orders": Fate.LEFT}
    assert not found.loses


# --------------------------------------------------------------------------------------------------------- permissions


def role(*statements: Mapping[str, Any], trust: Any = "ec2.amazonaws.com", **more: Any) -> dict[str, Any]:
    policies = [{"PolicyName": "own", "PolicyDocument": {"Statement": list(statements)}}]
    trusted = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": trust}}]}
    return resource("IAM::Role", RoleName="worker", AssumeRolePolicyDocument=trusted, Policies=policies, **more)


def allow(action: Any, target: Any = "*", **condition: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": target} | ({"Condition": condition} if condition else {})


def deny(action: Any, target: Any = "*") -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": target}


def grants(
    before: dict[str, Any], after: dict[str, Any], shared: Resources | None = None, *, gained: bool = True
) -> list[GrantChange]:
    around = shared or {}
    found = difference({"Worker": before, **around}, {"Worker": after, **around}).grants
    return [change for change in found if change.gained is gained]


def test_a_new_permission_is_gained_with_its_wildcards_and_condition() -> None:
    (change,) = grants(
        role(allow("s3:GetObject", "arn:aws:s3:::a/*")),
        role(allow(["s3:Get*", "s3:List*"], "arn:aws:s3:::a/*", StringEquals={"aws:SourceVpc": "vpc-1"})),
    )
    assert change.principal == "shop/Worker"
    assert change.actions == ("s3:Get*", "s3:List*")
    assert spoken_condition(change.condition) == " if aws:SourceVpc StringEquals vpc-1"


def test_a_dropped_condition_is_a_gain_and_no_loss() -> None:
    before = role(allow("s3:GetObject", "arn:aws:s3:::a/*", StringEquals={"aws:SourceVpc": "vpc-1"}))
    after = role(allow("s3:GetObject", "arn:aws:s3:::a/*"))
    assert grants(before, after)
    assert not grants(before, after, gained=False)


def test_a_changed_condition_is_a_gain_and_a_loss() -> None:
    before, after = (
        role(allow("s3:GetObject", "arn:aws:s3:::a/*", StringEquals={"aws:SourceVpc": name}))
        for name in ("vpc-1", "vpc-2")
    )
    assert grants(before, after)
    assert grants(before, after, gained=False)


def test_the_same_permission_written_otherwise_is_no_change() -> None:
    before = role(allow(["s3:*"], "arn:aws:s3:::a/*"))
    after = role(allow("s3:*", "arn:aws:s3:::a/*"), allow("s3:GetObject", "arn:aws:s3:::a/b"))
    assert not difference({"Worker": before}, {"Worker": after}).grants


def test_what_another_statement_denies_is_not_gained() -> None:
    shut = deny("s3:*", "*")
    assert not grants(role(shut), role(shut, allow("s3:GetObject", "arn:aws:s3:::a/*")))
    assert grants(role(), role(allow("s3:GetObject", "arn:aws:s3:::a/*")))


def test_what_the_boundary_withholds_is_not_gained() -> None:
    bound = {
        "Bound": resource(
            "IAM::ManagedPolicy", ManagedPolicyName="bound", PolicyDocument={"Statement": [allow("sqs:*")]}
        )
    }
    limit = {"PermissionsBoundary": {"Ref": "Bound"}}
    assert not grants(role(**limit), role(allow("s3:GetObject", "arn:aws:s3:::a/*"), **limit), bound)
    assert grants(role(**limit), role(allow("sqs:SendMessage", "arn:aws:sqs:eu-west-1:1:a"), **limit), bound)


def test_a_dropped_boundary_and_a_dropped_denial_are_gains() -> None:
    (change,) = grants(role(PermissionsBoundary="arn:aws:iam::111111111111:policy/bound"), role())
    assert change.by == "no longer denied"
    assert "boundary" in change.actions[0]
    (change,) = grants(role(deny("kms:*")), role())
    assert (change.by, change.actions) == ("no longer denied", ("kms:*",))


def test_a_new_principal_in_a_trust_policy_gains_the_role() -> None:
    changes = grants(role(), role(trust=["ec2.amazonaws.com", "lambda.amazonaws.com"]))
    assert [(change.principal, change.actions, change.resources) for change in changes] == [
        ("service lambda.amazonaws.com", ("sts:AssumeRole",), ("shop/Worker",))
    ]


def test_a_resource_policy_that_lets_an_account_in_is_a_gain_of_that_account() -> None:
    def parts(principal: Any) -> Resources:
        statement = allow("s3:GetObject", "arn:aws:s3:::orders/*") | {"Principal": principal}
        policy = resource("S3::BucketPolicy", Bucket={"Ref": "Orders"}, PolicyDocument={"Statement": [statement]})
        return {"Orders": bucket(**KEPT), "Policy": policy}

    own, other, all_ = ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, {"AWS": "222222222222"}, "*")
    assert [c.principal for c in difference(parts(own), parts(other)).grants] == [
        "account 222222222222",
        f"account {ACCOUNT}",
    ]
    (gain, _) = difference(parts(own), parts(all_)).grants
    assert (gain.principal, gain.gained) == ("everybody", True)


def test_a_new_resource_with_the_policy_that_names_its_own_account_is_no_gain() -> None:
    def key(account: str) -> dict[str, Any]:
        statement = allow("kms:*") | {"Principal": {"AWS": account}}
        return resource("KMS::Key", KeyPolicy={"Statement": [statement]}) | KEPT

    assert not difference({}, {"Key": key(ACCOUNT)}).grants
    (change,) = difference({}, {"Key": key("222222222222")}).grants
    assert (change.principal, change.resources) == ("account 222222222222", ("shop/Key",))


def test_a_function_permission_and_a_sign_in_are_permissions_too() -> None:
    function = {"Sell": resource("Lambda::Function", FunctionName="sell")}
    call = resource(
        "Lambda::Permission", FunctionName={"Ref": "Sell"}, Action="lambda:InvokeFunction", Principal="s3.amazonaws.com"
    )
    sign_in = resource(
        "SSO::Assignment",
        PermissionSetArn="arn:aws:sso:::permissionSet/a/b",
        PrincipalId="g-1",
        PrincipalType="GROUP",
        TargetId="111111111111",
        TargetType="AWS_ACCOUNT",
    )
    found = difference(function, {**function, "Call": call, "SignIn": sign_in}).grants
    assert [(change.principal, change.resources) for change in found] == [
        ("group g-1", ("account 111111111111",)),
        ("service s3.amazonaws.com", ("shop/Sell",)),
    ]


# --------------------------------------------------------------------------------------------------------- connections


def network(*rules: Mapping[str, Any]) -> Resources:
    parts = {**vpc("A", "10.0.0.0/24"), **gateway("A")}
    parts["AGroup"]["Properties"]["SecurityGroupIngress"] = list(rules)
    parts["A"]["Properties"]["NetworkInterfaces"] = [{"AssociatePublicIpAddress": True, "DeviceIndex": "0"}]
    return parts


def tcp(port: int, cidr: str) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": cidr}


def test_a_widened_group_opens_exactly_what_it_adds() -> None:
    before, after = network(tcp(22, "8.8.8.0/24")), network(tcp(22, "8.8.8.0/23"))
    (way,) = difference(before, after).ways
    assert (way.opened, way.source, way.target) == (True, "the internet", "shop/A")
    assert (way.ports, way.sources) == ("22", "8.8.9.0/24")
    (way,) = difference(after, before).ways
    assert (way.opened, way.sources) == (False, "8.8.9.0/24")


# -------------------------------------------------------------------------------------------------------------- price


def test_the_price_of_what_is_added_is_shown() -> None:
    found = difference({}, {"Key": resource("KMS::Key", KeyPolicy={}) | KEPT})
    (item,) = found.price.items
    assert item.after - item.before == found.price.after - found.price.before == 1.0


# ------------------------------------------------------------------------------------------------- the real deployment


def one(assembly: Assembly, kind: str, path: str) -> Resource:
    (found,) = [item for _, item in assembly.resources(kind) if item.path.startswith(path)]
    return found


def redefined(assembly: Assembly, item: Resource, **attributes: Any) -> Assembly:
    definition = {**item.definition, **attributes}
    stacks = tuple(
        dataclasses.replace(stack, template=put(stack.template, ("Resources", item.logical_id), definition))
        if stack.name == item.stack
        else stack
        for stack in assembly.stacks
    )
    return Assembly(directory=assembly.directory, stacks=stacks)


def test_an_assembly_compared_with_itself_touches_nothing(assembly: Assembly) -> None:
    found = compare(assembly, assembly)
    assert found.empty
    assert verdict(found) == "no promise is touched"


def test_a_dropped_deletion_policy_stops_the_change(assembly: Assembly) -> None:
    store = one(assembly, "AWS::RDS::DBCluster", "prod-data/")
    found = compare(assembly, redefined(assembly, store, DeletionPolicy="Delete"))
    (change,) = found.stores
    assert (change.path, change.fate) == (store.path, Fate.UNPROTECTED)
    assert "DeletionPolicy" in change.why
    assert found.stops


def test_a_renamed_store_stops_the_change(assembly: Assembly) -> None:
    store = one(assembly, "AWS::DynamoDB::Table", "prod-vault/")
    found = compare(assembly, changed(assembly, store, "TableName", to="renamed"))
    (change,) = found.stores
    assert (change.logical_id, change.fate) == (store.logical_id, Fate.REPLACED)


def test_a_widened_security_group_opens_a_connection_and_breaks_a_promise(assembly: Assembly) -> None:
    rule = one(assembly, "AWS::EC2::SecurityGroupIngress", "prod-network/Groups/BalancerFromCloudFront")
    own = {name: value for name, value in rule.properties.items() if not name.startswith("Source")}
    found = compare(assembly, redefined(assembly, rule, Properties={**own, "CidrIp": "0.0.0.0/0"}))
    assert found.breaks
    opened = {(way.source, way.target, way.ports) for way in found.ways if way.opened}
    assert ("the internet", "prod-entry/Balancer/Resource/Resource", "443") in opened
    assert {target for _, target, _ in opened} == {"prod-entry/Balancer/Resource/Resource"}


def test_a_new_permission_of_a_role_is_shown_under_its_name(assembly: Assembly) -> None:
    policy = next(item for _, item in assembly.resources("AWS::IAM::ManagedPolicy") if item.stack == "prod-documents")
    statements = [*policy.properties["PolicyDocument"]["Statement"], allow("kms:ScheduleKeyDeletion")]
    found = compare(assembly, changed(assembly, policy, "PolicyDocument", "Statement", to=statements))
    gains = [change for change in found.grants if change.gained]
    assert [change.actions for change in gains] == [("kms:ScheduleKeyDeletion",)]
    assert gains[0].principal.startswith("prod-documents/")
    assert gains[0].principal in lines(found)


def test_a_broken_promise_is_named_with_its_reason(assembly: Assembly) -> None:
    trail = next(item for _, item in assembly.resources("AWS::CloudTrail::Trail"))
    found = compare(assembly, changed(assembly, trail, "EnableLogFileValidation", to=False))
    assert found.breaks
    broken = [change for change in found.claims if change.breaks]
    assert any(trail.path in reason for change in broken for reason in change.reasons)
    assert verdict(found).startswith("stop: ")


# ------------------------------------------------------------------------------------------------------------- the page


def test_markdown_fits_a_comment_and_cannot_be_escaped_from() -> None:
    hostile = {
        f"R{n}": role(allow("s3:GetObject", f"arn:aws:s3:::```<img src=x>@all{n}{'x' * 600}/*")) for n in range(300)
    }
    text = markdown(compare(small({}), small(hostile)))
    assert len(text) <= COMMENT_SIZE + 1000
    fences = [line for line in text.splitlines() if "```" in line]
    assert set(fences) <= {"```diff", "```"}
    outside = "".join(part for number, part in enumerate(text.split("```")) if number % 2 == 0)
    assert "<img" not in outside
    assert "@all" not in outside


def test_terms_promised_otherwise_are_shown() -> None:
    assert term_changes(Terms(), Terms(audit_log_days=90)) == ["audit_log_days: 365 -> 90"]


# ---------------------------------------------------------------------------------------------------------- the command


def written(folder: Path, resources: Resources) -> Path:
    folder.mkdir()
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://unknown-account/unknown-region",
        "properties": {"templateFile": "shop.json"},
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"shop": stack}}))
    (folder / "shop.json").write_text(json.dumps({"Resources": resources}))
    return folder


def test_two_foreign_assemblies_are_compared_and_the_status_says_whether_to_stop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = written(tmp_path / "a", {"Orders": bucket()}), written(tmp_path / "b", {})
    files = [str(tmp_path / "out" / name) for name in ("diff.md", "diff.json")]
    arguments = ["--before", str(before), "--after", str(after), "--markdown", files[0], "--json", files[1]]
    assert command.main(arguments) == 1
    assert "deleted with its data" in capsys.readouterr().out
    assert json.loads(Path(files[1]).read_text())["stores"][0]["fate"] == "deleted with its data"
    assert "deleted with its data" in Path(files[0]).read_text()
    assert command.main(["--before", str(before), "--after", str(before)]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--base", "no-such-branch"], "is no commit, branch or tag here"),
        (["--base", "--output=/tmp/x"], "expected one argument"),
        (["--before", "nowhere", "--after", "nowhere"], "no such file"),
        (["--before", "nowhere"], "give either"),
        (["--base", "HEAD", "--before", "a", "--after", "b"], "give either"),
        ([], "give either"),
    ],
)
def test_bad_input_is_one_clear_error(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = command.main(arguments)
    except SystemExit as stopped:
        status = int(str(stopped.code))
    assert status == 2
    assert said in capsys.readouterr().err


_APP = """
import json, os, pathlib
out = pathlib.Path(os.environ["CDK_OUTDIR"]); out.mkdir()
(out / "manifest.json").write_text(json.dumps({"artifacts": {}, "said": %r}))
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of two commits, the first of which does not run."""
    root = tmp_path / "checkout"
    root.mkdir()
    for text in ("raise SystemExit('this needs an older library')", _APP % "second"):
        (root / "app.py").write_text(text)
        (root / "requirements.txt").write_text(text)
        for arguments in (
            ["init", "-q"],
            ["add", "."],
            ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"],
        ):
            subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)
    (root / "app.py").write_text(_APP % "present")
    monkeypatch.setattr(ref, "ROOT", root)
    monkeypatch.setattr(places, "ROOT", root)
    return root


def worktrees(root: Path) -> int:
    listed = subprocess.run(["git", "worktree", "list"], cwd=root, check=True, capture_output=True, text=True)
    return len(listed.stdout.splitlines())


def test_a_ref_is_synthesized_with_its_own_code_and_leaves_nothing_behind(repository: Path) -> None:
    with ref.synthesized("HEAD", "reference") as (before, after):
        said = [json.loads((one.directory / "manifest.json").read_text())["said"] for one in (before, after)]
        assert worktrees(repository) == 2
    assert said == ["second", "present"]
    assert worktrees(repository) == 1


def test_a_ref_that_cannot_be_synthesized_is_an_error_with_the_way_out(repository: Path) -> None:
    with pytest.raises(OpsError) as raised, ref.synthesized("HEAD~1", "reference"):
        pass
    assert "this needs an older library" in str(raised.value)
    assert "requirements.txt" in str(raised.value)
    assert "make diff BEFORE=" in str(raised.value)
    assert worktrees(repository) == 1


def test_no_job_both_runs_the_pull_requests_code_and_may_write() -> None:
    text = (places.ROOT / ".github" / "workflows" / "diff.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    assert "pull_request_target" not in text
    for job in workflow["jobs"].values():
        checks_out = any("actions/checkout" in str(step.get("uses")) for step in job["steps"])
        may_write = "write" in job["permissions"].values()
        assert not (checks_out and may_write)
