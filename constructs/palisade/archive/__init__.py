"""The log archive: immutable buckets, what may write into them, and tables to read them with."""

from palisade.archive.flow_log_fields import FLOW_LOG_FIELDS, FLOW_LOG_FORMAT

__all__ = ["FLOW_LOG_FIELDS", "FLOW_LOG_FORMAT"]
