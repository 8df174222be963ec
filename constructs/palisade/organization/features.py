"""What an organization must have switched on before policies and services can work in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.compute import CustomResource, Placement
from palisade.organization.guardrail import PolicyType


class OrganizationFeatures(Construct):
    """Enables policy types, trusted access of services, and their delegated administrators; never disables any.

    In the management account. ``trusted_services`` are service principals; ``delegated_administrators`` maps a service
    principal to the account that administers it. ``placement`` is outside any VPC; the
    permissions boundary lets roles called ``role_name`` govern.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_EnablePolicyType.html
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_EnableAWSServiceAccess.html
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_RegisterDelegatedAdministrator.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        organization_id: str,
        policy_types: Sequence[PolicyType],
        trusted_services: Sequence[str] = (),
        delegated_administrators: Mapping[str, str] | None = None,
        placement: Placement,
        role_name: str,
    ) -> None:
        super().__init__(scope, construct_id)
        administrators = dict(delegated_administrators or {})
        services = sorted({*trusted_services, *administrators})
        here = f"arn:aws:organizations::{cdk.Stack.of(self).account}"
        root = f"{here}:root/{organization_id}/r-*"
        member = f"{here}:account/{organization_id}/*"
        statements = [
            iam.PolicyStatement(sid="Roots", actions=["organizations:ListRoots"], resources=["*"]),
            iam.PolicyStatement(sid="PolicyTypes", actions=["organizations:EnablePolicyType"], resources=[root]),
        ]
        wildcards = {"Resource::*", f"Resource::{root}"}
        if services:
            statements.append(
                iam.PolicyStatement(
                    sid="TrustedServices",
                    actions=["organizations:EnableAWSServiceAccess"],
                    resources=["*"],
                    conditions={"StringEquals": {"organizations:ServicePrincipal": services}},
                )
            )
        if administrators:
            wildcards.add(f"Resource::{member}")
            statements += [
                iam.PolicyStatement(
                    sid="Administrators",
                    actions=["organizations:RegisterDelegatedAdministrator"],
                    resources=[member],
                    conditions={"StringEquals": {"organizations:ServicePrincipal": sorted(administrators)}},
                ),
                iam.PolicyStatement(
                    sid="KnownAdministrators", actions=["organizations:ListDelegatedAdministrators"], resources=["*"]
                ),
            ]
        self.resource = CustomResource(
            self,
            "Resource",
            source="set_organization_features",
            description="Enables policy types and services of the organization",
            placement=placement,
            role_name=role_name,
            properties={
                "PolicyTypes": sorted(policy_type.value for policy_type in policy_types),
                "TrustedServices": services,
                "DelegatedAdministrators": administrators,
            },
            statements=statements,
        )
        acknowledge(
            self.resource.function.component.policy.node.find_child("Resource"),
            "set_organization_features: the organization has one root, whose id the function asks for; trusted access and "
            "the list of roots have no ARN that a policy could name.",
            *(f"AwsSolutions-IAM5[{wildcard}]" for wildcard in sorted(wildcards)),
        )
