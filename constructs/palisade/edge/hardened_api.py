"""What every REST API has: its own host name, TLS 1.3 only, a web ACL, a rate limit, and logs that hold no secret."""

from __future__ import annotations

import json
from dataclasses import dataclass

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_wafv2 as waf

from constructs import Construct
from palisade.observability import RetainedLogGroup

TLS_POLICY = "SecurityPolicy_TLS13_1_3_2025_09"
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies-list.html"""

ACCESS_LOG = {
    "time": "$context.requestTimeEpoch",
    "request": "$context.requestId",
    "extendedRequest": "$context.extendedRequestId",
    "principal": "$context.authorizer.principalId",
    "tenant": "$context.authorizer.tenant",
    "apiKeyId": "$context.identity.apiKeyId",
    "ip": "$context.identity.sourceIp",
    "host": "$context.domainName",
    "method": "$context.httpMethod",
    "route": "$context.resourcePath",
    "status": "$context.status",
    "errorType": "$context.error.responseType",
    "authorizerStatus": "$context.authorizer.status",
    "wafStatus": "$context.waf.status",
    "integrationStatus": "$context.integration.status",
    "responseBytes": "$context.responseLength",
    "responseMilliseconds": "$context.responseLatency",
    "tlsVersion": "$context.tlsVersion",
    "cipher": "$context.cipherSuite",
    "trace": "$context.xrayTraceId",
}
"""One record a request: who, from where, what, with what result. Neither tokens, query strings nor bodies, and no text
that a caller words freely, which could forge a field.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html"""

_REFUSAL_HEADERS = {
    "Strict-Transport-Security": "'max-age=63072000; includeSubDomains; preload'",
    "X-Content-Type-Options": "'nosniff'",
    "X-Frame-Options": "'DENY'",
    "Cache-Control": "'no-store'",
}


@dataclass(frozen=True, kw_only=True)
class ApiFront:
    """What an API of a stage stands behind: host name, web ACL, rate limit and logs. The entry stack makes it.

    ``log_group_prefix`` begins the access log's name (``/palisade/api``); ``log_days`` is a CloudWatch value.
    """

    domain: apigateway.IDomainName
    web_acl_arn: str
    rate_per_second: int
    burst: int
    log_key: kms.IKey
    log_group_prefix: str
    log_days: int


class HardenedApi(Construct):
    """Answers at ``https://<host>/<base_path>/...`` and nowhere else, behind the web ACL and the rate limit of ``front``.

    It has no methods; what adds them says who may call each. Answers are never cached. Refusals name no internal detail.

    Controls: ``edge.api.tls``, ``edge.api.throttle``, ``edge.api.access-log``, ``edge.api.web-acl``.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies.html
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, description: str, base_path: str, front: ApiFront
    ) -> None:
        super().__init__(scope, construct_id)
        self._front = front
        self.access_log = RetainedLogGroup(
            self, "AccessLog", name=f"{front.log_group_prefix}/{base_path}", key=front.log_key, days=front.log_days
        )
        self.api = self._api(name, description, base_path)
        self._execution_log(base_path)
        self._harden()
        self._answer_refusals()
        self.validator = self.api.add_request_validator(
            "Validator", validate_request_body=True, validate_request_parameters=True
        )
        apigateway.BasePathMapping(
            self,
            "Mapping",
            domain_name=front.domain,
            rest_api=self.api,
            stage=self.api.deployment_stage,
            base_path=base_path,
        )
        waf.CfnWebACLAssociation(
            self, "Firewall", resource_arn=self.api.deployment_stage.stage_arn, web_acl_arn=front.web_acl_arn
        )

    def _api(self, name: str, description: str, base_path: str) -> apigateway.RestApi:
        return apigateway.RestApi(
            self,
            "Resource",
            rest_api_name=name,
            description=description,
            endpoint_configuration=apigateway.EndpointConfiguration(types=[apigateway.EndpointType.REGIONAL]),
            disable_execute_api_endpoint=True,
            cloud_watch_role=False,
            policy=_only_stage(base_path),
            deploy_options=apigateway.StageOptions(
                stage_name=base_path,
                throttling_rate_limit=self._front.rate_per_second,
                throttling_burst_limit=self._front.burst,
                caching_enabled=False,
                metrics_enabled=True,
                tracing_enabled=True,
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,
                access_log_destination=apigateway.LogGroupLogDestination(self.access_log.log_group),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(ACCESS_LOG)),
            ),
        )

    def _harden(self) -> None:
        resource = self.api.node.default_child
        assert isinstance(resource, apigateway.CfnRestApi)
        # The API's own policy decides the handshake where a custom domain leads to it and its own address is off.
        resource.security_policy = TLS_POLICY
        resource.endpoint_access_mode = "STRICT"

    def _execution_log(self, stage: str) -> None:
        # API Gateway would make this group itself, without key or retention.
        log = RetainedLogGroup(
            self,
            "ExecutionLog",
            name=f"API-Gateway-Execution-Logs_{self.api.rest_api_id}/{stage}",
            key=self._front.log_key,
            days=self._front.log_days,
        )
        self.api.deployment_stage.node.add_dependency(log)

    def _answer_refusals(self) -> None:
        for construct_id, kind, message, headers in (
            ("Refusal", apigateway.ResponseType.DEFAULT_4_XX, "The request was refused.", {}),
            ("Failure", apigateway.ResponseType.DEFAULT_5_XX, "The request failed.", {}),
            ("Throttle", apigateway.ResponseType.THROTTLED, "Too many requests.", {"Retry-After": "'1'"}),
        ):
            self.api.add_gateway_response(
                construct_id,
                type=kind,
                response_headers={**_REFUSAL_HEADERS, **headers},
                templates={"application/json": json.dumps({"message": message, "request": "$context.requestId"})},
            )


def _only_stage(stage: str) -> iam.PolicyDocument:
    """Whoever passes the authorizer may call this stage; a stage that somebody adds by hand answers nobody."""
    return iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                sid="OnlyThisStage",
                principals=[iam.AnyPrincipal()],
                actions=["execute-api:Invoke"],
                resources=[f"execute-api:/{stage}/*"],
            ),
        ]
    )
