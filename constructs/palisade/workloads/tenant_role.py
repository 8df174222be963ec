"""The role through which a workload touches one tenant's data at a time."""

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

TENANT = "${aws:PrincipalTag/tenant}"
"""What a session's policies compare with the keys it touches; without the tag nothing matches, so nothing is allowed."""

TAGGED = {
    "StringLike": {"aws:RequestTag/tenant": "?*"},
    "ForAllValues:StringEquals": {"aws:TagKeys": ["tenant"], "sts:TransitiveTagKeys": ["tenant"]},
}
"""A session is opened with the tenant's tag, which cannot be left out, and with no other."""

LEADING = {
    # "For all values" is also true of no values, hence the second condition.
    "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [TENANT]},
    "Null": {"dynamodb:LeadingKeys": "false"},
}
"""Items whose partition key is the session's tenant."""


def session_principals(functions: Sequence[Function]) -> iam.CompositePrincipal:
    """Who may open a session: ``functions``, with a tenant's tag."""
    return iam.CompositePrincipal(
        *(iam.ArnPrincipal(function.role.role_arn).with_conditions(TAGGED) for function in functions)
    )


def admit(component: ComponentRole, functions: Sequence[Function], *, role_arn: str) -> None:
    """Let ``functions`` open sessions of the role with exactly the tenant's tag, and with a source identity."""
    callers = [iam.ArnPrincipal(function.role.role_arn) for function in functions]
    assert component.role.assume_role_policy is not None
    component.role.assume_role_policy.add_statements(
        iam.PolicyStatement(
            sid="ExactlyTheTenantTag", principals=callers, actions=["sts:TagSession"], conditions=TAGGED
        ),
        iam.PolicyStatement(
            sid="TheUserAsSource",
            principals=callers,
            actions=["sts:SetSourceIdentity"],
            conditions={"StringLike": {"sts:SourceIdentity": "?*"}},
        ),
    )
    for function in functions:
        function.component.allow(
            iam.PolicyStatement(
                sid="ActForOneTenant",
                actions=["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
                resources=[role_arn],
            )
        )


class TenantRole(Construct):
    """A session of this role reaches the items, objects and data keys of the tenant in its ``tenant`` tag, and no others.

    Only ``assumed_by`` may open a session, and only with exactly that tag and with a source identity, which CloudTrail
    then shows with everything the session does. In ``table`` the partition key is the tenant; in ``bucket``, which must
    have no bucket key, the first segment of the object key is, and the encryption context names it.

    Of ``register`` it reads the tenant's own item, which says whether anything may be written for it any more.

    Refuses scans, which would read across tenants, and every request about the table or the bucket as a whole.

    Control: ``workloads.tenant.isolation``

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        assumed_by: Sequence[Function],
        table: dynamodb.ITable,
        table_key: kms.IKey,
        bucket: s3.IBucket,
        bucket_key: kms.IKey,
        register: dynamodb.ITable,
    ) -> None:
        super().__init__(scope, construct_id)
        component = ComponentRole(
            self,
            "Role",
            assumed_by=session_principals(assumed_by),
            description="One tenant at a time, the one in the session's tag",
        )
        self.role = component.role
        admit(component, assumed_by, role_arn=component.role.role_arn)
        component.allow(
            *self._items(table, table_key, register),
            *self._objects(bucket, bucket_key),
        )
        resource = cdk.Stack.of(self).resolve(bucket.bucket_arn)["Fn::GetAtt"][0]
        acknowledge(
            component.policy,
            "The wildcard stands behind the tenant's own prefix, which IAM fills in from the session's tag.",
            f"AwsSolutions-IAM5[Resource::<{resource}.Arn>/<aws:PrincipalTag/tenant>/*]",
        )

    def _items(self, table: dynamodb.ITable, key: kms.IKey, register: dynamodb.ITable) -> list[iam.PolicyStatement]:
        return [
            iam.PolicyStatement(
                sid="ItemsOfTheTenant",
                actions=[
                    "dynamodb:DeleteItem",
                    "dynamodb:GetItem",
                    "dynamodb:PutItem",
                    "dynamodb:Query",
                    "dynamodb:UpdateItem",
                ],
                resources=[table.table_arn],
                conditions=LEADING,
            ),
            iam.PolicyStatement(
                sid="StandingOfTheTenant",
                actions=["dynamodb:GetItem"],
                resources=[register.table_arn],
                conditions=LEADING,
            ),
            iam.PolicyStatement(
                sid="KeyOfTheTable",
                actions=["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"],
                resources=[key.key_arn],
                conditions={
                    "StringEquals": {
                        "kms:ViaService": self._service("dynamodb"),
                        "kms:EncryptionContext:aws:dynamodb:tableName": [table.table_name, register.table_name],
                    }
                },
            ),
        ]

    def _objects(self, bucket: s3.IBucket, key: kms.IKey) -> list[iam.PolicyStatement]:
        return [
            iam.PolicyStatement(
                sid="ObjectsOfTheTenant",
                actions=[
                    "s3:DeleteObject",
                    "s3:DeleteObjectVersion",
                    "s3:GetObject",
                    "s3:GetObjectVersion",
                    "s3:PutObject",
                ],
                resources=[bucket.arn_for_objects(f"{TENANT}/*")],
            ),
            iam.PolicyStatement(
                sid="VersionsOfTheTenant",
                actions=["s3:ListBucketVersions"],
                resources=[bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": f"{TENANT}/*"}},
            ),
            iam.PolicyStatement(
                sid="DataKeysOfTheTenant",
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[key.key_arn],
                conditions={
                    "StringEquals": {
                        "kms:ViaService": self._service("s3"),
                        "kms:EncryptionContext:tenant": TENANT,
                    }
                },
            ),
        ]

    def _service(self, name: str) -> str:
        return f"{name}.{cdk.Stack.of(self).region}.amazonaws.com"
