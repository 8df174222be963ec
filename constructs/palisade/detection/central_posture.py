"""Security Hub of the whole organization, configured in one place and read in one region."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_securityhub as securityhub

from constructs import Construct
from palisade.detection.plans import standards


class CentralPosture(Construct):
    """Every account under ``root_id`` is held against the standards, with every control on, and findings of
    ``linked_regions`` are gathered here.

    Must stand in the home region of the delegated administrator. Members cannot change what the policy says.

    Control: detection.organization.posture
    https://docs.aws.amazon.com/securityhub/latest/userguide/central-configuration-intro.html
    https://docs.aws.amazon.com/securityhub/latest/userguide/finding-aggregation.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, root_id: str, linked_regions: Sequence[str]) -> None:
        super().__init__(scope, construct_id)
        aggregator = securityhub.CfnFindingAggregator(
            self, "Aggregator", region_linking_mode="SPECIFIED_REGIONS", regions=list(linked_regions)
        )
        # Central configuration exists only where findings are gathered.
        central = securityhub.CfnOrganizationConfiguration(
            self, "Organization", auto_enable=False, auto_enable_standards="NONE", configuration_type="CENTRAL"
        )
        central.add_resource_dependency(aggregator)
        policy = securityhub.CfnConfigurationPolicy(
            self,
            "Policy",
            name="every-account",
            description="Security Hub and both standards, every control on, in every account",
            configuration_policy=securityhub.CfnConfigurationPolicy.PolicyProperty(
                security_hub=securityhub.CfnConfigurationPolicy.SecurityHubPolicyProperty(
                    service_enabled=True,
                    enabled_standard_identifiers=standards(cdk.Stack.of(self).region),
                    security_controls_configuration=securityhub.CfnConfigurationPolicy.SecurityControlsConfigurationProperty(
                        disabled_security_control_identifiers=[]
                    ),
                )
            ),
        )
        policy.add_resource_dependency(central)
        securityhub.CfnPolicyAssociation(
            self, "EveryAccount", configuration_policy_id=policy.attr_id, target_id=root_id, target_type="ROOT"
        )
        for resource in (aggregator, central):
            resource.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
