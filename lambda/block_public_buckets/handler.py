"""Blocks public access to every bucket and access point of the account, whatever their own settings say.

CloudFormation has no type for it. Idempotent; deletion of the custom resource leaves the account blocked.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from collections.abc import Mapping
from typing import Any

import boto3
from palisade_runtime.custom_resource import Context, Outcome, Request, respond

BLOCKED = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}


def handle(event: Mapping[str, Any], context: Context) -> None:
    """Called by CloudFormation with ``AccountId``."""
    respond(
        event, context, service="block_public_buckets", act=lambda request: block(request, boto3.client("s3control"))
    )


def block(request: Request, s3control: Any) -> Outcome:
    """Block all four ways to make something public, unless the resource is being deleted."""
    account = request.text("AccountId")
    if request.kind != "Delete":
        s3control.put_public_access_block(AccountId=account, PublicAccessBlockConfiguration=BLOCKED)
    return Outcome(physical_id=f"public-access-block-{account}")
