"""What an uploaded object is, from the event that announced it to readable text. No input or output."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from palisade_runtime.identifiers import DocumentAddress, parse_object_key

# S3 sequencers grow but may differ in length; AWS says to pad the shorter one on the right with zeros.
_SEQUENCER_WIDTH = 64


class UnusableEventError(ValueError):
    """A message that no upload to this workload's bucket sends. It is left to the dead-letter queue."""


class UnreadableDocumentError(ValueError):
    """A document that cannot be analysed, however often it is tried; `reason` is shown to its owner."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One stored version of one document. `sequencer` orders the versions of a key."""

    address: DocumentAddress
    version: str | None
    size: int
    sequencer: str


def parse_upload(body: str, *, bucket: str) -> Upload:
    """The upload that a queue message stands for.

    EventBridge leaves object keys as they are, unlike direct S3 notifications, which percent-encode them.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    try:
        event: Mapping[str, Any] = json.loads(body)
        detail = event["detail"]
        found = detail["object"]
        kind = (event["source"], event["detail-type"], detail["bucket"]["name"])
        version, size, sequencer = found.get("version-id"), found["size"], found["sequencer"]
        address = parse_object_key(found["key"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UnusableEventError(type(error).__name__) from None
    if kind != ("aws.s3", "Object Created", bucket):
        raise UnusableEventError("not an upload to this bucket")
    if not isinstance(size, int) or not isinstance(sequencer, str) or not 0 < len(sequencer) <= _SEQUENCER_WIDTH:
        raise UnusableEventError("size or sequencer")
    if version is not None and not isinstance(version, str):
        raise UnusableEventError("version-id")
    return Upload(address=address, version=version, size=size, sequencer=sequencer.upper().ljust(_SEQUENCER_WIDTH, "0"))


def check_size(size: int, *, largest: int) -> None:
    """Refuses an empty or too large document."""
    if size < 1:
        raise UnreadableDocumentError("The document is empty.")
    if size > largest:
        raise UnreadableDocumentError(f"The document is larger than {largest} bytes.")


def decode_text(content: bytes) -> str:
    """The text of a document; refuses what is not UTF-8 text."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableDocumentError("The document is not UTF-8 text.") from None
    if "\x00" in text:
        raise UnreadableDocumentError("The document holds null characters: it is not text.")
    return text
