"""The one reader of a synthesized cloud assembly (``cdk.out``).

Gate, proofs, rehearsal, cost and picture all judge what :func:`load` returns: plain data, read from the files that
``cdk deploy`` would send, never from the construct tree. Standard library only, so that every environment can import it.
"""

from assembly.model import Assembly, Asset, Resource, Stack
from assembly.read import AssemblyError, load, of_templates

__all__ = ["Assembly", "AssemblyError", "Asset", "Resource", "Stack", "load", "of_templates"]
