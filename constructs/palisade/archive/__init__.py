"""The log archive: immutable buckets, what may write into them, and tables to read them with."""

from palisade.archive import log_table, named_query, writer
from palisade.archive.audit_shipper import AuditShipper, LogTarget
from palisade.archive.audit_stream import REDACTOR_SECONDS, AuditStream, Carried, Records
from palisade.archive.cdn_log_delivery import CDN_LOG_FIELDS, CdnLogDelivery
from palisade.archive.cdn_log_destination import CdnLogDestination
from palisade.archive.decision_log import DecisionLog
from palisade.archive.evidence_bucket import EvidenceBucket
from palisade.archive.flow_log_fields import FLOW_LOG_FIELDS, FLOW_LOG_FORMAT
from palisade.archive.landing_bucket import LandingBucket
from palisade.archive.log_bucket import keeps_access_logs
from palisade.archive.log_reader import LogReader
from palisade.archive.query_room import QueryRoom
from palisade.archive.replication import Destination
from palisade.archive.storage_plan import StoragePlan, plan
from palisade.archive.trail import DataEvents, Trail

__all__ = [
    "CDN_LOG_FIELDS",
    "FLOW_LOG_FIELDS",
    "FLOW_LOG_FORMAT",
    "REDACTOR_SECONDS",
    "AuditShipper",
    "AuditStream",
    "Carried",
    "CdnLogDelivery",
    "CdnLogDestination",
    "DataEvents",
    "DecisionLog",
    "Destination",
    "EvidenceBucket",
    "LandingBucket",
    "LogReader",
    "LogTarget",
    "QueryRoom",
    "Records",
    "StoragePlan",
    "Trail",
    "keeps_access_logs",
    "log_table",
    "named_query",
    "plan",
    "writer",
]
