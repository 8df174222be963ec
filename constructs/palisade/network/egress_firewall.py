"""Inspects connections out of the VPC and lets through those to allowed names."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_networkfirewall as firewall

from constructs import Construct
from palisade.network.tiered_vpc import TieredVpc

_CAPACITY = 1000
"""Rules that the group can ever hold; fixed for its life."""


class EgressFirewall(Construct):
    """Between applications and NAT gateways: a connection whose TLS handshake names nobody in ``allowed`` is dropped.

    ``allowed`` are exact names or ``*.example.com``. Plain HTTP has no rule, for no ACL lets it out. There is one
    endpoint for each NAT gateway, in its zone, and a connection passes the same one in both directions. Alerts and flows
    go to ``bucket_name`` in the log archive. Control: ``network.egress-firewall.allow-list``.

    https://docs.aws.amazon.com/network-firewall/latest/developerguide/suricata-rule-evaluation-order.html
    https://docs.aws.amazon.com/network-firewall/latest/developerguide/stateful-rule-groups-domain-names.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        network: TieredVpc,
        allowed: Sequence[str],
        bucket_name: str,
    ) -> None:
        super().__init__(scope, construct_id)
        allow_list = firewall.CfnRuleGroup(
            self,
            "AllowList",
            rule_group_name=f"{name}-allowed",
            type="STATEFUL",
            capacity=_CAPACITY,
            rule_group={
                "rulesSource": {
                    "rulesSourceList": {
                        "generatedRulesType": "ALLOWLIST",
                        "targetTypes": ["TLS_SNI"],
                        # A leading dot is how this service writes "and the names below".
                        "targets": [host.removeprefix("*") for host in allowed],
                    }
                },
                "statefulRuleOptions": {"ruleOrder": "STRICT_ORDER"},
            },
        )
        policy = firewall.CfnFirewallPolicy(
            self,
            "Policy",
            firewall_policy_name=name,
            firewall_policy={
                "statelessDefaultActions": ["aws:forward_to_sfe"],
                "statelessFragmentDefaultActions": ["aws:drop"],
                "statefulEngineOptions": {"ruleOrder": "STRICT_ORDER", "streamExceptionPolicy": "REJECT"},
                # Waits for the whole handshake, which with post-quantum keys is longer than one packet.
                "statefulDefaultActions": [
                    "aws:drop_established_app_layer_to_server",
                    "aws:alert_established_app_layer_to_server",
                ],
                "statefulRuleGroupReferences": [
                    {"resourceArn": allow_list.attr_rule_group_arn, "priority": 1},
                ],
            },
        )
        subnets = network.add_firewall_tier()
        resource = firewall.CfnFirewall(
            self,
            "Resource",
            firewall_name=name,
            firewall_policy_arn=policy.attr_firewall_policy_arn,
            vpc_id=network.vpc_id,
            subnet_mappings=[{"subnetId": subnet.ref} for subnet in subnets],
            delete_protection=True,
        )
        firewall.CfnLoggingConfiguration(
            self,
            "Logs",
            firewall_arn=resource.attr_firewall_arn,
            logging_configuration={
                "logDestinationConfigs": [
                    {
                        "logType": log_type,
                        "logDestinationType": "S3",
                        "logDestination": {"bucketName": bucket_name},
                    }
                    for log_type in ("ALERT", "FLOW")
                ]
            },
        )
        network.lead_out(
            through=[endpoint_in(subnet.availability_zone or "", resource.attr_endpoint_ids) for subnet in subnets]
        )


def endpoint_in(zone: str, endpoint_ids: Sequence[str]) -> str:
    """The endpoint of one zone, from ``zone:id`` pairs that AWS returns in no particular order.

    Cut behind the zone's name, then before the next comma; this holds for any order.
    """
    behind_zone = cdk.Fn.select(1, cdk.Fn.split(f"{zone}:", cdk.Fn.join(",", list(endpoint_ids))))
    return cdk.Fn.select(0, cdk.Fn.split(",", behind_zone))
