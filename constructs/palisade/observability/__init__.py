"""Logs, metrics, alarms, objectives."""

from palisade.observability.alarm import Alarm, watch_dead_letters
from palisade.observability.availability_objective import BURN_RATES, AvailabilityObjective, BurnRate
from palisade.observability.canary import Canary
from palisade.observability.counted_events import count_events, largest_value
from palisade.observability.deeds import DEEDS, Deed
from palisade.observability.event_notice import EventNotice
from palisade.observability.retained_log_group import RetainedLogGroup
from palisade.observability.security_notices import SecurityNotices
from palisade.observability.service_notices import TROUBLES, ServiceNotices, Trouble

__all__ = [
    "BURN_RATES",
    "DEEDS",
    "TROUBLES",
    "Alarm",
    "AvailabilityObjective",
    "BurnRate",
    "Canary",
    "Deed",
    "EventNotice",
    "RetainedLogGroup",
    "SecurityNotices",
    "ServiceNotices",
    "Trouble",
    "count_events",
    "largest_value",
    "watch_dead_letters",
]
