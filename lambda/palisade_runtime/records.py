"""Keeps what was decided where nobody can alter it: one object a decision, written once into the locked archive.

The archive's bucket locks each object by default. A second write of the same record, by a retry or a duplicated event,
leaves the first as it was, because S3 refuses to write over a key that exists when asked to.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:=@-]{0,127}")
_BUSY = frozenset({"ConditionalRequestConflict", "OperationAborted"})
_ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class Records:
    """The records of one workflow: ``<account>/<workflow>/<subject>/<event>.json`` in ``bucket``."""

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
        for part in (subject, event):
            if not _PART.fullmatch(part):
                raise ValueError(f"{part!r} must be letters, digits and _.:=@- only")
        text = json.dumps(body, sort_keys=True, ensure_ascii=True, allow_nan=False, default=str)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self.s3.put_object(
                    Bucket=self.bucket,
                    Key=f"{self.account}/{self.workflow}/{subject}/{event}.json",
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

    @property
    def owner(self) -> str:
        """The archive's account, which ends its buckets' names."""
        return self.bucket.rsplit("-", 1)[-1]
