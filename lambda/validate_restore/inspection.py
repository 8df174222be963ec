"""Looks at what was restored, through the service that it belongs to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from validate_restore.verdict import Sight

_MISSING = frozenset({"DBClusterNotFoundFault", "ResourceNotFoundException", "NoSuchBucket", "404"})


class UnknownKindError(ValueError):
    """A resource type that no check was written for."""


@dataclass(frozen=True, kw_only=True)
class Clients:
    """The services' clients."""

    rds: Any
    dynamodb: Any
    s3: Any


def inspect(arn: str, resource_type: str, clients: Clients) -> Sight:
    """What can be seen of the restored resource `arn`.

    Raises:
        UnknownKindError: `resource_type` is none of Aurora, DynamoDB and S3.
        ClientError: the service did not answer; worth another try.
    """
    # A recovery point under full management is reported as, for example, "DynamoDB.FullyManaged".
    kind = resource_type.partition(".")[0]
    look = _LOOKS.get(kind)
    if look is None:
        raise UnknownKindError(f"no check is written for resource type {kind}")
    try:
        return look(arn, clients)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _MISSING:
            return Sight(exists=False)
        raise


def _cluster(arn: str, clients: Clients) -> Sight:
    found = clients.rds.describe_db_clusters(DBClusterIdentifier=arn.rpartition(":")[2])["DBClusters"]
    if not found:
        return Sight(exists=False)
    return Sight(
        exists=True,
        ready=found[0]["Status"] == "available",
        encrypted=bool(found[0].get("StorageEncrypted")) and bool(found[0].get("KmsKeyId")),
    )


def _table(arn: str, clients: Clients) -> Sight:
    name = arn.rpartition("/")[2]
    table = clients.dynamodb.describe_table(TableName=name)["Table"]
    encryption = table.get("SSEDescription", {})
    ready = table["TableStatus"] == "ACTIVE"
    return Sight(
        exists=True,
        ready=ready,
        encrypted=encryption.get("Status") == "ENABLED" and encryption.get("SSEType") == "KMS",
        # The table's own item count is up to six hours old.
        holds_data=clients.dynamodb.scan(TableName=name, Limit=1, Select="COUNT")["Count"] > 0 if ready else None,
    )


def _bucket(arn: str, clients: Clients) -> Sight:
    name = arn.rpartition(":")[2]
    listed = clients.s3.list_objects_v2(Bucket=name, MaxKeys=1)
    rules = clients.s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    # Objects keep their own keys through a restore; a new bucket's default is at least S3's.
    return Sight(exists=True, ready=True, encrypted=bool(rules), holds_data=listed["KeyCount"] > 0)


_LOOKS: Mapping[str, Callable[[str, Clients], Sight]] = {"Aurora": _cluster, "DynamoDB": _table, "S3": _bucket}
