"""Private buckets and tables for data that changes; evidence lives in the archive's locked buckets."""

from palisade.storage.backup_class import BACKUP_TAG, BackupClass
from palisade.storage.private_bucket import PrivateBucket
from palisade.storage.private_table import PrivateTable
from palisade.storage.tenant_bucket import TenantBucket

__all__ = ["BACKUP_TAG", "BackupClass", "PrivateBucket", "PrivateTable", "TenantBucket"]
