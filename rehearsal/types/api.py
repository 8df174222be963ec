"""API Gateway: what ministack's CloudFormation leaves out of REST APIs, their stages and methods."""

from __future__ import annotations

from rehearsal.emulator.spec import Context, Props, hook, spec, text, true

spec(
    "AWS::ApiGateway::RequestValidator",
    "apigateway",
    "create_request_validator",
    "id",
    attributes={"RequestValidatorId": "id"},
    delete="delete_request_validator",
    delete_with=lambda i, p, _a: {"restApiId": p["RestApiId"], "requestValidatorId": i},
)


@hook("AWS::ApiGateway::RestApi")
def rest_api(_context: Context, identity: str, props: Props) -> None:
    """Where it answers, policy, TLS and the generated address."""
    from ministack.services import apigateway_v1

    record = apigateway_v1._rest_apis[identity]
    if "EndpointConfiguration" in props:
        record["endpointConfiguration"] = {"types": list(props["EndpointConfiguration"]["Types"])}
    if "Policy" in props:
        record["policy"] = text(props["Policy"])
    if "DisableExecuteApiEndpoint" in props:
        record["disableExecuteApiEndpoint"] = true(props["DisableExecuteApiEndpoint"])
    for name, kept in (("SecurityPolicy", "securityPolicy"), ("EndpointAccessMode", "endpointAccessMode")):
        if name in props:
            record[kept] = props[name]


@hook("AWS::ApiGateway::Stage")
def stage(_context: Context, identity: str, props: Props) -> None:
    """The access log."""
    from ministack.services import apigateway_v1

    logged = props.get("AccessLogSetting")
    if logged:
        apigateway_v1._stages_v1[props["RestApiId"]][identity]["accessLogSettings"] = {
            "destinationArn": logged["DestinationArn"],
            "format": logged["Format"],
        }


@hook("AWS::ApiGateway::Method")
def method(_context: Context, _identity: str, props: Props) -> None:
    """The validator."""
    from ministack.services import apigateway_v1

    if props.get("RequestValidatorId"):
        resource = apigateway_v1._resources[props["RestApiId"]][props["ResourceId"]]
        resource["resourceMethods"][props["HttpMethod"]]["requestValidatorId"] = props["RequestValidatorId"]
