"""Lets the Shield Response Team help during an attack."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_shield as shield

from constructs import Construct
from palisade.acknowledge import acknowledge


class ShieldResponse(Construct):
    """The role that the Shield Response Team uses to read attack data and to change protections. One per account.

    It needs the subscription and a Business or Enterprise support plan. Proactive engagement asks for telephone numbers
    and is switched on by hand (docs/howto/domain.md).

    https://docs.aws.amazon.com/waf/latest/developerguide/ddos-srt-access.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str) -> None:
        super().__init__(scope, construct_id)
        role = iam.Role(
            self,
            "Role",
            role_name=name,
            assumed_by=iam.ServicePrincipal("drt.shield.amazonaws.com"),
            description="The Shield Response Team helps during an attack",
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AWSShieldDRTAccessPolicy")],
        )
        shield.CfnDRTAccess(self, "Resource", role_arn=role.role_arn)
        acknowledge(
            role,
            "The Shield Response Team works only through a role with this policy of AWS.",
            "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSShieldDRTAccessPolicy]",
        )
