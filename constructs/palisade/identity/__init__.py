"""Roles of components."""

from palisade.identity.component_role import ComponentRole

__all__ = ["ComponentRole"]
