"""The REST API: nothing answers without TLS 1.3, an authorizer, a rate limit and a record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from palisade.edge import ApiFront, RestApi

REGION, ACCOUNT = "eu-central-1", "200000000001"


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    stack = cdk.Stack(cdk.App(), "Test", env=cdk.Environment(account=ACCOUNT, region=REGION))
    function = lambda_.Function.from_function_attributes(
        stack,
        "Function",
        function_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:documents",
        same_environment=True,
    )
    front = ApiFront(
        domain=apigateway.DomainName.from_domain_name_attributes(
            stack,
            "Domain",
            domain_name="api.acme.example",
            domain_name_alias_hosted_zone_id="Z0000000000API",
            domain_name_alias_target="target.acme.example",
        ),
        web_acl_arn=f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/acme/00000000-0000-0000-0000-000000000000",
        rate_per_second=10,
        burst=20,
        log_key=kms.Key.from_key_arn(
            stack, "Key", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
        ),
        log_group_prefix="/acme/api",
        log_days=14,
    )
    api = RestApi(
        stack, "Api", name="acme-documents", description="Documents", base_path="v1", front=front, authorizer=function
    )
    api.route(
        "POST", "/documents", function, body=apigateway.JsonSchema(type=apigateway.JsonSchemaType.OBJECT), api_key=True
    )
    api.route("GET", "/documents/{document}", function, parameters=["version"])
    api.add_client("Partner", description="A partner")
    found: dict[str, Any] = assertions.Template.from_stack(stack).to_json()["Resources"]
    return found


def _of(resources: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    found = [resource["Properties"] for resource in resources.values() if resource["Type"] == f"AWS::{kind}"]
    assert found, kind
    return iter(found)


def test_refuses_every_handshake_below_tls_1_3(resources: dict[str, Any]) -> None:
    (api,) = _of(resources, "ApiGateway::RestApi")
    assert api["SecurityPolicy"] == "SecurityPolicy_TLS13_1_3_2025_09"
    assert api["EndpointAccessMode"] == "STRICT"
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


def test_does_not_answer_at_the_generated_address(resources: dict[str, Any]) -> None:
    (api,) = _of(resources, "ApiGateway::RestApi")
    assert api["DisableExecuteApiEndpoint"] is True


def test_no_stage_but_its_own_answers(resources: dict[str, Any]) -> None:
    (api,) = _of(resources, "ApiGateway::RestApi")
    (statement,) = api["Policy"]["Statement"]
    assert statement["Resource"] == "execute-api:/v1/*"
    assert statement["Action"] == "execute-api:Invoke"


def test_every_method_asks_the_authorizer_and_validates(resources: dict[str, Any]) -> None:
    for method in _of(resources, "ApiGateway::Method"):
        assert method["AuthorizationType"] == "CUSTOM"
        assert resources[method["AuthorizerId"]["Ref"]]["Properties"]["AuthorizerResultTtlInSeconds"] == 0
        validator = resources[method["RequestValidatorId"]["Ref"]]["Properties"]
        assert validator["ValidateRequestBody"] is True
        assert validator["ValidateRequestParameters"] is True


def test_a_body_is_checked_whatever_content_type_the_caller_names(resources: dict[str, Any]) -> None:
    (method,) = (m for m in _of(resources, "ApiGateway::Method") if m["HttpMethod"] == "POST")
    assert set(method["RequestModels"]) == {"application/json", "$default"}


def test_a_required_parameter_is_required(resources: dict[str, Any]) -> None:
    (method,) = (m for m in _of(resources, "ApiGateway::Method") if m["HttpMethod"] == "GET")
    assert method["RequestParameters"] == {"method.request.querystring.version": True}


def test_every_method_and_every_client_is_throttled(resources: dict[str, Any]) -> None:
    (stage,) = _of(resources, "ApiGateway::Stage")
    (setting,) = stage["MethodSettings"]
    assert (setting["ResourcePath"], setting["HttpMethod"]) == ("/*", "*")
    assert (setting["ThrottlingRateLimit"], setting["ThrottlingBurstLimit"]) == (10, 20)
    (plan,) = _of(resources, "ApiGateway::UsagePlan")
    assert plan["Throttle"] == {"RateLimit": 10, "BurstLimit": 20}


def test_every_request_leaves_a_record_that_names_the_caller_and_no_secret(resources: dict[str, Any]) -> None:
    (stage,) = _of(resources, "ApiGateway::Stage")
    record = json.loads(stage["AccessLogSetting"]["Format"])
    assert record["principal"] == "$context.authorizer.principalId"
    assert record["tenant"] == "$context.authorizer.tenant"
    assert record["ip"] == "$context.identity.sourceIp"
    assert not {"$context.identity.apiKey", "$context.path", "$context.identity.userAgent"} & set(record.values())
    assert not any("Authorization" in value or "querystring" in value for value in record.values())


def test_execution_is_logged_without_bodies_into_groups_with_key_and_retention(resources: dict[str, Any]) -> None:
    (stage,) = _of(resources, "ApiGateway::Stage")
    (setting,) = stage["MethodSettings"]
    assert (setting["LoggingLevel"], setting["DataTraceEnabled"], setting["CachingEnabled"]) == ("ERROR", False, False)
    assert stage["TracingEnabled"] is True
    groups = list(_of(resources, "Logs::LogGroup"))
    assert len(groups) == 2
    assert all(group["KmsKeyId"] and group["RetentionInDays"] == 14 for group in groups)


def test_the_execution_log_exists_before_the_stage_can_write_to_one_without_a_key(resources: dict[str, Any]) -> None:
    (depends,) = (r["DependsOn"] for r in resources.values() if r["Type"] == "AWS::ApiGateway::Stage")
    names = [resources[name]["Properties"].get("LogGroupName") for name in depends]
    assert any("API-Gateway-Execution-Logs_" in json.dumps(name) for name in names)


def test_refusals_name_no_internal_detail_and_carry_security_headers(resources: dict[str, Any]) -> None:
    for answer in _of(resources, "ApiGateway::GatewayResponse"):
        body = json.loads(answer["ResponseTemplates"]["application/json"])
        assert set(body) == {"message", "request"}
        assert "$" not in body["message"]
        headers = answer["ResponseParameters"]
        assert "max-age=63072000" in headers["gatewayresponse.header.Strict-Transport-Security"]
        assert headers["gatewayresponse.header.X-Content-Type-Options"] == "'nosniff'"


def test_the_web_acl_guards_the_stage(resources: dict[str, Any]) -> None:
    (association,) = _of(resources, "WAFv2::WebACLAssociation")
    assert "/restapis/" in json.dumps(association["ResourceArn"])


def test_no_template_holds_the_value_of_an_api_key(resources: dict[str, Any]) -> None:
    for key in _of(resources, "ApiGateway::ApiKey"):
        assert "Value" not in key
