"""The edge: TLS 1.3, no plain HTTP, signed reads of a private bucket, every request filtered and logged."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from assembly import Assembly, Resource
from stacks.settings import ConfigError, check
from tests.fixture_deployment import FIXTURE

STAGES = ("dev", "prod")


def _one(assembly: Assembly, stack: str, kind: str) -> Resource:
    (found,) = (r for r in assembly[stack].resources.values() if r.type == f"AWS::{kind}")
    return found


def _distribution(assembly: Assembly, stage: str) -> dict[str, Any]:
    config: dict[str, Any] = _one(assembly, f"{stage}-edge", "CloudFront::Distribution").properties[
        "DistributionConfig"
    ]
    return config


def _behaviors(config: dict[str, Any]) -> list[dict[str, Any]]:
    return [config["DefaultCacheBehavior"], *config["CacheBehaviors"]]


@pytest.mark.parametrize("stage", STAGES)
def test_lies_where_cloudfront_reads_certificate_and_web_acl(assembly: Assembly, stage: str) -> None:
    assert assembly[f"{stage}-edge"].region == "us-east-1"
    assert _one(assembly, f"{stage}-edge", "WAFv2::WebACL").properties["Scope"] == "CLOUDFRONT"


@pytest.mark.parametrize("stage", STAGES)
def test_refuses_every_handshake_below_tls_1_3(assembly: Assembly, stage: str) -> None:
    certificate = _distribution(assembly, stage)["ViewerCertificate"]
    assert certificate["MinimumProtocolVersion"] == "TLSv1.3_2025"
    assert certificate["SslSupportMethod"] == "sni-only"


@pytest.mark.parametrize("stage", STAGES)
def test_refuses_plain_http_instead_of_redirecting(assembly: Assembly, stage: str) -> None:
    for behavior in _behaviors(_distribution(assembly, stage)):
        assert behavior["ViewerProtocolPolicy"] == "https-only", behavior
        assert behavior["AllowedMethods"] == ["GET", "HEAD"], behavior


@pytest.mark.parametrize("stage", STAGES)
def test_every_answer_carries_the_headers_of_an_a_plus(assembly: Assembly, stage: str) -> None:
    policy = _one(assembly, f"{stage}-edge", "CloudFront::ResponseHeadersPolicy")
    for behavior in _behaviors(_distribution(assembly, stage)):
        assert behavior["ResponseHeadersPolicyId"] == {"Ref": policy.logical_id}
    headers = policy.properties["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    assert headers["StrictTransportSecurity"] == {
        "AccessControlMaxAgeSec": 63072000,
        "IncludeSubdomains": True,
        "Preload": True,
        "Override": True,
    }
    content = headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert content.startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in content
    assert "unsafe" not in content
    assert "*" not in content
    assert headers["ContentTypeOptions"]["Override"] is True
    assert headers["FrameOptions"]["FrameOption"] == "DENY"
    assert headers["ReferrerPolicy"]["ReferrerPolicy"] == "no-referrer"


OWN_SIGN_IN = "https://acme-prod-200000000002.auth.eu-central-1.amazoncognito.com"


@pytest.mark.parametrize("stage", STAGES)
def test_scripts_may_call_the_stages_own_services_only(assembly: Assembly, stage: str) -> None:
    policy = _one(assembly, f"{stage}-edge", "CloudFront::ResponseHeadersPolicy")
    config = policy.properties["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]["ContentSecurityPolicy"]
    (allowed,) = (p for p in config["ContentSecurityPolicy"].split("; ") if p.startswith("connect-src"))
    domain = FIXTURE.stage(stage).domain.name
    account = FIXTURE.stage(stage).account
    assert allowed.split()[1:] == [
        "'self'",
        f"https://api.{domain}",
        {"dev": "https://login.dev.acme.example", "prod": OWN_SIGN_IN}[stage],
        f"https://acme-documents-{account}-eu-central-1.s3.eu-central-1.amazonaws.com",
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_no_answer_tells_of_keys_and_accounts(assembly: Assembly, stage: str) -> None:
    policy = _one(assembly, f"{stage}-edge", "CloudFront::ResponseHeadersPolicy")
    removed = policy.properties["ResponseHeadersPolicyConfig"]["RemoveHeadersConfig"]["Items"]
    assert {"Header": "x-amz-server-side-encryption-aws-kms-key-id"} in removed


@pytest.mark.parametrize("stage", STAGES)
def test_the_site_is_read_with_signed_requests(assembly: Assembly, stage: str) -> None:
    access = _one(assembly, f"{stage}-edge", "CloudFront::OriginAccessControl")
    assert access.properties["OriginAccessControlConfig"]["SigningBehavior"] == "always"
    (site,) = (o for o in _distribution(assembly, stage)["Origins"] if "S3OriginConfig" in o)
    assert site["OriginAccessControlId"] == {"Fn::GetAtt": [access.logical_id, "Id"]}
    assert ".eu-central-1." in site["DomainName"], "the files stay in the home region"


@pytest.mark.parametrize("stage", STAGES)
def test_only_distributions_of_the_account_read_the_site(assembly: Assembly, stage: str) -> None:
    policy = _one(assembly, f"{stage}-site", "S3::BucketPolicy").properties["PolicyDocument"]
    allowed = [s for s in policy["Statement"] if s["Effect"] == "Allow"]
    distributions = f"arn:aws:cloudfront::{assembly[f'{stage}-site'].account}:distribution/*"
    assert [(s["Principal"], s["Action"], s["Condition"]) for s in allowed] == [
        ({"Service": "cloudfront.amazonaws.com"}, "s3:GetObject", {"ArnLike": {"aws:SourceArn": distributions}})
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_the_data_key_opens_the_site_to_cloudfront_and_no_other_bucket(assembly: Assembly, stage: str) -> None:
    statements = [
        s
        for _, key in assembly.resources("AWS::KMS::Key")
        if key.stack == f"{stage}-keys"
        for s in key.properties["KeyPolicy"]["Statement"]
        if s["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    ]
    (statement,) = statements
    assert statement["Action"] == "kms:Decrypt"
    bucket = f"arn:aws:s3:::acme-site-{assembly[f'{stage}-site'].account}-eu-central-1"
    assert statement["Condition"]["StringEquals"] == {"kms:EncryptionContext:aws:s3:arn": bucket}
    assert statement["Condition"]["ArnLike"]


@pytest.mark.parametrize("stage", STAGES)
def test_the_balancer_is_asked_over_tls_with_the_newest_secret(assembly: Assembly, stage: str) -> None:
    config = _distribution(assembly, stage)
    (origin,) = (o for o in config["Origins"] if "CustomOriginConfig" in o)
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert origin["CustomOriginConfig"]["OriginSSLProtocols"] == ["TLSv1.2"]
    (header,) = origin["OriginCustomHeaders"]
    assert header["HeaderName"] == "X-Origin-Verify"
    assert header["HeaderValue"] == f"{{{{resolve:secretsmanager:acme/{stage}/origin-verification-1:SecretString:::}}}}"
    names = {
        r.properties["Name"]
        for r in assembly[f"{stage}-entry"].resources.values()
        if r.type == "AWS::SecretsManager::Secret"
    }
    assert f"acme/{stage}/origin-verification-1" in names, "the name both regions agree on"


@pytest.mark.parametrize("stage", STAGES)
def test_what_the_balancer_says_is_never_answered_from_a_cache(assembly: Assembly, stage: str) -> None:
    behaviors = _distribution(assembly, stage)["CacheBehaviors"]
    paths = [behavior["PathPattern"] for behavior in behaviors]
    assert paths == ["/status", "/.well-known/egress-addresses.json", "/.well-known/*"], "the first match decides"
    for behavior in behaviors[:2]:
        assert behavior["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "AWS's policy CachingDisabled"


@pytest.mark.parametrize("stage", STAGES)
def test_every_request_is_filtered_and_logged(assembly: Assembly, stage: str) -> None:
    acl = _one(assembly, f"{stage}-edge", "WAFv2::WebACL")
    assert _distribution(assembly, stage)["WebACLId"] == {"Fn::GetAtt": [acl.logical_id, "Arn"]}
    source = _one(assembly, f"{stage}-edge", "Logs::DeliverySource").properties
    distribution = _one(assembly, f"{stage}-edge", "CloudFront::Distribution")
    assert {"Ref": distribution.logical_id} in source["ResourceArn"]["Fn::Join"][1]
    delivery = _one(assembly, f"{stage}-edge", "Logs::Delivery").properties
    assert delivery["DeliveryDestinationArn"] == (
        f"arn:aws:logs:us-east-1:100000000002:delivery-destination:acme-{stage}-cdn"
    )


@pytest.mark.parametrize("stage", STAGES)
def test_the_name_leads_here_over_both_protocols(assembly: Assembly, stage: str) -> None:
    records = {
        (r.properties["Name"], r.properties["Type"])
        for r in assembly[f"{stage}-edge"].resources.values()
        if r.type == "AWS::Route53::RecordSet"
    }
    name = f"{FIXTURE.stage(stage).domain.name}."
    assert records == {(name, "A"), (name, "AAAA")}


def test_shield_protects_distribution_and_zone_where_it_is_bought(assembly: Assembly) -> None:
    protected = [
        json.dumps(r.properties["ResourceArn"])
        for r in assembly["prod-edge"].resources.values()
        if r.type == "AWS::Shield::Protection"
    ]
    assert sorted("hostedzone" in arn for arn in protected) == [False, True]
    assert _one(assembly, "prod-edge", "Shield::DRTAccess")
    assert not [r for r in assembly["dev-edge"].resources.values() if r.type.startswith("AWS::Shield::")]


def test_shields_health_follows_a_metric_that_exists(assembly: Assembly) -> None:
    alarm = _one(assembly, "prod-edge", "CloudWatch::Alarm").properties
    assert {d["Name"]: d["Value"] for d in alarm["Dimensions"]}["Region"] == "Global"
    assert alarm["AlarmActions"]
    check_config = _one(assembly, "prod-edge", "Route53::HealthCheck").properties["HealthCheckConfig"]
    assert check_config["Type"] == "CLOUDWATCH_METRIC", "health checkers speak no TLS 1.3"


@pytest.mark.parametrize("secrets", [(), (0,), (2, 1), (1, 1), (1, 2, 3)])
def test_refuses_origin_secrets_that_could_not_be_replaced_in_turn(secrets: tuple[int, ...]) -> None:
    stage = FIXTURE.stages[0]
    domain = dataclasses.replace(stage.domain, origin_secrets=secrets)
    changed = dataclasses.replace(FIXTURE, stages=(dataclasses.replace(stage, domain=domain), *FIXTURE.stages[1:]))
    with pytest.raises(ConfigError, match=r"stage dev: domain\.origin_secrets .* Write it like \(1,\) or \(1, 2\)"):
        check(changed)
