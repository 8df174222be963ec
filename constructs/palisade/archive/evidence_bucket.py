"""The immutable bucket that keeps one class of logs."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from constructs import Construct
from palisade.acknowledge import acknowledge, in_packs
from palisade.archive.log_bucket import keeps_access_logs, log_bucket, own_account_only
from palisade.archive.storage_plan import StoragePlan
from palisade.archive.writer import Writer
from palisade.keys import CustomerKey


class EvidenceBucket(Construct):
    """Keeps every version of every object until its lock ends, and nobody outside this account reads or changes it.

    The lock is the bucket's default, so writers need no right to set one. Objects move to Glacier classes and expire as
    ``plan`` says. ``key`` is None where objects arrive under SSE-S3. ``requests_to`` is the bucket for server access
    logs, or None for the bucket that keeps these very logs. ``readers`` are the ARNs of roles elsewhere that read what
    a writer's statement lets them.

    Control: storage.archive.object-lock

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html#object-lock-managing-lifecycle
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        key: CustomerKey | None,
        plan: StoragePlan,
        lock_mode: s3.ObjectLockMode,
        requests_to: str | None,
        readers: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = name
        self._key = key
        duration = cdk.Duration.days(plan.lock_days)
        self.resource = log_bucket(
            self,
            name=name,
            key=key,
            requests_to=requests_to,
            lock=s3.ObjectLockRetention.compliance(duration)
            if lock_mode is s3.ObjectLockMode.COMPLIANCE
            else s3.ObjectLockRetention.governance(duration),
            lifecycle=_lifecycle(plan),
        )
        own_account_only(self.resource, readers=readers)
        if requests_to is None:
            keeps_access_logs(self.resource, name)
        acknowledge(
            self.resource,
            f"{name}: a lock that nobody can lift before its time protects these objects; a second copy of logs would "
            "double their cost without making them harder to alter.",
            *in_packs("S3BucketReplicationEnabled"),
        )

    @property
    def bucket(self) -> s3.IBucket:
        """The bucket, to read from."""
        return self.resource

    def accept(self, *writers: Writer) -> None:
        """Let ``writers`` write, and use the key behind the bucket for it."""
        for writer in writers:
            writer.allow_bucket(self.resource)
            if self._key is not None:
                writer.allow_key(self._key)

    def accept_replicas_from(self, role_arn: str) -> None:
        """Let the replication role ``role_arn`` of another account write replicas.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-walkthrough-2.html
        """
        self.resource.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ReplicasWrite",
                principals=[iam.AccountPrincipal(role_arn.split(":")[4])],
                actions=["s3:ObjectOwnerOverrideToBucketOwner", "s3:ReplicateObject", "s3:ReplicateTags"],
                resources=[self.resource.arn_for_objects("*")],
                conditions={"ArnEquals": {"aws:PrincipalArn": role_arn}},
            )
        )


def _lifecycle(plan: StoragePlan) -> list[s3.LifecycleRule]:
    transitions = [
        s3.Transition(storage_class=storage_class, transition_after=cdk.Duration.days(days))
        for storage_class, days in (
            (s3.StorageClass.GLACIER_INSTANT_RETRIEVAL, plan.instant_retrieval_after),
            (s3.StorageClass.DEEP_ARCHIVE, plan.deep_archive_after),
        )
        if days is not None
    ]
    return [
        s3.LifecycleRule(
            id="Retention",
            transitions=transitions or None,
            expiration=cdk.Duration.days(plan.expire_days),
            # The version behind the delete marker; S3 leaves it alone while it is locked.
            noncurrent_version_expiration=cdk.Duration.days(1),
        ),
        s3.LifecycleRule(
            id="Leftovers",
            abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
            expired_object_delete_marker=True,
        ),
    ]
