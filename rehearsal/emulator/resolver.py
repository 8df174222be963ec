"""Route 53 Resolver: the DNS firewall, which neither ministack nor moto has, and query logs, which moto cannot delete.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_Operations_Amazon_Route_53_Resolver.html
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region

from rehearsal.emulator.spec import digest

Record = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]

MANAGED = (
    "AWSManagedDomainsAggregateThreatList",
    "AWSManagedDomainsAmazonGuardDutyThreatList",
    "AWSManagedDomainsBotnetCommandandControl",
    "AWSManagedDomainsMalwareDomainList",
)
"""https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall-managed-domain-lists.html"""


class Place:
    """What one account keeps in one region."""

    def __init__(self) -> None:
        self.domain_lists: dict[str, Record] = {}
        self.groups: dict[str, Record] = {}
        self.associations: dict[str, Record] = {}
        self.logs: dict[str, Record] = {}
        self.log_associations: dict[str, Record] = {}
        for name in MANAGED:
            self.add_list(name, owner="Route 53 Resolver DNS Firewall")

    def add_list(self, name: str, owner: str = "") -> Record:
        identity = "rslvr-fdl-" + digest(get_account_id(), get_region(), name)
        record = {
            "Id": identity,
            "Arn": _arn("firewall-domain-list", identity),
            "Name": name,
            "Status": "COMPLETE",
            "DomainCount": 0,
            "Domains": [],
            **({"ManagedOwnerName": owner} if owner else {}),
        }
        self.domain_lists[identity] = record
        return record


PLACES: defaultdict[tuple[str, str], Place] = defaultdict(Place)


class UnknownError(Exception):
    """What the request names does not exist."""


def _arn(kind: str, identity: str) -> str:
    return f"arn:aws:route53resolver:{get_region()}:{get_account_id()}:{kind}/{identity}"


def _get(store: dict[str, Record], identity: str) -> Record:
    if identity not in store:
        raise UnknownError(identity)
    return store[identity]


def _public(record: Record, *hidden: str) -> Record:
    return {key: value for key, value in record.items() if key not in hidden}


def _create_list(place: Place, given: Record) -> Record:
    return {"FirewallDomainList": _public(place.add_list(given["Name"]), "Domains")}


def _update_domains(place: Place, given: Record) -> Record:
    record = _get(place.domain_lists, given["FirewallDomainListId"])
    domains = list(given["Domains"])
    if given["Operation"] == "ADD":
        domains = [*record["Domains"], *(name for name in domains if name not in record["Domains"])]
    elif given["Operation"] == "REMOVE":
        domains = [name for name in record["Domains"] if name not in domains]
    record.update(Domains=domains, DomainCount=len(domains))
    return {"Id": record["Id"], "Name": record["Name"], "Status": "COMPLETE"}


def _create_group(place: Place, given: Record) -> Record:
    identity = "rslvr-frg-" + digest(get_account_id(), get_region(), given["Name"], given["CreatorRequestId"])
    record = {
        "Id": identity,
        "Arn": _arn("firewall-rule-group", identity),
        "Name": given["Name"],
        "Status": "COMPLETE",
        "OwnerId": get_account_id(),
        "ShareStatus": "NOT_SHARED",
        "RuleCount": 0,
        "Rules": [],
    }
    place.groups[identity] = record
    return {"FirewallRuleGroup": _public(record, "Rules")}


def _create_rule(place: Place, given: Record) -> Record:
    group = _get(place.groups, given["FirewallRuleGroupId"])
    if given.get("FirewallDomainListId"):
        _get(place.domain_lists, given["FirewallDomainListId"])
    rule = _public(given, "CreatorRequestId")
    group["Rules"].append(rule)
    group["RuleCount"] = len(group["Rules"])
    return {"FirewallRule": rule}


def _delete_rule(place: Place, given: Record) -> Record:
    group = _get(place.groups, given["FirewallRuleGroupId"])
    chosen = [
        rule
        for rule in group["Rules"]
        if rule.get("FirewallDomainListId") == given.get("FirewallDomainListId")
        and rule.get("FirewallThreatProtectionId") == given.get("FirewallThreatProtectionId")
    ]
    group["Rules"] = [rule for rule in group["Rules"] if rule not in chosen]
    group["RuleCount"] = len(group["Rules"])
    return {"FirewallRule": chosen[0] if chosen else {}}


def _associate(place: Place, given: Record) -> Record:
    _get(place.groups, given["FirewallRuleGroupId"])
    identity = "rslvr-frgassoc-" + digest(given["FirewallRuleGroupId"], given["VpcId"])
    record = {
        "Id": identity,
        "Arn": _arn("firewall-rule-group-association", identity),
        "MutationProtection": "DISABLED",
        "Status": "COMPLETE",
        **_public(given, "CreatorRequestId", "Tags"),
    }
    place.associations[identity] = record
    return {"FirewallRuleGroupAssociation": record}


def _update_association(place: Place, given: Record) -> Record:
    record = _get(place.associations, given["FirewallRuleGroupAssociationId"])
    record.update(_public(given, "FirewallRuleGroupAssociationId"))
    return {"FirewallRuleGroupAssociation": record}


def _removed(store: dict[str, Record], identity: str) -> Record:
    record = _get(store, identity)
    del store[identity]
    return record


def _create_log(place: Place, given: Record) -> Record:
    identity = "rqlc-" + digest(get_account_id(), get_region(), given["Name"], given["CreatorRequestId"])
    record = {
        "Id": identity,
        "Arn": _arn("resolver-query-log-config", identity),
        "OwnerId": get_account_id(),
        "Status": "CREATED",
        "ShareStatus": "NOT_SHARED",
        "AssociationCount": 0,
        **_public(given, "Tags"),
    }
    place.logs[identity] = record
    return {"ResolverQueryLogConfig": record}


def _associate_log(place: Place, given: Record) -> Record:
    log = _get(place.logs, given["ResolverQueryLogConfigId"])
    identity = "rqlca-" + digest(given["ResolverQueryLogConfigId"], given["ResourceId"])
    place.log_associations[identity] = {"Id": identity, "Status": "ACTIVE", **given}
    log["AssociationCount"] += 1
    return {"ResolverQueryLogConfigAssociation": place.log_associations[identity]}


def _disassociate_log(place: Place, given: Record) -> Record:
    log = _get(place.logs, given["ResolverQueryLogConfigId"])
    for identity, record in list(place.log_associations.items()):
        if all(record[name] == given[name] for name in ("ResolverQueryLogConfigId", "ResourceId")):
            log["AssociationCount"] -= 1
            return {"ResolverQueryLogConfigAssociation": place.log_associations.pop(identity)}
    raise UnknownError(given["ResourceId"])


OPERATIONS: dict[str, Callable[[Place, Record], Record]] = {
    "CreateFirewallDomainList": _create_list,
    "GetFirewallDomainList": lambda place, given: {
        "FirewallDomainList": _public(_get(place.domain_lists, given["FirewallDomainListId"]), "Domains")
    },
    "ListFirewallDomainLists": lambda place, _given: {
        "FirewallDomainLists": [_public(record, "Domains", "Status") for record in place.domain_lists.values()]
    },
    "ListFirewallDomains": lambda place, given: {
        "Domains": _get(place.domain_lists, given["FirewallDomainListId"])["Domains"]
    },
    "UpdateFirewallDomains": _update_domains,
    "DeleteFirewallDomainList": lambda place, given: {
        "FirewallDomainList": _public(_removed(place.domain_lists, given["FirewallDomainListId"]), "Domains")
    },
    "CreateFirewallRuleGroup": _create_group,
    "GetFirewallRuleGroup": lambda place, given: {
        "FirewallRuleGroup": _public(_get(place.groups, given["FirewallRuleGroupId"]), "Rules")
    },
    "ListFirewallRules": lambda place, given: {
        "FirewallRules": _get(place.groups, given["FirewallRuleGroupId"])["Rules"]
    },
    "CreateFirewallRule": _create_rule,
    "DeleteFirewallRule": _delete_rule,
    "DeleteFirewallRuleGroup": lambda place, given: {
        "FirewallRuleGroup": _public(_removed(place.groups, given["FirewallRuleGroupId"]), "Rules")
    },
    "AssociateFirewallRuleGroup": _associate,
    "UpdateFirewallRuleGroupAssociation": _update_association,
    "GetFirewallRuleGroupAssociation": lambda place, given: {
        "FirewallRuleGroupAssociation": _get(place.associations, given["FirewallRuleGroupAssociationId"])
    },
    "CreateResolverQueryLogConfig": _create_log,
    "GetResolverQueryLogConfig": lambda place, given: {
        "ResolverQueryLogConfig": _get(place.logs, given["ResolverQueryLogConfigId"])
    },
    "DeleteResolverQueryLogConfig": lambda place, given: {
        "ResolverQueryLogConfig": _removed(place.logs, given["ResolverQueryLogConfigId"])
    },
    "AssociateResolverQueryLogConfig": _associate_log,
    "GetResolverQueryLogConfigAssociation": lambda place, given: {
        "ResolverQueryLogConfigAssociation": _get(place.log_associations, given["ResolverQueryLogConfigAssociationId"])
    },
    "DisassociateResolverQueryLogConfig": _disassociate_log,
    "DisassociateFirewallRuleGroup": lambda place, given: {
        "FirewallRuleGroupAssociation": _removed(place.associations, given["FirewallRuleGroupAssociationId"])
    },
}


def answer(operation: str, body: bytes) -> Answer:
    """Serve one operation in the account and region of the request."""
    place = PLACES[get_account_id(), get_region()]
    try:
        status, content = 200, OPERATIONS[operation](place, json.loads(body or b"{}"))
    except UnknownError as error:
        status, content = 400, {"__type": "ResourceNotFoundException", "message": f"{error} does not exist"}
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(content).encode()
