"""A web ACL that blocks whom responders shut out, what AWS knows to be hostile, and whoever asks too often."""

from __future__ import annotations

import enum

from aws_cdk import aws_wafv2 as waf

from constructs import Construct

MANAGED_GROUPS = {
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesAnonymousIpList": 50,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesCommonRuleSet": 700,
    "AWSManagedRulesSQLiRuleSet": 200,
    "AWSManagedRulesLinuxRuleSet": 200,
    "AWSManagedRulesUnixRuleSet": 100,
}
"""Rule groups in the order in which they look at a request, cheapest first, and the capacity each takes.
https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html"""

RATE_RULE_CAPACITY = 2 + 2
"""A rate rule, and the exact string match that narrows it.
https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based.html"""

BLOCKED = {"v4": "IPV4", "v6": "IPV6"}
"""Ends the names of the sets of blocked addresses; an address set takes one unit of capacity.
https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-ipset-match.html"""

REDACTED_HEADERS = ("authorization", "cookie", "x-api-key", "x-origin-verify")
"""Headers whose values are credentials: they reach neither logs nor sampled requests."""


class AclScope(enum.Enum):
    """What the ACL stands in front of, and the body size setting of that service."""

    CLOUDFRONT = "CLOUDFRONT"
    REGIONAL = "API_GATEWAY"


class WebAcl(Construct):
    """Blocks by two sets of addresses, seven managed rule groups and a rate rule; everything else passes, and every request
    is logged.

    The sets ``<name>-blocked-v4`` and ``-v6`` are empty until responders fill them; a deployment leaves them as they are,
    because it writes only what a template changed.

    Each address may send ``requests_per_five_minutes``. Requests for ``host_behind_cdn`` are not counted, because they all
    come from CloudFront's addresses and were counted there. The first 16 KB of a body are inspected (8 KB at load
    balancers, by AWS), and larger bodies than 8 KB are refused. ``log_bucket`` is a bucket's name, which must begin with
    ``aws-waf-logs-``. An ACL for CloudFront belongs in us-east-1.

    Controls: ``edge.web-acl.blocked-addresses``, ``edge.web-acl.managed-groups``, ``edge.web-acl.rate``, ``edge.web-acl.log``.

    https://docs.aws.amazon.com/waf/latest/developerguide/logging-management-configure.html
    https://docs.aws.amazon.com/waf/latest/developerguide/waf-oversize-request-components.html
    https://repost.aws/knowledge-center/waf-send-logs-centralized-account (a bucket of another account)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        acl_scope: AclScope,
        requests_per_five_minutes: int,
        log_bucket: str,
        host_behind_cdn: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.resource = waf.CfnWebACL(
            self,
            "Resource",
            name=name,
            scope=acl_scope.name,
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visible(name),
            rules=[
                _rate(requests_per_five_minutes, host_behind_cdn),
                *self._blocked(name, acl_scope),
                *_managed(),
            ],
            association_config=waf.CfnWebACL.AssociationConfigProperty(
                request_body={
                    acl_scope.value: waf.CfnWebACL.RequestBodyAssociatedResourceTypeConfigProperty(
                        default_size_inspection_limit="KB_16"
                    )
                }
            ),
            data_protection_config=waf.CfnWebACL.DataProtectionConfigProperty(
                data_protections=[
                    waf.CfnWebACL.DataProtectProperty(
                        action="SUBSTITUTION",
                        field=waf.CfnWebACL.FieldToProtectProperty(
                            field_type="SINGLE_HEADER", field_keys=list(REDACTED_HEADERS)
                        ),
                    )
                ]
            ),
        )
        self.arn = self.resource.attr_arn
        waf.CfnLoggingConfiguration(
            self,
            "Log",
            resource_arn=self.arn,
            log_destination_configs=[f"arn:aws:s3:::{log_bucket}"],
            redacted_fields=[
                waf.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": header})
                for header in REDACTED_HEADERS
            ],
        )

    def _blocked(self, name: str, acl_scope: AclScope) -> list[waf.CfnWebACL.RuleProperty]:
        rules = []
        for priority, (version, family) in enumerate(BLOCKED.items(), start=1):
            addresses = waf.CfnIPSet(
                self,
                f"Blocked{version.capitalize()}",
                name=f"{name}-blocked-{version}",
                description="Addresses that responders shut out",
                scope=acl_scope.name,
                ip_address_version=family,
                addresses=[],
            )
            rules.append(
                waf.CfnWebACL.RuleProperty(
                    name=f"Blocked{version.capitalize()}",
                    priority=priority,
                    action=waf.CfnWebACL.RuleActionProperty(block={}),
                    statement=waf.CfnWebACL.StatementProperty(ip_set_reference_statement={"arn": addresses.attr_arn}),
                    visibility_config=_visible(f"Blocked{version.capitalize()}"),
                )
            )
        return rules

    def guard(self, construct_id: str, resource_arn: str) -> None:
        """Put the ACL in front of a load balancer or of an API's stage."""
        waf.CfnWebACLAssociation(self, construct_id, resource_arn=resource_arn, web_acl_arn=self.arn)


def _visible(metric: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, sampled_requests_enabled=True, metric_name=metric
    )


def _rate(limit: int, host_behind_cdn: str | None) -> waf.CfnWebACL.RuleProperty:
    direct = (
        None
        if host_behind_cdn is None
        else waf.CfnWebACL.StatementProperty(
            not_statement=waf.CfnWebACL.NotStatementProperty(
                statement=waf.CfnWebACL.StatementProperty(
                    byte_match_statement=waf.CfnWebACL.ByteMatchStatementProperty(
                        field_to_match=waf.CfnWebACL.FieldToMatchProperty(single_header={"Name": "host"}),
                        positional_constraint="EXACTLY",
                        search_string=host_behind_cdn,
                        text_transformations=[waf.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")],
                    )
                )
            )
        )
    )
    return waf.CfnWebACL.RuleProperty(
        name="Rate",
        priority=0,
        action=waf.CfnWebACL.RuleActionProperty(block={}),
        statement=waf.CfnWebACL.StatementProperty(
            rate_based_statement=waf.CfnWebACL.RateBasedStatementProperty(
                aggregate_key_type="IP", limit=limit, evaluation_window_sec=300, scope_down_statement=direct
            )
        ),
        visibility_config=_visible("Rate"),
    )


def _managed() -> list[waf.CfnWebACL.RuleProperty]:
    return [
        waf.CfnWebACL.RuleProperty(
            name=group.removeprefix("AWSManagedRules"),
            priority=10 * position,
            # "None" leaves the group's own actions in force, which block.
            override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
            statement=waf.CfnWebACL.StatementProperty(
                managed_rule_group_statement=waf.CfnWebACL.ManagedRuleGroupStatementProperty(
                    vendor_name="AWS", name=group
                )
            ),
            visibility_config=_visible(group),
        )
        for position, group in enumerate(MANAGED_GROUPS, start=1)
    ]
