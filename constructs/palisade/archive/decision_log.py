"""The way of a workflow's decisions into the archive."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from constructs import IConstruct
from palisade.acknowledge import acknowledge
from palisade.identity import ComponentRole


@dataclass(frozen=True, kw_only=True)
class DecisionLog:
    """Lets functions write records once into ``bucket_name``, in the archive's account and under the key ``key_alias``.

    The archive admits only roles whose names begin with ``role_prefix``, so a function that records must be made with
    such a name; what it wrote it can neither read, replace nor delete.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """

    bucket_name: str
    key_alias: str
    role_prefix: str

    def role_name(self, component: str) -> str:
        """The name of the role of ``component``."""
        return f"{self.role_prefix}{component}"

    def environment(self, workflow: str) -> dict[str, str]:
        """What ``palisade_runtime.records`` needs to know."""
        return {"RECORD_BUCKET": self.bucket_name, "RECORD_WORKFLOW": workflow}

    def use_of_key(self, scope: IConstruct) -> iam.PolicyStatement:
        """The use of the archive's key for records, from the account and region of ``scope``."""
        region, owner = cdk.Stack.of(scope).region, self.bucket_name.rsplit("-", 1)[-1]
        return iam.PolicyStatement(
            sid="EncryptRecords",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[f"arn:aws:kms:{region}:{owner}:key/*"],
            conditions={
                "StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"},
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": self.key_alias},
            },
        )

    def allow(self, component: ComponentRole, *, workflow: str) -> None:
        """Let ``component`` write records of ``workflow``."""
        stack = cdk.Stack.of(component)
        owner = self.bucket_name.rsplit("-", 1)[-1]
        component.allow(
            iam.PolicyStatement(
                sid="Record",
                actions=["s3:PutObject"],
                resources=[f"arn:aws:s3:::{self.bucket_name}/{stack.account}/{workflow}/*"],
            ),
            self.use_of_key(component),
        )
        acknowledge(
            component.policy,
            f"{workflow}: records are named as they come, and the archive's key is known in this account by its alias only.",
            f"AwsSolutions-IAM5[Resource::arn:aws:s3:::{self.bucket_name}/{stack.account}/{workflow}/*]",
            f"AwsSolutions-IAM5[Resource::arn:aws:kms:{stack.region}:{owner}:key/*]",
        )
