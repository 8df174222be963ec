"""What every bucket for logs has in common, locked or not."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from constructs import Construct
from palisade.acknowledge import acknowledge, in_packs
from palisade.keys import CustomerKey
from palisade.storage import BackupClass

_READING = ("s3:GetObject*",)
_CHANGING = (
    "s3:BypassGovernanceRetention",
    "s3:Delete*",
    "s3:PutBucket*",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:PutReplicationConfiguration",
)


def log_bucket(
    scope: Construct,
    *,
    name: str,
    key: CustomerKey | None,
    requests_to: str | None,
    lifecycle: Sequence[s3.LifecycleRule],
    lock: s3.ObjectLockRetention | None = None,
) -> s3.Bucket:
    """A private, versioned, retained bucket over TLS 1.2 or newer, encrypted with ``key`` or, if None, with SSE-S3."""
    bucket = s3.Bucket(
        scope,
        "Resource",
        bucket_name=name,
        encryption=s3.BucketEncryption.S3_MANAGED if key is None else s3.BucketEncryption.KMS,
        encryption_key=None if key is None else key.key,
        bucket_key_enabled=key is not None,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        versioned=True,
        object_lock_enabled=True if lock else None,
        object_lock_default_retention=lock,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        lifecycle_rules=list(lifecycle),
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    BackupClass.ARCHIVED.mark(bucket)
    if key is None:
        acknowledge(
            bucket,
            f"{name}: the delivering service accepts only buckets encrypted with SSE-S3, and replicas keep the encryption "
            "of what was delivered.",
            *in_packs("S3DefaultEncryptionKMS"),
        )
    if requests_to is not None:
        template = bucket.node.default_child
        assert isinstance(template, s3.CfnBucket)
        # The L2 would write a statement about this bucket into the log bucket's policy: a circle between two stacks.
        template.logging_configuration = s3.CfnBucket.LoggingConfigurationProperty(
            destination_bucket_name=requests_to, log_file_prefix=f"{name}/"
        )
    return bucket


def keeps_access_logs(bucket: s3.Bucket, name: str) -> None:
    """Say why the requests to ``bucket`` are not logged. Not needed where a bucket of the same stack logs into it."""
    acknowledge(
        bucket,
        f"{name}: it receives server access logs, and logging its own requests here would go round in a circle; the "
        "trail records reads and deletions instead.",
        "AwsSolutions-S1",
        *in_packs("S3BucketLoggingEnabled"),
    )


def own_account_only(bucket: s3.Bucket, *, readers: Sequence[str] = ()) -> None:
    """Refuse principals of every other account to read, delete, unlock or reconfigure; services deliver as before.

    ``readers`` are the ARNs of the roles of other accounts that may read what the bucket's policy lets them.
    """
    others: dict[str, object] = {
        "StringNotEquals": {"aws:PrincipalAccount": bucket.env.account},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
    }
    refused = [("OtherAccountsNeitherReadNorChange", [*_CHANGING, *_READING], others)]
    if readers:
        but_readers = {**others, "ArnNotEquals": {"aws:PrincipalArn": list(readers)}}
        refused = [("OtherAccountsChangeNothing", [*_CHANGING], others), ("OnlyReadersRead", [*_READING], but_readers)]
    for sid, actions, conditions in refused:
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=sorted(actions),
                resources=[bucket.bucket_arn, bucket.arn_for_objects("*")],
                conditions=conditions,
            )
        )
