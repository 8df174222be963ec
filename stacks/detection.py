"""Detectors in every account and region, and who administers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_securityhub as securityhub
from palisade.compute import Placement
from palisade.detection import (
    AccountDetectors,
    CentralPosture,
    Conformance,
    Coverage,
    Delegation,
    FindingsForwarder,
    FindingsSender,
    OrganizationAnalysers,
    OrganizationRecord,
    signals,
)
from palisade.keys import CustomerKey

from constructs import Construct
from stacks.account import Account
from stacks.base import PalisadeStack
from stacks.findings import SECURITY, Findings
from stacks.names import FINDINGS_SENDER, Names
from stacks.settings import Deployment, Organization

MANAGEMENT = "management"


class Detection(PalisadeStack):
    """What one account finds in one region goes to the findings bus; AWS Config, which ``account`` turns on there, holds each
    of its resources against our rules.

    In an organization the security account's detectors cover every account; besides it only the management account, for
    which nobody else may turn them on, has its own here. Without an organization every account has its own.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        owner: str,
        region: str,
        account: Account,
        findings: Sequence[Findings],
    ) -> None:
        super().__init__(
            scope,
            deployment=deployment,
            owner=owner,
            subject=f"detection{Names(deployment).place(region)}",
            account=deployment.owners[owner],
            region=region,
            stateful=True,
        )
        alone = deployment.organization is None
        self.at_home = region == deployment.home.name
        if self.at_home:
            FindingsSender(
                self,
                "Sender",
                name=self.names.role(FINDINGS_SENDER),
                bus_arn=self.names.findings_bus_arn,
                account=self.account,
            )
        FindingsForwarder(
            self,
            "Findings",
            signals=self._signals(owner, alone=alone),
            bus_arn=self.names.findings_bus_arn,
            role_arn=self.names.role_arn(FINDINGS_SENDER, deployment.owners[owner]),
            undelivered_arn=self.names.findings_undelivered_arn(region),
        )
        # EventBridge refuses a target or a queue that does not exist.
        for stack in (*findings, account):
            self.add_stack_dependency(stack)
        Conformance(self, "Conformance", name=self.names.conformance_pack)
        if alone or owner in {SECURITY, MANAGEMENT}:
            AccountDetectors(self, "Detectors", alone=alone)
        if alone and self.at_home:
            Coverage(
                self,
                "Coverage",
                accounts=[self.account],
                data_accounts=[self.account],
                regions=deployment.regions,
                members_arn=None,
                role_name=self.names.governor("coverage"),
                placement=placement(self, self.names),
            )

    def _signals(self, owner: str, *, alone: bool) -> Mapping[str, Mapping[str, Any]]:
        found = dict(signals.OF_EVERY_ACCOUNT)
        if alone or owner == SECURITY:
            found |= signals.OF_DETECTORS
        if alone or (owner == SECURITY and self.at_home):
            found |= signals.OF_HOME
        return found


class ManagementDetection(Detection):
    """The management account's own detectors, and the security account as administrator of everybody's.

    ``after`` are the detectors of that account, because appointing it would turn them on by itself and CloudFormation
    then could not, and this stack in the home region, which lets the services into the organization.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        region: str,
        account: Account,
        findings: Sequence[Findings],
        after: Sequence[Detection],
    ) -> None:
        super().__init__(
            scope, deployment=deployment, owner=MANAGEMENT, region=region, account=account, findings=findings
        )
        for stack in after:
            self.add_stack_dependency(stack)
        administrator = securityhub.CfnDelegatedAdmin(
            self, "SecurityHubAdministrator", admin_account_id=deployment.accounts.security
        )
        if self.at_home:
            delegation = Delegation(
                self,
                "Delegation",
                administrator=deployment.accounts.security,
                members_arn=self.names.member_arn("*"),
                regions=deployment.regions,
                role_name=self.names.governor("delegation"),
                placement=placement(self, self.names),
            )
            administrator.node.add_dependency(delegation)


class SecurityOrganization(PalisadeStack):
    """The detectors of the security account spread over every account of the organization.

    ``management`` comes before it: only an appointed administrator may.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        organization: Organization,
        region: str,
        management: Sequence[ManagementDetection],
    ) -> None:
        super().__init__(
            scope,
            deployment=deployment,
            owner=SECURITY,
            subject=f"organization{Names(deployment).place(region)}",
            account=deployment.accounts.security,
            region=region,
            stateful=True,
        )
        for stack in management:
            self.add_stack_dependency(stack)
        at_home = region == deployment.home.name
        OrganizationAnalysers(self, "Analysers", unused=at_home)
        if at_home:
            Coverage(
                self,
                "Coverage",
                accounts=deployment.account_ids,
                data_accounts=[stage.account for stage in deployment.stages],
                regions=deployment.regions,
                members_arn=self.names.member_arn("*"),
                role_name=self.names.governor("coverage"),
                placement=placement(self, self.names),
            )
            OrganizationRecord(
                self,
                "Record",
                name=f"{self.names.prefix}-organization",
                regions=deployment.regions,
                role_name=self.names.governor("record"),
            )
            CentralPosture(
                self,
                "Posture",
                root_id=organization.root_id,
                linked_regions=[other for other in deployment.regions if other != region],
            )


def placement(stack: PalisadeStack, names: Names) -> Placement:
    """Where functions of a detection stack run: outside any network, under a key of their own."""
    key = CustomerKey(
        stack,
        "Key",
        alias=names.key_alias(f"functions-{stack.stack_name}"),
        description=f"logs and environments of functions of {stack.stack_name}",
        used_through=["lambda", "logs"],
    )
    key.allow_log_groups()
    return Placement(
        log_key=key.key,
        environment_key=key.key,
        log_group_prefix=names.log_group("detection"),
        log_days=names.deployment.retention.server_log_days,
    )
