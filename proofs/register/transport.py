"""Promises about the wire: TLS on every hop, as good as the A+ criteria ask, and no way without it."""

from __future__ import annotations

import re
from typing import Any

from proofs.finding import Case, Finding, note, proof
from proofs.model import Model, Node, as_list, at, truthy
from proofs.register.questions import facts

TWO_YEARS = 63_072_000
BALANCER_POLICIES = re.compile(r"ELBSecurityPolicy-TLS13-1-2-(Res|Ext0)-.*|ELBSecurityPolicy-TLS13-1-3-.*")
"""Policies with TLS 1.2 or newer and forward secrecy only ("Ext1" and "Ext2" let suites without it in).

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
"""
VIEWER_POLICIES = re.compile(r"TLSv1\.2_20(19|21|25)|TLSv1\.3_20\d\d")
"""https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/secure-connections-supported-viewer-protocols-ciphers.html"""
API_POLICIES = re.compile(r"TLS_1_2|SecurityPolicy_TLS1[23]_.*")
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies-list.html"""
NEWEST = re.compile(r"TLSv1\.3_20\d\d|SecurityPolicy_TLS13_1_3_.*")
_BY_TLS = frozenset({"https-only", "redirect-to-https"})


def _behaviors(distribution: Node) -> list[Any]:
    return [
        distribution.get("DistributionConfig", "DefaultCacheBehavior", default={}),
        *as_list(distribution.get("DistributionConfig", "CacheBehaviors")),
    ]


@proof("transport.entrances-earn-an-a-plus")
def entrances_earn_an_a_plus(case: Case, finding: Finding) -> None:
    """Each listener, distribution and API takes TLS 1.2 or newer with forward secrecy only, and says HSTS for two years.

    https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_protect_data_transit_encrypt.html
    """
    model = facts(case).model
    for listener in model.of("AWS::ElasticLoadBalancingV2::Listener"):
        _listener(listener, finding)
    for distribution in model.of("AWS::CloudFront::Distribution"):
        _viewer_side(model, distribution, finding)
    for domain in model.of("AWS::ApiGateway::DomainName"):
        policy = str(domain.get("SecurityPolicy", default="TLS_1_0"))
        if API_POLICIES.fullmatch(policy):
            finding.evidence.append(note(domain, policy))
        else:
            finding.broken.append(note(domain, f"its policy {policy} lets old protocols in"))
    for api in model.of("AWS::ApiGateway::RestApi"):
        if not truthy(api.get("DisableExecuteApiEndpoint")):
            finding.broken.append(note(api, "its default address answers under a policy of AWS's"))
    for domain in model.of("AWS::ApiGatewayV2::DomainName"):
        for config in as_list(domain.get("DomainNameConfigurations")):
            if not API_POLICIES.fullmatch(str(at(config, "SecurityPolicy", default="TLS_1_0"))):
                finding.broken.append(note(domain, "it lets old protocols in"))


def _listener(listener: Node, finding: Finding) -> None:
    protocol = str(listener.get("Protocol"))
    if protocol not in {"HTTPS", "TLS"}:
        if not _redirects(listener):
            finding.broken.append(note(listener, f"answers {protocol} without TLS"))
        return
    policy = str(listener.get("SslPolicy", default="ELBSecurityPolicy-2016-08"))
    if not BALANCER_POLICIES.fullmatch(policy):
        finding.broken.append(note(listener, f"its policy {policy} lets old protocols or suites in"))
    header = {at(item, "Key"): at(item, "Value") for item in as_list(listener.get("ListenerAttributes"))}
    said = str(header.get("routing.http.response.strict_transport_security.header_value", ""))
    if protocol == "HTTPS" and not _strict(said):
        finding.broken.append(note(listener, "it does not say HSTS for two years with subdomains and preload"))
    else:
        finding.evidence.append(note(listener, f"{policy}, HSTS {said}"))


def _strict(header: str) -> bool:
    age = re.search(r"max-age=(\d+)", header)
    words = header.lower()
    return bool(age and int(age[1]) >= TWO_YEARS and "includesubdomains" in words and "preload" in words)


def _redirects(listener: Node) -> bool:
    actions = as_list(listener.get("DefaultActions"))
    return bool(actions) and all(
        at(action, "Type") == "redirect" and at(action, "RedirectConfig", "Protocol") == "HTTPS" for action in actions
    )


def _viewer_side(model: Model, distribution: Node, finding: Finding) -> None:
    policy = str(distribution.get("DistributionConfig", "ViewerCertificate", "MinimumProtocolVersion", default="TLSv1"))
    if not VIEWER_POLICIES.fullmatch(policy):
        finding.broken.append(note(distribution, f"its policy {policy} lets old protocols or suites in"))
    for behavior in _behaviors(distribution):
        path = at(behavior, "PathPattern", default="*")
        if at(behavior, "ViewerProtocolPolicy") not in _BY_TLS:
            finding.broken.append(note(distribution, f"{path} is served without TLS"))
        headers = model.find(at(behavior, "ResponseHeadersPolicyId"), "AWS::CloudFront::ResponseHeadersPolicy")
        config = headers.properties if headers else {}
        config = at(
            config, "ResponseHeadersPolicyConfig", "SecurityHeadersConfig", "StrictTransportSecurity", default={}
        )
        age = at(config, "AccessControlMaxAgeSec", default=0)
        full = all(truthy(at(config, name)) for name in ("IncludeSubdomains", "Preload", "Override"))
        if not isinstance(age, int) or age < TWO_YEARS or not full:
            finding.broken.append(note(headers or distribution, f"{path} does not say HSTS for two years"))
        else:
            finding.evidence.append(note(distribution, f"{path}: {policy}, HSTS {age} s"))


@proof("transport.newest-tls-where-aws-offers-it")
def newest_tls(case: Case, finding: Finding) -> None:
    """Distributions and REST APIs take TLS 1.3 alone, balancers prefer it, and nothing answers on port 80.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/secure-connections-supported-viewer-protocols-ciphers.html
    """
    model = facts(case).model
    for distribution in model.of("AWS::CloudFront::Distribution"):
        policy = str(distribution.get("DistributionConfig", "ViewerCertificate", "MinimumProtocolVersion"))
        only = all(at(behavior, "ViewerProtocolPolicy") == "https-only" for behavior in _behaviors(distribution))
        (finding.evidence if NEWEST.fullmatch(policy) and only else finding.broken).append(
            note(distribution, f"{policy}, {'HTTPS only' if only else 'plain HTTP is answered'}")
        )
    for domain in model.of("AWS::ApiGateway::DomainName"):
        policy = str(domain.get("SecurityPolicy"))
        (finding.evidence if NEWEST.fullmatch(policy) else finding.broken).append(note(domain, policy))
    for listener in model.of("AWS::ElasticLoadBalancingV2::Listener"):
        protocol, port, policy = (str(listener.get(name)) for name in ("Protocol", "Port", "SslPolicy"))
        good = protocol in {"HTTPS", "TLS"} and "TLS13" in policy and port != "80"
        (finding.evidence if good else finding.broken).append(note(listener, f"{protocol} {port} {policy}"))
