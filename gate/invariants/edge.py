"""The edge: newest TLS, firewalls that block, logs on, limits and identities on every method."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assembly import Resource
from gate.control import control
from gate.world import World, as_list, at, truthy


@control("edge.distribution.tls", "AWS::CloudFront::Distribution")
def distribution_tls(distribution: Resource, _world: World) -> Iterator[str]:
    """Viewers speak TLS 1.2 or newer by CloudFront's newest policies, with a certificate of the deployment's own name.

    Fix: set ViewerCertificate.MinimumProtocolVersion, AcmCertificateArn and SslSupportMethod sni-only.
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/secure-connections-supported-viewer-protocols-ciphers.html
    """
    certificate = at(distribution.properties, "DistributionConfig", "ViewerCertificate", default={})
    if "AcmCertificateArn" not in certificate:
        yield "it has no certificate of its own, so CloudFront's default allows TLS 1.0"
    if not re.fullmatch(r"TLSv1\.2_202[1-9]|TLSv1\.3_20\d\d", str(certificate.get("MinimumProtocolVersion"))):
        yield f"viewers may use {certificate.get('MinimumProtocolVersion', 'TLSv1')}"
    if certificate.get("SslSupportMethod") not in {"sni-only", None}:
        yield f"it serves by {certificate.get('SslSupportMethod')}"


@control("edge.distribution.transport", "AWS::CloudFront::Distribution")
def distribution_transport(distribution: Resource, _world: World) -> Iterator[str]:
    """HTTP is refused or redirected for every path, and origins are called over TLS 1.2 alone.

    Fix: set ViewerProtocolPolicy to https-only or redirect-to-https, and OriginProtocolPolicy to https-only.
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https.html
    """
    config = distribution.properties.get("DistributionConfig", {})
    for behaviour in [config.get("DefaultCacheBehavior", {}), *config.get("CacheBehaviors", [])]:
        if behaviour.get("ViewerProtocolPolicy") not in {"https-only", "redirect-to-https"}:
            yield f"{behaviour.get('PathPattern', 'the default path')} answers plain HTTP"
    for origin in config.get("Origins", []):
        custom = origin.get("CustomOriginConfig")
        if custom is not None:
            if custom.get("OriginProtocolPolicy") != "https-only":
                yield f"origin {origin.get('Id')} may be called over plain HTTP"
            if set(custom.get("OriginSSLProtocols", ["TLSv1"])) - {"TLSv1.2"}:
                yield f"origin {origin.get('Id')} may be called over old TLS"
        elif not origin.get("OriginAccessControlId") and not origin.get("VpcOriginConfig"):
            yield f"origin {origin.get('Id')} is read without origin access control"


@control("edge.distribution.guarded", "AWS::CloudFront::Distribution")
def distribution_guarded(distribution: Resource, world: World) -> Iterator[str]:
    """Every path has a web ACL before it and security headers on its answers; every request is recorded.

    Fix: set WebACLId, a ResponseHeadersPolicyId for each behaviour, and Logging or a log delivery.
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/distribution-web-awswaf.html
    """
    config = distribution.properties.get("DistributionConfig", {})
    if world.target(config.get("WebACLId"), distribution) is None:
        yield "no web ACL of this deployment stands before it"
    for behaviour in [config.get("DefaultCacheBehavior", {}), *config.get("CacheBehaviors", [])]:
        if not behaviour.get("ResponseHeadersPolicyId"):
            yield f"{behaviour.get('PathPattern', 'the default path')} answers without security headers"
    delivered = list(world.pointing_at(distribution, "ResourceArn", "AWS::Logs::DeliverySource"))
    if "Logging" not in config and not delivered:
        yield "requests are not recorded"
    if not truthy(config.get("Enabled", True)):
        yield "it is off"
    if config.get("DefaultRootObject") in {None, ""} and any(
        "S3OriginConfig" in origin for origin in config.get("Origins", [])
    ):
        yield "it has no default root object, so an origin may list itself"


@control("edge.headers.strict", "AWS::CloudFront::ResponseHeadersPolicy")
def headers(policy: Resource, _world: World) -> Iterator[str]:
    """Browsers are told to use TLS for two years, to load nothing foreign, never to frame or guess types.

    Fix: set every part of SecurityHeadersConfig with Override true; HSTS of 63072000 seconds, subdomains, preload.
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-response-headers-policies.html
    """
    config = at(policy.properties, "ResponseHeadersPolicyConfig", "SecurityHeadersConfig", default={})
    for name in (
        "ContentSecurityPolicy",
        "ContentTypeOptions",
        "FrameOptions",
        "ReferrerPolicy",
        "StrictTransportSecurity",
    ):
        if name not in config:
            yield f"{name} is not set"
        elif not truthy(config[name].get("Override")):
            yield f"an origin may weaken {name}"
    transport = config.get("StrictTransportSecurity", {})
    if int(transport.get("AccessControlMaxAgeSec", 0)) < 63072000:
        yield f"browsers remember TLS for {transport.get('AccessControlMaxAgeSec', 0)} seconds"
    if not truthy(transport.get("IncludeSubdomains")) or not truthy(transport.get("Preload")):
        yield "strict transport leaves out subdomains or preload"
    content = str(at(config, "ContentSecurityPolicy", "ContentSecurityPolicy", default=""))
    if "default-src" not in content or re.search(r"unsafe-|(^|\s)\*(\s|;|$)", content):
        yield f"its content security policy is {content or 'empty'}"
    for item in at(policy.properties, "ResponseHeadersPolicyConfig", "CustomHeadersConfig", "Items", default=[]):
        if not truthy(item.get("Override")):
            yield f"an origin may weaken {item.get('Header')}"
    if at(config, "FrameOptions", "FrameOption") not in {"DENY", None}:
        yield "it may be framed"
    if at(config, "ReferrerPolicy", "ReferrerPolicy") not in {
        "no-referrer",
        "same-origin",
        "strict-origin",
        "strict-origin-when-cross-origin",
    }:
        yield "it tells other sites where its visitors come from"


@control("edge.origin-access.signed", "AWS::CloudFront::OriginAccessControl")
def origin_access(resource: Resource, _world: World) -> Iterator[str]:
    """CloudFront signs every request to an origin of AWS.

    Fix: set SigningBehavior always and SigningProtocol sigv4.
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
    """
    config = resource.properties.get("OriginAccessControlConfig", {})
    if config.get("SigningBehavior") != "always" or config.get("SigningProtocol") != "sigv4":
        yield f"it signs {config.get('SigningBehavior')}"


_GROUPS = {
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesSQLiRuleSet",
    "AWSManagedRulesLinuxRuleSet",
    "AWSManagedRulesUnixRuleSet",
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesAnonymousIpList",
}


@control("edge.web-acl.blocked-addresses", "AWS::WAFv2::WebACL")
def blocked_addresses(acl: Resource, world: World) -> Iterator[str]:
    """A web ACL blocks, before its rule groups look, a set of addresses of each IP version that responders fill at once.

    Fix: reference an IP set of IPV4 and one of IPV6, each in a rule with action Block and a low priority.
    https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-ipset-match.html
    """
    rules = [rule for rule in as_list(acl.properties.get("Rules")) if isinstance(rule, dict)]
    groups = [rule for rule in rules if at(rule, "Statement", "ManagedRuleGroupStatement") is not None]
    first = min((int(rule.get("Priority", 0)) for rule in groups), default=None)
    blocked = set()
    for rule in rules:
        named = at(rule, "Statement", "IPSetReferenceStatement", "Arn")
        addresses = None if named is None else world.target(named, acl)
        if (
            addresses is not None
            and addresses.type == "AWS::WAFv2::IPSet"
            and addresses.properties.get("Scope") == acl.properties.get("Scope")
            and "Block" in rule.get("Action", {})
            and (first is None or int(rule.get("Priority", 0)) < first)
        ):
            blocked.add(addresses.properties.get("IPAddressVersion"))
    for version in ("IPV4", "IPV6"):
        if version not in blocked:
            yield f"nobody can block an {version} address at once"


@control("edge.waf.rules", "AWS::WAFv2::WebACL")
def waf_rules(acl: Resource, _world: World) -> Iterator[str]:
    """A web ACL blocks: common attacks, bad inputs, SQL, Linux, bad and anonymous addresses, and floods.

    Fix: include the AWS managed groups with OverrideAction None, and a rate-based rule with action Block.
    https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
    """
    rules = acl.properties.get("Rules", [])
    blocking = set()
    for rule in rules:
        name = at(rule, "Statement", "ManagedRuleGroupStatement", "Name")
        if name is None:
            continue
        if "None" in rule.get("OverrideAction", {}):
            blocking.add(name)
        else:
            yield f"{name} only counts"
        for override in at(rule, "Statement", "ManagedRuleGroupStatement", "RuleActionOverrides", default=[]):
            if set(override.get("ActionToUse", {})) & {"Count", "Allow"}:
                yield f"{override.get('Name')} of {name} does not block"
        if at(rule, "Statement", "ManagedRuleGroupStatement", "ScopeDownStatement") is not None:
            yield f"{name} looks at some requests only"
        for excluded in at(rule, "Statement", "ManagedRuleGroupStatement", "ExcludedRules", default=[]):
            yield f"{excluded.get('Name')} of {name} is left out"
    missing = sorted(_GROUPS - blocking)
    if missing:
        yield f"these groups do not block: {', '.join(missing)}"
    rates = [rule for rule in rules if at(rule, "Statement", "RateBasedStatement") is not None]
    if not any("Block" in rule.get("Action", {}) for rule in rates):
        yield "floods from one address are not blocked"
    for rule in rates:
        if int(at(rule, "Statement", "RateBasedStatement", "Limit", default=0)) > 10000:
            yield f"one address may send {rule['Statement']['RateBasedStatement']['Limit']} requests before it is blocked"
        scope = at(rule, "Statement", "RateBasedStatement", "ScopeDownStatement")
        if scope is not None and "NotStatement" not in scope and len(rates) == 1:
            yield "its only rate rule looks at some requests only"
    for rule in rules:
        if "Allow" in rule.get("Action", {}):
            yield f"rule {rule.get('Name')} lets requests past the other rules"


@control("edge.waf.logged", "AWS::WAFv2::WebACL")
def waf_logged(acl: Resource, world: World) -> Iterator[str]:
    """What a web ACL judges is recorded and measured.

    Fix: add a LoggingConfiguration and VisibilityConfig with metrics and samples on.
    https://docs.aws.amazon.com/waf/latest/developerguide/logging.html
    """
    if not list(world.pointing_at(acl, "ResourceArn", "AWS::WAFv2::LoggingConfiguration")):
        yield "its decisions are not recorded"
    for body in [acl.properties, *acl.properties.get("Rules", [])]:
        visibility = body.get("VisibilityConfig", {})
        if not truthy(visibility.get("CloudWatchMetricsEnabled")):
            yield f"{body.get('Name', 'it')} is not measured"


@control("edge.waf.redaction", "AWS::WAFv2::LoggingConfiguration")
def waf_redaction(config: Resource, world: World) -> Iterator[str]:
    """WAF logs hold neither authorization, cookies nor keys, and go to a place of this deployment with the right name.

    Fix: list authorization, cookie, x-api-key and x-origin-verify in RedactedFields;
    name a bucket or group that begins with aws-waf-logs-.
    https://docs.aws.amazon.com/waf/latest/developerguide/logging-management.html
    """
    redacted = {
        str(at(field, "SingleHeader", "Name", default=at(field, "SingleHeader", "name", default=""))).lower()
        for field in config.properties.get("RedactedFields", [])
    }
    for name in ("authorization", "cookie", "x-api-key", "x-origin-verify"):
        if name not in redacted:
            yield f"the {name} header is written to the log"
    if (
        config.properties.get("LoggingFilter") is not None
        and at(config.properties, "LoggingFilter", "DefaultBehavior") != "KEEP"
    ):
        yield "some decisions are dropped"
    for destination in config.properties.get("LogDestinationConfigs", []):
        target = world.target(destination, config)
        if target is None:
            yield f"{world.text(destination, config)} is no place of this deployment"
        elif "aws-waf-logs-" not in world.text(destination, config) and not any(
            str(target.properties.get(name, "")).startswith("aws-waf-logs-")
            for name in ("BucketName", "LogGroupName", "DeliveryStreamName")
        ):
            yield f"{target.path} must have a name that begins with aws-waf-logs-"
    if not config.properties.get("LogDestinationConfigs"):
        yield "it goes nowhere"


@control("edge.balancer.protected", "AWS::ElasticLoadBalancingV2::LoadBalancer")
def balancer(resource: Resource, world: World) -> Iterator[str]:
    """A load balancer refuses deletion, drops malformed headers, defends against request smuggling, and records requests.

    Fix: set the load balancer attributes deletion_protection, drop_invalid_header_fields, desync_mitigation_mode
    (defensive or strictest) and access_logs.s3.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
    """
    attributes = {
        item.get("Key"): world.text(item.get("Value"), resource)
        for item in resource.properties.get("LoadBalancerAttributes", [])
    }
    kinds = ["access_logs"] + (
        ["connection_logs"] if resource.properties.get("Type", "application") == "application" else []
    )
    for name in ("deletion_protection.enabled", *(f"{kind}.s3.enabled" for kind in kinds)):
        if attributes.get(name) != "true":
            yield f"{name} is not true"
    if resource.properties.get("Type", "application") == "application":
        if attributes.get("routing.http.drop_invalid_header_fields.enabled") != "true":
            yield "malformed headers pass"
        if attributes.get("routing.http.desync_mitigation_mode") not in {"defensive", "strictest"}:
            yield "smuggled requests are only watched, or the defence is not stated"
        if attributes.get("routing.http.xff_header_processing.mode") not in {"append", "remove"}:
            yield "callers may forge the address they come from, or its handling is not stated"
        if resource.properties.get("Scheme") == "internet-facing" and not list(
            world.pointing_at(resource, "ResourceArn", "AWS::WAFv2::WebACLAssociation")
        ):
            yield "no web ACL stands before it"
    for kind in kinds:
        name = attributes.get(f"{kind}.s3.bucket", "")
        if world.named("AWS::S3::Bucket", name) is None and not any(
            target.type == "AWS::S3::Bucket"
            for item in resource.properties.get("LoadBalancerAttributes", [])
            for target in world.targets(item.get("Value"), resource)
        ):
            yield f"its {kind.replace('_', ' ')} go to {name or 'no bucket'}, which is none of this deployment's"


@control("edge.listener.tls", "AWS::ElasticLoadBalancingV2::Listener")
def listener(resource: Resource, _world: World) -> Iterator[str]:
    """A listener speaks TLS 1.3, at worst 1.2, or only redirects to one that does; its own answers tell browsers so.

    Fix: set Protocol HTTPS, a certificate, an SslPolicy of the TLS13 family, and the attributes of the response headers.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
    """
    actions = resource.properties.get("DefaultActions", [])
    if resource.properties.get("Protocol") not in {"HTTPS", "TLS"}:
        if not actions or any(
            action.get("Type") != "redirect" or at(action, "RedirectConfig", "Protocol") != "HTTPS"
            for action in actions
        ):
            yield "it answers over plain HTTP"
        return
    policy = str(resource.properties.get("SslPolicy", "ELBSecurityPolicy-2016-08"))
    if not re.fullmatch(r"ELBSecurityPolicy-TLS13-1-[23](-Res)?(-FIPS)?(-PQ)?(-\d{4}-\d{2})", policy):
        yield f"its TLS policy {policy} allows older protocols or ciphers"
    if not resource.properties.get("Certificates"):
        yield "it has no certificate"
    said = {item.get("Key"): item.get("Value") for item in resource.properties.get("ListenerAttributes", [])}
    for header in (
        ("strict_transport_security", "x_content_type_options") if resource.properties["Protocol"] == "HTTPS" else ()
    ):
        if not said.get(f"routing.http.response.{header}.header_value"):
            yield f"its own answers say nothing of {header}"


@control(
    "edge.listener.client-identity",
    "AWS::ElasticLoadBalancingV2::ListenerRule",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
)
def listener_rule(resource: Resource, _world: World) -> Iterator[str]:
    """A target group holds a function, or calls what registers itself over TLS.

    Fix: set Targets for functions, and Protocol HTTPS for everything else.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html
    """
    if resource.properties.get("TargetType") == "lambda" and not resource.properties.get("Targets"):
        yield "it holds no target"
    if (
        resource.type.endswith("TargetGroup")
        and resource.properties.get("TargetType") != "lambda"
        and (resource.properties.get("Protocol") not in {"HTTPS", "TLS"})
    ):
        yield "targets are called over plain HTTP"


@control("edge.listener.origin-secret", "AWS::ElasticLoadBalancingV2::ListenerRule")
def origin_secret(rule: Resource, world: World) -> Iterator[str]:
    """A public load balancer answers only what the distribution before it proves to have sent, by a header with a secret.

    Fix: add a condition http-header whose value is a dynamic reference to the secret.
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/restrict-access-to-load-balancer.html
    """
    answering = world.target(rule.properties.get("ListenerArn"), rule)
    before = answering and world.target(answering.properties.get("LoadBalancerArn"), answering)
    if before is None or before.properties.get("Scheme") != "internet-facing":
        return
    if not any(
        condition.get("Field") == "http-header"
        and at(condition, "HttpHeaderConfig", "HttpHeaderName")
        and "{{resolve:secretsmanager:" in str(at(condition, "HttpHeaderConfig", "Values"))
        for condition in as_list(rule.properties.get("Conditions"))
    ):
        yield "it answers whoever reaches the balancer, past the distribution"


@control("edge.api.refusals", "AWS::ApiGateway::GatewayResponse")
def api_refusals(response: Resource, _world: World) -> Iterator[str]:
    """What an API says of its own accord carries the headers that its answers carry.

    Fix: set Strict-Transport-Security, X-Content-Type-Options, X-Frame-Options and Cache-Control in ResponseParameters.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/customize-gateway-responses.html
    """
    headers = {
        name.removeprefix("gatewayresponse.header.").lower(): str(value)
        for name, value in response.properties.get("ResponseParameters", {}).items()
    }
    for name in ("strict-transport-security", "x-content-type-options", "x-frame-options", "cache-control"):
        if name not in headers:
            yield f"it says nothing of {name}"
    found = re.search(r"max-age=(\d+)", headers.get("strict-transport-security", "max-age=31536000"))
    if found is None or int(found[1]) < 31536000:
        yield "browsers remember TLS for less than a year"


@control("edge.api.methods", "AWS::ApiGateway::Method", "AWS::ApiGatewayV2::Route")
def api_methods(method: Resource, world: World) -> Iterator[str]:
    """Every method asks who calls: a token, a signature or a key; only a health answer and CORS need none.

    Fix: set AuthorizationType and AuthorizerId.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-to-api.html
    """
    if method.properties.get("HttpMethod") == "OPTIONS":
        return
    kind = method.properties.get("AuthorizationType", "NONE")
    if kind == "NONE":
        if at(method.properties, "Integration", "Type") == "MOCK":
            return
        yield "anybody may call it"
    elif (
        kind in {"CUSTOM", "COGNITO_USER_POOLS", "JWT"}
        and world.target(method.properties.get("AuthorizerId"), method) is None
    ):
        yield "its authorizer is none of this deployment's"


@control("edge.api.key", "AWS::ApiGateway::Method")
def api_key(method: Resource, world: World) -> Iterator[str]:
    """Where an API has a usage plan, every method counts against it.

    Fix: set ApiKeyRequired to true.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
    """
    if method.properties.get("HttpMethod") == "OPTIONS" or at(method.properties, "Integration", "Type") == "MOCK":
        return
    others = [
        other
        for other in world.of_type("AWS::ApiGateway::Method", near=method)
        if other.stack == method.stack
        and other.logical_id != method.logical_id
        and other.properties.get("HttpMethod") != "OPTIONS"
    ]
    plans = [plan for plan in world.of_type("AWS::ApiGateway::UsagePlan", near=method) if plan.stack == method.stack]
    keyed = sum(truthy(other.properties.get("ApiKeyRequired")) for other in others)
    if plans and keyed * 2 > len(others) and not truthy(method.properties.get("ApiKeyRequired")):
        yield "it is called without a key while most others need one"


@control("edge.api.stage", "AWS::ApiGateway::Stage")
def api_stage(stage: Resource, world: World) -> Iterator[str]:
    """Every method of an API stage is throttled, recorded with who called, traced, and never logs bodies.

    Fix: set MethodSettings for /* with throttling, LoggingLevel and DataTraceEnabled false, AccessLogSetting, TracingEnabled.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """
    settings = [
        item
        for item in stage.properties.get("MethodSettings", [])
        if item.get("HttpMethod") == "*" and item.get("ResourcePath") == "/*"
    ]
    if not settings:
        yield "no setting covers all methods"
    for item in settings:
        rate, burst = item.get("ThrottlingRateLimit"), item.get("ThrottlingBurstLimit")
        if rate is None or burst is None or float(rate) > 5000 or int(burst) > 5000 or float(rate) <= 0:
            yield f"requests are throttled at {rate} a second with bursts of {burst}"
        if item.get("LoggingLevel") not in {"ERROR", "INFO"}:
            yield "failures are not recorded"
        if truthy(item.get("DataTraceEnabled")):
            yield "request bodies and tokens are written to the log"
        if item.get("MetricsEnabled") in {False, "false", None}:
            yield "methods are not measured"
        if truthy(item.get("CachingEnabled")) and not truthy(item.get("CacheDataEncrypted")):
            yield "its cache is not encrypted"
    for item in stage.properties.get("MethodSettings", []):
        if item not in settings and float(item.get("ThrottlingRateLimit", 0)) > 5000:
            yield f"{item.get('ResourcePath')} is not throttled"
    access = stage.properties.get("AccessLogSetting", {})
    if world.target(access.get("DestinationArn"), stage) is None:
        yield "requests are not recorded in a place of this deployment"
    elif "identity" not in str(access.get("Format")) and "authorizer" not in str(access.get("Format")):
        yield "the record does not say who called"
    if not truthy(stage.properties.get("TracingEnabled")):
        yield "requests are not traced"
    if not list(world.pointing_at(stage, "ResourceArn", "AWS::WAFv2::WebACLAssociation")) and not any(
        stage.logical_id in str(association.properties.get("ResourceArn"))
        for association in world.of_type("AWS::WAFv2::WebACLAssociation", near=stage)
    ):
        yield "no web ACL stands before it"


@control("edge.api.throttle", "AWS::ApiGateway::Stage", "AWS::ApiGateway::UsagePlan")
def api_throttle(resource: Resource, world: World) -> Iterator[str]:
    """One caller takes no more than the deployment's rate: plans and stages agree.

    Fix: take rate and burst from the stage's throttle.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
    """
    if resource.type.endswith("UsagePlan"):
        throttle = resource.properties.get("Throttle", {})
        if not throttle.get("RateLimit") or not throttle.get("BurstLimit"):
            yield "it sets no rate"
            return
        stages = [
            stage for stage in world.of_type("AWS::ApiGateway::Stage", near=resource) if stage.stack == resource.stack
        ]
        for stage in stages:
            for item in stage.properties.get("MethodSettings", []):
                rate = item.get("ThrottlingRateLimit")
                if rate is not None and float(throttle["RateLimit"]) > float(rate):
                    yield f"its rate {throttle['RateLimit']} is above the stage's {rate}"
    else:
        plans = [
            plan for plan in world.of_type("AWS::ApiGateway::UsagePlan", near=resource) if plan.stack == resource.stack
        ]
        rates = [float(at(plan.properties, "Throttle", "RateLimit", default=0)) for plan in plans]
        for item in resource.properties.get("MethodSettings", []):
            rate, burst = item.get("ThrottlingRateLimit"), item.get("ThrottlingBurstLimit")
            if rates and rate is not None and float(rate) > 100 * max(rates):
                yield f"{item.get('ResourcePath')} takes {rate} a second, a hundred times any caller's plan"
            if rate is not None and burst is not None and int(burst) > 50 * max(float(rate), 1):
                yield f"{item.get('ResourcePath')} takes bursts of {burst} at {rate} a second"


@control("edge.api.tls", "AWS::ApiGateway::DomainName", "AWS::ApiGatewayV2::DomainName")
def api_tls(domain: Resource, _world: World) -> Iterator[str]:
    """An API's domain speaks TLS 1.3 alone where REST APIs offer it, and never older than 1.2.

    Fix: set SecurityPolicy to SecurityPolicy_TLS13_1_3_2025_09 with the strict endpoint access mode.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-custom-domain-tls-version.html
    """
    if domain.type == "AWS::ApiGatewayV2::DomainName":
        configurations = domain.properties.get("DomainNameConfigurations", [{}])
        if any(item.get("SecurityPolicy") != "TLS_1_2" for item in configurations):
            yield "it allows TLS older than 1.2"
        return
    policy = str(domain.properties.get("SecurityPolicy", "TLS_1_0"))
    if not policy.startswith("SecurityPolicy_TLS13_"):
        yield f"its policy is {policy}"
    elif domain.properties.get("EndpointAccessMode") != "STRICT":
        yield "its endpoint access mode is not STRICT"


@control("edge.api.policy", "AWS::ApiGateway::RestApi")
def api_policy(api: Resource, _world: World) -> Iterator[str]:
    """A REST API's own endpoint speaks no older TLS than its domain.

    Fix: set SecurityPolicy of the API to a TLS13 policy and EndpointAccessMode to STRICT.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies.html
    """
    policy = api.properties.get("SecurityPolicy")
    if not str(policy).startswith("SecurityPolicy_TLS1"):
        yield f"its policy is {policy or 'not set'}"
    elif api.properties.get("EndpointAccessMode") != "STRICT":
        yield "its endpoint access mode is not STRICT"


@control("edge.api.authorizer", "AWS::ApiGateway::Authorizer", "AWS::ApiGatewayV2::Authorizer")
def authorizer(resource: Resource, world: World) -> Iterator[str]:
    """An authorizer looks at the token of each request and belongs to this deployment.

    Fix: set IdentitySource (and ResultTtl of at most five minutes), and the function's URI.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
    """
    if not resource.properties.get("IdentitySource") and not resource.properties.get("IdentityValidationExpression"):
        yield "it reads no token"
    if int(resource.properties.get("AuthorizerResultTtlInSeconds", 300)) > 300:
        yield "a revoked token works for longer than five minutes"
    uri = resource.properties.get("AuthorizerUri")
    if uri is not None and not any(target.type == "AWS::Lambda::Function" for target in world.targets(uri, resource)):
        yield "its function is none of this deployment's"


@control("edge.certificate.transparent", "AWS::CertificateManager::Certificate")
def certificate(resource: Resource, _world: World) -> Iterator[str]:
    """Certificates are renewed without a person: validated by DNS, logged publicly, strong keys.

    Fix: set ValidationMethod DNS; leave transparency logging on.
    https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
    """
    if resource.properties.get("ValidationMethod") != "DNS":
        yield "its renewal waits for somebody to answer an e-mail"
    if resource.properties.get("CertificateTransparencyLoggingPreference") == "DISABLED":
        yield "it is hidden from the transparency logs"
    if resource.properties.get("KeyAlgorithm", "RSA_2048") == "RSA_1024":
        yield "its key is short"


@control("edge.waf.associated", "AWS::WAFv2::WebACLAssociation")
def associated(association: Resource, world: World) -> Iterator[str]:
    """An association joins a web ACL and a resource of this deployment.

    Fix: name both.
    https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-associating-aws-resource.html
    """
    for name in ("WebACLArn", "ResourceArn"):
        if not association.properties.get(name) or not list(world.targets(association.properties[name], association)):
            yield f"{name} is none of this deployment's"


@control("edge.shield.protection", "AWS::Shield::Protection")
def shield(protection: Resource, world: World) -> Iterator[str]:
    """A Shield protection guards a resource of this deployment and answers attacks by blocking.

    Fix: name the resource; set ApplicationLayerAutomaticResponseConfiguration with Action Block.
    https://docs.aws.amazon.com/waf/latest/developerguide/ddos-automatic-app-layer-response.html
    """
    arn = protection.properties.get("ResourceArn")
    zone = world.text(arn, protection).startswith("arn:aws:route53:::hostedzone/Z")  # an id that the deployment gives
    if not zone and not list(world.targets(arn, protection)):
        yield "what it guards is none of this deployment's"
    response = protection.properties.get("ApplicationLayerAutomaticResponseConfiguration")
    if response is not None and (response.get("Status") != "ENABLED" or "Block" not in response.get("Action", {})):
        yield "attacks are only counted"
