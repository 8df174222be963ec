"""A bucket for data that changes: private, versioned, encrypted with a customer key, over TLS only."""

from __future__ import annotations

from typing import ClassVar

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from constructs import Construct
from palisade.acknowledge import acknowledge, in_packs
from palisade.storage.backup_class import BackupClass


class PrivateBucket(Construct):
    """Keeps every object private to this account, under ``key``, in versions, with its requests logged.

    Refuses public access, ACLs, plain HTTP, TLS below 1.2, and writes that ask for another key or for none. The stack
    never deletes it. ``name`` is the whole bucket name; ``access_logs`` is the log bucket of the same account and region,
    whose own policy admits the logging service. An object is current for ``expire_days`` (None: until it is deleted),
    then a version for ``noncurrent_days``; lifecycle runs at midnight UTC, so add up to two days to their sum.

    Control: storage.bucket.private

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
    """

    _one_key_for_many_objects: ClassVar[bool] = True

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        key: kms.IKey,
        access_logs: s3.IBucket,
        backup: BackupClass,
        expire_days: int | None = None,
        noncurrent_days: int = 30,
    ) -> None:
        super().__init__(scope, construct_id)
        resource = s3.Bucket(
            self,
            "Resource",
            bucket_name=name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=self._one_key_for_many_objects,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            lifecycle_rules=_lifecycle(expire_days, noncurrent_days),
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        self.bucket: s3.IBucket = resource
        template = resource.node.default_child
        assert isinstance(template, s3.CfnBucket)
        # The L2 would write a statement about this bucket into the log bucket's policy: a circle between two stacks.
        template.logging_configuration = s3.CfnBucket.LoggingConfigurationProperty(
            destination_bucket_name=access_logs.bucket_name, log_file_prefix=f"{name}/"
        )
        # AWS Backup follows the bucket by its events; without them continuous backup stops.
        # https://docs.aws.amazon.com/aws-backup/latest/devguide/s3-backups.html
        template.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )
        self._refuse_other_encryption(resource, key)
        backup.mark(resource)
        acknowledge(
            resource,
            f"{name}: its copies in another account are made by AWS Backup ({backup.value}) or by the archive, which "
            "keep deleted and overwritten objects for a set time; replication would carry every deletion along.",
            *in_packs("S3BucketReplicationEnabled"),
        )

    @staticmethod
    def _refuse_other_encryption(bucket: s3.Bucket, key: kms.IKey) -> None:
        for sid, header, expected in (
            ("RefuseOtherEncryption", "s3:x-amz-server-side-encryption", "aws:kms"),
            ("RefuseOtherKeys", "s3:x-amz-server-side-encryption-aws-kms-key-id", key.key_arn),
        ):
            bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=sid,
                    effect=iam.Effect.DENY,
                    principals=[iam.AnyPrincipal()],
                    actions=["s3:PutObject"],
                    resources=[bucket.arn_for_objects("*")],
                    # A request without the header gets the bucket's default, which is right.
                    conditions={"Null": {header: "false"}, "StringNotEquals": {header: expected}},
                )
            )


def _lifecycle(expire_days: int | None, noncurrent_days: int) -> list[s3.LifecycleRule]:
    rules = [
        s3.LifecycleRule(
            id="Leftovers",
            abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
            noncurrent_version_expiration=cdk.Duration.days(noncurrent_days),
            expired_object_delete_marker=True,
        )
    ]
    if expire_days is not None:
        # S3 takes an age and the clean-up of delete markers only in separate rules.
        rules.append(s3.LifecycleRule(id="Expiry", expiration=cdk.Duration.days(expire_days)))
    return rules
