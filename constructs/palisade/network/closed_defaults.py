"""The security group and network ACL that every VPC is born with, closed."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from constructs import Construct
from palisade.compute import CustomResource, Placement


class ClosedDefaults(Construct):
    """Takes every rule from the VPC's default security group and default network ACL, so that forgetting to choose one
    connects nothing to anything.

    The function may change exactly these two. Controls: ``network.default-group.closed``, ``network.default-acl.closed``.
    https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-2
    """

    def __init__(self, scope: Construct, construct_id: str, *, vpc: ec2.CfnVPC, placement: Placement) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        group_id, acl_id = vpc.attr_default_security_group, vpc.attr_default_network_acl
        place = f"arn:aws:ec2:{stack.region}:{stack.account}"
        CustomResource(
            self,
            "Resource",
            source="close_defaults",
            description="Closes the default security group and network ACL of the VPC",
            placement=placement,
            properties={"SecurityGroupId": group_id, "NetworkAclId": acl_id},
            statements=[
                iam.PolicyStatement(
                    sid="ReadGroupsAndAcls",
                    actions=["ec2:DescribeNetworkAcls", "ec2:DescribeSecurityGroups"],
                    resources=["*"],
                ),
                iam.PolicyStatement(
                    sid="CloseDefaultGroup",
                    actions=["ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"],
                    resources=[f"{place}:security-group/{group_id}"],
                ),
                iam.PolicyStatement(
                    sid="CloseDefaultAcl",
                    actions=["ec2:DeleteNetworkAclEntry"],
                    resources=[f"{place}:network-acl/{acl_id}"],
                ),
            ],
        )
