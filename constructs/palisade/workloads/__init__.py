"""What serverless, multi-tenant workloads are made of."""

from palisade.workloads.brief_export import BriefExport
from palisade.workloads.eraser_role import EraserRole
from palisade.workloads.excerpt_role import ExcerptRole
from palisade.workloads.queued_uploads import QueuedUploads
from palisade.workloads.tenant_deletion import TenantDeletion
from palisade.workloads.tenant_role import TenantRole
from palisade.workloads.vault_role import VaultRole, VaultStore

__all__ = [
    "BriefExport",
    "EraserRole",
    "ExcerptRole",
    "QueuedUploads",
    "TenantDeletion",
    "TenantRole",
    "VaultRole",
    "VaultStore",
]
