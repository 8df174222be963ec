"""A private bucket in which each object has a data key of its own, so that its encryption context can name a tenant."""

from __future__ import annotations

from typing import ClassVar

from palisade.storage.private_bucket import PrivateBucket


class TenantBucket(PrivateBucket):
    """A :class:`PrivateBucket` whose every read and write asks KMS, with the object's own encryption context.

    With a bucket key the context is the bucket's ARN alone, and KMS could not tell one tenant's object from another's.
    Costs one KMS request per object request.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html#bucket-key-changes
    """

    _one_key_for_many_objects: ClassVar[bool] = False
