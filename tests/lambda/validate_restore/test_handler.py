"""Restore tests are looked at, judged, reported once, and a failure is told."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from palisade_runtime.logs import Logger
from validate_restore.handler import Services, validate
from validate_restore.inspection import Clients, UnknownKindError

REGION = "eu-central-1"
TABLE = "awsbackup-restore-test-7"
BUCKET = "awsbackup-restore-test-bucket"
CLUSTER = "awsbackup-restore-test-cluster"
ARNS = {
    "DynamoDB.FullyManaged": f"arn:aws:dynamodb:{REGION}:123456789012:table/{TABLE}",
    "S3": f"arn:aws:s3:::{BUCKET}",
    "Aurora": f"arn:aws:rds:{REGION}:123456789012:cluster:{CLUSTER}",
}


class Backup:
    """AWS Backup with one restore job."""

    def __init__(self, resource_type: str, **more: Any) -> None:
        self.job = {
            "RestoreJobId": "job-1",
            "ResourceType": resource_type,
            "CreatedResourceArn": ARNS.get(resource_type, "arn:aws:efs:::x"),
            "SourceResourceArn": "arn:aws:source",
            "BackupSizeInBytes": 2048,
            "CreatedBy": {"RestoreTestingPlanArn": "arn:aws:backup:plan"},
            **more,
        }
        self.results: list[dict[str, Any]] = []

    def describe_restore_job(self, **_given: Any) -> dict[str, Any]:
        return self.job

    def put_restore_validation_result(self, **given: Any) -> None:
        self.results.append(given)
        self.job["ValidationStatus"] = given["ValidationStatus"]


class Topic:
    """SNS that remembers what was published."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def publish(self, **given: Any) -> None:
        self.messages.append(given)


@pytest.fixture
def clients() -> Iterator[Clients]:
    with mock_aws():
        yield Clients(
            rds=boto3.client("rds", region_name=REGION),
            dynamodb=boto3.client("dynamodb", region_name=REGION),
            s3=boto3.client("s3", region_name=REGION),
        )


def _run(backup: Backup, clients: Clients, topic: Topic | None = None, *, times: int = 1) -> Topic:
    topic = topic or Topic()
    services = Services(
        backup=backup,
        sns=topic,
        clients=clients,
        topic="arn:aws:sns:topic",
        logger=Logger(service="test", output=io.StringIO()),
    )
    for _ in range(times):
        validate({"detail": {"restoreJobId": "job-1"}}, services)
    return topic


def _table(clients: Clients, *, encrypted: bool = True, items: int = 1) -> None:
    clients.dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **({"SSESpecification": {"Enabled": True, "SSEType": "KMS"}} if encrypted else {}),
    )
    for number in range(items):
        clients.dynamodb.put_item(TableName=TABLE, Item={"id": {"S": str(number)}})


def _bucket(clients: Clients, *, objects: int = 1) -> None:
    clients.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    clients.s3.put_bucket_encryption(
        Bucket=BUCKET,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    )
    for number in range(objects):
        clients.s3.put_object(Bucket=BUCKET, Key=str(number), Body=b"x")


def _cluster(clients: Clients, *, encrypted: bool = True) -> None:
    clients.rds.create_db_cluster(
        DBClusterIdentifier=CLUSTER,
        Engine="aurora-postgresql",
        MasterUsername="owner",
        MasterUserPassword="not-a-real-one",
        StorageEncrypted=encrypted,
        **({"KmsKeyId": "arn:aws:kms:eu-central-1:123456789012:key/1"} if encrypted else {}),
    )


def test_a_good_table_bucket_and_cluster_pass_in_silence(clients: Clients) -> None:
    _table(clients)
    _bucket(clients)
    _cluster(clients)
    for resource_type in ARNS:
        backup = Backup(resource_type)
        topic = _run(backup, clients)
        assert [result["ValidationStatus"] for result in backup.results] == ["SUCCESSFUL"], resource_type
        assert not topic.messages


@pytest.mark.parametrize("resource_type", list(ARNS))
def test_what_is_not_there_fails_and_is_told(resource_type: str, clients: Clients) -> None:
    backup = Backup(resource_type)
    topic = _run(backup, clients)
    assert [result["ValidationStatus"] for result in backup.results] == ["FAILED"]
    (message,) = topic.messages
    assert "job-1" in message["Message"]


def test_an_empty_table_or_bucket_fails(clients: Clients) -> None:
    _table(clients, items=0)
    _bucket(clients, objects=0)
    for resource_type in ("DynamoDB.FullyManaged", "S3"):
        backup = Backup(resource_type)
        _run(backup, clients)
        assert backup.results[0]["ValidationStatus"] == "FAILED"
        assert "empty" in backup.results[0]["ValidationStatusMessage"]


def test_a_store_in_clear_fails(clients: Clients) -> None:
    _table(clients, encrypted=False)
    _cluster(clients, encrypted=False)
    for resource_type in ("DynamoDB.FullyManaged", "Aurora"):
        backup = Backup(resource_type)
        _run(backup, clients)
        assert "not encrypted" in backup.results[0]["ValidationStatusMessage"]


def test_restores_by_people_are_left_alone(clients: Clients) -> None:
    backup = Backup("S3", CreatedBy={})
    _run(backup, clients)
    assert not backup.results


def test_a_job_is_judged_once(clients: Clients) -> None:
    backup = Backup("S3")
    topic = _run(backup, clients, times=2)
    assert len(backup.results) == len(topic.messages) == 1


def test_a_store_that_no_check_knows_is_an_error_and_never_a_pass(clients: Clients) -> None:
    backup = Backup("EFS")
    with pytest.raises(UnknownKindError):
        _run(backup, clients)
    assert not backup.results


def test_a_service_that_does_not_answer_is_tried_again_and_not_judged(clients: Clients) -> None:
    class Busy:
        def describe_db_clusters(self, **_given: Any) -> None:
            raise ClientError({"Error": {"Code": "Throttling"}}, "DescribeDBClusters")

    backup = Backup("Aurora")
    with pytest.raises(ClientError):
        _run(backup, Clients(rds=Busy(), dynamodb=clients.dynamodb, s3=clients.s3))
    assert not backup.results


def test_the_failure_is_told_before_it_is_reported(clients: Clients) -> None:
    class Deaf(Topic):
        def publish(self, **_given: Any) -> None:
            raise ClientError({"Error": {"Code": "InternalError"}}, "Publish")

    backup = Backup("S3")
    with pytest.raises(ClientError):
        _run(backup, clients, Deaf())
    assert not backup.results, "a reported job would not be looked at again"
