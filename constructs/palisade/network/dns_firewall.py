"""Answers for allowed names only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import aws_route53resolver as resolver

from constructs import Construct

_Rule = resolver.CfnFirewallRuleGroup.FirewallRuleProperty


class DnsFirewall(Construct):
    """Within the VPC, names of known threats are blocked, then ``allowed`` names are answered, then all else is blocked.

    Blocked names do not exist (NXDOMAIN). ``allowed`` are exact names or ``*.example.com`` for the names below.
    ``threats`` are ids of AWS's domain lists by what they hold. Should the firewall itself fail, queries fail: AWS
    leaves fail-open off unless somebody turns it on.

    Controls: ``network.dns-firewall.block-lists``, ``network.dns-firewall.allow-list``.
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall-rule-groups.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        vpc_id: str,
        allowed: Sequence[str],
        threats: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        allow_list = self._list("Allowed", f"{name}-allowed", allowed)
        everything = self._list("Everything", f"{name}-everything", ["*"])
        group = resolver.CfnFirewallRuleGroup(
            self,
            "Resource",
            name=name,
            firewall_rules=[
                *(self._block(identity, 100 + place) for place, identity in enumerate(threats.values())),
                _Rule(
                    action="ALLOW",
                    priority=200,
                    firewall_domain_list_id=allow_list,
                    # A vendor's name leads to names of its content network, which are the vendor's choice.
                    firewall_domain_redirection_action="TRUST_REDIRECTION_DOMAIN",
                ),
                self._block(everything, 300),
            ],
        )
        resolver.CfnFirewallRuleGroupAssociation(
            self, "Association", name=name, firewall_rule_group_id=group.ref, vpc_id=vpc_id, priority=101
        )

    def _list(self, construct_id: str, name: str, domains: Sequence[str]) -> str:
        return resolver.CfnFirewallDomainList(self, construct_id, name=name, domains=list(domains)).ref

    @staticmethod
    def _block(domain_list_id: str, priority: int) -> _Rule:
        return _Rule(
            action="BLOCK", block_response="NXDOMAIN", priority=priority, firewall_domain_list_id=domain_list_id
        )
