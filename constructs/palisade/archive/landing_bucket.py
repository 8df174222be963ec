"""Where services deliver that cannot write under a lock."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from constructs import Construct
from palisade.archive.log_bucket import log_bucket, own_account_only
from palisade.archive.replication import Destination, Replication
from palisade.archive.writer import Writer
from palisade.keys import CustomerKey

KEPT_DAYS = 3
"""Lifecycle leaves objects alone whose replication is pending or failed, so this is only how long a copy lies twice.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-and-other-bucket-config.html"""


class LandingBucket(Construct):
    """Receives logs and replicates each object at once into the locked bucket ``destination``, then forgets it.

    Nobody but replication reads or deletes objects here; readers go to the locked copy. Objects stay for
    :data:`KEPT_DAYS`, then they are deleted here. ``key`` is None where the delivering service demands SSE-S3.
    ``requests_to`` is the bucket for server access logs, or None for the bucket that receives these very logs.
    ``role_name`` names the replication role where ``destination`` is in another account and must name it.

    Control: storage.archive.landing

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        key: CustomerKey | None,
        destination: Destination,
        requests_to: str | None,
        role_name: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = name
        self._key = key
        self.resource = log_bucket(self, name=name, key=key, requests_to=requests_to, lifecycle=_lifecycle())
        own_account_only(self.resource)
        replication = Replication(
            self,
            "Replication",
            source=self.resource,
            source_name=name,
            source_key=key,
            destination=destination,
            role_name=role_name,
        )
        self._seal(replication.component.role)

    @property
    def bucket(self) -> s3.IBucket:
        """The bucket, to name as a log destination."""
        return self.resource

    def accept(self, *writers: Writer) -> None:
        """Let ``writers`` write, and use the key behind the bucket for it."""
        for writer in writers:
            writer.allow_bucket(self.resource)
            if self._key is not None:
                writer.allow_key(self._key)

    def _seal(self, replicator: iam.IRole) -> None:
        self.resource.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OnlyReplicationReads",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["s3:DeleteObject*", "s3:GetObject*"],
                resources=[self.resource.arn_for_objects("*")],
                conditions={"ArnNotEquals": {"aws:PrincipalArn": replicator.role_arn}},
            )
        )


def _lifecycle() -> list[s3.LifecycleRule]:
    return [
        s3.LifecycleRule(
            id="Landed",
            expiration=cdk.Duration.days(KEPT_DAYS),
            noncurrent_version_expiration=cdk.Duration.days(1),
        ),
        s3.LifecycleRule(
            id="Leftovers",
            abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
            expired_object_delete_marker=True,
        ),
    ]
