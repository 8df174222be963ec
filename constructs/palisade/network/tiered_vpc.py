"""A VPC of three zones whose tiers have subnets, routes and network ACLs of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from constructs import Construct
from palisade.acknowledge import acknowledge, in_packs
from palisade.network.acl_rules import ANYWHERE, AclRules
from palisade.network.address_plan import AddressPlan, Tier
from palisade.network.network_acl import NetworkAcl


class TieredVpc(Construct):
    """Load balancers face the internet; NAT gateways lead out; applications sit behind both; data has no way out.

    ``zones`` are three availability zones by name; ``nat_gateways`` is one (in the first zone) or three. The NAT
    gateways' addresses are retained for good, because customers allow-list them. Applications have no way out until
    :meth:`lead_out` gives them one.

    Controls: ``network.tiers.isolated``, ``network.egress.static-addresses``.
    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-example-private-subnets-nat.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        plan: AddressPlan,
        zones: Sequence[str],
        nat_gateways: int,
        rules: Mapping[Tier, AclRules],
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = name
        self._rules = rules
        self._plan = plan
        self._zones = tuple(zones)
        self.resource = ec2.CfnVPC(
            self,
            "Resource",
            cidr_block=str(plan.block),
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=[cdk.CfnTag(key="Name", value=name)],
        )
        acknowledge(
            self.resource,
            f"{name}: the default security group loses all its rules through the ClosedDefaults resource, which the rule "
            "cannot see.",
            *in_packs("VPCDefaultSecurityGroupClosed"),
        )
        self._gateway = ec2.CfnInternetGateway(self, "InternetGateway", tags=[cdk.CfnTag(key="Name", value=name)])
        self._attachment = ec2.CfnVPCGatewayAttachment(
            self, "InternetGatewayAttachment", vpc_id=self.vpc_id, internet_gateway_id=self._gateway.ref
        )

        self.subnets: dict[Tier, list[ec2.CfnSubnet]] = {}
        self.route_tables: dict[Tier, list[ec2.CfnRouteTable]] = {}
        everywhere, where_nat = range(len(self._zones)), range(nat_gateways)
        self._tier(Tier.PUBLIC, everywhere, own_tables=False)
        self._tier(Tier.EGRESS, where_nat, own_tables=True)
        self._tier(Tier.APPLICATION, everywhere, own_tables=True)
        self._tier(Tier.DATA, everywhere, own_tables=False)

        self.addresses: list[ec2.CfnEIP] = []
        self.nat_gateways: list[ec2.CfnNatGateway] = []
        for zone in where_nat:
            self._nat_gateway(zone)
        self._to_internet("Public", self.route_tables[Tier.PUBLIC][0])
        for zone in where_nat:
            self._to_internet(f"Egress{zone + 1}", self.route_tables[Tier.EGRESS][zone])
        application, data, public = Tier.APPLICATION, Tier.DATA, Tier.PUBLIC
        self.vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "Reference",
            vpc_id=self.vpc_id,
            vpc_cidr_block=str(plan.block),
            availability_zones=list(self._zones),
            public_subnet_ids=self._ids(public),
            public_subnet_names=[public.value],
            public_subnet_route_table_ids=self._tables(public),
            private_subnet_ids=self._ids(application),
            private_subnet_names=[application.value],
            private_subnet_route_table_ids=self._tables(application),
            isolated_subnet_ids=self._ids(data),
            isolated_subnet_names=[data.value],
            isolated_subnet_route_table_ids=self._tables(data),
        )

    @property
    def vpc_id(self) -> str:
        """The VPC's id."""
        return self.resource.ref

    def add_firewall_tier(self) -> list[ec2.CfnSubnet]:
        """Make subnets for firewall endpoints, one in each zone that has a NAT gateway."""
        self._tier(Tier.FIREWALL, range(len(self.nat_gateways)), own_tables=True)
        return self.subnets[Tier.FIREWALL]

    def lead_out(self, *, through: Sequence[str] = ()) -> None:
        """Route applications to the NAT gateway of their zone, or to the only one.

        With firewall endpoints to go ``through``, one for each NAT gateway, both the way out and the way back pass
        the same endpoint, as a firewall that remembers connections must see both.
        https://docs.aws.amazon.com/network-firewall/latest/developerguide/vpc-config-route-tables.html
        """
        for zone, table in enumerate(self.route_tables[Tier.APPLICATION]):
            exit_zone = zone % len(self.nat_gateways)
            nat = self.nat_gateways[exit_zone].ref
            self._route(
                f"ApplicationDefaultRoute{zone + 1}",
                table,
                ANYWHERE,
                nat_gateway_id=None if through else nat,
                vpc_endpoint_id=through[exit_zone] if through else None,
            )
            if through:
                self._route(
                    f"EgressReturnRoute{zone + 1}",
                    self.route_tables[Tier.EGRESS][exit_zone],
                    str(self._plan.subnet(Tier.APPLICATION, zone)),
                    vpc_endpoint_id=through[exit_zone],
                )
        for zone, _ in enumerate(through):
            self._route(
                f"FirewallDefaultRoute{zone + 1}",
                self.route_tables[Tier.FIREWALL][zone],
                ANYWHERE,
                nat_gateway_id=self.nat_gateways[zone].ref,
            )

    def _route(
        self,
        construct_id: str,
        table: ec2.CfnRouteTable,
        block: str,
        *,
        nat_gateway_id: str | None = None,
        vpc_endpoint_id: str | None = None,
    ) -> None:
        ec2.CfnRoute(
            self,
            construct_id,
            route_table_id=table.ref,
            destination_cidr_block=block,
            nat_gateway_id=nat_gateway_id,
            vpc_endpoint_id=vpc_endpoint_id,
        )

    def select(self, tier: Tier) -> ec2.SubnetSelection:
        """The public, application or data subnets, for whatever is placed there."""
        return ec2.SubnetSelection(subnet_group_name=tier.value)

    def _ids(self, tier: Tier) -> list[str]:
        return [subnet.ref for subnet in self.subnets[tier]]

    def _tables(self, tier: Tier) -> list[str]:
        tables = self.route_tables[tier]
        return [tables[min(zone, len(tables) - 1)].ref for zone in range(len(self._zones))]

    def _tier(self, tier: Tier, zones: Sequence[int], *, own_tables: bool) -> None:
        title = tier.value.capitalize()
        self.subnets[tier], self.route_tables[tier] = [], []
        for zone in zones:
            name = f"{self.name}-{tier.value}-{self._zones[zone][-1]}"
            if own_tables or not self.route_tables[tier]:
                table_name = name if own_tables else f"{self.name}-{tier.value}"
                self.route_tables[tier].append(
                    ec2.CfnRouteTable(
                        self,
                        f"{title}RouteTable{zone + 1}" if own_tables else f"{title}RouteTable",
                        vpc_id=self.vpc_id,
                        tags=[cdk.CfnTag(key="Name", value=table_name)],
                    )
                )
            subnet = ec2.CfnSubnet(
                self,
                f"{title}Subnet{zone + 1}",
                vpc_id=self.vpc_id,
                availability_zone=self._zones[zone],
                cidr_block=str(self._plan.subnet(tier, zone)),
                map_public_ip_on_launch=False,
                tags=[cdk.CfnTag(key="Name", value=name), cdk.CfnTag(key="palisade:tier", value=tier.value)],
            )
            self.subnets[tier].append(subnet)
            acknowledge(
                subnet,
                f"{name}: zones are configuration, written down so that synthesis needs no lookup and every zone is known.",
                "CloudFormation-Validate::W3010",
            )
            ec2.CfnSubnetRouteTableAssociation(
                self,
                f"{title}RouteTableAssociation{zone + 1}",
                subnet_id=subnet.ref,
                route_table_id=self.route_tables[tier][-1].ref,
            )
        NetworkAcl(
            self,
            f"{title}Acl",
            name=f"{self.name}-{tier.value}",
            vpc_id=self.vpc_id,
            rules=self._rules[tier],
            subnets=self.subnets[tier],
        )

    def _nat_gateway(self, zone: int) -> None:
        name = f"{self.name}-egress-{self._zones[zone][-1]}"
        address = ec2.CfnEIP(self, f"EgressAddress{zone + 1}", domain="vpc", tags=[cdk.CfnTag(key="Name", value=name)])
        address.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        address.add_resource_dependency(self._attachment)
        self.addresses.append(address)
        self.nat_gateways.append(
            ec2.CfnNatGateway(
                self,
                f"NatGateway{zone + 1}",
                allocation_id=address.attr_allocation_id,
                subnet_id=self.subnets[Tier.EGRESS][zone].ref,
                tags=[cdk.CfnTag(key="Name", value=name)],
            )
        )

    def _to_internet(self, title: str, table: ec2.CfnRouteTable) -> None:
        route = ec2.CfnRoute(
            self,
            f"{title}DefaultRoute",
            route_table_id=table.ref,
            destination_cidr_block=ANYWHERE,
            gateway_id=self._gateway.ref,
        )
        route.add_resource_dependency(self._attachment)
        acknowledge(
            route,
            f"{title} of {self.name}: this tier exists to face the internet; its network ACL and its only inhabitants "
            "limit what passes.",
            *in_packs("VPCNoUnrestrictedRouteToIGW"),
        )
