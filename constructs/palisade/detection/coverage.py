"""Every account brought under the detectors that CloudFormation cannot configure."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.compute import CustomResource, Placement
from palisade.detection.delegation import service_linked_roles
from palisade.detection.plans import GUARDDUTY_PLANS, INSPECTOR_SCANS, WITHOUT_MACIE

_SCANNING = ["inspector2:BatchGetAccountStatus", "inspector2:Enable"]
_MEMBERS = [
    "guardduty:DescribeOrganizationConfiguration",
    "guardduty:ListDetectors",
    "guardduty:UpdateOrganizationConfiguration",
    "inspector2:AssociateMember",
    "inspector2:ListMembers",
    "inspector2:UpdateOrganizationConfiguration",
    "macie2:BatchUpdateAutomatedDiscoveryAccounts",
    "macie2:ListMembers",
    "macie2:UpdateAutomatedDiscoveryConfiguration",
    "macie2:UpdateOrganizationConfiguration",
]


class Coverage(Construct):
    """Inspector scans machines, images and functions of ``accounts`` in ``regions``.

    ``members_arn`` matches the accounts of an organization that this account administers: GuardDuty with every
    protection plan, Inspector and Macie then cover those that exist and those that join, and Macie samples the buckets of
    ``data_accounts``. Without it, ``accounts`` is this account alone. Deletion leaves all on. ``role_name`` is the
    function's.

    Control: detection.organization.coverage
    https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_organizations.html
    https://docs.aws.amazon.com/inspector/latest/user/managing-multiple-accounts.html
    https://docs.aws.amazon.com/macie/latest/user/accounts-mgmt-ao-integrate.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        accounts: Sequence[str],
        data_accounts: Sequence[str],
        regions: Sequence[str],
        members_arn: str | None,
        role_name: str,
        placement: Placement,
    ) -> None:
        super().__init__(scope, construct_id)
        statements = [
            iam.PolicyStatement(
                sid="Cover", actions=sorted(_SCANNING + (_MEMBERS if members_arn else [])), resources=["*"]
            ),
            service_linked_roles("inspector2", "agentless.inspector2"),
        ]
        members = f"arn:aws:macie2:*:{cdk.Stack.of(self).account}:member/*"
        if members_arn is not None:
            statements += [
                iam.PolicyStatement(
                    sid="ReadOrganization",
                    actions=["organizations:DescribeOrganization", "organizations:ListAccounts"],
                    resources=["*"],
                ),
                iam.PolicyStatement(
                    sid="ReadMembers", actions=["organizations:DescribeAccount"], resources=[members_arn]
                ),
                iam.PolicyStatement(sid="TakeMembersIn", actions=["macie2:CreateMember"], resources=[members]),
            ]
        resource = CustomResource(
            self,
            "Resource",
            source="cover_accounts",
            description="Brings every account under GuardDuty, Inspector and Macie",
            placement=placement,
            role_name=role_name,
            properties={
                "Accounts": list(accounts),
                "DataAccounts": list(data_accounts),
                "Regions": list(regions),
                "MacieRegions": [region for region in regions if region not in WITHOUT_MACIE],
                "Scans": list(INSPECTOR_SCANS),
                "OfOrganization": "true" if members_arn else "false",
                **({"Plans": {plan: list(agents) for plan, agents in GUARDDUTY_PLANS.items()}} if members_arn else {}),
            },
            statements=statements,
        )
        acknowledge(
            resource.function.component.policy.node.find_child("Resource"),
            "cover_accounts: a region's scanning, and members of a detector, have no ARN that a policy could name beforehand.",
            "AwsSolutions-IAM5[Resource::*]",
        )
        if members_arn is not None:
            acknowledge(
                resource.function.component.policy.node.find_child("Resource"),
                "cover_accounts: whoever is a member of the one organization is covered, those that join later too.",
                f"AwsSolutions-IAM5[Resource::{members_arn}]",
                f"AwsSolutions-IAM5[Resource::{members}]",
            )
        acknowledge(
            resource.function.component.policy.node.find_child("Resource"),
            "cover_accounts: AWS alone invents the names of service-linked roles; the condition lets Inspector make its own.",
            "AwsSolutions-IAM5[Resource::arn:aws:iam::*:role/aws-service-role/*]",
        )
