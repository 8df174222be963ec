"""Three truth values, ordered, so that AND is ``min``, OR is ``max`` and NOT is :func:`negate`.

``MAYBE`` is the answer wherever a value is not known yet: it is neither safe nor unsafe, and never rounded to either.
"""

from __future__ import annotations

from typing import Final

Truth = int
"""``NO``, ``MAYBE`` or ``YES``: plain integers, because they are combined in the innermost loop."""

NO: Final = 0
MAYBE: Final = 1
YES: Final = 2


def negate(truth: Truth) -> Truth:
    """The opposite; the opposite of ``MAYBE`` is ``MAYBE``."""
    return YES - truth


def truth(fact: bool) -> Truth:
    """``YES`` or ``NO``."""
    return YES if fact else NO
