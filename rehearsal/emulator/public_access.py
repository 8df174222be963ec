"""The account's own block of public buckets, which ministack's S3 Control lacks.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutPublicAccessBlock.html
"""

from __future__ import annotations

import re
from typing import Any

from ministack import app as ministack
from ministack.core.responses import get_account_id

PATH = "/v20180820/configuration/publicAccessBlock"
ACTIONS = {
    "GET": "s3:GetAccountPublicAccessBlock",
    "PUT": "s3:PutAccountPublicAccessBlock",
    "DELETE": "s3:PutAccountPublicAccessBlock",
}
FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")

BLOCKS: dict[str, dict[str, bool]] = {}


def install() -> None:
    """Answer the account's public access block; the rest of S3 Control stays with ministack."""
    own = ministack._handle_s3_control_request

    async def control(*request: Any) -> Any:
        path, method, body, query, request_id, headers = request
        if path.rstrip("/") != PATH or method not in ACTIONS:
            return await own(*request)
        denied = ministack._enforce_data_plane("s3", ACTIONS[method], headers or {}, query, request_id)
        return denied or _serve(method, body.decode())

    ministack._handle_s3_control_request = control


def _serve(method: str, body: str) -> tuple[int, dict[str, str], bytes]:
    account, headers = get_account_id(), {"Content-Type": "application/xml"}
    if method == "PUT":
        BLOCKS[account] = {flag: re.search(rf"<{flag}>true</{flag}>", body) is not None for flag in FLAGS}
        return 200, headers, b""
    if method == "DELETE":
        BLOCKS.pop(account, None)
        return 204, headers, b""
    if account not in BLOCKS:
        error = "<Code>NoSuchPublicAccessBlockConfiguration</Code><Message>none</Message>"
        return 404, headers, f"<ErrorResponse><Error>{error}</Error></ErrorResponse>".encode()
    flags = "".join(f"<{flag}>{str(value).lower()}</{flag}>" for flag, value in BLOCKS[account].items())
    text = f"<PublicAccessBlockConfiguration>{flags}</PublicAccessBlockConfiguration>"
    return 200, headers, f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()
