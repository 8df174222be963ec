"""The hand that opens and closes the gates of a stage."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.identity import ComponentRole


class Gatekeeper(Construct):
    """A role ``name`` that rewrites the policies ``gates`` and ends sessions on machines, and can do nothing else.

    Only the role ``enforcer`` of another account assumes it. That stands in a condition, so that this role can be made
    before that one. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html

    Control: identity.gate.keeper
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, enforcer: str, gates: Sequence[str]) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        self.component = ComponentRole(
            self,
            "Role",
            assumed_by=iam.AccountPrincipal(enforcer.split(":")[4]).with_conditions(
                {"ArnEquals": {"aws:PrincipalArn": enforcer}}
            ),
            description="Opens and closes the levels of this stage",
            name=name,
        )
        sessions = f"arn:aws:ssm:{stack.region}:{stack.account}:session/*"
        self.component.allow(
            iam.PolicyStatement(
                sid="Gates",
                actions=[
                    "iam:CreatePolicyVersion",
                    "iam:DeletePolicyVersion",
                    "iam:GetPolicy",
                    "iam:GetPolicyVersion",
                    "iam:ListPolicyVersions",
                ],
                resources=[f"arn:aws:iam::{stack.account}:policy/{gate}" for gate in gates],
            ),
            iam.PolicyStatement(sid="FindSessions", actions=["ssm:DescribeSessions"], resources=["*"]),
            iam.PolicyStatement(sid="EndSessions", actions=["ssm:TerminateSession"], resources=[sessions]),
        )
        acknowledge(
            self.component.policy,
            f"{name}: Session Manager names sessions as they begin, and lists them all or none.",
            "AwsSolutions-IAM5[Resource::*]",
            f"AwsSolutions-IAM5[Resource::{sessions}]",
        )
