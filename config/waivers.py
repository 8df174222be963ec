"""The only off-switch. Empty is best.

Waiver(
    control="storage.archive.object-lock",
    where="log-archive-storage/Trail",
    reason="...", owner="security@example.com", expires=date(2027, 3, 31),
)
"""

from stacks.settings import Waiver

WAIVERS: tuple[Waiver, ...] = ()
