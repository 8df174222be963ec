"""Acts of containment, and what they need in place before anything happens."""

from palisade.containment.quarantine_group import QuarantineGroup
from palisade.containment.responses import Responses

__all__ = ["QuarantineGroup", "Responses"]
