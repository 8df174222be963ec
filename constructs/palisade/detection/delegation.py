"""The security account made administrator of every detector of the organization."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.compute import CustomResource, Placement
from palisade.detection.plans import WITHOUT_MACIE

TRUSTED_SERVICES: Sequence[str] = (
    "access-analyzer.amazonaws.com",
    "config-multiaccountsetup.amazonaws.com",
    "config.amazonaws.com",
    "guardduty.amazonaws.com",
    "iam.amazonaws.com",
    "inspector2.amazonaws.com",
    "macie.amazonaws.com",
    "malware-protection.guardduty.amazonaws.com",
    "securityhub.amazonaws.com",
)
"""Services that may look at every account of the organization.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services_list.html"""

DELEGATED_SERVICES: Sequence[str] = (
    "access-analyzer.amazonaws.com",
    "config-multiaccountsetup.amazonaws.com",
    "config.amazonaws.com",
    "iam.amazonaws.com",
    "sso.amazonaws.com",
)
"""Those whose administrator is named to Organizations, once for all regions; the others have an API of their own in each.
IAM Identity Center is let in by whoever switches it on, and by nobody else.
https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-sso.html"""


class Delegation(Construct):
    """Lets detection services into the organization and hands their administration to ``administrator`` in ``regions``.

    Also lets the management account, and the administrator, take away the root credentials of members and act as root
    for single tasks. An administrator that somebody else appointed is refused, never replaced. Deletion leaves all as it
    is: evidence is not switched off by tearing a stack down. ``administrator`` must have its detectors already.

    Security Hub's administrator is CloudFormation's own type. ``members_arn`` matches the organization's accounts,
    ``role_name`` is the function's.
    Control: detection.organization.delegated
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_delegated_admin.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        administrator: str,
        members_arn: str,
        regions: Sequence[str],
        role_name: str,
        placement: Placement,
    ) -> None:
        super().__init__(scope, construct_id)
        resource = CustomResource(
            self,
            "Resource",
            source="delegate_detection",
            description="Makes the security account administrator of the organization's detectors",
            placement=placement,
            role_name=role_name,
            properties={
                "Administrator": administrator,
                "Regions": list(regions),
                "MacieRegions": [region for region in regions if region not in WITHOUT_MACIE],
                "TrustedServices": list(TRUSTED_SERVICES),
                "DelegatedServices": list(DELEGATED_SERVICES),
            },
            statements=[
                iam.PolicyStatement(
                    sid="ReadOrganization",
                    actions=[
                        "organizations:DescribeOrganization",
                        "organizations:ListAWSServiceAccessForOrganization",
                        "organizations:ListAccounts",
                        "organizations:ListDelegatedAdministrators",
                    ],
                    resources=["*"],
                ),
                iam.PolicyStatement(
                    sid="ReadMembers", actions=["organizations:DescribeAccount"], resources=[members_arn]
                ),
                iam.PolicyStatement(
                    sid="LetServicesIn",
                    actions=["organizations:EnableAWSServiceAccess"],
                    resources=["*"],
                    conditions={"StringEquals": {"organizations:ServicePrincipal": list(TRUSTED_SERVICES)}},
                ),
                iam.PolicyStatement(
                    sid="RegisterAdministrator",
                    actions=["organizations:RegisterDelegatedAdministrator"],
                    resources=[members_arn.replace("*", administrator)],
                    conditions={"StringEquals": {"organizations:ServicePrincipal": list(DELEGATED_SERVICES)}},
                ),
                iam.PolicyStatement(
                    sid="AppointAdministrator",
                    actions=[
                        "guardduty:EnableOrganizationAdminAccount",
                        "guardduty:ListOrganizationAdminAccounts",
                        "inspector2:EnableDelegatedAdminAccount",
                        "inspector2:ListDelegatedAdminAccounts",
                        "macie2:EnableOrganizationAdminAccount",
                        "macie2:ListOrganizationAdminAccounts",
                    ],
                    resources=["*"],
                ),
                iam.PolicyStatement(
                    sid="ManageRootCentrally",
                    actions=[
                        "iam:EnableOrganizationsRootCredentialsManagement",
                        "iam:EnableOrganizationsRootSessions",
                        "iam:ListOrganizationsFeatures",
                    ],
                    resources=["*"],
                ),
                service_linked_roles(
                    "access-analyzer",
                    "config-multiaccountsetup",
                    "guardduty",
                    "inspector2",
                    "macie",
                    "malware-protection.guardduty",
                    "securityhub",
                ),
            ],
        )
        acknowledge(
            resource.function.component.policy.node.find_child("Resource"),
            "delegate_detection: settings of the organization and of each region's service have no ARN that a policy could name.",
            "AwsSolutions-IAM5[Resource::*]",
        )
        acknowledge(
            resource.function.component.policy.node.find_child("Resource"),
            "delegate_detection: services ask for facts of any member of this one organization while they are let in.",
            f"AwsSolutions-IAM5[Resource::{members_arn}]",
        )
        acknowledge(
            resource.function.component.policy.node.find_child("Resource"),
            "delegate_detection: AWS alone invents the names of service-linked roles, and the condition names the services.",
            "AwsSolutions-IAM5[Resource::arn:aws:iam::*:role/aws-service-role/*]",
        )


def service_linked_roles(*services: str) -> iam.PolicyStatement:
    """Lets a service be enabled where its own role is still missing, and no other role be made.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html
    """
    return iam.PolicyStatement(
        sid="ServiceLinkedRoles",
        actions=["iam:CreateServiceLinkedRole"],
        resources=["arn:aws:iam::*:role/aws-service-role/*"],
        conditions={"StringEquals": {"iam:AWSServiceName": [f"{service}.amazonaws.com" for service in services]}},
    )
