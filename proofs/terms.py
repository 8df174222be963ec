"""What the promises name in numbers and places: written in the deployment's configuration, never in a proof."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from stacks.settings import RESIDENCY_AREAS, Deployment, Standing


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the promises name in numbers and places; the deployment's configuration may say otherwise."""

    rpo: timedelta = timedelta(hours=24)
    rto: timedelta = timedelta(hours=8)
    """One business day."""
    residency: frozenset[str] = frozenset()
    """Regions that data may be in; empty: those that hold stores, which proves nothing of residency by itself."""
    log_days: int = 30
    """How long server logs stay."""
    audit_log_days: int = 365
    network_log_days: int = 90
    data_days: int = 90
    """How long documents and what is made of them may stay at most, backups included."""
    evidence_days: frozenset[int] = frozenset({90, 365})
    """How long each class of evidence stays."""
    rollback_days: int = 1
    """How far back databases can be rolled to any second."""
    documents_rollback_days: int = 1
    one_zone_accounts: frozenset[str] = frozenset()
    """Accounts whose configuration chooses ways, endpoints or databases in one zone only, to save money."""
    workshops: frozenset[str] = frozenset()
    """Accounts of stages in which engineers work unasked."""
    guarded: frozenset[str] = frozenset()
    """Accounts of stages in which people may only look, unasked."""
    allowed_networks: tuple[str, ...] = ()
    """The only addresses from which people enter those."""

    @classmethod
    def of(cls, deployment: Deployment) -> Terms:
        """The terms that a deployment's configuration promises."""
        retention = deployment.retention
        return cls(
            residency=RESIDENCY_AREAS[deployment.residency],
            log_days=retention.server_log_days,
            audit_log_days=retention.audit_log_days,
            network_log_days=retention.network_log_days,
            data_days=retention.documents_days,
            evidence_days=frozenset(
                {retention.audit_archive_days, retention.network_archive_days, retention.access_archive_days}
            ),
            rollback_days=retention.database_backup_days,
            documents_rollback_days=retention.document_backup_days,
            one_zone_accounts=frozenset(
                stage.account
                for stage in deployment.stages
                if min(stage.shape.nat_gateways, stage.shape.endpoint_zones, stage.shape.aurora_instances) < 2
            ),
            workshops=frozenset(s.account for s in deployment.stages if s.standing is Standing.ENGINEER),
            guarded=frozenset(s.account for s in deployment.stages if s.standing is Standing.READ_ONLY),
            allowed_networks=tuple(map(str, deployment.allowed_networks)),
        )
