"""Machines that stay patched, and a list of what runs on them."""

from palisade.maintenance.inventory import Inventory
from palisade.maintenance.patching import Patching

__all__ = ["Inventory", "Patching"]
