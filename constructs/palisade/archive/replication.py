"""Copies every object of a landing bucket into the archive as it arrives."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.identity import ComponentRole
from palisade.keys import CustomerKey


@dataclass(frozen=True, kw_only=True)
class Destination:
    """A locked bucket of the log archive account, and the key that replicas are encrypted with there.

    ``key_arn`` is None where the source is encrypted with SSE-S3: its replicas then are too, whatever the destination's
    default. ``key_alias`` is for readers in other accounts, who know no more of the key. ``account`` is the archive's.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
    """

    bucket_name: str
    account: str
    key_arn: str | None = None
    key_alias: str | None = None


class Replication(Construct):
    """Replicates new objects of ``source`` to ``destination``, owned by the destination's account.

    Deletions and delete markers are never replicated. Replicas get the destination's default lock, because the source
    has none. ``source_key`` decrypts the source and, being the archive's, encrypts the replicas; None where the source
    is encrypted with SSE-S3. ``role_name`` is given where the destination's policy, in another account, names the role.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnt-replicated.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source: s3.Bucket,
        source_name: str,
        source_key: CustomerKey | None,
        destination: Destination,
        role_name: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        # By name: the bucket waits for this policy, so the policy cannot refer to the bucket.
        source_arn, destination_arn = (f"arn:aws:s3:::{name}" for name in (source_name, destination.bucket_name))
        self.component = component = ComponentRole(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("s3.amazonaws.com"),
            description=f"Replicates {source_name} into {destination.bucket_name}",
            name=role_name,
        )
        component.allow(
            iam.PolicyStatement(
                sid="ReadConfiguration",
                actions=["s3:GetReplicationConfiguration", "s3:ListBucket"],
                resources=[source_arn],
            ),
            iam.PolicyStatement(
                sid="ReadSource",
                actions=["s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"],
                resources=[f"{source_arn}/*"],
            ),
            iam.PolicyStatement(
                sid="WriteReplicas",
                actions=["s3:ObjectOwnerOverrideToBucketOwner", "s3:ReplicateObject", "s3:ReplicateTags"],
                resources=[f"{destination_arn}/*"],
            ),
        )
        acknowledge(
            component.policy,
            f"{source_name}: S3 replicates every object, so source and destination are object ARNs that end in "
            "a wildcard.",
            f"AwsSolutions-IAM5[Resource::{source_arn}/*]",
            f"AwsSolutions-IAM5[Resource::{destination_arn}/*]",
        )
        if source_key is not None:
            component.allow(
                iam.PolicyStatement(
                    sid="DecryptSourceAndEncryptReplicas",
                    actions=["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
                    resources=[source_key.arn],
                    conditions={"StringEquals": {"kms:ViaService": f"s3.{source.env.region}.amazonaws.com"}},
                )
            )
        template = source.node.default_child
        assert isinstance(template, s3.CfnBucket)
        template.replication_configuration = s3.CfnBucket.ReplicationConfigurationProperty(
            role=component.role.role_arn,
            rules=[_rule(destination, crosses_accounts=destination.account != cdk.Stack.of(self).account)],
        )
        # S3 tries the role when the rule is made.
        template.node.add_dependency(component.policy)


def _rule(destination: Destination, *, crosses_accounts: bool) -> s3.CfnBucket.ReplicationRuleProperty:
    # S3 refuses a replica key without the criterion, and the criterion without a replica key.
    return s3.CfnBucket.ReplicationRuleProperty(
        id="EverythingIntoTheArchive",
        status="Enabled",
        priority=1,
        filter=s3.CfnBucket.ReplicationRuleFilterProperty(prefix=""),
        delete_marker_replication=s3.CfnBucket.DeleteMarkerReplicationProperty(status="Disabled"),
        source_selection_criteria=s3.CfnBucket.SourceSelectionCriteriaProperty(
            sse_kms_encrypted_objects=s3.CfnBucket.SseKmsEncryptedObjectsProperty(status="Enabled")
        )
        if destination.key_arn
        else None,
        destination=s3.CfnBucket.ReplicationDestinationProperty(
            bucket=f"arn:aws:s3:::{destination.bucket_name}",
            account=destination.account if crosses_accounts else None,
            access_control_translation=s3.CfnBucket.AccessControlTranslationProperty(owner="Destination")
            if crosses_accounts
            else None,
            encryption_configuration=s3.CfnBucket.EncryptionConfigurationProperty(
                replica_kms_key_id=destination.key_arn
            )
            if destination.key_arn
            else None,
        ),
    )
