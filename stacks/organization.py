"""The organization: a unit for each purpose, the accounts in them, and the guardrails on top."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_organizations as organizations
from palisade.compute import Placement
from palisade.keys import CustomerKey
from palisade.network import update_buckets
from palisade.organization import (
    AccountPlacements,
    AttachedGuardrails,
    Guardrail,
    OrganizationFeatures,
    PolicyType,
    encryption,
    evidence,
    identities,
    live,
    machines,
    membership,
    people,
    perimeter,
    principals,
    regions,
    sharing,
)

from constructs import Construct
from stacks.base import PalisadeStack
from stacks.names import Unit
from stacks.settings import AccountId, Deployment, Organization, Stage, Standing


class OrganizationGuardrails(PalisadeStack):
    """Units under the organization's root (or under the unit that ``root_id`` names), every account of the deployment in
    its own, new accounts where nothing can be done in them yet, and guardrails on each.

    Accounts and units outlive the stack. The management account is bound by none of this.
    https://docs.aws.amazon.com/whitepapers/latest/organizing-your-aws-environment/recommended-ous-and-accounts.html
    """

    def __init__(
        self, scope: Construct, *, deployment: Deployment, organization: Organization, management: AccountId
    ) -> None:
        super().__init__(
            scope, deployment=deployment, owner="management", subject="organization", account=management, stateful=True
        )
        key = CustomerKey(
            self,
            "Key",
            alias=self.names.key_alias("organization"),
            description="management: logs and environments of the organization's functions",
            used_through=["lambda"],
        )
        key.allow_log_groups()
        placement = Placement(
            log_key=key.key,
            environment_key=key.key,
            log_group_prefix=self.names.log_group("organization"),
            log_days=deployment.retention.audit_log_days,
        )
        features = OrganizationFeatures(
            self,
            "Features",
            organization_id=organization.id,
            policy_types=list(PolicyType),
            trusted_services=["cloudtrail.amazonaws.com"],
            placement=placement,
            role_name=self.names.governor("features"),
        )
        self._organization = organization
        units = {name: self._unit(name) for name in self.names.units}
        own = principals.Deployment(prefix=deployment.prefix, name=deployment.name)
        attached = [
            self._attach("Root", "root", organization.root_id, self._everywhere(own)),
            self._attach("Security", Unit.SECURITY, units[Unit.SECURITY], self._security(own)),
            self._attach("Infrastructure", Unit.INFRASTRUCTURE, units[Unit.INFRASTRUCTURE], self._infrastructure(own)),
            self._attach("Suspended", Unit.SUSPENDED, units[Unit.SUSPENDED], [machines.suspended()]),
            *(
                self._attach(stage.name.capitalize(), stage.name, units[stage.name], self._stage(own, stage))
                for stage in deployment.stages
            ),
        ]
        for guardrails in attached:
            guardrails.node.add_dependency(features)
        self._new_accounts(organization, units[Unit.SUSPENDED])
        placements = AccountPlacements(
            self,
            "Placements",
            organization_id=organization.id,
            accounts=deployment.members,
            units={owner: units[self.names.unit(owner)] for owner in deployment.members},
            placement=placement,
            role_name=self.names.governor("placement"),
        )
        # An account never stands in a unit whose guardrails are still to come.
        placements.node.add_dependency(*attached)

    def _unit(self, name: str) -> str:
        unit = organizations.CfnOrganizationalUnit(
            self, f"{name.capitalize()}Unit", name=name, parent_id=self._organization.root_id
        )
        unit.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        return unit.attr_id

    def _attach(
        self, construct_id: str, name: str, target_id: str, guardrails: Sequence[Guardrail]
    ) -> AttachedGuardrails:
        return AttachedGuardrails(
            self, construct_id, name=self.names.guardrails(name), target_id=target_id, guardrails=guardrails
        )

    def _new_accounts(self, organization: Organization, unit: str) -> None:
        """AWS makes one account at a time."""
        before: organizations.CfnAccount | None = None
        for wanted in organization.new_accounts:
            account = organizations.CfnAccount(
                self,
                f"{''.join(word.capitalize() for word in wanted.name.split('-'))}Account",
                account_name=wanted.name,
                email=wanted.email,
                parent_ids=[unit],
            )
            account.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
            if before is not None:
                account.add_dependency(before)
            before = account
            cdk.CfnOutput(self, f"{account.node.id}Id", value=account.attr_account_id, description=wanted.name)

    # ------------------------------------------------------------------------------------------ which guardrails where

    def _everywhere(self, own: principals.Deployment) -> list[Guardrail]:
        deployment = self.deployment
        homes = (deployment.home.name, deployment.recovery.name)
        assets = f"cdk-{cdk.DefaultStackSynthesizer.DEFAULT_QUALIFIER}-assets-"
        return [
            membership.leaving(),
            membership.root_user(),
            membership.long_lived_credentials(),
            people.multi_factor(),
            people.other_sign_in(),
            regions.regions(allowed=deployment.regions),
            regions.residency(homes=homes, allowed=deployment.regions, assets=assets),
            evidence.trails(),
            evidence.detectors(deployment=own),
            evidence.records(deployment=own),
            evidence.network_defences(deployment=own),
            evidence.backups(deployment=own),
            evidence.keys(deployment=own),
            identities.own_roles(deployment=own),
            identities.boundaries(deployment=own),
            identities.work_of_templates(deployment=own, owners=list(deployment.owners)),
            identities.marks_of_templates(),
            encryption.encryption_at_rest(deployment=own),
            sharing.public_sharing(deployment=own),
            perimeter.our_resources(
                organization=self._organization.id,
                buckets_of_aws=[bucket for region in deployment.regions for bucket in update_buckets(region)],
            ),
            perimeter.our_networks(),
            people.people_roles_with_multi_factor(deployment=own),
            encryption.encryption_in_transit(),
            perimeter.our_identities(organization=self._organization.id),
            perimeter.services_on_our_behalf(organization=self._organization.id, accounts=list(deployment.account_ids)),
            machines.machines(),
            machines.no_training(),
        ]

    def _security(self, own: principals.Deployment) -> list[Guardrail]:
        return [evidence.archive(deployment=own), people.levels_by_grant(deployment=own), *self._infrastructure(own)]

    def _infrastructure(self, own: principals.Deployment) -> list[Guardrail]:
        return [live.changes_by_pipeline(deployment=own), live.pipeline_roles(deployment=own), machines.no_internet()]

    def _stage(self, own: principals.Deployment, stage: Stage) -> list[Guardrail]:
        others = [other.account for other in self.deployment.stages if other is not stage]
        apart = (
            [sharing.nothing_to_other_stages(others=others), sharing.nothing_from_other_stages(others=others)]
            if others
            else []
        )
        if stage.standing is Standing.ENGINEER:
            return [*apart, live.own_stacks(deployment=own, stage=stage.name)]
        networks = [str(network) for network in self.deployment.allowed_networks]
        return [
            *apart,
            live.live_addresses(networks=networks, account=stage.account),
            live.live_data_addresses(networks=networks, account=stage.account),
            live.changes_by_pipeline(deployment=own),
            live.pipeline_roles(deployment=own),
        ]
