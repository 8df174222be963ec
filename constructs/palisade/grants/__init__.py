"""Access that lasts for a while: what stands before a level, who opens it, and what closes it again."""

from palisade.grants.gate import Gate
from palisade.grants.gatekeeper import Gatekeeper
from palisade.grants.grant_machine import grant_definition

__all__ = ["Gate", "Gatekeeper", "grant_definition"]
