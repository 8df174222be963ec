"""API Gateway, WAF, functions: what ministack's CloudFormation drops, put where its services keep it."""

from __future__ import annotations

import base64
from typing import Any

from rehearsal.emulator.spec import Context, Props, hook, spec, true
from rehearsal.emulator.tracker import plain

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
    """TLS policy, access mode, and whether the default endpoint answers."""
    from ministack.services import apigateway_v1

    record = apigateway_v1._rest_apis[identity]
    for name, kept in (("EndpointAccessMode", "endpointAccessMode"), ("SecurityPolicy", "securityPolicy")):
        if name in props:
            record[kept] = props[name]
    record["disableExecuteApiEndpoint"] = true(props.get("DisableExecuteApiEndpoint"))
    endpoint = props.get("EndpointConfiguration")
    if endpoint:
        record["endpointConfiguration"] = {name[0].lower() + name[1:]: value for name, value in dict(endpoint).items()}


@hook("AWS::ApiGateway::Stage")
def stage(_context: Context, identity: str, props: Props) -> None:
    """Access logs."""
    from ministack.services import apigateway_v1

    log = props.get("AccessLogSetting")
    if log:
        apigateway_v1._stages_v1[props["RestApiId"]][identity]["accessLogSettings"] = {
            "destinationArn": log["DestinationArn"],
            "format": log["Format"],
        }


@hook("AWS::ApiGateway::Method")
def method(context: Context, _identity: str, props: Props) -> None:
    """The validator of its requests."""
    if props.get("RequestValidatorId"):
        context.client("apigateway").update_method(
            restApiId=props["RestApiId"],
            resourceId=props["ResourceId"],
            httpMethod=props["HttpMethod"],
            patchOperations=[{"op": "replace", "path": "/requestValidatorId", "value": props["RequestValidatorId"]}],
        )


@hook("AWS::WAFv2::WebACL")
def web_acl(_context: Context, identity: str, props: Props) -> None:
    """Inspection limits, data protection, and search strings as the service returns them."""
    from ministack.services import waf

    for number, record in waf._web_acls._data.items():
        if record.get("Id") == identity.split("|")[1]:
            for name in ("AssociationConfig", "DataProtectionConfig", "CustomResponseBodies", "TokenDomains"):
                if name in props:
                    record[name] = plain(props[name])
            record["Rules"] = _encoded(plain(record["Rules"]))
            waf._web_acls._data[number] = record


def _encoded(value: Any) -> Any:
    """Search strings are text in a template and base64 in the service's answer, which also spells ARN in capitals."""
    if isinstance(value, list):
        return [_encoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: _encoded(item) for key, item in value.items() if key != "SearchStringBase64"}
    if "IPSetReferenceStatement" in made:
        made["IPSetReferenceStatement"] = {"ARN": made["IPSetReferenceStatement"]["Arn"]}
    if "SearchString" in value:
        made["SearchString"] = base64.b64encode(str(value["SearchString"]).encode()).decode()
    elif "SearchStringBase64" in value:
        made["SearchString"] = value["SearchStringBase64"]
    return made


@hook("AWS::ElasticLoadBalancingV2::Listener")
def listener(context: Context, identity: str, props: Props) -> None:
    """Response headers."""
    attributes = [dict(item) for item in props.get("ListenerAttributes") or []]
    if attributes:
        context.client("elbv2").modify_listener_attributes(ListenerArn=identity, Attributes=attributes)


@hook("AWS::ElasticLoadBalancingV2::TargetGroup")
def target_group(context: Context, identity: str, props: Props) -> None:
    """Targets."""
    targets = [
        {name: int(value) if name == "Port" else value for name, value in dict(item).items()}
        for item in props.get("Targets") or []
    ]
    if targets:
        context.client("elbv2").register_targets(TargetGroupArn=identity, Targets=targets)
