"""The security groups of the tiers and every rule between them, in one place."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from constructs import Construct
from palisade.network.acl_rules import ANYWHERE
from palisade.network.managed_lists import ManagedLists

_HTTPS = 443
_NOTHING = ec2.CfnSecurityGroup.EgressProperty(
    ip_protocol="icmp", from_port=252, to_port=86, cidr_ip="255.255.255.255/32", description="Disallow all traffic"
)
"""A group without any outbound rule would get one from AWS that allows everything."""


class TierGroups(Construct):
    """Who may open a connection to whom; what is not written here is refused.

    Of the internet only CloudFront reaches anything: load balancers, over TLS. Applications call out over TLS only, and
    what they reach there is for the DNS firewall and the egress firewall to say.

    Other stacks use the groups as they are: :attr:`balancer` and so on are immutable, so that nothing adds a rule.
    Control: ``network.groups.least-reach``.
    https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        vpc: ec2.IVpc,
        lists: ManagedLists,
        application_port: int,
        database_port: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        self._vpc = vpc
        balancer = self._group("Balancer", "Load balancers")
        application = self._group("Application", "Application functions and machines")
        database = self._group("Database", "Databases")
        endpoint = self._group("Endpoint", "Interface endpoints of AWS services")
        bastion = self._group("Bastion", "Bastion")

        self._connect(balancer, application, application_port, "Load balancer to application")
        self._connect(application, database, database_port, "Application to database")
        # The application's way to anywhere, below, is also its way to the endpoints.
        self._admit(application, endpoint, _HTTPS, "Application to AWS services")
        self._connect(bastion, database, database_port, "Forwarded sessions to database")
        self._connect(bastion, endpoint, _HTTPS, "Bastion to AWS services")
        ec2.CfnSecurityGroupIngress(
            self,
            "BalancerFromCloudFront",
            group_id=balancer.attr_group_id,
            ip_protocol="tcp",
            from_port=_HTTPS,
            to_port=_HTTPS,
            source_prefix_list_id=lists.cloudfront,
            description="CloudFront",
        )
        ec2.CfnSecurityGroupEgress(
            self,
            "ApplicationToAnywhere",
            group_id=application.attr_group_id,
            ip_protocol="tcp",
            from_port=_HTTPS,
            to_port=_HTTPS,
            cidr_ip=ANYWHERE,
            description="Allowed vendors, S3 and DynamoDB",
        )
        ec2.CfnSecurityGroupEgress(
            self,
            "BastionToStorage",
            group_id=bastion.attr_group_id,
            ip_protocol="tcp",
            from_port=_HTTPS,
            to_port=_HTTPS,
            destination_prefix_list_id=lists.storage,
            description="Packages, patches and session logs",
        )

        self.balancer = self._immutable(balancer)
        self.application = self._immutable(application)
        self.database = self._immutable(database)
        self.endpoint = self._immutable(endpoint)
        self.bastion = self._immutable(bastion)

    def _group(self, construct_id: str, description: str) -> ec2.CfnSecurityGroup:
        return ec2.CfnSecurityGroup(
            self,
            construct_id,
            vpc_id=self._vpc.vpc_id,
            group_description=description,
            security_group_egress=[_NOTHING],
            tags=[cdk.CfnTag(key="Name", value=f"{self._name}-{construct_id.lower()}")],
        )

    def _connect(self, source: ec2.CfnSecurityGroup, target: ec2.CfnSecurityGroup, port: int, description: str) -> None:
        ec2.CfnSecurityGroupEgress(
            self,
            f"{source.node.id}To{target.node.id}",
            group_id=source.attr_group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            destination_security_group_id=target.attr_group_id,
            description=description,
        )
        self._admit(source, target, port, description)

    def _admit(self, source: ec2.CfnSecurityGroup, target: ec2.CfnSecurityGroup, port: int, description: str) -> None:
        ec2.CfnSecurityGroupIngress(
            self,
            f"{target.node.id}From{source.node.id}",
            group_id=target.attr_group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            source_security_group_id=source.attr_group_id,
            description=description,
        )

    def _immutable(self, group: ec2.CfnSecurityGroup) -> ec2.ISecurityGroup:
        return ec2.SecurityGroup.from_security_group_id(
            self, f"{group.node.id}Reference", group.attr_group_id, mutable=False
        )
