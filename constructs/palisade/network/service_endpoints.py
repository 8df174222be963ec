"""Private ways to the AWS services that workloads call, which lead to nobody else's resources."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from constructs import Construct
from palisade.network.address_plan import Tier
from palisade.network.perimeter import Perimeter
from palisade.network.tiered_vpc import TieredVpc
from palisade.network.update_buckets import update_buckets

INTERFACE_SERVICES = {
    "kms": "Envelope encryption in workloads, and the bastion's session encryption",
    "logs": "Session transcripts of the bastion, and agents",
    "secretsmanager": "Secrets of vendors and databases",
    "sqs": "Work handed on between functions",
    "ssm": "Parameters, and the bastion's agent",
    "ssmmessages": "The bastion's session channel",
    "sts": "Session-tagged credentials for one tenant",
}
"""Every service that something in the private subnets calls, and why. Each costs by the hour and zone.

``ec2messages`` is not among them: the agent has used ``ssmmessages`` instead since version 3.3.40.0.
https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-messageAPIs.html
"""


class ServiceEndpoints(Construct):
    """Requests through these endpoints are refused unless caller and resource belong to the perimeter.

    S3 and DynamoDB by gateway from the application tier; the services of :data:`INTERFACE_SERVICES` by interface in
    ``zones`` (1 or 3) zones. The exceptions are AWS's own: packages and patches in S3, read only, and public documents
    of Systems Manager. Control: ``network.endpoints.perimeter``.

    https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: TieredVpc,
        group: ec2.ISecurityGroup,
        perimeter: Perimeter,
        zones: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self._network = network
        self._perimeter = perimeter
        self._region = cdk.Stack.of(self).region
        self._gateway("Storage", "s3", self._packages())
        self._gateway("Tables", "dynamodb")
        for service in INTERFACE_SERVICES:
            extra = self._public_documents() if service == "ssm" else None
            self._interface(service, group, zones, extra)

    def _gateway(self, construct_id: str, service: str, *extra: iam.PolicyStatement) -> None:
        ec2.CfnVPCEndpoint(
            self,
            construct_id,
            vpc_id=self._network.vpc_id,
            vpc_endpoint_type="Gateway",
            service_name=f"com.amazonaws.{self._region}.{service}",
            route_table_ids=[table.ref for table in self._network.route_tables[Tier.APPLICATION]],
            policy_document=self._policy(service, extra),
            tags=[cdk.CfnTag(key="Name", value=f"{self._network.name}-{service}")],
        )

    def _interface(
        self, service: str, group: ec2.ISecurityGroup, zones: int, extra: iam.PolicyStatement | None
    ) -> None:
        ec2.CfnVPCEndpoint(
            self,
            service.capitalize(),
            vpc_id=self._network.vpc_id,
            vpc_endpoint_type="Interface",
            service_name=f"com.amazonaws.{self._region}.{service}",
            private_dns_enabled=True,
            subnet_ids=[subnet.ref for subnet in self._network.subnets[Tier.APPLICATION][:zones]],
            security_group_ids=[group.security_group_id],
            policy_document=self._policy(service, () if extra is None else (extra,)),
            tags=[cdk.CfnTag(key="Name", value=f"{self._network.name}-{service}")],
        )

    def _policy(self, service: str, extra: Sequence[iam.PolicyStatement]) -> iam.PolicyDocument:
        return iam.PolicyDocument(
            statements=[
                iam.PolicyStatement(
                    sid="OurPrincipalsOurResources",
                    principals=[iam.AnyPrincipal()],
                    actions=[f"{service}:*"],
                    resources=["*"],
                    conditions={"StringEquals": {**self._perimeter.principals, **self._perimeter.resources}},
                ),
                *extra,
            ]
        )

    def _packages(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid="PackagesAndPatchesOfAws",
            # Package managers and the agent ask without a signature, so there is no principal to hold to.
            principals=[iam.AnyPrincipal()],
            actions=["s3:GetObject"],
            resources=[f"arn:aws:s3:::{bucket}/*" for bucket in update_buckets(self._region)],
        )

    def _public_documents(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid="PublicDocumentsOfAws",
            principals=[iam.AnyPrincipal()],
            actions=["ssm:DescribeDocument", "ssm:GetDocument", "ssm:GetParameter", "ssm:GetParameters"],
            resources=[f"arn:aws:ssm:{self._region}::document/*", f"arn:aws:ssm:{self._region}::parameter/aws/*"],
            conditions={"StringEquals": self._perimeter.principals},
        )
