"""Promises about who may do what: identity everywhere, the network nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from proofs.finding import Case, Finding, note, proof
from proofs.model import Model, Node, as_list, at, truthy, unresolved_in
from proofs.register.questions import facts, statements, texts
from proofs.register.webhooks import signed

_PUBLIC_METHODS = frozenset({"OPTIONS"})


@proof("identity.network-position-grants-nothing")
def network_position_grants_nothing(case: Case, finding: Finding) -> None:
    """Every internal endpoint asks who calls; no security group lets a range of addresses in.

    https://docs.aws.amazon.com/prescriptive-guidance/latest/strategy-zero-trust-architecture/zero-trust-principles.html
    """
    model = facts(case).model
    for rule, body in _inbound(model):
        ranges = [str(at(body, name)) for name in ("CidrIp", "CidrIpv6") if at(body, name) is not None]
        if ranges or next(unresolved_in(body), None) is not None:
            finding.broken.append(note(rule, f"lets {', '.join(ranges) or 'an unresolved peer'} in by address alone"))
        else:
            finding.evidence.append(note(rule, "lets in by group or by AWS's own list"))
    _endpoints_ask(model, finding)


def _endpoints_ask(model: Model, finding: Finding) -> None:
    for method in model.of("AWS::ApiGateway::Method"):
        if method.get("HttpMethod") in _PUBLIC_METHODS:
            continue
        kind = method.get("AuthorizationType", default="NONE")
        authorizer = model.find(method.get("AuthorizerId"), "AWS::ApiGateway::Authorizer")
        nobody = kind == "NONE" or (kind in {"CUSTOM", "COGNITO_USER_POOLS"} and authorizer is None)
        signature = signed(model, method) if kind == "NONE" else None
        if signature is not None:
            finding.evidence.append(note(method, signature))
        elif nobody:
            finding.broken.append(note(method, "it asks nobody who calls"))
        else:
            finding.evidence.append(note(method, f"asks {authorizer.path if authorizer else kind}"))
    for cluster in model.of("AWS::RDS::DBCluster"):
        if truthy(cluster.get("EnableIAMDatabaseAuthentication")):
            finding.evidence.append(note(cluster, "takes IAM identities"))
        else:
            finding.broken.append(note(cluster, "it takes no IAM identity"))
    for endpoint in model.of("AWS::EC2::VPCEndpoint"):
        if endpoint.get("VpcEndpointType") == "GatewayLoadBalancer":
            continue
        document = endpoint.get("PolicyDocument")
        if document is None or any(_anybody(statement) for statement in statements(document)):
            finding.broken.append(note(endpoint, "its policy lets anybody through to anything"))
        else:
            finding.evidence.append(note(endpoint, "lets through only whom its policy names"))


def _anybody(statement: Mapping[str, Any]) -> bool:
    return (
        statement.get("Effect") == "Allow"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and "*" in texts(statement.get("Resource"))
        and not statement.get("Condition")
    )


def _inbound(model: Model) -> Iterator[tuple[Node, Any]]:
    for group in model.of("AWS::EC2::SecurityGroup"):
        for body in as_list(group.get("SecurityGroupIngress")):
            yield group, body
    for rule in model.of("AWS::EC2::SecurityGroupIngress"):
        yield rule, rule.properties
