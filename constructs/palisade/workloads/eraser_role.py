"""The role through which one tenant's data is deleted, and nothing else is done."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.compute import Function
from palisade.identity import ComponentRole
from palisade.workloads.tenant_role import LEADING, TAGGED, TENANT


class EraserRole(Construct):
    """A session of this role finds and deletes what the tenant in its ``tenant`` tag has in ``tables`` and ``buckets``.

    Only ``assumed_by`` may open a session, with exactly that tag. Partition keys of ``tables`` are tenants, first segments of
    the buckets' keys are. It reads no object, writes nothing, and of ``register`` sees whether the deletion may go on.
    ``key`` is the tables'; deleting an object takes none. ``buckets`` are imported by name.

    Control: ``workloads.tenant.isolation``

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        assumed_by: Function,
        tables: Sequence[dynamodb.ITable],
        buckets: Sequence[s3.IBucket],
        register: dynamodb.ITable,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        caller = iam.ArnPrincipal(assumed_by.role.role_arn)
        component = ComponentRole(
            self,
            "Role",
            assumed_by=caller.with_conditions(TAGGED),
            description="Deletes one tenant at a time, the one in the session's tag",
        )
        self.role = component.role
        assert component.role.assume_role_policy is not None
        component.role.assume_role_policy.add_statements(
            iam.PolicyStatement(
                sid="ExactlyTheTenantTag", principals=[caller], actions=["sts:TagSession"], conditions=TAGGED
            ),
            iam.PolicyStatement(
                sid="TheDeletionAsSource",
                principals=[caller],
                actions=["sts:SetSourceIdentity"],
                conditions={"StringLike": {"sts:SourceIdentity": "?*"}},
            ),
        )
        stack = cdk.Stack.of(self)
        component.allow(
            iam.PolicyStatement(
                sid="DeleteItemsOfTheTenant",
                # One by one: whoever may delete in batches may also put in them.
                actions=["dynamodb:DeleteItem", "dynamodb:Query"],
                resources=[table.table_arn for table in tables],
                conditions=LEADING,
            ),
            iam.PolicyStatement(
                sid="StandingOfTheTenant",
                actions=["dynamodb:GetItem"],
                resources=[register.table_arn],
                conditions=LEADING,
            ),
            iam.PolicyStatement(
                sid="KeyOfTheTables",
                actions=["kms:Decrypt"],
                resources=[key.key_arn],
                conditions={
                    "StringEquals": {
                        "kms:ViaService": f"dynamodb.{stack.region}.amazonaws.com",
                        "kms:EncryptionContext:aws:dynamodb:tableName": [
                            table.table_name for table in (*tables, register)
                        ],
                    }
                },
            ),
            iam.PolicyStatement(
                sid="DeleteObjectsOfTheTenant",
                actions=["s3:DeleteObject", "s3:DeleteObjectVersion"],
                resources=[bucket.arn_for_objects(f"{TENANT}/*") for bucket in buckets],
            ),
            iam.PolicyStatement(
                sid="VersionsOfTheTenant",
                actions=["s3:ListBucketVersions"],
                resources=[bucket.bucket_arn for bucket in buckets],
                conditions={"StringLike": {"s3:prefix": f"{TENANT}/*"}},
            ),
        )
        assumed_by.component.allow(
            iam.PolicyStatement(
                sid="DeleteForOneTenant",
                actions=["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
                resources=[self.role.role_arn],
            )
        )
        for bucket in buckets:
            acknowledge(
                component.policy,
                f"{bucket.bucket_name}: the wildcard stands behind the tenant's own prefix, which IAM fills in from the tag.",
                f"AwsSolutions-IAM5[Resource::arn:aws:s3:::{bucket.bucket_name}/<aws:PrincipalTag/tenant>/*]",
            )
