"""Ids of address and domain lists that AWS keeps up to date."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from constructs import Construct
from palisade.compute import CustomResource, Placement

THREATS = {
    "AggregateThreats": "AWSManagedDomainsAggregateThreatList",
    "GuardDutyThreats": "AWSManagedDomainsAmazonGuardDutyThreatList",
}
"""https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall-managed-domain-lists.html"""


class ManagedLists(Construct):
    """Looks up, when the stack is deployed, the ids that AWS gave its lists in this region.

    https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, placement: Placement) -> None:
        super().__init__(scope, construct_id)
        found = CustomResource(
            self,
            "Resource",
            source="find_managed_ids",
            description="Finds the ids of lists that AWS manages in this region",
            placement=placement,
            properties={
                "PrefixLists": {
                    "CloudFront": "com.amazonaws.global.cloudfront.origin-facing",
                    "Storage": f"com.amazonaws.{cdk.Stack.of(self).region}.s3",
                },
                "DomainLists": THREATS,
            },
            statements=[
                iam.PolicyStatement(
                    sid="ReadLists",
                    actions=["ec2:DescribeManagedPrefixLists", "route53resolver:ListFirewallDomainLists"],
                    resources=["*"],
                )
            ],
        )
        self.cloudfront = found.attribute("CloudFront")
        """Addresses from which CloudFront calls origins."""
        self.storage = found.attribute("Storage")
        """Addresses of S3 in this region."""
        self.threats = {name: found.attribute(name) for name in THREATS}
        """Domains of malware, botnets and the like."""
