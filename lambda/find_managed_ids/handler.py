"""Finds the ids of AWS-managed prefix lists and DNS firewall domain lists by their documented names.

Source: https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall-managed-domain-lists.html
"""

from collections.abc import Iterable, Mapping
from typing import Any

import boto3
from palisade_runtime.custom_resource import Context, Outcome, RefusedRequestError, Request, respond


def handle(event: Mapping[str, Any], context: Context) -> None:
    """Called by CloudFormation with ``PrefixLists`` and ``DomainLists``, each a mapping from attribute to list name."""
    respond(
        event,
        context,
        service="find_managed_ids",
        act=lambda request: find(request, boto3.client("ec2"), boto3.client("route53resolver")),
    )


def find(request: Request, ec2: Any, resolver: Any) -> Outcome:
    """The id of each list, under the attribute it was asked for.

    Raises:
        RefusedRequestError: naming every list that AWS does not offer in this region.
    """
    if request.kind == "Delete":
        return Outcome(physical_id=request.physical_id or "")
    prefix_lists: Mapping[str, str] = request.properties.get("PrefixLists", {})
    domain_lists: Mapping[str, str] = request.properties.get("DomainLists", {})
    known: dict[str, str] = {}
    if prefix_lists:
        pages = ec2.get_paginator("describe_managed_prefix_lists").paginate()
        found = (entry for page in pages for entry in page["PrefixLists"])
        known |= ids(found, owner="OwnerId", owned_by="AWS", name="PrefixListName", identity="PrefixListId")
    if domain_lists:
        pages = resolver.get_paginator("list_firewall_domain_lists").paginate()
        found = (entry for page in pages for entry in page["FirewallDomainLists"])
        owner = "Route 53 Resolver DNS Firewall"
        known |= ids(found, owner="ManagedOwnerName", owned_by=owner, name="Name", identity="Id")
    wanted = {**prefix_lists, **domain_lists}
    missing = sorted(name for name in wanted.values() if name not in known)
    if missing:
        raise RefusedRequestError(f"AWS offers no such list in this region: {', '.join(missing)}")
    return Outcome(physical_id="aws-managed-ids", data={attribute: known[name] for attribute, name in wanted.items()})


def ids(entries: Iterable[Mapping[str, str]], *, owner: str, owned_by: str, name: str, identity: str) -> dict[str, str]:
    """Ids by name, of AWS's own lists only: anybody may give a list of theirs the same name."""
    return {entry[name]: entry[identity] for entry in entries if entry.get(owner) == owned_by}
