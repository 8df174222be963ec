"""What serverless, multi-tenant workloads are made of."""

from palisade.workloads.eraser_role import EraserRole
from palisade.workloads.queued_uploads import QueuedUploads
from palisade.workloads.tenant_deletion import TenantDeletion
from palisade.workloads.tenant_role import TenantRole
from palisade.workloads.vault_role import VaultRole, VaultStore

__all__ = ["EraserRole", "QueuedUploads", "TenantDeletion", "TenantRole", "VaultRole", "VaultStore"]
