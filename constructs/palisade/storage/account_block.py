"""No bucket of the account can be made public, not even by whoever owns it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.compute import CustomResource, Placement


class AccountPublicAccessBlock(Construct):
    """Blocks public ACLs and policies for every bucket and access point of the account, in every region.

    Deleting the stack leaves the block in place. ``placement`` is outside any VPC.
    Control: storage.account.no-public-access

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/configuring-block-public-access-account.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, placement: Placement) -> None:
        super().__init__(scope, construct_id)
        block = CustomResource(
            self,
            "Resource",
            source="block_public_buckets",
            description="Blocks public access to every bucket of the account",
            placement=placement,
            properties={"AccountId": cdk.Stack.of(self).account},
            statements=[
                iam.PolicyStatement(sid="BlockAccount", actions=["s3:PutAccountPublicAccessBlock"], resources=["*"])
            ],
        )
        acknowledge(
            block.function.component.policy.node.find_child("Resource"),
            "block_public_buckets: the account's own setting has no ARN that a policy could name.",
            "AwsSolutions-IAM5[Resource::*]",
        )
