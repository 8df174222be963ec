"""How long evidence is kept and where, as numbers: one place for the arithmetic of locks, classes and expiry."""

from __future__ import annotations

from dataclasses import dataclass

MINIMUM_DAYS_IN_INSTANT_RETRIEVAL = 90
MINIMUM_DAYS_IN_DEEP_ARCHIVE = 180
"""Days that S3 bills in a storage class even if the object leaves earlier.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html"""

QUERYABLE_DAYS = 365
"""Evidence of the last year stays where Athena reads it without a restore; Deep Archive comes after.
https://docs.aws.amazon.com/athena/latest/ug/querying-glacier.html"""


@dataclass(frozen=True, kw_only=True)
class StoragePlan:
    """Days after an object's creation at which it moves or goes; None where it does not move to that class."""

    lock_days: int
    expire_days: int
    instant_retrieval_after: int | None
    deep_archive_after: int | None


def plan(*, retention_days: int, glacier_after_days: int) -> StoragePlan:
    """The storage plan of evidence that is locked for ``retention_days``.

    An object expires when its lock ends, never before (S3 would leave a locked version and a delete marker behind). It
    moves to a Glacier class only if it stays there for the time that S3 bills anyway.

    Raises:
        ValueError: a number below 1.
    """
    for name, days in (("retention_days", retention_days), ("glacier_after_days", glacier_after_days)):
        if days < 1:
            raise ValueError(f"{name} is {days}; it must be at least 1 day. Raise it.")
    instant = glacier_after_days if retention_days - glacier_after_days >= MINIMUM_DAYS_IN_INSTANT_RETRIEVAL else None
    deep = max(QUERYABLE_DAYS, glacier_after_days + MINIMUM_DAYS_IN_INSTANT_RETRIEVAL)
    return StoragePlan(
        lock_days=retention_days,
        expire_days=retention_days,
        instant_retrieval_after=instant,
        deep_archive_after=deep if retention_days - deep >= MINIMUM_DAYS_IN_DEEP_ARCHIVE else None,
    )
