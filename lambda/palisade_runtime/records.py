"""Keeps what was decided where nobody can alter it: one object a decision, written once into the locked archive.

The archive's bucket locks each object by default. A second write of the same record, by a retry or a duplicated event,
leaves the first as it was, because S3 refuses to write over a key that exists when asked to.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:=@+,-]{0,127}")
_BUSY = frozenset({"ConditionalRequestConflict", "OperationAborted"})
_ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What one person said under their own identity, and when the archive took it. ``body`` is their word for the rest."""

    user_id: str
    at: datetime
    body: Mapping[str, Any]

    @property
    def person(self) -> str:
        """The name of the session, which Identity Center makes the user's name; in small letters."""
        return self.user_id.partition(":")[2].casefold()


@dataclass(frozen=True, kw_only=True)
class Records:
    """The records of one workflow: ``<account>/<workflow>/<subject>/<event>.json`` in ``bucket``.

    What people say lies beside it, ``<account>/<workflow>-deeds/<deed>@<subject>/<user id>.json``: IAM lets a person write
    under the id of their own session and no other.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """

    s3: Any
    bucket: str
    account: str
    workflow: str

    def keep(self, subject: str, event: str, body: Mapping[str, object]) -> bool:
        """Record that ``event`` happened to ``subject``; False if it was recorded before.

        ``event`` names the deed and not the attempt (``granted``, ``approved-2``), so that a retry finds its own record.

        Raises:
            ValueError: a name that does not fit into a key.
            ClientError: S3 did not take the record; whoever decides must then not go on.
        """
        return self._put(self._key(self.workflow, subject, event), body)

    def say(self, deed: str, subject: str, user_id: str, body: Mapping[str, object]) -> bool:
        """Record that the caller, whose session has ``user_id``, did ``deed`` to ``subject``; False if they did before.

        Raises:
            ValueError: a name that does not fit into a key.
            ClientError: S3 did not take it; ``AccessDenied`` if the id is not the caller's or the deed not theirs to do.
        """
        return self._put(self._key(f"{self.workflow}-deeds", f"{deed}@{subject}", user_id), body)

    def read(self, subject: str, event: str) -> dict[str, Any] | None:
        """The record of ``event``, or None if it did not happen."""
        # Asked for an object that is not there, S3 answers that it is forbidden to whoever may list some prefixes only.
        return _object(self.text(subject, event)) if event in self.events(subject, event) else None

    def text(self, subject: str, event: str) -> str:
        """A record that is there, as it was written."""
        return self._get(self._key(self.workflow, subject, event))

    def events(self, subject: str, beginning: str = "") -> list[str]:
        """What is recorded of ``subject``, in the order of the names, as far as the name has this beginning."""
        return sorted(key for key, _ in self._objects(f"{self.workflow}/{subject}", beginning))

    def subjects(self, beginning: str = "") -> list[str]:
        """Of whom or what anything is recorded, as far as the name has this beginning."""
        return sorted(self._folders(self.workflow, beginning))

    def deeds(self, deed: str, subject: str) -> list[Deed]:
        """Who did ``deed`` to ``subject``: each session once, the earliest first."""
        folder = f"{deed}@{subject}"
        found = []
        for user_id, at in self._objects(f"{self.workflow}-deeds/{folder}"):
            text = self._get(self._key(f"{self.workflow}-deeds", folder, user_id))
            found.append(Deed(user_id=user_id, at=at, body=_object(text)))
        return sorted(found, key=lambda one: (one.at, one.user_id))

    def subjects_of(self, deed: str, beginning: str = "") -> list[str]:
        """To whom or what anybody did ``deed``, as far as the name has this beginning."""
        found = self._folders(f"{self.workflow}-deeds", f"{deed}@{beginning}")
        return sorted(folder.removeprefix(f"{deed}@") for folder in found)

    def _key(self, workflow: str, subject: str, event: str) -> str:
        for part in (subject, event):
            if not _PART.fullmatch(part):
                raise ValueError(f"{part!r} must be letters, digits and _.:=@+,- only")
        return f"{self.account}/{workflow}/{subject}/{event}.json"

    def _put(self, key: str, body: Mapping[str, object]) -> bool:
        text = json.dumps(body, sort_keys=True, ensure_ascii=True, allow_nan=False, default=str)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self.s3.put_object(
                    Bucket=self.bucket,
                    Key=key,
                    Body=text.encode(),
                    ContentType="application/json",
                    IfNoneMatch="*",
                    ChecksumAlgorithm="SHA256",
                    ExpectedBucketOwner=self.owner,
                )
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code")
                if code == "PreconditionFailed":
                    return False
                if code not in _BUSY or attempt == _ATTEMPTS:
                    raise
            else:
                return True
        raise AssertionError("the loop returns or raises")

    def _get(self, key: str) -> str:
        answer = self.s3.get_object(Bucket=self.bucket, Key=key, ExpectedBucketOwner=self.owner)
        return str(answer["Body"].read().decode(errors="replace"))

    def _objects(self, folder: str, beginning: str = "") -> Iterator[tuple[str, datetime]]:
        """The names right in ``folder``: what lies deeper bears a name that nobody vouches for."""
        inside = f"{self.account}/{folder}/"
        for page in self._pages(f"{folder}/{beginning}"):
            for one in page.get("Contents", ()):
                name = one["Key"].removeprefix(inside)
                if "/" not in name:
                    yield name.removesuffix(".json"), one["LastModified"]

    def _folders(self, workflow: str, beginning: str) -> Iterator[str]:
        for page in self._pages(f"{workflow}/{beginning}", Delimiter="/"):
            for one in page.get("CommonPrefixes", ()):
                yield one["Prefix"].rstrip("/").rpartition("/")[2]

    def _pages(self, prefix: str, **options: str) -> Iterator[dict[str, Any]]:
        pages = self.s3.get_paginator("list_objects_v2")
        yield from pages.paginate(
            Bucket=self.bucket, Prefix=f"{self.account}/{prefix}", ExpectedBucketOwner=self.owner, **options
        )

    @property
    def owner(self) -> str:
        """The archive's account, which ends its buckets' names."""
        return self.bucket.rsplit("-", 1)[-1]


def _object(text: str) -> dict[str, Any]:
    """The object in ``text``; empty where a person wrote anything else."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
