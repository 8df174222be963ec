"""Logs, metrics, alarms, objectives."""

from palisade.observability.event_notice import EventNotice
from palisade.observability.retained_log_group import RetainedLogGroup

__all__ = ["EventNotice", "RetainedLogGroup"]
