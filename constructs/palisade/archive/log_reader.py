"""Who may read the archive."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.archive.query_room import QueryRoom


class LogReader(Construct):
    """A policy for people of this account who may read evidence and ask questions, and change nothing.

    Permission sets attach it by ``name``. It reads ``buckets`` with any key whose alias begins with ``key_aliases``, and
    writes query results only.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetcustom.html
    https://docs.aws.amazon.com/athena/latest/ug/s3-permissions.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        room: QueryRoom,
        buckets: Sequence[str],
        key_aliases: str,
        results: s3.IBucket,
        results_key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        place = f"{stack.region}:{stack.account}"
        evidence = [f"arn:aws:s3:::{bucket}" for bucket in buckets]
        keys = f"arn:aws:kms:{place}:key/*"
        tables = f"arn:aws:glue:{place}:table/{room.database_name}/*"
        through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{stack.region}.amazonaws.com"}}
        self.policy = iam.ManagedPolicy(
            self,
            "Resource",
            managed_policy_name=name,
            description="Reads the log archive and runs queries in its workgroup",
            statements=[
                iam.PolicyStatement(
                    sid="Ask",
                    actions=[
                        "athena:BatchGetNamedQuery",
                        "athena:BatchGetQueryExecution",
                        "athena:GetNamedQuery",
                        "athena:GetQueryExecution",
                        "athena:GetQueryResults",
                        "athena:GetWorkGroup",
                        "athena:ListNamedQueries",
                        "athena:ListQueryExecutions",
                        "athena:StartQueryExecution",
                        "athena:StopQueryExecution",
                    ],
                    resources=[f"arn:aws:athena:{place}:workgroup/{room.workgroup_name}"],
                ),
                iam.PolicyStatement(
                    sid="SeeTables",
                    actions=["glue:GetDatabase", "glue:GetDatabases", "glue:GetTable", "glue:GetTables"],
                    resources=[
                        f"arn:aws:glue:{place}:catalog",
                        f"arn:aws:glue:{place}:database/{room.database_name}",
                        tables,
                    ],
                ),
                iam.PolicyStatement(
                    sid="FindEvidence",
                    actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketVersions"],
                    resources=evidence,
                ),
                iam.PolicyStatement(
                    sid="ReadEvidence",
                    actions=["s3:GetObject", "s3:GetObjectRetention", "s3:GetObjectVersion"],
                    resources=[f"{arn}/*" for arn in evidence],
                ),
                iam.PolicyStatement(
                    sid="DecryptEvidence",
                    actions=["kms:Decrypt"],
                    resources=[keys],
                    conditions={**through_s3, "ForAnyValue:StringLike": {"kms:ResourceAliases": f"{key_aliases}*"}},
                ),
                iam.PolicyStatement(
                    sid="FindResults",
                    actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
                    resources=[results.bucket_arn],
                ),
                iam.PolicyStatement(
                    sid="KeepResults",
                    actions=[
                        "s3:AbortMultipartUpload",
                        "s3:GetObject",
                        "s3:ListMultipartUploadParts",
                        "s3:PutObject",
                    ],
                    resources=[results.arn_for_objects("*")],
                ),
                iam.PolicyStatement(
                    sid="EncryptResults",
                    actions=["kms:Decrypt", "kms:GenerateDataKey"],
                    resources=[results_key.key_arn],
                    conditions=through_s3,
                ),
            ],
        )
        acknowledge(
            self.policy,
            f"{name} reads whatever objects the archive holds, by definition; its tables are those of one database, and "
            "its keys those whose alias says that they are the archive's.",
            *(f"AwsSolutions-IAM5[Resource::{arn}/*]" for arn in evidence),
            f"AwsSolutions-IAM5[Resource::{keys}]",
            f"AwsSolutions-IAM5[Resource::{tables}]",
            f"AwsSolutions-IAM5[Resource::<{_logical_id(results)}.Arn>/*]",
        )


def _logical_id(bucket: s3.IBucket) -> str:
    template = bucket.node.default_child
    assert isinstance(template, s3.CfnBucket)
    return cdk.Stack.of(bucket).get_logical_id(template)
