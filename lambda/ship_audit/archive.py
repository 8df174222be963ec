"""Reads audit events out of the archive, object by object."""

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from palisade_runtime.audit_events import AuditEvent, read_events

from ship_audit.formats import Placed

_DAY = re.compile(r"/(\d{4})/(\d{2})/(\d{2})/")
_TIME = re.compile(r"-(\d{4}(?:-\d{2}){5})-")


@dataclass(frozen=True, kw_only=True)
class Archived:
    """An object of the archive, and since when it lies there."""

    key: str
    since: datetime


@dataclass(frozen=True, kw_only=True)
class Archive:
    """What Firehose delivered under ``folders`` (``AWSLogs/666666666666/audit/``), in a folder for each day (UTC)."""

    s3: Any
    bucket: str
    folders: tuple[str, ...]

    def first_day(self) -> date | None:
        """The day of the oldest object."""
        days = []
        for folder in self.folders:
            found = self.s3.list_objects_v2(
                Bucket=self.bucket, Prefix=folder, MaxKeys=1, ExpectedBucketOwner=self.owner
            ).get("Contents", [])
            days += [date(*map(int, match.groups())) for one in found if (match := _DAY.search(one["Key"]))]
        return min(days, default=None)

    def of(self, day: date) -> list[Archived]:
        """The objects of a day, oldest first by the time in their names."""
        pages = (
            page
            for folder in self.folders
            for page in self.s3.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=f"{folder}{day:%Y/%m/%d}/", ExpectedBucketOwner=self.owner
            )
        )
        found = [
            Archived(key=one["Key"], since=one["LastModified"]) for page in pages for one in page.get("Contents", [])
        ]
        return sorted(found, key=lambda one: (_when(one.key), one.key))

    def events(self, key: str) -> Iterator[Placed]:
        """The events of an object in their order, without holding them all. A damaged object ends in an event that says so."""
        body = self.s3.get_object(Bucket=self.bucket, Key=key, ExpectedBucketOwner=self.owner)["Body"]
        number = 0
        try:
            with gzip.GzipFile(fileobj=body) as lines:
                for line in lines:
                    for event in read_events(line.decode("utf-8", "replace").strip()) if line.strip() else ():
                        yield Placed(key=key, number=number, event=event)
                        number += 1
        except (gzip.BadGzipFile, zlib.error, EOFError):
            yield Placed(
                key=key, number=number, event=AuditEvent(log="", time=None, record={"event": "object.damaged"})
            )

    @property
    def owner(self) -> str:
        """The archive's account, which ends its buckets' names."""
        return self.bucket.rsplit("-", 1)[-1]


def _when(key: str) -> str:
    found = _TIME.search(key)
    return found[1] if found else ""
