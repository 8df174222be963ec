"""Logs, metrics, alarms, objectives."""

from palisade.observability.retained_log_group import RetainedLogGroup

__all__ = ["RetainedLogGroup"]
