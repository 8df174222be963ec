"""When which review is due: every month who has the rights of administrators, every quarter who has any."""

import re
from datetime import datetime

ADMIN, ACCESS = "admin", "access"
KINDS = (ADMIN, ACCESS)
PERIOD = re.compile(r"admin-\d{4}-\d{2}|access-\d{4}-Q[1-4]")
LOOKS_BACK_DAYS = {ADMIN: 31, ACCESS: 92}
"""How long ago grants may have ended that a review still speaks of."""


def period(kind: str, now: datetime) -> str:
    """The review of ``kind`` that belongs to this moment: ``admin-2026-11``, ``access-2026-Q4``."""
    if kind == ADMIN:
        return f"{ADMIN}-{now:%Y-%m}"
    return f"{ACCESS}-{now:%Y}-Q{(now.month + 2) // 3}"


def kind_of(name: str) -> str:
    """The kind of a review by its name."""
    return name.partition("-")[0]
