"""The ways in: over TLS, from CloudFront alone, filtered and logged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assembly import Assembly, Resource

STAGES = ("dev", "prod")


def _one(assembly: Assembly, stack: str, kind: str) -> Resource:
    (found,) = (r for r in assembly[stack].resources.values() if r.type == f"AWS::{kind}")
    return found


def _attributes(resource: Resource, name: str) -> dict[str, str]:
    return {attribute["Key"]: attribute["Value"] for attribute in resource.properties[name]}


def _deployed(value: Any) -> str:
    """The text that CloudFormation makes of ``value``, each address in it as long as one can be."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator.join(_deployed(part) for part in parts))
    return "255.255.255.255"


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_listens_for_plain_http(assembly: Assembly, stage: str) -> None:
    listener = _one(assembly, f"{stage}-entry", "ElasticLoadBalancingV2::Listener")
    assert (listener.properties["Protocol"], listener.properties["Port"]) == ("HTTPS", 443)


@pytest.mark.parametrize("stage", STAGES)
def test_handshakes_have_forward_secrecy_and_authenticated_encryption(assembly: Assembly, stage: str) -> None:
    listener = _one(assembly, f"{stage}-entry", "ElasticLoadBalancingV2::Listener")
    assert listener.properties["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
    headers = _attributes(listener, "ListenerAttributes")
    assert headers["routing.http.response.strict_transport_security.header_value"].startswith("max-age=63072000;")
    assert headers["routing.http.response.server.enabled"] == "false"


@pytest.mark.parametrize("stage", STAGES)
def test_a_stranger_gets_a_bare_404(assembly: Assembly, stage: str) -> None:
    listener = _one(assembly, f"{stage}-entry", "ElasticLoadBalancingV2::Listener")
    assert listener.properties["DefaultActions"] == [
        {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_every_rule_asks_for_a_secret_that_no_template_holds(assembly: Assembly, stage: str) -> None:
    resources = assembly[f"{stage}-entry"].resources
    rules = [r.properties for r in resources.values() if r.type == "AWS::ElasticLoadBalancingV2::ListenerRule"]
    assert {rule["Priority"] for rule in rules} == {10, 20}
    for rule in rules:
        (header,) = (c["HttpHeaderConfig"] for c in rule["Conditions"] if c["Field"] == "http-header")
        assert header["HttpHeaderName"] == "X-Origin-Verify"
        for value in header["Values"]:
            assert json.dumps(value).count("{{resolve:secretsmanager:") == 1
            assert resources[value["Fn::Join"][1][1]["Ref"]].type == "AWS::SecretsManager::Secret"


@pytest.mark.parametrize("stage", STAGES)
def test_the_addresses_that_customers_allow_fit_into_an_answer(assembly: Assembly, stage: str) -> None:
    (rule,) = (
        r.properties
        for r in assembly[f"{stage}-entry"].resources.values()
        if r.type == "AWS::ElasticLoadBalancingV2::ListenerRule" and r.properties["Priority"] == 20
    )
    (action,) = rule["Actions"]
    body = action["FixedResponseConfig"]["MessageBody"]
    assert action["FixedResponseConfig"]["ContentType"] == "application/json"
    text = _deployed(body)
    document = json.loads(text)
    assert document["stage"] == stage
    assert len(document["egress_addresses"]) == {"dev": 1, "prod": 3}[stage]
    assert len(text) <= 1024


@pytest.mark.parametrize("stage", STAGES)
def test_refuses_malformed_and_ambiguous_requests(assembly: Assembly, stage: str) -> None:
    balancer = _one(assembly, f"{stage}-entry", "ElasticLoadBalancingV2::LoadBalancer")
    attributes = _attributes(balancer, "LoadBalancerAttributes")
    assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert attributes["routing.http.desync_mitigation_mode"] == "strictest"
    assert attributes["deletion_protection.enabled"] == "true"


@pytest.mark.parametrize("stage", STAGES)
def test_connections_and_requests_are_logged_where_the_balancer_may_write(assembly: Assembly, stage: str) -> None:
    balancer = _one(assembly, f"{stage}-entry", "ElasticLoadBalancingV2::LoadBalancer")
    attributes = _attributes(balancer, "LoadBalancerAttributes")
    bucket = f"acme-{stage}-balancer-in-100000000002"
    for kind in ("access_logs", "connection_logs"):
        assert (attributes[f"{kind}.s3.enabled"], attributes[f"{kind}.s3.bucket"]) == ("true", bucket)
    (target,) = (r for _, r in assembly.resources("AWS::S3::Bucket") if r.properties.get("BucketName") == bucket)
    (rule,) = target.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}, "load balancers deliver to SSE-S3 only"


@pytest.mark.parametrize("stage", STAGES)
def test_the_web_acl_guards_the_balancer(assembly: Assembly, stage: str) -> None:
    association = _one(assembly, f"{stage}-entry", "WAFv2::WebACLAssociation")
    balancer = _one(assembly, f"{stage}-entry", "ElasticLoadBalancingV2::LoadBalancer")
    assert association.properties["ResourceArn"] == {"Ref": balancer.logical_id}


@pytest.mark.parametrize("stage", STAGES)
def test_only_the_balancers_own_target_group_calls_the_status_function(assembly: Assembly, stage: str) -> None:
    permission = _one(assembly, f"{stage}-entry", "Lambda::Permission").properties
    targets = _one(assembly, f"{stage}-entry", "ElasticLoadBalancingV2::TargetGroup")
    account = assembly[f"{stage}-entry"].account
    assert permission["SourceAccount"] == account
    assert permission["SourceArn"].endswith(f":{account}:targetgroup/{targets.properties['Name']}/*")
    assert targets.properties["HealthCheckEnabled"] is True
    assert targets.definition["DependsOn"], "registered before it may be called"


@pytest.mark.parametrize("stage", STAGES)
def test_the_api_host_speaks_tls_1_3_only(assembly: Assembly, stage: str) -> None:
    domain = _one(assembly, f"{stage}-entry", "ApiGateway::DomainName").properties
    assert domain["SecurityPolicy"] == "SecurityPolicy_TLS13_1_3_2025_09"
    assert domain["EndpointAccessMode"] == "STRICT"
    assert domain["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


@pytest.mark.parametrize("stage", STAGES)
def test_no_other_authority_may_issue_for_the_origin_and_the_api(assembly: Assembly, stage: str) -> None:
    records = {
        r.properties["Name"]: r.properties["ResourceRecords"]
        for r in assembly[f"{stage}-entry"].resources.values()
        if r.properties.get("Type") == "CAA"
    }
    assert all(issuers == ['0 issue "amazon.com"'] for issuers in records.values())
    assert {name.split(".")[0] for name in records} == {"origin", "api"}


def test_api_gateway_can_write_logs_in_every_account(assembly: Assembly) -> None:
    places: list[Any] = [(s.account, s.region) for s, _ in assembly.resources("AWS::ApiGateway::Account")]
    assert len(places) == len(set(places)) == len(STAGES) + 1, "the security account has the chat's door"


def test_shield_protects_the_balancer_where_it_is_bought(assembly: Assembly) -> None:
    protection = _one(assembly, "prod-entry", "Shield::Protection").properties
    balancer = _one(assembly, "prod-entry", "ElasticLoadBalancingV2::LoadBalancer")
    assert protection["ResourceArn"] == {"Ref": balancer.logical_id}
    assert protection["HealthCheckArns"]
    assert not [r for r in assembly["dev-entry"].resources.values() if r.type.startswith("AWS::Shield::")]
