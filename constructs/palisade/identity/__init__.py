"""Who may do what: roles of components, and what people may do."""

from palisade.identity.break_glass_role import BreakGlassRole
from palisade.identity.component_role import ComponentRole
from palisade.identity.ground import Ground
from palisade.identity.permission_set import PermissionSet
from palisade.identity.session_tags import SessionTags

__all__ = ["BreakGlassRole", "ComponentRole", "Ground", "PermissionSet", "SessionTags"]
