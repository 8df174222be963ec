#!/usr/bin/env python3
"""The map: every stack of every account, one statement each."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent / "constructs"), str(Path(__file__).parent)]

import stacks.toolchain  # noqa: F401, I001 - before aws_cdk, which starts Node

import aws_cdk as cdk

from stacks.access import Access
from stacks.access_logs import AccessLogs
from stacks.access_requests import AccessRequests, Gates
from stacks.account import Account
from stacks.alarms import Alarms, AlarmsEdge
from stacks.audit import Audit
from stacks.audit_shipping import AuditShipping
from stacks.backup import Backup
from stacks.backup_service import BackupService
from stacks.backup_vault import BackupVault
from stacks.break_glass import BreakGlass
from stacks.break_glass_drills import BreakGlassDrills
from stacks.chat import ChatRequests
from stacks.change_ledger import ChangeLedger
from stacks.containment import Containment
from stacks.data import Data
from stacks.database import Database
from stacks.debug_export import DebugExport
from stacks.detection import MANAGEMENT, Detection, ManagementDetection, SecurityOrganization
from stacks.edge import Edge
from stacks.entry import Entry
from stacks.identity import Identity
from stacks.images import Images
from stacks.incidents import Incidents
from stacks.findings import Findings
from stacks.keys import Keys
from stacks.log_archive_analysis import LogArchiveAnalysis
from stacks.maintenance import Maintenance
from stacks.network import Network
from stacks.log_archive import LogArchiveEdge, LogArchiveOrganization, LogArchiveStage
from stacks.observability import Observability
from stacks.observability_edge import ObservabilityEdge
from stacks.offboarding import Offboarding
from stacks.organization import OrganizationGuardrails
from stacks.security_reviews import SecurityReviews
from stacks.settings import AccountId, ConfigError, Deployment, Organization, Stage, Standing
from stacks.site import Site
from stacks.synthesis import chosen_deployment, command_line_context, new_app
from stacks.trail import ManagementTrail, StageTrail
from stacks.users import Users
from stacks.vault import Vault
from stacks.vault_keys import VaultKeys
from stacks.workloads.document_service import DocumentService


def build(app: cdk.App, deployment: Deployment) -> cdk.App:
    """Add every stack of ``deployment`` to ``app``."""
    archive = LogArchiveOrganization(app, deployment=deployment)
    analysis = LogArchiveAnalysis(app, deployment=deployment, organization=archive)
    ChangeLedger(app, deployment=deployment, archive=archive)
    Images(app, deployment=deployment)
    findings = [Findings(app, deployment=deployment, region=region) for region in deployment.regions]
    incidents = Incidents(app, deployment=deployment, findings=findings, archive=archive)
    vault_keys = VaultKeys(app, deployment=deployment)
    identity: Identity | None = None
    if deployment.organization is not None and deployment.accounts.management is not None:
        identity = _govern(
            app,
            deployment,
            deployment.organization,
            deployment.accounts.management,
            archive=archive,
            analysis=analysis,
            incidents=incidents,
        )
    backup_service = None if deployment.organization is None else BackupService(app, deployment=deployment)
    means = {
        stage.name: _build_stage(
            app,
            deployment,
            stage,
            organization_archive=archive,
            backup_service=backup_service,
            vault_keys=vault_keys,
            identity=identity,
        )
        for stage in deployment.stages
    }
    accounts = _set_up(app, deployment, archive=archive, means=means)
    _detect(app, deployment, accounts=accounts, findings=findings)
    return app


def _govern(
    app: cdk.App,
    deployment: Deployment,
    organization: Organization,
    management: AccountId,
    *,
    archive: LogArchiveOrganization,
    analysis: LogArchiveAnalysis,
    incidents: Incidents,
) -> Identity:
    """Guardrails, the organization's trail, and people: what they may do, may ask for, and are reviewed for."""
    guardrails = OrganizationGuardrails(app, deployment=deployment, organization=organization, management=management)
    ManagementTrail(app, deployment=deployment, management=management, archive=archive, guardrails=guardrails)
    requests = AccessRequests(app, deployment=deployment, organization=organization, archive=archive)
    if deployment.chat is not None:
        ChatRequests(
            app,
            deployment=deployment,
            organization=organization,
            chat=deployment.chat,
            archive=archive,
            requests=requests,
        )
    return Identity(
        app,
        deployment=deployment,
        organization=organization,
        management=management,
        analysis=analysis,
        incidents=incidents,
        requests=requests,
        reviews=SecurityReviews(app, deployment=deployment, organization=organization, archive=archive),
        drills=BreakGlassDrills(app, deployment=deployment, archive=archive),
    )


def _build_stage(
    app: cdk.App,
    deployment: Deployment,
    stage: Stage,
    *,
    organization_archive: LogArchiveOrganization,
    backup_service: BackupService | None,
    vault_keys: VaultKeys,
    identity: Identity | None,
) -> tuple[Keys, Alarms]:
    """One stage from its archive to its dashboards; its keys and alarms serve the account's own stacks, too."""
    archive = LogArchiveStage(app, deployment=deployment, stage=stage, organization=organization_archive)
    archive_edge = LogArchiveEdge(app, deployment=deployment, stage=stage, archive=archive)
    access_logs = AccessLogs(app, deployment=deployment, stage=stage, archive=archive)
    if deployment.organization is None:
        StageTrail(app, deployment=deployment, stage=stage, archive=archive)
    keys = Keys(app, deployment=deployment, stage=stage)
    alarms = Alarms(app, deployment=deployment, stage=stage, keys=keys)
    Maintenance(app, deployment=deployment, stage=stage, alarms=alarms)
    alarms_edge = AlarmsEdge(app, deployment=deployment, stage=stage)
    network = Network(app, deployment=deployment, stage=stage, keys=keys)
    data = Data(app, deployment=deployment, stage=stage, keys=keys, network=network)
    Database(app, deployment=deployment, stage=stage, keys=keys, network=network, alarms=alarms, data=data)
    copies = [
        BackupVault(app, deployment=deployment, stage=stage, account=account, region=region, service=backup_service)
        for account, region in BackupVault.places(deployment, stage)
    ]
    backup = Backup(
        app,
        deployment=deployment,
        stage=stage,
        keys=keys,
        network=network,
        alarms=alarms,
        data=data,
        copies=copies,
    )
    Access(app, deployment=deployment, stage=stage, keys=keys, network=network, alarms=alarms, database=data.cluster)
    if deployment.organization is not None and stage.standing is Standing.READ_ONLY:
        Gates(app, deployment=deployment, stage=stage)
    if deployment.emergency_identities:
        BreakGlass(app, deployment=deployment, stage=stage)
    site = Site(app, deployment=deployment, stage=stage, keys=keys, access_logs=access_logs)
    entry = Entry(app, deployment=deployment, stage=stage, keys=keys, network=network, alarms=alarms, archive=archive)
    edge = Edge(
        app, deployment=deployment, stage=stage, alarms=alarms_edge, archive=archive_edge, site=site, entry=entry
    )
    users = (
        Users(app, deployment=deployment, stage=stage, keys=keys, network=network, alarms=alarms, entry=entry)
        if stage.issuer is None
        else None
    )
    containment = Containment(
        app, deployment=deployment, stage=stage, network=network, alarms=alarms, archive=archive, users=users
    )
    if identity is not None:
        identity.add_stack_dependency(containment)
    documents = DocumentService(
        app,
        deployment=deployment,
        stage=stage,
        keys=keys,
        alarms=alarms,
        network=network,
        entry=entry,
        access_logs=access_logs,
        users=users,
        data=data,
    )
    vault = Vault(
        app,
        deployment=deployment,
        stage=stage,
        keys=keys,
        network=network,
        alarms=alarms,
        archive=archive,
        vault_keys=vault_keys,
    )
    Offboarding(
        app,
        deployment=deployment,
        stage=stage,
        keys=keys,
        network=network,
        alarms=alarms,
        archive=archive,
        data=data,
        users=users,
        documents=documents,
        vault=vault,
        backup=backup,
    )
    DebugExport(
        app,
        deployment=deployment,
        stage=stage,
        keys=keys,
        network=network,
        alarms=alarms,
        archive=archive,
        access_logs=access_logs,
        documents=documents,
    )
    audit = Audit(app, deployment=deployment, stage=stage, keys=keys, alarms=alarms, network=network, archive=archive)
    audit.keep(documents, documents.audited)
    audit.keep(vault, vault.audited)
    audit.keep_sign_ins(users)
    if stage.log_service is not None:
        AuditShipping(
            app,
            deployment=deployment,
            stage=stage,
            service=stage.log_service,
            keys=keys,
            alarms=alarms,
            network=network,
            audit=audit,
        )
    Observability(
        app,
        deployment=deployment,
        stage=stage,
        keys=keys,
        alarms=alarms,
        access_logs=access_logs,
        apis=[documents.api.api],
    )
    ObservabilityEdge(app, deployment=deployment, stage=stage, alarms=alarms_edge, distribution=edge.distribution)
    return keys, alarms


def _set_up(
    app: cdk.App,
    deployment: Deployment,
    *,
    archive: LogArchiveOrganization,
    means: Mapping[str, tuple[Keys, Alarms]],
) -> dict[tuple[str, str], Account]:
    """The settings and the configuration record of every account in every region."""
    accounts: dict[tuple[str, str], Account] = {}
    for owner in deployment.owners:
        account: Account | None = None
        for region in reversed(deployment.regions):
            account = Account(
                app,
                deployment=deployment,
                owner=owner,
                region=region,
                archive=archive,
                after=account,
                stage=means.get(owner),
            )
            accounts[owner, region] = account
    return accounts


def _detect(
    app: cdk.App,
    deployment: Deployment,
    *,
    accounts: Mapping[tuple[str, str], Account],
    findings: Sequence[Findings],
) -> None:
    """The detectors of every account, those of management after the others, and the organization's last."""
    detectors = [
        Detection(
            app,
            deployment=deployment,
            owner=owner,
            region=region,
            account=accounts[owner, region],
            findings=findings,
        )
        for owner in deployment.owners
        for region in deployment.regions
        if owner != MANAGEMENT
    ]
    if deployment.organization is not None:
        management: list[ManagementDetection] = []
        for region in deployment.regions:
            after = [*(stack for stack in detectors if stack.account == deployment.accounts.security), *management]
            management.append(
                ManagementDetection(
                    app,
                    deployment=deployment,
                    region=region,
                    account=accounts[MANAGEMENT, region],
                    findings=findings,
                    after=after,
                )
            )
        for region in deployment.regions:
            SecurityOrganization(
                app,
                deployment=deployment,
                organization=deployment.organization,
                region=region,
                management=management,
            )


if __name__ == "__main__":
    try:
        app = new_app(context=command_line_context(sys.argv[1:]))
        build(app, chosen_deployment(app)).synth()
    except ConfigError as error:
        sys.exit(f"palisade: {error}")
