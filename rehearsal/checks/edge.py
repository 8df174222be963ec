"""CDN, firewall rules, balancers, the API, certificates and names."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.checks import Resource, View, described


def _distribution(cloudfront: Any, resource: Resource, _view: View) -> Any:
    found = cloudfront.get_distribution_config(Id=resource.id)["DistributionConfig"]
    behaviors = [_behavior(item) for item in found.get("CacheBehaviors", {}).get("Items", [])]
    origins = [
        {**origin, "OriginCustomHeaders": origin.get("CustomHeaders", {}).get("Items", [])}
        for origin in found["Origins"]["Items"]
    ]
    made = {
        **found,
        "IPV6Enabled": found.get("IsIPV6Enabled"),
        "Origins": origins,
        "DefaultCacheBehavior": _behavior(found["DefaultCacheBehavior"]),
        "CacheBehaviors": behaviors,
    }
    return {"DistributionConfig": made}


def _behavior(behavior: dict[str, Any]) -> dict[str, Any]:
    """A cache behavior the way a template writes it."""
    allowed = behavior.get("AllowedMethods") or {}
    cached = allowed.get("CachedMethods", {}).get("Items")
    return {**behavior, "AllowedMethods": allowed.get("Items"), "CachedMethods": cached}


def _policy(operation: str, member: str) -> Any:
    def ask(cloudfront: Any, resource: Resource, _view: View) -> Any:
        found = getattr(cloudfront, operation)(Id=resource.id)[member]
        return {f"{member}Config": found.get(f"{member}Config", found)}

    return ask


def _acl(wafv2: Any, resource: Resource, _view: View) -> Any:
    parts = resource.id.split("|")
    scope = resource.properties["Scope"]
    for item in wafv2.list_web_acls(Scope=scope)["WebACLs"]:
        if item["Name"] == parts[0] or item["ARN"] == resource.attributes.get("Arn") or item["Id"] in resource.id:
            found = wafv2.get_web_acl(Name=item["Name"], Id=item["Id"], Scope=scope)["WebACL"]
            return {**found, "Rules": [_acl_rule(rule) for rule in found["Rules"]], "Scope": scope}
    raise LookupError(resource.id)


def _acl_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """A reference to an address set the way a template spells it."""
    named = rule.get("Statement", {}).get("IPSetReferenceStatement")
    if named is None:
        return rule
    return {**rule, "Statement": {**rule["Statement"], "IPSetReferenceStatement": {"Arn": named["ARN"]}}}


def _acl_of(wafv2: Any, resource: Resource, _view: View) -> Any:
    found = wafv2.get_web_acl_for_resource(ResourceArn=resource.properties["ResourceArn"]).get("WebACL")
    if not found:
        raise LookupError(resource.id)
    return {"WebACLArn": found["ARN"], "ResourceArn": resource.properties["ResourceArn"]}


def _waf(operation: str, member: str) -> Any:
    def ask(wafv2: Any, resource: Resource, _view: View) -> Any:
        name, number, scope = resource.id.split("|")
        return {**getattr(wafv2, operation)(Name=name, Id=number, Scope=scope)[member], "Scope": scope}

    return ask


def _protection(shield: Any, resource: Resource, _view: View) -> Any:
    return shield.describe_protection(ProtectionId=resource.id.rsplit("/", 1)[1])["Protection"]


def _balancer(elbv2: Any, resource: Resource, _view: View) -> Any:
    found = elbv2.describe_load_balancers(LoadBalancerArns=[resource.id])["LoadBalancers"][0]
    attributes = elbv2.describe_load_balancer_attributes(LoadBalancerArn=resource.id)["Attributes"]
    return {
        **found,
        "Name": found["LoadBalancerName"],
        "Subnets": [zone["SubnetId"] for zone in found["AvailabilityZones"]],
        "LoadBalancerAttributes": attributes,
    }


def _target_group(elbv2: Any, resource: Resource, _view: View) -> Any:
    found = elbv2.describe_target_groups(TargetGroupArns=[resource.id])["TargetGroups"][0]
    attributes = elbv2.describe_target_group_attributes(TargetGroupArn=resource.id)["Attributes"]
    health = elbv2.describe_target_health(TargetGroupArn=resource.id)["TargetHealthDescriptions"]
    return {
        **found,
        "Name": found["TargetGroupName"],
        "TargetGroupAttributes": attributes,
        "Targets": [item["Target"] for item in health],
    }


def _listener(elbv2: Any, resource: Resource, _view: View) -> Any:
    found = elbv2.describe_listeners(ListenerArns=[resource.id])["Listeners"][0]
    attributes = elbv2.describe_listener_attributes(ListenerArn=resource.id)["Attributes"]
    return {**found, "ListenerAttributes": attributes}


def _rule(elbv2: Any, resource: Resource, _view: View) -> Any:
    found = elbv2.describe_rules(RuleArns=[resource.id])["Rules"][0]
    return {**found, "ListenerArn": resource.properties["ListenerArn"]}


def _rest_api(apigateway: Any, resource: Resource, _view: View) -> Any:
    found = apigateway.get_rest_api(restApiId=resource.id)
    # API Gateway gives the policy as JSON whose quotes are escaped once more.
    policy = found.get("policy")
    return {**found, "Policy": json.loads(policy.replace('\\"', '"')) if policy else None}


def _of_api(operation: str, argument: str) -> Any:
    def ask(apigateway: Any, resource: Resource, _view: View) -> Any:
        api = resource.properties["RestApiId"]
        return {**getattr(apigateway, operation)(restApiId=api, **{argument: resource.id}), "RestApiId": api}

    return ask


def _method(apigateway: Any, resource: Resource, _view: View) -> Any:
    wanted = resource.properties
    place = {"restApiId": wanted["RestApiId"], "resourceId": wanted["ResourceId"], "httpMethod": wanted["HttpMethod"]}
    found = apigateway.get_method(**place)
    integration = found.get("methodIntegration") or {}
    return {
        **found,
        "RestApiId": wanted["RestApiId"],
        "ResourceId": wanted["ResourceId"],
        "Integration": {**integration, "IntegrationHttpMethod": integration.get("httpMethod")},
        "MethodResponses": list((found.get("methodResponses") or {}).values()),
    }


def _stage(apigateway: Any, resource: Resource, _view: View) -> Any:
    api = resource.properties["RestApiId"]
    found = apigateway.get_stage(restApiId=api, stageName=resource.id)
    settings = [
        {**item, "HttpMethod": key.rsplit("/", 1)[1], "ResourcePath": "/" + key.rsplit("/", 1)[0].lstrip("~1/")}
        for key, item in (found.get("methodSettings") or {}).items()
    ]
    return {**found, "RestApiId": api, "MethodSettings": settings, "AccessLogSetting": found.get("accessLogSettings")}


def _mapping(apigateway: Any, resource: Resource, _view: View) -> Any:
    name = resource.properties["DomainName"]
    path = resource.properties.get("BasePath") or "(none)"
    return {**apigateway.get_base_path_mapping(domainName=name, basePath=path), "DomainName": name}


def _plan(apigateway: Any, resource: Resource, _view: View) -> Any:
    found = apigateway.get_usage_plan(usagePlanId=resource.id)
    return {**found, "UsagePlanName": found["name"]}


def _plan_key(apigateway: Any, resource: Resource, _view: View) -> Any:
    wanted = resource.properties
    found = apigateway.get_usage_plan_key(usagePlanId=wanted["UsagePlanId"], keyId=wanted["KeyId"])
    return {"KeyId": found["id"], "KeyType": found["type"], "UsagePlanId": wanted["UsagePlanId"]}


def _record(route53: Any, resource: Resource, _view: View) -> Any:
    wanted = resource.properties
    zone = wanted["HostedZoneId"]
    name = str(wanted["Name"]).rstrip(".") + "."
    for found in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]:
        if found["Name"] == name and found["Type"] == wanted["Type"]:
            records = [item["Value"] for item in found.get("ResourceRecords", [])]
            return {**found, "Name": wanted["Name"], "HostedZoneId": zone, "ResourceRecords": records}
    raise LookupError(resource.id)


described("AWS::CloudFront::Distribution", "cloudfront", _distribution)
described(
    "AWS::CloudFront::OriginAccessControl",
    "cloudfront",
    lambda cloudfront, r, _v: cloudfront.get_origin_access_control(Id=r.id)["OriginAccessControl"],
)
for _name, _operation in (
    ("ResponseHeadersPolicy", "get_response_headers_policy"),
    ("CachePolicy", "get_cache_policy"),
    ("OriginRequestPolicy", "get_origin_request_policy"),
):
    described(f"AWS::CloudFront::{_name}", "cloudfront", _policy(_operation, _name))
described("AWS::WAFv2::WebACL", "wafv2", _acl)
described("AWS::WAFv2::WebACLAssociation", "wafv2", _acl_of)
described(
    "AWS::WAFv2::LoggingConfiguration",
    "wafv2",
    lambda wafv2, r, _v: wafv2.get_logging_configuration(ResourceArn=r.id)["LoggingConfiguration"],
)
described("AWS::WAFv2::IPSet", "wafv2", _waf("get_ip_set", "IPSet"))
described("AWS::WAFv2::RegexPatternSet", "wafv2", _waf("get_regex_pattern_set", "RegexPatternSet"))
described("AWS::WAFv2::RuleGroup", "wafv2", _waf("get_rule_group", "RuleGroup"))
described("AWS::Shield::Protection", "shield", _protection)
described("AWS::ElasticLoadBalancingV2::LoadBalancer", "elbv2", _balancer)
described("AWS::ElasticLoadBalancingV2::TargetGroup", "elbv2", _target_group)
described("AWS::ElasticLoadBalancingV2::Listener", "elbv2", _listener)
described("AWS::ElasticLoadBalancingV2::ListenerRule", "elbv2", _rule)
described("AWS::ApiGateway::RestApi", "apigateway", _rest_api)
described("AWS::ApiGateway::Resource", "apigateway", _of_api("get_resource", "resourceId"))
described("AWS::ApiGateway::Authorizer", "apigateway", _of_api("get_authorizer", "authorizerId"))
described("AWS::ApiGateway::Deployment", "apigateway", _of_api("get_deployment", "deploymentId"))
described("AWS::ApiGateway::RequestValidator", "apigateway", _of_api("get_request_validator", "requestValidatorId"))
described("AWS::ApiGateway::Model", "apigateway", _of_api("get_model", "modelName"))
described("AWS::ApiGateway::Method", "apigateway", _method)
described("AWS::ApiGateway::Stage", "apigateway", _stage)
described("AWS::ApiGateway::DomainName", "apigateway", lambda gateway, r, _v: gateway.get_domain_name(domainName=r.id))
described("AWS::ApiGateway::BasePathMapping", "apigateway", _mapping)
described("AWS::ApiGateway::UsagePlan", "apigateway", _plan)
described("AWS::ApiGateway::UsagePlanKey", "apigateway", _plan_key)
described("AWS::ApiGateway::ApiKey", "apigateway", lambda gateway, r, _v: gateway.get_api_key(apiKey=r.id))
described(
    "AWS::ApiGateway::GatewayResponse",
    "apigateway",
    lambda gateway, r, _v: {
        **gateway.get_gateway_response(restApiId=r.properties["RestApiId"], responseType=r.properties["ResponseType"]),
        "RestApiId": r.properties["RestApiId"],
    },
)
described(
    "AWS::CertificateManager::Certificate",
    "acm",
    lambda acm, r, _v: acm.describe_certificate(CertificateArn=r.id)["Certificate"],
)
described("AWS::Route53::RecordSet", "route53", _record)
described("AWS::Route53::HostedZone", "route53", lambda route53, r, _v: route53.get_hosted_zone(Id=r.id)["HostedZone"])
