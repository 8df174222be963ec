"""How people reach machines and databases."""

from palisade.access.bastion import Bastion, BastionPlacement
from palisade.access.database_tunnel import DatabaseTunnel
from palisade.access.session_recording import SessionRecording

__all__ = ["Bastion", "BastionPlacement", "DatabaseTunnel", "SessionRecording"]
