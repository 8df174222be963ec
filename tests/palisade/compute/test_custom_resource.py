"""The custom resource: runs where CloudFormation can be answered."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from palisade.compute import CustomResource, Placement


def test_refuses_to_run_inside_a_vpc() -> None:
    stack = cdk.Stack(cdk.App(), "Stack")
    key = kms.Key(stack, "Key")
    vpc = ec2.Vpc.from_vpc_attributes(stack, "Vpc", vpc_id="vpc-1", availability_zones=["eu-central-1a"])
    placement = Placement(
        log_key=key,
        environment_key=key,
        log_group_prefix="/test",
        log_days=7,
        vpc=vpc,
        subnets=ec2.SubnetSelection(),
        security_group=ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1"),
    )
    with pytest.raises(ValueError, match="outside any VPC"):
        CustomResource(
            stack,
            "Custom",
            source="close_defaults",
            description="d",
            placement=placement,
            properties={},
            statements=[],
        )


def test_placement_refuses_half_a_network() -> None:
    stack = cdk.Stack(cdk.App(), "Stack")
    key = kms.Key(stack, "Key")
    with pytest.raises(ValueError, match="go together"):
        Placement(log_key=key, environment_key=key, log_group_prefix="/test", log_days=7, subnets=ec2.SubnetSelection())
