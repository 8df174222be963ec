"""The stage's VPC: tiers, groups, ways out and what watches them."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ssm as ssm
from palisade.network import AddressPlan, FlowLog, Tier, TieredVpc, TierGroups

from constructs import Construct
from stacks.base import StageStack
from stacks.keys import Keys
from stacks.names import Log
from stacks.settings import Deployment, Stage

APPLICATION_PORT = 8443
"""Where applications answer the load balancer, over TLS."""

DATABASE_PORT = 6432
"""Where databases answer; not PostgreSQL's default, which every scanner tries first."""


class Network(StageStack):
    """One VPC over three zones; its groups and every rule between them, so that reachability is read in one place."""

    def __init__(self, scope: Construct, *, deployment: Deployment, stage: Stage, keys: Keys) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="network", stateful=True)
        self._keys = keys
        network = TieredVpc(
            self,
            "Vpc",
            name=self.names.stack(stage.name, "network"),
            plan=AddressPlan(stage.network),
            zones=deployment.home.zones,
            nat_gateways=stage.shape.nat_gateways,
        )
        self.vpc: ec2.IVpc = network.vpc
        self.public_subnets = network.select(Tier.PUBLIC)
        self.application_subnets = network.select(Tier.APPLICATION)
        self.data_subnets = network.select(Tier.DATA)

        groups = TierGroups(
            self, "Groups", vpc=network.vpc, application_port=APPLICATION_PORT, database_port=DATABASE_PORT
        )
        self.balancer_group = groups.balancer
        self.application_group = groups.application
        self.database_group = groups.database
        self.endpoint_group = groups.endpoint
        self.bastion_group = groups.bastion

        FlowLog(
            self,
            "FlowLog",
            vpc_id=network.vpc_id,
            bucket_name=self.names.delivery_bucket(stage.name, Log.FLOW),
        )
        self.egress_addresses = [address.attr_public_ip for address in network.addresses]
        cdk.CfnOutput(
            self,
            "EgressAddresses",
            description="Addresses that every connection out of the VPC comes from; customers allow-list them",
            value=cdk.Fn.join(",", self.egress_addresses),
        )
        ssm.CfnParameter(
            self,
            "EgressAddressesParameter",
            name=self.names.parameter("network", "egress-addresses"),
            type="StringList",
            value=cdk.Fn.join(",", self.egress_addresses),
            description="Addresses that every connection out of the VPC comes from",
        )
