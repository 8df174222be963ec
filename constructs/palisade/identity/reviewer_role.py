"""The role by which reviews read an account's identities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.identity.component_role import ComponentRole


@dataclass(frozen=True, kw_only=True)
class Directory:
    """What Identity Center calls its instance and its store."""

    instance_arn: str
    store_id: str


class ReviewerRole(Construct):
    """Reads who may do what in this account and what of it was used; changes nothing, and reads nobody's data.

    Only the role ``reader_arn`` of another account of ``organization_id`` may assume it, and only with ``external_id``. It is
    named in a condition, so that this role can be made before it. With ``directory`` it also reads who is in which group and
    assigned what.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiamidentitycenter.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        reader_arn: str,
        organization_id: str,
        external_id: str,
        directory: Directory | None,
    ) -> None:
        super().__init__(scope, construct_id)
        component = ComponentRole(
            self,
            "Role",
            assumed_by=iam.PrincipalWithConditions(
                iam.AccountPrincipal(reader_arn.split(":")[4]),
                {
                    "StringEquals": {"aws:PrincipalOrgID": organization_id, "sts:ExternalId": external_id},
                    "ArnEquals": {"aws:PrincipalArn": reader_arn},
                },
            ),
            description="Access reviews read who may do what",
            name=name,
        )
        account = cdk.Stack.of(self).account
        identities = [f"arn:aws:iam::{account}:role/*", f"arn:aws:iam::{account}:user/*"]
        # Those of AWS belong to no account.
        policies = "arn:aws:iam::*:policy/*"
        component.allow(
            iam.PolicyStatement(
                sid="ReadIdentities",
                actions=[
                    "iam:GenerateCredentialReport",
                    "iam:GetAccountAuthorizationDetails",
                    "iam:GetAccountSummary",
                    "iam:GetCredentialReport",
                    "iam:GetServiceLastAccessedDetails",
                ],
                resources=["*"],
            ),
            iam.PolicyStatement(
                sid="AskWhatWasUsed", actions=["iam:GenerateServiceLastAccessedDetails"], resources=identities
            ),
            iam.PolicyStatement(
                sid="ReadPolicies", actions=["iam:GetPolicy", "iam:GetPolicyVersion"], resources=[policies]
            ),
            iam.PolicyStatement(sid="ReadSignIns", actions=["cloudtrail:LookupEvents"], resources=["*"]),
        )
        wide = ["*", *identities, policies]
        if directory is not None:
            wide += _read(component, directory, account)
        acknowledge(
            component.policy,
            f"{name} of {account}: it reads lists of the whole account, which have no resource, and of whatever identities "
            "there are.",
            *(f"AwsSolutions-IAM5[Resource::{arn}]" for arn in wide),
        )


def _read(component: ComponentRole, directory: Directory, account: str) -> Sequence[str]:
    instance = directory.instance_arn.rpartition("/")[2]
    sets, accounts = f"arn:aws:sso:::permissionSet/{instance}/*", "arn:aws:sso:::account/*"
    members = [f"arn:aws:identitystore:::{kind}/*" for kind in ("group", "membership", "user")]
    component.allow(
        iam.PolicyStatement(
            sid="ReadAssignments",
            actions=[
                "sso:DescribePermissionSet",
                "sso:ListAccountAssignments",
                "sso:ListAccountsForProvisionedPermissionSet",
                "sso:ListPermissionSets",
            ],
            resources=[directory.instance_arn, sets, accounts],
        ),
        iam.PolicyStatement(
            sid="ReadPeople",
            actions=["identitystore:ListGroupMemberships", "identitystore:ListGroups", "identitystore:ListUsers"],
            resources=[f"arn:aws:identitystore::{account}:identitystore/{directory.store_id}", *members],
        ),
    )
    return [sets, accounts, *members]
