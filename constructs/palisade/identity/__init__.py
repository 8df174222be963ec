"""Who may do what: roles of components, what people may do, and the directory of the product's users."""

from palisade.identity.break_glass_role import BreakGlassRole
from palisade.identity.component_role import ComponentRole
from palisade.identity.ground import Ground
from palisade.identity.permission_set import PermissionSet
from palisade.identity.reviewer_role import Directory, ReviewerRole
from palisade.identity.session_tags import SessionTags
from palisade.identity.user_pool import Federation, Saml, SignInPages, UserPool

__all__ = [
    "BreakGlassRole",
    "ComponentRole",
    "Directory",
    "Federation",
    "Ground",
    "PermissionSet",
    "ReviewerRole",
    "Saml",
    "SessionTags",
    "SignInPages",
    "UserPool",
]
