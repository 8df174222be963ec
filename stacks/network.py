"""The stage's VPC: tiers, groups, ways out and what watches them."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ssm as ssm
from palisade.compute import Placement
from palisade.network import (
    INTERFACE_SERVICES,
    AddressPlan,
    BlockedPublicAccess,
    ClosedDefaults,
    DnsFirewall,
    EgressFirewall,
    FlowLog,
    ManagedLists,
    Perimeter,
    ResolverLog,
    ServiceEndpoints,
    Tier,
    TieredVpc,
    TierGroups,
    acl_rules,
)

from constructs import Construct
from stacks.base import StageStack
from stacks.keys import Keys
from stacks.names import Log
from stacks.settings import Deployment, Egress, Stage

APPLICATION_PORT = 8443
"""Where applications answer the load balancer, over TLS."""

DATABASE_PORT = 6432
"""Where databases answer; not PostgreSQL's default, which every scanner tries first."""


EGRESS_DOCUMENT_PATH = "/.well-known/egress-addresses.json"
"""Where the public reads :attr:`Network.egress_document`."""


class Network(StageStack):
    """One VPC over three zones; its groups and every rule between them, so that reachability is read in one place.

    IPv4 only (docs/decisions/network-ipv6.md). Everything that leaves does so from :attr:`egress_addresses`.
    """

    def __init__(self, scope: Construct, *, deployment: Deployment, stage: Stage, keys: Keys) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="network", stateful=True)
        self._keys = keys
        name = f"{self.names.prefix}-{stage.name}"
        plan = AddressPlan(stage.network)
        # These functions work before there is a VPC, and on it.
        outside = Placement(
            log_key=keys.logs.key,
            environment_key=keys.secrets.key,
            log_group_prefix=self.names.log_group("network"),
            log_days=deployment.retention.network_log_days,
        )
        network = TieredVpc(
            self,
            "Vpc",
            name=name,
            plan=plan,
            zones=deployment.home.zones,
            nat_gateways=stage.shape.nat_gateways,
            rules=acl_rules(plan, application_port=APPLICATION_PORT, database_port=DATABASE_PORT),
        )
        self.vpc: ec2.IVpc = network.vpc
        self.public_subnets = network.select(Tier.PUBLIC)
        self.application_subnets = network.select(Tier.APPLICATION)
        self.data_subnets = network.select(Tier.DATA)
        ClosedDefaults(self, "ClosedDefaults", vpc=network.resource, placement=outside)

        lists = ManagedLists(self, "ManagedLists", placement=outside)
        groups = TierGroups(
            self,
            "Groups",
            name=name,
            vpc=network.vpc,
            lists=lists,
            application_port=APPLICATION_PORT,
            database_port=DATABASE_PORT,
        )
        self.balancer_group = groups.balancer
        self.application_group = groups.application
        self.database_group = groups.database
        self.endpoint_group = groups.endpoint
        self.bastion_group = groups.bastion

        organization = deployment.organization
        ServiceEndpoints(
            self,
            "Endpoints",
            network=network,
            group=groups.endpoint,
            perimeter=Perimeter(
                organization_id=None if organization is None else organization.id, accounts=deployment.account_ids
            ),
            zones=stage.shape.endpoint_zones,
        )
        outside_names = allowed_outside_names(stage, self.region)
        DnsFirewall(
            self,
            "DnsFirewall",
            name=name,
            vpc_id=network.vpc_id,
            allowed=[*outside_names, *aws_names(stage, self.region)],
            threats=lists.threats,
        )
        if stage.shape.egress is Egress.NETWORK_FIREWALL:
            EgressFirewall(
                self,
                "EgressFirewall",
                name=name,
                network=network,
                allowed=outside_names,
                bucket_name=self.names.delivery_bucket(stage.name, Log.FIREWALL),
            )
        else:
            network.lead_out()
        BlockedPublicAccess(self, "BlockedPublicAccess", network=network)

        FlowLog(self, "FlowLog", vpc_id=network.vpc_id, bucket_name=self.names.delivery_bucket(stage.name, Log.FLOW))
        ResolverLog(
            self,
            "ResolverLog",
            name=name,
            vpc_id=network.vpc_id,
            bucket_name=self.names.delivery_bucket(stage.name, Log.RESOLVER),
        )
        self.egress_addresses = [address.attr_public_ip for address in network.addresses]
        self._publish()

    def placement(self, log_group: str) -> Placement:
        """Functions among the applications, whose server logs go to groups under ``log_group`` (``documents``)."""
        return Placement(
            log_key=self._keys.logs.key,
            environment_key=self._keys.secrets.key,
            log_group_prefix=self.names.log_group(log_group),
            log_days=self.deployment.retention.server_log_days,
            vpc=self.vpc,
            subnets=self.application_subnets,
            security_group=self.application_group,
        )

    @property
    def egress_document(self) -> str:
        """What is served at :data:`EGRESS_DOCUMENT_PATH`: the addresses as JSON, at most 1,024 bytes."""
        return cdk.Fn.join(
            "",
            [
                f'{{"stage":"{self.stage.name}","region":"{self.region}","egress_addresses":["',
                cdk.Fn.join('","', self.egress_addresses),
                '"]}',
            ],
        )

    def _publish(self) -> None:
        text = "Addresses that every connection out of the VPC comes from; customers allow-list them"
        joined = cdk.Fn.join(",", self.egress_addresses)
        cdk.CfnOutput(self, "EgressAddresses", description=text, value=joined)
        ssm.CfnParameter(
            self,
            "EgressAddressesParameter",
            name=self.names.parameter("network", "egress-addresses"),
            type="StringList",
            value=joined,
            description=text,
        )


def allowed_outside_names(stage: Stage, region: str) -> list[str]:
    """Names that workloads may call through the NAT: vendors, the log service, whoever issues tokens and knows the users."""
    users = f"cognito-idp.{region}.amazonaws.com"
    if stage.issuer is not None:
        users = stage.issuer.url.removeprefix("https://").split("/")[0]
    return sorted({*stage.vendors, users, *([] if stage.log_service is None else [stage.log_service.host])})


def aws_names(stage: Stage, region: str) -> list[str]:
    """Names inside AWS that workloads and the bastion need: the endpoints' services, S3, DynamoDB and databases.

    No wildcard over the whole region, because ``ec2-203-0-113-25.eu-west-1.compute.amazonaws.com`` is anybody's machine.
    Buckets need one; the endpoint's policy says whose buckets may be used.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/DDBEndpoints.html
    """
    return [
        *(f"{service}.{region}.amazonaws.com" for service in INTERFACE_SERVICES),
        f"s3.{region}.amazonaws.com",
        f"*.s3.{region}.amazonaws.com",
        f"s3.dualstack.{region}.amazonaws.com",
        f"*.s3.dualstack.{region}.amazonaws.com",
        f"dynamodb.{region}.amazonaws.com",
        f"{stage.account}.ddb.{region}.amazonaws.com",
        f"*.{region}.rds.amazonaws.com",
    ]
