"""The configuration of every account, readable in one."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_config as config
from aws_cdk import aws_iam as iam

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.identity import ComponentRole


class OrganizationRecord(Construct):
    """Gathers configuration and compliance of every account of the organization, in ``regions``, for reading here.

    This account must be AWS Config's delegated administrator. ``role_name`` is the role by which AWS Config learns which
    accounts there are, and does nothing else.

    Control: detection.organization.record
    https://docs.aws.amazon.com/config/latest/developerguide/aggregate-data.html
    https://docs.aws.amazon.com/config/latest/developerguide/iamrole-permissions.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, regions: Sequence[str], role_name: str
    ) -> None:
        super().__init__(scope, construct_id)
        reader = ComponentRole(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "config.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}}
            ),
            description="Lets AWS Config list the accounts of the organization",
            name=role_name,
        )
        reader.allow(
            iam.PolicyStatement(
                sid="ListAccounts",
                actions=[
                    "organizations:DescribeOrganization",
                    "organizations:ListAWSServiceAccessForOrganization",
                    "organizations:ListAccounts",
                    "organizations:ListDelegatedAdministrators",
                ],
                resources=["*"],
            )
        )
        acknowledge(
            reader.policy.node.find_child("Resource"),
            f"{role_name}: listing the accounts of an organization knows no resource, and is all that the role can do.",
            "AwsSolutions-IAM5[Resource::*]",
        )
        aggregator = config.CfnConfigurationAggregator(
            self,
            "Resource",
            configuration_aggregator_name=name,
            organization_aggregation_source=config.CfnConfigurationAggregator.OrganizationAggregationSourceProperty(
                role_arn=reader.role.role_arn, aws_regions=list(regions)
            ),
        )
        aggregator.node.add_dependency(reader)
