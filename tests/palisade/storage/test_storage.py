"""Buckets and tables keep what they hold private, recoverable and within its time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from palisade.storage import BACKUP_TAG, BackupClass, PrivateBucket, PrivateTable, TenantBucket

from stacks.synthesis import new_app

BUCKET = "acme-records-200000000001-eu-central-1"
DOCUMENTS = "acme-documents-200000000001-eu-central-1"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("storage") / "cdk.out"
    app = new_app(outdir=path, context={"@aws-cdk/core:failSynthOnValidationErrors": False})
    stack = cdk.Stack(app, "Storage", env=cdk.Environment(account="200000000001", region="eu-central-1"))
    key = kms.Key.from_key_arn(
        stack, "Key", "arn:aws:kms:eu-central-1:200000000001:key/1a2b3c4d-1111-2222-3333-444455556666"
    )
    logs = s3.Bucket.from_bucket_name(stack, "Logs", "acme-access-in")
    PrivateBucket(stack, "Records", name=BUCKET, key=key, access_logs=logs, backup=BackupClass.STANDARD)
    TenantBucket(
        stack,
        "Documents",
        name=DOCUMENTS,
        key=key,
        access_logs=logs,
        backup=BackupClass.DOCUMENTS,
        expire_days=60,
        noncurrent_days=1,
    )
    PrivateTable(
        stack,
        "Index",
        name="acme-documents",
        key=key,
        partition_key="tenant",
        sort_key="document",
        backup=BackupClass.DOCUMENTS,
        recovery_days=7,
    )
    app.synth()
    return path


@pytest.fixture(scope="module")
def resources(directory: Path) -> list[dict[str, Any]]:
    template = json.loads((directory / "Storage.template.json").read_text(encoding="utf-8"))
    return list(template["Resources"].values())


def _bucket(resources: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(r for r in resources if r["Properties"].get("BucketName") == name)


def _statements(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        statement
        for resource in resources
        if resource["Type"] == "AWS::S3::BucketPolicy"
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
    ]


def test_the_policy_packs_find_nothing(directory: Path) -> None:
    report = json.loads((directory / "validation-report.json").read_text(encoding="utf-8"))
    found = [v["ruleName"] for plugin in report["pluginReports"] for v in plugin.get("violations", [])]
    assert not found


def test_refuses_plaintext_and_old_transport(resources: list[dict[str, Any]]) -> None:
    denied = [s["Condition"] for s in _statements(resources) if s["Effect"] == "Deny" and s["Action"] == "s3:*"]
    assert denied.count({"Bool": {"aws:SecureTransport": "false"}}) == 2
    assert denied.count({"NumericLessThan": {"s3:TlsVersion": 1.2}}) == 2


def test_refuses_writes_under_another_key(resources: list[dict[str, Any]]) -> None:
    header = "s3:x-amz-server-side-encryption-aws-kms-key-id"
    conditions = [s["Condition"] for s in _statements(resources) if s.get("Sid") == "RefuseOtherKeys"]
    assert conditions == 2 * [
        {
            "Null": {header: "false"},
            "StringNotEquals": {
                header: "arn:aws:kms:eu-central-1:200000000001:key/1a2b3c4d-1111-2222-3333-444455556666"
            },
        }
    ]


def test_is_private_versioned_and_retained(resources: list[dict[str, Any]]) -> None:
    for name in (BUCKET, DOCUMENTS):
        bucket = _bucket(resources, name)
        properties = bucket["Properties"]
        assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        assert properties["LoggingConfiguration"] == {
            "DestinationBucketName": "acme-access-in",
            "LogFilePrefix": f"{name}/",
        }


def test_only_a_tenant_bucket_asks_kms_for_every_object(resources: list[dict[str, Any]]) -> None:
    def uses_bucket_key(name: str) -> bool:
        (rule,) = _bucket(resources, name)["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        return bool(rule.get("BucketKeyEnabled", False))

    assert uses_bucket_key(BUCKET)
    assert not uses_bucket_key(DOCUMENTS)


def test_versions_and_leftovers_go_with_the_object(resources: list[dict[str, Any]]) -> None:
    rules = _bucket(resources, DOCUMENTS)["Properties"]["LifecycleConfiguration"]["Rules"]
    assert all(rule["Status"] == "Enabled" for rule in rules)
    assert [rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule] == [60]
    leftovers = next(rule for rule in rules if rule["Id"] == "Leftovers")
    assert leftovers["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
    assert leftovers["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert leftovers["ExpiredObjectDeleteMarker"] is True


def test_every_store_says_how_it_is_backed_up(resources: list[dict[str, Any]]) -> None:
    stores = [r for r in resources if r["Type"] in {"AWS::S3::Bucket", "AWS::DynamoDB::Table"}]
    tags = [tag["Value"] for store in stores for tag in store["Properties"].get("Tags", []) if tag["Key"] == BACKUP_TAG]
    assert sorted(tags) == ["documents", "documents", "standard"]


def test_a_table_can_be_taken_back_and_not_deleted(resources: list[dict[str, Any]]) -> None:
    table = next(r for r in resources if r["Type"] == "AWS::DynamoDB::Table")
    properties = table["Properties"]
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    assert properties["DeletionProtectionEnabled"] is True
    assert properties["PointInTimeRecoverySpecification"] == {
        "PointInTimeRecoveryEnabled": True,
        "RecoveryPeriodInDays": 7,
    }
    assert properties["SSESpecification"]["SSEType"] == "KMS"
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["ContributorInsightsSpecification"] == {"Enabled": False}
