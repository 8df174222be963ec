"""Ids of AWS's lists: found over all pages, AWS's own only, every missing one named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from find_managed_ids.handler import find
from palisade_runtime.custom_resource import RefusedRequestError, Request

CLOUDFRONT = "com.amazonaws.global.cloudfront.origin-facing"
THREATS = "AWSManagedDomainsAggregateThreatList"
OWNER = "Route 53 Resolver DNS Firewall"


def prefix_list(name: str, identity: str, owner: str = "AWS") -> dict[str, str]:
    return {"PrefixListName": name, "PrefixListId": identity, "OwnerId": owner}


def domain_list(name: str, identity: str, owner: str | None = OWNER) -> dict[str, str]:
    return {"Name": name, "Id": identity, **({} if owner is None else {"ManagedOwnerName": owner})}


@pytest.fixture
def clients() -> Iterator[tuple[Any, Any]]:
    ec2, resolver = (boto3.client(name, region_name="eu-west-1") for name in ("ec2", "route53resolver"))
    with Stubber(ec2) as ec2_stub, Stubber(resolver) as resolver_stub:
        ec2_stub.add_response(
            "describe_managed_prefix_lists",
            {"PrefixLists": [prefix_list(CLOUDFRONT, "pl-planted", "111122223333")], "NextToken": "more"},
        )
        ec2_stub.add_response(
            "describe_managed_prefix_lists",
            {"PrefixLists": [prefix_list(CLOUDFRONT, "pl-aws"), prefix_list("com.amazonaws.eu-west-1.s3", "pl-s3")]},
            {"NextToken": "more"},
        )
        resolver_stub.add_response(
            "list_firewall_domain_lists",
            {"FirewallDomainLists": [domain_list("other", "rslvr-fdl-other")], "NextToken": "more"},
        )
        resolver_stub.add_response(
            "list_firewall_domain_lists",
            {
                "FirewallDomainLists": [
                    domain_list(THREATS, "rslvr-fdl-aws"),
                    domain_list(THREATS, "rslvr-fdl-own", None),
                ]
            },
            {"NextToken": "more"},
        )
        yield ec2, resolver


def request(prefix_lists: Mapping[str, str], domain_lists: Mapping[str, str], kind: str = "Create") -> Request:
    return Request(
        kind=kind,
        properties={"PrefixLists": prefix_lists, "DomainLists": domain_lists},
        physical_id=None if kind == "Create" else "aws-managed-ids",
    )


def test_finds_ids_on_later_pages_and_takes_no_list_of_anybody_else(clients: tuple[Any, Any]) -> None:
    outcome = find(request({"CloudFront": CLOUDFRONT}, {"Threats": THREATS}), *clients)
    assert outcome.data == {"CloudFront": "pl-aws", "Threats": "rslvr-fdl-aws"}


def test_names_every_list_that_is_missing(clients: tuple[Any, Any]) -> None:
    with pytest.raises(RefusedRequestError, match="absent-domains, absent-prefixes"):
        find(request({"A": "absent-prefixes", "B": CLOUDFRONT}, {"C": "absent-domains"}), *clients)


def test_deletion_asks_nothing() -> None:
    outcome = find(request({"A": CLOUDFRONT}, {}, kind="Delete"), None, None)
    assert outcome.physical_id == "aws-managed-ids"
