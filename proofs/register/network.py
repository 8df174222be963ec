"""Promises about networks that stand beside who reaches whom: explicit access lists, closed defaults, names that resolve."""

from __future__ import annotations

from proofs.finding import Case, Finding, note, proof
from proofs.model import as_list, at
from proofs.register.questions import facts, texts


@proof("network.access-lists-are-explicit")
def access_lists_are_explicit(case: Case, finding: Finding) -> None:
    """Every subnet has an access list of its own that names ports, and the defaults of every network are closed.

    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html
    """
    model = facts(case).model
    lists = {a.get("SubnetId"): a for a in model.of("AWS::EC2::SubnetNetworkAclAssociation")}
    for subnet in model.of("AWS::EC2::Subnet"):
        association = lists.get(subnet.id)
        acl = model.find(association.get("NetworkAclId"), "AWS::EC2::NetworkAcl") if association else None
        if acl is None:
            finding.broken.append(note(subnet, "only the default access list filters it"))
        else:
            finding.evidence.append(note(subnet, f"filtered by {acl.path}"))
    for entry in model.of("AWS::EC2::NetworkAclEntry"):
        if entry.get("RuleAction") == "allow" and str(entry.get("Protocol")) == "-1":
            finding.broken.append(note(entry, "allows every protocol and port"))
        ports = entry.get("PortRange", default={})
        if entry.get("RuleAction") == "allow" and (at(ports, "From"), at(ports, "To")) == (0, 65535):
            finding.broken.append(note(entry, "allows every port"))
    for vpc in model.of("AWS::EC2::VPC"):
        closed = [
            n for n in model.referrers(vpc) if "Default" in n.type and n.type.startswith(("Custom::", "AWS::EC2::"))
        ]
        if closed:
            finding.evidence.append(note(closed[0], f"empties the default group and list of {vpc.path}"))
        else:
            finding.broken.append(note(vpc, "its default security group and access list stay open"))


@proof("network.unlisted-names-do-not-resolve")
def unlisted_names_do_not_resolve(case: Case, finding: Finding) -> None:
    """In every network only listed names resolve; whatever else is asked for does not exist.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall.html
    """
    model = facts(case).model
    for vpc in model.of("AWS::EC2::VPC"):
        groups = [
            model.find(association.get("FirewallRuleGroupId"), "AWS::Route53Resolver::FirewallRuleGroup")
            for association in model.of("AWS::Route53Resolver::FirewallRuleGroupAssociation")
            if association.get("VpcId") == vpc.id
        ]
        if not any(groups):
            finding.broken.append(note(vpc, "every name resolves in it"))
        for group in groups:
            if group is None:
                continue
            rules = sorted(as_list(group.get("FirewallRules")), key=lambda rule: int(at(rule, "Priority", default=0)))
            last = rules[-1] if rules else {}
            everything = model.find(at(last, "FirewallDomainListId"), "AWS::Route53Resolver::FirewallDomainList")
            names = texts(everything.get("Domains")) if everything else []
            allowed = [
                name
                for rule in rules
                if at(rule, "Action") == "ALLOW"
                and (found := model.find(at(rule, "FirewallDomainListId"), "AWS::Route53Resolver::FirewallDomainList"))
                for name in texts(found.get("Domains"))
            ]
            if at(last, "Action") != "BLOCK" or "*" not in names:
                finding.broken.append(note(group, "what no rule names is let through"))
            elif "*" in allowed or any(at(rule, "Action") == "ALERT" for rule in rules):
                finding.broken.append(note(group, "a rule lets every name through"))
            else:
                finding.evidence.append(note(group, f"{len(allowed)} names resolve in {vpc.path}, nothing else"))


@proof("network.firewalls-block")
def firewalls_block(case: Case, finding: Finding) -> None:
    """Every web ACL blocks what its managed groups know, addresses of ill repute among it, and whoever asks too often.

    https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
    """
    for acl in facts(case).model.of("AWS::WAFv2::WebACL"):
        rules = as_list(acl.get("Rules"))
        managed = [rule for rule in rules if at(rule, "Statement", "ManagedRuleGroupStatement") is not None]
        counting = [at(rule, "Name") for rule in managed if at(rule, "OverrideAction", "None") is None]
        names = {str(at(rule, "Statement", "ManagedRuleGroupStatement", "Name")) for rule in managed}
        limits = [
            rule
            for rule in rules
            if at(rule, "Statement", "RateBasedStatement") is not None and at(rule, "Action", "Block") is not None
        ]
        faults = [f"{name} only counts" for name in counting]
        if not limits:
            faults.append("no rate is limited")
        if not any("IpReputation" in name for name in names):
            faults.append("addresses of ill repute are let in")
        if not any(name.endswith(("CommonRuleSet", "KnownBadInputsRuleSet")) for name in names):
            faults.append("known bad requests are let in")
        finding.broken += [note(acl, fault) for fault in faults]
        if not faults:
            finding.evidence.append(note(acl, f"{len(managed)} managed groups and {len(limits)} rate limits block"))
