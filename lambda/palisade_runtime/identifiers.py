"""Identifiers that are safe to put into keys, policies, session tags and logs; everything else is refused.

A tenant becomes part of an S3 key, a DynamoDB partition key, a KMS encryption context and a session tag that
IAM compares with all three, so its alphabet holds nothing that any of them reads as a wildcard, a separator or
another spelling of the same name.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import hashlib
import re
from dataclasses import dataclass

_TENANT = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_DOCUMENT = re.compile(r"[0-9a-f]{32}")
_SUBJECT = re.compile(r"[!-~]{1,255}")
_PLAIN_REFERENCE = re.compile(r"[A-Za-z0-9_-]{2,64}")
_HASHED = "hashed-"


class InvalidIdentifierError(ValueError):
    """An identifier outside its alphabet. The message names the kind and never repeats the value."""


def tenant_id(value: object) -> str:
    """A tenant: 1 to 63 of a-z, 0-9 and inner hyphens."""
    return _checked(_TENANT, value, "tenant")


def document_id(value: object) -> str:
    """A document: 32 lower-case hexadecimal digits."""
    return _checked(_DOCUMENT, value, "document")


def user_reference(subject: object) -> str:
    """A name for a user that IAM takes as role session name and source identity, and that is no personal data.

    A subject outside the alphabet (an e-mail address, `provider|number`) is replaced by its hash: session names
    reach CloudTrail in other accounts, where a person's address has no business. Two subjects never share a name.
    Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    text = _checked(_SUBJECT, subject, "user")
    if _PLAIN_REFERENCE.fullmatch(text) and not text.startswith(_HASHED):
        return text
    return _HASHED + hashlib.sha256(text.encode()).hexdigest()[:48]


@dataclass(frozen=True, kw_only=True)
class DocumentAddress:
    """Where one tenant's document lies: partition and sort key of its item, and the key of its object."""

    tenant: str
    document: str

    def __post_init__(self) -> None:
        tenant_id(self.tenant)
        document_id(self.document)

    @property
    def object_key(self) -> str:
        """The S3 key; its first segment is the prefix that the tenant's session may touch."""
        return f"{self.tenant}/{self.document}"


def parse_object_key(key: object) -> DocumentAddress:
    """The address a key stands for; a key this workload would not have written is refused."""
    if not isinstance(key, str) or key.count("/") != 1:
        raise InvalidIdentifierError("object key: expected <tenant>/<document>")
    tenant, document = key.split("/")
    return DocumentAddress(tenant=tenant, document=document)


def _checked(pattern: re.Pattern[str], value: object, kind: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise InvalidIdentifierError(f"{kind}: expected {pattern.pattern}")
    return value
