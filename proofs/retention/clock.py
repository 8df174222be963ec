"""A simulated clock over what happens to an object, an item or a log event after it is written.

The clock counts days from the writing. AWS's own delays are part of it: expiry runs once a day at midnight and takes effect in
the background, DynamoDB deletes expired items within a few days.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html,
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from proofs.model import Node, as_list, at, truthy

LIFECYCLE_LAG = 2
"""Days until an expired object is really gone: the rule runs at the next midnight, deletion follows in the background."""
TTL_LAG = 2
"""Days until DynamoDB has deleted an expired item."""
FOR_EVER = 36500 * 10


@dataclass
class Life:
    """What becomes of one thing: events by day, and the last day on which any byte of it exists."""

    events: list[tuple[int, str]] = field(default_factory=list)

    def add(self, day: int, what: str) -> int:
        """Note an event and return its day."""
        self.events.append((day, what))
        return day

    @property
    def last_day(self) -> int:
        """When the last copy is gone."""
        return max((day for day, _ in self.events), default=FOR_EVER)

    def __str__(self) -> str:
        return "; ".join(f"day {day if day < FOR_EVER else 'never'}: {what}" for day, what in sorted(self.events))


@dataclass(frozen=True)
class Lifecycle:
    """What a bucket's rules do to every object, whatever its name."""

    expires: int | None
    noncurrent: int | None
    aborts: int | None

    @classmethod
    def of(cls, bucket: Node) -> Lifecycle:
        """The rules of the bucket that are on and apply to all objects."""
        rules = [
            rule
            for rule in as_list(bucket.get("LifecycleConfiguration", "Rules"))
            if at(rule, "Status") == "Enabled" and not at(rule, "Prefix") and not at(rule, "TagFilters")
            and at(rule, "ObjectSizeGreaterThan") is None and at(rule, "ObjectSizeLessThan") is None
        ]  # fmt: skip
        return cls(
            expires=_least(at(rule, "ExpirationInDays") for rule in rules),
            noncurrent=_least(
                at(
                    rule,
                    "NoncurrentVersionExpiration",
                    "NoncurrentDays",
                    default=at(rule, "NoncurrentVersionExpirationInDays"),
                )
                for rule in rules
                if at(rule, "NoncurrentVersionExpiration", "NewerNoncurrentVersions") is None
            ),
            aborts=_least(at(rule, "AbortIncompleteMultipartUpload", "DaysAfterInitiation") for rule in rules),
        )


def _least(values: Iterable[Any]) -> int | None:
    known = [int(value) for value in values if isinstance(value, (int, float)) or str(value).isdigit()]
    return min(known, default=None)


def life_of_object(bucket: Node, backup_days: int, *, deleted_on: int | None = None) -> Life:
    """The life of an object written on day 0, deleted on request on ``deleted_on`` or else by the lifecycle."""
    life = Life()
    rules = Lifecycle.of(bucket)
    versioned = bucket.get("VersioningConfiguration", "Status") == "Enabled"
    ends = deleted_on if deleted_on is not None else rules.expires
    if ends is None:
        life.add(FOR_EVER, "nothing ends it")
        return life
    lag = 0 if deleted_on is not None else LIFECYCLE_LAG
    hidden = life.add(ends + lag, "deleted on request" if deleted_on is not None else "expired")
    if versioned:
        if rules.noncurrent is None:
            life.add(FOR_EVER, "its old version stays")
            return life
        hidden = life.add(hidden + rules.noncurrent + LIFECYCLE_LAG - lag, "its old version gone")
    locked = bucket.get("ObjectLockConfiguration", "Rule", "DefaultRetention", default={})
    days = at(locked, "Days", default=365 * int(at(locked, "Years", default=0)))
    if isinstance(days, int) and days > hidden:
        hidden = life.add(days + LIFECYCLE_LAG, "its lock ends")
    if backup_days:
        life.add(hidden + backup_days, "its last backup gone")
    return life


def life_of_item(table: Node, backup_days: int, lifetime_days: int | None) -> Life:
    """The life of an item whose expiry its writer sets ``lifetime_days`` after the writing."""
    life = Life()
    if not truthy(table.get("TimeToLiveSpecification", "Enabled")) or lifetime_days is None:
        life.add(FOR_EVER, "nothing ends it")
        return life
    gone = life.add(lifetime_days + TTL_LAG, "expired")
    if truthy(table.get("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled")):
        days = table.get("PointInTimeRecoverySpecification", "RecoveryPeriodInDays", default=35)
        life.add(gone + int(days), "out of point-in-time recovery")
    if backup_days:
        life.add(gone + backup_days, "its last backup gone")
    return life
