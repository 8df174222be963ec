"""The trail records everything, into the archive, with or without an organization."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from palisade.archive import DataEvents, Trail

from app import build
from assembly import Assembly, Resource, load
from stacks.names import ORGANIZATION, Log, Names
from stacks.settings import Deployment
from stacks.synthesis import new_app
from tests.fixture_deployment import FIXTURE

ALONE: Deployment = dataclasses.replace(
    FIXTURE,
    organization=None,
    chat=None,
    accounts=dataclasses.replace(FIXTURE.accounts, management=None),
    stages=FIXTURE.stages[:1],
)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, monkeypatch_module: pytest.MonkeyPatch) -> Assembly:
    """The assembly of a customer-hosted deployment: one stage, no organization."""
    monkeypatch_module.setenv("CDK_VALIDATION", "false")
    directory = tmp_path_factory.mktemp("alone") / "cdk.out"
    build(new_app(outdir=directory), ALONE).synth()
    return load(directory)


@pytest.fixture(scope="module")
def monkeypatch_module() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(params=["organization", "alone"])
def deployed(request: pytest.FixtureRequest) -> tuple[Deployment, str, str, Assembly]:
    """Deployment, owner of the trail, account of the trail, assembly."""
    if request.param == "alone":
        return ALONE, "dev", ALONE.stages[0].account, request.getfixturevalue("alone")
    assert FIXTURE.accounts.management is not None
    return FIXTURE, ORGANIZATION, FIXTURE.accounts.management, request.getfixturevalue("assembly")


def _trail(assembly: Assembly) -> tuple[str, Resource]:
    ((stack, trail),) = assembly.resources("AWS::CloudTrail::Trail")
    return stack.account, trail


def test_records_every_region_signed_and_encrypted(deployed: tuple[Deployment, str, str, Assembly]) -> None:
    deployment, owner, account, assembly = deployed
    names = Names(deployment)
    where, trail = _trail(assembly)
    assert where == account
    assert trail.properties["TrailName"] == names.trail(owner)
    assert trail.properties["S3BucketName"] == names.archive_bucket(owner, Log.TRAIL)
    assert trail.properties["KMSKeyId"] == names.archive_key_arn(owner)
    assert trail.properties["IsOrganizationTrail"] is (owner == ORGANIZATION)
    for switch in ("IsLogging", "IsMultiRegionTrail", "IncludeGlobalServiceEvents", "EnableLogFileValidation"):
        assert trail.properties[switch] is True, switch
    assert {s["InsightType"] for s in trail.properties["InsightSelectors"]} == {
        "ApiCallRateInsight",
        "ApiErrorRateInsight",
    }


def test_the_archive_accepts_exactly_this_trail(deployed: tuple[Deployment, str, str, Assembly]) -> None:
    deployment, owner, account, assembly = deployed
    names = Names(deployment)
    stack = assembly[f"log-archive-{owner}"]
    trail_arn = f"arn:aws:cloudtrail:{deployment.home.name}:{account}:trail/{names.trail(owner)}"
    statements = [
        statement
        for resource in stack.resources.values()
        for document in ("PolicyDocument", "KeyPolicy")
        for statement in resource.properties.get(document, {}).get("Statement", [])
        if statement.get("Principal", {}) == {"Service": "cloudtrail.amazonaws.com"}
    ]
    assert {s["Sid"] for s in statements} == {"CloudTrail", "CloudTrailWrite", "CloudTrailCheck"}
    assert all(s["Condition"] == {"StringEquals": {"aws:SourceArn": trail_arn}} for s in statements)
    (write,) = [s for s in statements if s["Sid"] == "CloudTrailWrite"]
    written = json.dumps(write["Resource"])
    assert f"/AWSLogs/{account}/*" in written
    if deployment.organization is not None:
        assert f"/AWSLogs/{deployment.organization.id}/*" in written


def _matches(selector: dict[str, Any], event: dict[str, str]) -> bool:
    """Evaluate one advanced event selector as CloudTrail documents it."""
    for field in selector["FieldSelectors"]:
        value = event.get(field["Field"], "")
        if "Equals" in field and value not in field["Equals"]:
            return False
        if "StartsWith" in field and not value.startswith(tuple(field["StartsWith"])):
            return False
        if value in field.get("NotEquals", []) or value.startswith(tuple(field.get("NotStartsWith", ["\0"]))):
            return False
    return True


def _recorded(trail: Resource, kind: str, arn: str, name: str) -> bool:
    event = {"eventCategory": "Data", "resources.type": kind, "resources.ARN": arn, "eventName": name}
    return any(_matches(selector, event) for selector in trail.properties["AdvancedEventSelectors"])


def test_records_management_events_without_exception(deployed: tuple[Deployment, str, str, Assembly]) -> None:
    _, trail = _trail(deployed[3])
    assert _matches(
        trail.properties["AdvancedEventSelectors"][0],
        {"eventCategory": "Management", "eventName": "Decrypt", "eventSource": "kms.amazonaws.com"},
    )


def test_records_data_events_of_every_bucket_table_and_function(
    deployed: tuple[Deployment, str, str, Assembly],
) -> None:
    deployment, _, _, assembly = deployed
    _, trail = _trail(assembly)
    logs = ("log-archive-",)
    seen = 0
    for stack, bucket in assembly.resources("AWS::S3::Bucket"):
        name = bucket.properties["BucketName"]
        assert _recorded(trail, "AWS::S3::Object", f"arn:aws:s3:::{name}/key", "GetObject"), bucket
        assert _recorded(trail, "AWS::S3::Object", f"arn:aws:s3:::{name}/key", "DeleteObject"), bucket
        if not stack.name.startswith(logs) and not stack.name.endswith("-access-logs"):
            assert _recorded(trail, "AWS::S3::Object", f"arn:aws:s3:::{name}/key", "PutObject"), bucket
        seen += 1
    assert seen
    for stage in deployment.stages:
        for region in (deployment.home.name, "us-east-1"):
            place = f"{region}:{stage.account}"
            assert _recorded(trail, "AWS::DynamoDB::Table", f"arn:aws:dynamodb:{place}:table/any", "GetItem")
            assert _recorded(trail, "AWS::Lambda::Function", f"arn:aws:lambda:{place}:function:any", "Invoke")


def test_does_not_record_its_own_deliveries(deployed: tuple[Deployment, str, str, Assembly]) -> None:
    deployment, owner, _, assembly = deployed
    _, trail = _trail(assembly)
    arn = f"arn:aws:s3:::{Names(deployment).delivery_bucket(owner, Log.TRAIL)}/AWSLogs/x"
    assert not _recorded(trail, "AWS::S3::Object", arn, "PutObject")


def test_without_an_organization_nothing_refers_to_one(alone: Assembly) -> None:
    assert FIXTURE.organization is not None
    assert FIXTURE.accounts.management is not None
    for stack in alone.stacks:
        text = json.dumps(stack.template)
        for word in (FIXTURE.organization.id, FIXTURE.organization.root_id, FIXTURE.accounts.management, "OrgID"):
            assert word not in text, f"{stack.name} mentions {word}"
    assert "management-trail" not in alone


def test_trails_are_protected_and_wait_for_their_bucket(deployed: tuple[Deployment, str, str, Assembly]) -> None:
    _, owner, _, assembly = deployed
    (stack,) = {stack.name for stack, _ in assembly.resources("AWS::CloudTrail::Trail")}
    assert assembly[stack].termination_protection
    assert f"log-archive-{owner}" in assembly[stack].dependencies


def test_refuses_more_values_than_cloudtrail_takes(tmp_path: Path) -> None:
    stack = cdk.Stack(cdk.App(outdir=str(tmp_path)), "Trails")
    with pytest.raises(ValueError, match="CloudTrail takes 500"):
        Trail(
            stack,
            "Trail",
            name="t",
            bucket_name="b",
            key_arn="k",
            data_events=DataEvents(
                buckets=["b"], log_buckets=["l"], accounts=[str(n) for n in range(100)], regions=["a", "b", "c"]
            ),
            of_organization=False,
        )
