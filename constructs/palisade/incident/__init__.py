"""The handling of incidents: what comes in, who is called, and the timer of each."""

from palisade.incident.intake import FindingsIntake
from palisade.incident.pages import Pages
from palisade.incident.timer import incident_timer

__all__ = ["FindingsIntake", "Pages", "incident_timer"]
