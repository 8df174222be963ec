"""Acts of containment, and what they need in place before anything happens."""

from palisade.containment.responses import Responses
from palisade.containment.quarantine_group import QuarantineGroup

__all__ = ["QuarantineGroup", "Responses"]
