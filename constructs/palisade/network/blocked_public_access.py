"""The account-wide switch that keeps VPCs off the internet, and the subnets that are exempt."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2

from constructs import Construct
from palisade.network.address_plan import Tier
from palisade.network.tiered_vpc import TieredVpc


class BlockedPublicAccess(Construct):
    """In this account and region no VPC reaches or is reached from the internet, whatever its routes and groups say,
    except that load balancer subnets do both, and NAT and firewall subnets reach out. Make it after every tier.

    Control: ``network.public-access.blocked``.
    https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, network: TieredVpc) -> None:
        super().__init__(scope, construct_id)
        block = ec2.CfnVPCBlockPublicAccessOptions(self, "Resource", internet_gateway_block_mode="block-bidirectional")
        for tier, mode in (
            (Tier.PUBLIC, "allow-bidirectional"),
            (Tier.EGRESS, "allow-egress"),
            (Tier.FIREWALL, "allow-egress"),
        ):
            for place, subnet in enumerate(network.subnets.get(tier, []), start=1):
                exempt = ec2.CfnVPCBlockPublicAccessExclusion(
                    self,
                    f"{tier.value.capitalize()}{place}",
                    subnet_id=subnet.ref,
                    internet_gateway_exclusion_mode=mode,
                )
                # Otherwise a stage that is already running would be cut off for a while.
                block.add_resource_dependency(exempt)
