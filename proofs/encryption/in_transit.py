"""In transit: every hop of the data flow, from the browser to the store.

The criteria are those of an A+ at SSL Labs: TLS 1.2 or later, forward secrecy, HSTS for half a year or more.

Sources: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/secure-connections-supported-viewer-protocols-ciphers.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html,
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies-list.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from proofs.finding import Case, Finding, note, proof
from proofs.model import Model, Node, as_list, as_mapping, at, truthy
from proofs.model.policies import statements

_GOOD_EDGE = re.compile(r"TLSv1\.(2_20(18|19|21|25)|3_\d+)")
_GOOD_LISTENER = re.compile(r"ELBSecurityPolicy-(TLS13-1-[23]-.*|FS-1-2-Res.*|TLS13-1-3.*|TLS-1-2-2017-01)")
_GOOD_API = re.compile(r"TLS_1_2|SecurityPolicy_TLS1[23]_.*")
_HALF_A_YEAR = 15552000
_Judged = Iterator[tuple[Node, str, bool]]


@proof("encryption.in-transit")
def in_transit(case: Case, finding: Finding) -> None:
    """Every hop from the browser to the store is TLS 1.2 or later with strong ciphers, and none has a way without."""
    for judge in (_edge, _headers, _listeners, _targets, _apis, _databases, _resources_behind_policies, _others):
        for node, what, good in judge(case.model):
            (finding.evidence if good else finding.broken).append(note(node, what))


def _edge(model: Model) -> _Judged:
    for node in model.of("AWS::CloudFront::Distribution"):
        configuration = node.get("DistributionConfig", default={})
        behaviours = [at(configuration, "DefaultCacheBehavior"), *as_list(at(configuration, "CacheBehaviors"))]
        for behaviour in behaviours:
            protocol = at(behaviour, "ViewerProtocolPolicy")
            yield node, f"viewers of {at(behaviour, 'PathPattern', default='*')}: {protocol}", protocol in {
                "https-only",
                "redirect-to-https",
            }  # fmt: skip
        version = at(configuration, "ViewerCertificate", "MinimumProtocolVersion", default="TLSv1")
        yield node, f"viewers' TLS: {version}", _GOOD_EDGE.fullmatch(str(version)) is not None
        for origin in as_list(at(configuration, "Origins")):
            custom = at(origin, "CustomOriginConfig")
            if custom is None:
                signed = at(origin, "OriginAccessControlId") is not None
                yield node, f"origin {at(origin, 'DomainName')}: signed requests to S3", signed
                continue
            versions = set(map(str, as_list(at(custom, "OriginSSLProtocols", default=["TLSv1"]))))
            good = at(custom, "OriginProtocolPolicy") == "https-only" and versions <= {"TLSv1.2", "TLSv1.3"}
            yield (
                node,
                f"origin {at(origin, 'DomainName')}: {at(custom, 'OriginProtocolPolicy')} {sorted(versions)}",
                good,
            )


def _headers(model: Model) -> _Judged:
    for node in model.of("AWS::CloudFront::Distribution"):
        configuration = node.get("DistributionConfig", default={})
        for behaviour in (at(configuration, "DefaultCacheBehavior"), *as_list(at(configuration, "CacheBehaviors"))):
            policy = model.find(at(behaviour, "ResponseHeadersPolicyId"), "AWS::CloudFront::ResponseHeadersPolicy")
            path = at(behaviour, "PathPattern", default="*")
            if policy is None:
                yield node, f"{path}: no HSTS header", False
                continue
            header = policy.get("ResponseHeadersPolicyConfig", "SecurityHeadersConfig", "StrictTransportSecurity")
            age = at(header, "AccessControlMaxAgeSec", default=0)
            good = isinstance(age, int) and age >= _HALF_A_YEAR and truthy(at(header, "IncludeSubdomains"))
            yield policy, f"HSTS for {age} seconds on {path}", good


def _listeners(model: Model) -> _Judged:
    for node in model.of("AWS::ElasticLoadBalancingV2::Listener"):
        protocol = str(node.get("Protocol"))
        if protocol in {"HTTPS", "TLS"}:
            policy = str(node.get("SslPolicy", default="ELBSecurityPolicy-2016-08"))
            yield node, f"{protocol} with {policy}", _GOOD_LISTENER.fullmatch(policy) is not None
        else:
            actions = as_list(node.get("DefaultActions"))
            redirects = bool(actions) and all(at(action, "RedirectConfig", "Protocol") == "HTTPS" for action in actions)
            yield node, f"{protocol}{' that only redirects to HTTPS' if redirects else ' in clear'}", redirects


def _targets(model: Model) -> _Judged:
    for node in model.of("AWS::ElasticLoadBalancingV2::TargetGroup"):
        if node.get("TargetType") == "lambda":
            yield node, "to a function, by AWS's own TLS", True
        else:
            protocol = node.get("Protocol")
            yield node, f"to targets by {protocol}", protocol in {"HTTPS", "TLS"}


def _apis(model: Model) -> _Judged:
    for node in model.of("AWS::ApiGateway::DomainName"):
        policy = str(node.get("SecurityPolicy", default="TLS_1_0"))
        yield node, f"callers by {policy}", _GOOD_API.fullmatch(policy) is not None
    for node in model.of("AWS::ApiGateway::RestApi"):
        closed = truthy(node.get("DisableExecuteApiEndpoint"))
        policy = str(node.get("SecurityPolicy", default="TLS_1_0"))
        good = closed or _GOOD_API.fullmatch(policy) is not None
        yield node, "its own name answers nobody" if closed else f"its own name answers by {policy}", good
    for node in model.of("AWS::ApiGatewayV2::DomainName"):
        policies = {str(at(item, "SecurityPolicy")) for item in as_list(node.get("DomainNameConfigurations"))}
        yield node, f"callers by {sorted(policies)}", policies == {"TLS_1_2"}


def _databases(model: Model) -> _Judged:
    for node in model.of("AWS::RDS::DBCluster", "AWS::RDS::DBInstance"):
        if node.get("DBClusterIdentifier") is not None and node.type == "AWS::RDS::DBInstance":
            continue
        name = node.get("DBClusterParameterGroupName", default=node.get("DBParameterGroupName"))
        group = model.find(name, "AWS::RDS::DBClusterParameterGroup", "AWS::RDS::DBParameterGroup", near=node)
        parameters = as_mapping(group.get("Parameters") if group else None)
        postgres = "postgres" in str(node.get("Engine"))
        name, wanted = ("rds.force_ssl", {"1"}) if postgres else ("require_secure_transport", {"ON", "1"})
        value = str(parameters.get(name, "")).upper()
        oldest = str(parameters.get("ssl_min_protocol_version", "TLSv1.2"))
        good = value in wanted and oldest in {"TLSv1.2", "TLSv1.3"}
        yield group or node, f"{node.path} takes connections with {name}={value or 'unset'}, from {oldest}", good
    for node in model.of("AWS::RDS::DBProxy"):
        yield node, "clients by TLS only", truthy(node.get("RequireTLS"))


_POLICIES = (
    ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "s3:"),
    ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "sns:"),
    ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "sqs:"),
)


def _resources_behind_policies(model: Model) -> _Judged:
    for kind, policy_kind, service in _POLICIES:
        for node in model.of(kind):
            policies = model.referrers(node, policy_kind)
            own = [policy for policy in policies if _is_of(policy, node)]
            good = any(_refuses_plain(policy, node, service) for policy in own)
            where = own[0] if own and not good else node
            yield where, "refuses requests without TLS" if good else f"{node.path} answers requests without TLS", good


def _is_of(policy: Node, node: Node) -> bool:
    targets = [*as_list(policy.get("Bucket")), *as_list(policy.get("Topics")), *as_list(policy.get("Queues"))]
    return bool({node.id, node.name, node.arn} & set(map(str, targets)))


def _refuses_plain(policy: Node, node: Node, service: str) -> bool:
    """Whether a statement denies everybody everything, on the resource and what is in it, unless it comes by TLS."""
    for statement in statements([policy.get("PolicyDocument")]):
        if statement.get("Effect") != "Deny" or statement.get("Principal") not in ("*", {"AWS": "*"}):
            continue
        if str(at(statement, "Condition", "Bool", "aws:SecureTransport")).lower() != "false":
            continue
        if len(statement["Condition"]) > 1 or len(statement["Condition"]["Bool"]) > 1:
            continue
        actions = {str(action).lower() for action in as_list(statement.get("Action"))}
        resources = {str(item) for item in as_list(statement.get("Resource"))}
        wanted = {node.arn, f"{node.arn}/*"} if service == "s3:" else {node.arn}
        everything = bool({"*", f"{service}*"} & actions) or (service != "s3:" and bool(actions))
        if everything and ("*" in resources or wanted <= resources):
            return True
    return False


_SWITCHES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("AWS::ElastiCache::ReplicationGroup", ("TransitEncryptionEnabled",), "clients by TLS"),
    ("AWS::OpenSearchService::Domain", ("DomainEndpointOptions", "EnforceHTTPS"), "clients by HTTPS"),
    ("AWS::OpenSearchService::Domain", ("NodeToNodeEncryptionOptions", "Enabled"), "nodes by TLS"),
)


def _others(model: Model) -> _Judged:
    for kind, path, what in _SWITCHES:
        for node in model.of(kind):
            yield node, what, truthy(node.get(*path))
    for node in model.of("AWS::SNS::Subscription"):
        protocol = str(node.get("Protocol"))
        yield node, f"subscribers by {protocol}", protocol != "http"
