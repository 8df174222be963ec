"""What stands before a level of a stage until somebody is granted it."""

from __future__ import annotations

from aws_cdk import aws_iam as iam

from constructs import Construct


class Gate(Construct):
    """A managed policy ``name`` that refuses everything; its permission set attaches it by name.

    The workflow puts newer versions before it, which refuse everything but to live grants. That is the one change that
    CloudFormation reports as drift while somebody is inside (docs/howto/access-requests.md).

    Control: identity.gate.closed
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, level: str) -> None:
        super().__init__(scope, construct_id)
        self.policy = iam.ManagedPolicy(
            self,
            "Resource",
            managed_policy_name=name,
            description=f"Refuses level {level} to every session that no live grant explains",
            statements=[
                iam.PolicyStatement(sid="NobodyIsGranted", effect=iam.Effect.DENY, actions=["*"], resources=["*"])
            ],
        )
