"""The log archive: immutable buckets, what may write into them, and tables to read them with."""

from palisade.archive import writer
from palisade.archive.cdn_log_delivery import CDN_LOG_FIELDS, CdnLogDelivery
from palisade.archive.cdn_log_destination import CdnLogDestination
from palisade.archive.evidence_bucket import EvidenceBucket
from palisade.archive.flow_log_fields import FLOW_LOG_FIELDS, FLOW_LOG_FORMAT
from palisade.archive.landing_bucket import LandingBucket
from palisade.archive.replication import Destination
from palisade.archive.storage_plan import StoragePlan, plan
from palisade.archive.trail import DataEvents, Trail

__all__ = [
    "CDN_LOG_FIELDS",
    "FLOW_LOG_FIELDS",
    "FLOW_LOG_FORMAT",
    "CdnLogDelivery",
    "CdnLogDestination",
    "DataEvents",
    "Destination",
    "EvidenceBucket",
    "LandingBucket",
    "StoragePlan",
    "Trail",
    "plan",
    "writer",
]
