"""WAF parts, Shield, Route 53 health checks, log deliveries of CloudFront."""

from __future__ import annotations

from typing import Any

from rehearsal.emulator.spec import Context, Props, made_up, named, spec, text

spec(
    "AWS::WAFv2::WebACLAssociation",
    "wafv2",
    "associate_web_acl",
    lambda p, _r, _c: f"{p['WebACLArn']}|{p['ResourceArn']}",
    delete="disassociate_web_acl",
    delete_with=lambda _i, p, _a: {"ResourceArn": p["ResourceArn"]},
)
spec(
    "AWS::WAFv2::LoggingConfiguration",
    "wafv2",
    "put_logging_configuration",
    lambda p, _r, _c: p["ResourceArn"],
    wrap="LoggingConfiguration",
    update="create",
    delete="delete_logging_configuration",
    delete_with=lambda i, _p, _a: {"ResourceArn": i},
)


def _waf_id(props: Props, answer: Any, _context: Context) -> str:
    return f"{answer['Summary']['Name']}|{answer['Summary']['Id']}|{props['Scope']}"


def _waf_delete(operation: str, read: str) -> Any:
    def before(context: Context, identity: str, _props: Props) -> None:
        name, number, scope = identity.split("|")
        waf = context.client("wafv2")
        token = getattr(waf, read)(Name=name, Id=number, Scope=scope)["LockToken"]
        getattr(waf, operation)(Name=name, Id=number, Scope=scope, LockToken=token)

    return before


for _type, _noun in (("IPSet", "ip_set"), ("RegexPatternSet", "regex_pattern_set"), ("RuleGroup", "rule_group")):
    spec(
        f"AWS::WAFv2::{_type}",
        "wafv2",
        f"create_{_noun}",
        _waf_id,
        extra=lambda p, c: {"Name": p.get("Name") or c.name()},
        attributes={"Arn": "Summary.ARN", "Id": "Summary.Id"},
        before_delete=_waf_delete(f"delete_{_noun}", f"get_{_noun}"),
    )


def _protection_id(_props: Props, answer: Any, context: Context) -> str:
    return context.arn("shield", f"protection/{answer['ProtectionId']}", region="")


spec(
    "AWS::Shield::Protection",
    "shield",
    "create_protection",
    _protection_id,
    attributes={"ProtectionId": "ProtectionId", "ProtectionArn": _protection_id},
    delete="delete_protection",
    delete_with=lambda i, _p, _a: {"ProtectionId": i.rsplit("/", 1)[1]},
)
spec("AWS::Shield::DRTAccess", "shield", "associate_drt_role", lambda _p, _r, c: c.account, recorded=True)
spec(
    "AWS::Shield::ProactiveEngagement",
    "shield",
    "associate_proactive_engagement_details",
    lambda _p, _r, c: c.account,
    recorded=True,
)
spec(
    "AWS::Shield::ProtectionGroup",
    "shield",
    "create_protection_group",
    lambda p, _r, c: c.arn("shield", f"protection-group/{p['ProtectionGroupId']}", region=""),
    recorded=True,
)
spec(
    "AWS::ElasticLoadBalancingV2::ListenerCertificate",
    "elbv2",
    "add_listener_certificates",
    made_up("listener-certificate-"),
    recorded=True,
)
spec(
    "AWS::Route53::HealthCheck",
    "route53",
    "create_health_check",
    made_up("health-check-"),
    extra=lambda _p, c: {"CallerReference": c.logical_id},
    drop=("HealthCheckTags",),
    attributes={"HealthCheckId": made_up("health-check-")},
    recorded=True,
)
spec(
    "AWS::Route53::KeySigningKey",
    "route53",
    "create_key_signing_key",
    lambda p, _r, _c: f"{p['HostedZoneId']}|{p['Name']}",
    rename={"KeyManagementServiceArn": "KeyManagementServiceArn"},
    extra=lambda _p, c: {"CallerReference": c.logical_id},
    recorded=True,
)
spec("AWS::Route53::DNSSEC", "route53", "enable_hosted_zone_dnssec", lambda p, _r, _c: p["HostedZoneId"], recorded=True)
spec(
    "AWS::CloudFront::MonitoringSubscription",
    "cloudfront",
    "create_monitoring_subscription",
    lambda p, _r, _c: p["DistributionId"],
    recorded=True,
)

# -- Vended logs: source, destination, and the delivery between them.
spec(
    "AWS::Logs::DeliverySource",
    "logs",
    "put_delivery_source",
    named("Name"),
    update="create",
    attributes={"Arn": "deliverySource.arn", "Service": "deliverySource.service"},
    delete="delete_delivery_source",
    delete_with=lambda i, _p, _a: {"name": i},
)


def _destination(props: Props, _context: Context) -> Props:
    return {"deliveryDestinationConfiguration": {"destinationResourceArn": props["DestinationResourceArn"]}}


def _destination_policy(context: Context, identity: str, props: Props, _answer: Any) -> None:
    policy = props.get("DeliveryDestinationPolicy")
    if policy:
        document = policy.get("DeliveryDestinationPolicy") or policy
        context.client("logs").put_delivery_destination_policy(
            deliveryDestinationName=policy.get("DeliveryDestinationName") or identity,
            deliveryDestinationPolicy=text(dict(document)),
        )


spec(
    "AWS::Logs::DeliveryDestination",
    "logs",
    "put_delivery_destination",
    named("Name"),
    update="create",
    drop=("DestinationResourceArn", "DeliveryDestinationPolicy"),
    extra=_destination,
    after=_destination_policy,
    attributes={"Arn": "deliveryDestination.arn"},
    delete="delete_delivery_destination",
    delete_with=lambda i, _p, _a: {"name": i},
)


def _delivery(props: Props, _context: Context) -> Props:
    s3 = {
        name: value
        for name, value in (
            ("suffixPath", props.get("S3SuffixPath")),
            ("enableHiveCompatiblePath", props.get("S3EnableHiveCompatiblePath")),
        )
        if value is not None
    }
    return {"s3DeliveryConfiguration": s3} if s3 else {}


spec(
    "AWS::Logs::Delivery",
    "logs",
    "create_delivery",
    "delivery.id",
    drop=("S3SuffixPath", "S3EnableHiveCompatiblePath"),
    extra=_delivery,
    attributes={"Arn": "delivery.arn", "DeliveryId": "delivery.id"},
    delete="delete_delivery",
    delete_with=lambda i, _p, _a: {"id": i},
)
