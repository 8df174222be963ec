"""The account's block on public buckets: whole, repeatable, and never lifted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from block_public_buckets.handler import BLOCKED, block
from moto import mock_aws
from palisade_runtime.custom_resource import RefusedRequestError, Request

ACCOUNT = "123456789012"


@pytest.fixture
def s3control() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("s3control", region_name="eu-west-1")


def _request(kind: str = "Create", **properties: str) -> Request:
    return Request(kind=kind, properties=properties or {"AccountId": ACCOUNT}, physical_id=None)


def _blocked(s3control: Any) -> Any:
    return s3control.get_public_access_block(AccountId=ACCOUNT)["PublicAccessBlockConfiguration"]


def test_blocks_all_four_ways(s3control: Any) -> None:
    block(_request(), s3control)
    assert _blocked(s3control) == BLOCKED
    assert set(BLOCKED.values()) == {True}


def test_puts_back_what_somebody_opened(s3control: Any) -> None:
    s3control.put_public_access_block(
        AccountId=ACCOUNT, PublicAccessBlockConfiguration={**BLOCKED, "BlockPublicPolicy": False}
    )
    assert block(_request("Update"), s3control) == block(_request("Update"), s3control)
    assert _blocked(s3control) == BLOCKED


def test_deletion_leaves_the_account_blocked(s3control: Any) -> None:
    block(_request(), s3control)
    block(_request("Delete"), s3control)
    assert _blocked(s3control) == BLOCKED


def test_refuses_a_request_without_account(s3control: Any) -> None:
    with pytest.raises(RefusedRequestError, match="AccountId"):
        block(_request(AccountId=" "), s3control)
