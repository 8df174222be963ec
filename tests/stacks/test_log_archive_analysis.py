"""The query room: what tables read, what it costs, who may use it."""

from __future__ import annotations

import json
import re

from assembly import Assembly
from stacks.names import ORGANIZATION, Log, Names
from tests.fixture_deployment import FIXTURE

NAMES = Names(FIXTURE)
STACK = "log-archive-analysis"


def test_every_query_is_bound_to_encrypted_results_and_a_limit(assembly: Assembly) -> None:
    ((_, workgroup),) = assembly.resources("AWS::Athena::WorkGroup")
    settings = workgroup.properties["WorkGroupConfiguration"]
    assert settings["EnforceWorkGroupConfiguration"] is True
    assert settings["BytesScannedCutoffPerQuery"] <= 100 * 1024**3
    assert settings["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    assert settings["ResultConfiguration"]["ExpectedBucketOwner"] == FIXTURE.accounts.log_archive
    for _, query in assembly.resources("AWS::Athena::NamedQuery"):
        assert query.properties["WorkGroup"] == workgroup.properties["Name"]


def test_results_are_forgotten(assembly: Assembly) -> None:
    (bucket,) = [r for r in assembly[STACK].resources.values() if r.type == "AWS::S3::Bucket"]
    rules = bucket.properties["LifecycleConfiguration"]["Rules"]
    assert [rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule] == [30]


def test_tables_read_only_locked_buckets_that_exist(assembly: Assembly) -> None:
    locked = {
        r.properties["BucketName"]
        for _, r in assembly.resources("AWS::S3::Bucket")
        if r.properties.get("ObjectLockEnabled")
    }
    read = set()
    for _, table in assembly.resources("AWS::Glue::Table"):
        location = table.properties["TableInput"]["StorageDescriptor"]["Location"]
        read.add(location.removeprefix("s3://").split("/")[0])
    assert read <= locked
    expected = {NAMES.archive_bucket(ORGANIZATION, log) for log in (Log.TRAIL, Log.WAF)}
    expected.add(NAMES.archive_bucket("prod", Log.FIREWALL))
    expected |= {
        NAMES.archive_bucket(stage.name, log)
        for stage in FIXTURE.stages
        for log in (Log.FLOW, Log.WAF, Log.BALANCER, Log.RESOLVER, Log.CDN, Log.AUDIT)
    }
    assert read == expected


def test_the_trail_table_reads_the_layout_of_an_organization(assembly: Assembly) -> None:
    (trail,) = [
        t.properties["TableInput"]
        for _, t in assembly.resources("AWS::Glue::Table")
        if t.properties["TableInput"]["Name"] == "trail"
    ]
    assert FIXTURE.organization is not None
    template = trail["Parameters"]["storage.location.template"]
    assert f"/AWSLogs/{FIXTURE.organization.id}/${{account}}/CloudTrail/${{region}}/${{day}}" in template
    assert set(trail["Parameters"]["projection.account.values"].split(",")) == set(FIXTURE.account_ids)
    regions = set(trail["Parameters"]["projection.region.values"].split(","))
    assert {FIXTURE.home.name, FIXTURE.recovery.name, "us-east-1"} <= regions


def test_waf_tables_read_the_acls_that_exist(assembly: Assembly) -> None:
    tables = {
        t.properties["TableInput"]["StorageDescriptor"]["Location"].split("/WAFLogs/")[1].rstrip("/")
        for _, t in assembly.resources("AWS::Glue::Table")
        if "/WAFLogs/" in t.properties["TableInput"]["StorageDescriptor"]["Location"]
    }
    expected = {
        f"{scope}/{NAMES.web_acl(stage, edge=edge)}"
        for stage in FIXTURE.stages
        for edge, scope in ((True, "cloudfront"), (False, FIXTURE.home.name))
    } | {f"{FIXTURE.home.name}/{NAMES.chat_web_acl}"}
    assert tables == expected
    for stack, acl in assembly.resources("AWS::WAFv2::WebACL"):
        scope = "cloudfront" if acl.properties["Scope"] == "CLOUDFRONT" else stack.region
        assert f"{scope}/{acl.properties['Name']}" in tables, f"no table reads the log of {acl}"


def test_readers_change_nothing_but_their_results(assembly: Assembly) -> None:
    (policy,) = [r for r in assembly[STACK].resources.values() if r.type == "AWS::IAM::ManagedPolicy"]
    assert policy.properties["ManagedPolicyName"] == NAMES.log_reader
    assert not policy.properties.get("Roles")
    evidence = re.compile("|".join(rf"{NAMES.prefix}-{owner}-" for owner in ("organization", "dev", "prod")))
    for statement in policy.properties["PolicyDocument"]["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if evidence.search(json.dumps(statement["Resource"])):
            assert all(re.fullmatch(r"s3:(Get|List)\w+", action) for action in actions), statement["Sid"]
        assert not any("*" in action for action in actions)


def test_readers_see_every_locked_bucket_and_no_landing_bucket(assembly: Assembly) -> None:
    (policy,) = [r for r in assembly[STACK].resources.values() if r.type == "AWS::IAM::ManagedPolicy"]
    (find,) = [s for s in policy.properties["PolicyDocument"]["Statement"] if s["Sid"] == "FindEvidence"]
    locked = {
        f"arn:aws:s3:::{r.properties['BucketName']}"
        for _, r in assembly.resources("AWS::S3::Bucket")
        if r.properties.get("ObjectLockEnabled")
    }
    assert set(find["Resource"]) == locked
