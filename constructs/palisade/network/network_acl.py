"""The network ACL of one tier."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.network.acl_rules import AclRule, AclRules

_PROTOCOLS = {"tcp": 6, "icmp": 1, "all": -1}


class NetworkAcl(Construct):
    """Lets through what ``rules`` say, in their order, and nothing else, for every subnet of ``subnets``.

    Control: ``network.acl.per-tier``.
    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        vpc_id: str,
        rules: AclRules,
        subnets: Sequence[ec2.CfnSubnet],
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        self._acl = ec2.CfnNetworkAcl(self, "Resource", vpc_id=vpc_id, tags=[cdk.CfnTag(key="Name", value=name)])
        acknowledge(
            self._acl,
            f"{name}: the rule warns of the upkeep of two layers; both come from one table here and are tested together.",
            "AwsSolutions-VPC3",
        )
        for direction, entries in (("Inbound", rules.inbound), ("Outbound", rules.outbound)):
            for place, rule in enumerate(entries, start=1):
                self._entry(f"{direction}{place}", rule, number=place * 100, egress=direction == "Outbound")
        for place, subnet in enumerate(subnets, start=1):
            ec2.CfnSubnetNetworkAclAssociation(
                self, f"Association{place}", network_acl_id=self._acl.ref, subnet_id=subnet.ref
            )

    def _entry(self, construct_id: str, rule: AclRule, *, number: int, egress: bool) -> None:
        entry = ec2.CfnNetworkAclEntry(
            self,
            construct_id,
            network_acl_id=self._acl.ref,
            rule_number=number,
            egress=egress,
            rule_action=rule.action,
            protocol=_PROTOCOLS[rule.protocol],
            cidr_block=rule.block,
            port_range=None
            if rule.ports is None
            else ec2.CfnNetworkAclEntry.PortRangeProperty(from_=rule.ports[0], to=rule.ports[1]),
            icmp=ec2.CfnNetworkAclEntry.IcmpProperty(type=3, code=4) if rule.protocol == "icmp" else None,
        )
        way = "outbound" if egress else "inbound"
        acknowledge(entry, f"{self._name}, {way} {number}: wanted, since {rule.why}.", "AwsSolutions-VPC3")
