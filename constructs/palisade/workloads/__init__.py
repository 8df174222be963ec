"""What serverless, multi-tenant workloads are made of."""

from palisade.workloads.queued_uploads import QueuedUploads
from palisade.workloads.tenant_role import TenantRole

__all__ = ["QueuedUploads", "TenantRole"]
