"""Doors that believe a signature over the body, which no authorizer is shown: what the templates show of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from proofs.model import Model, Node, as_list, truthy
from proofs.model.policies import allows, documents_of, statements

_HARMLESS = frozenset(
    {
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:PutObject",
        "secretsmanager:GetSecretValue",
        "sqs:SendMessage",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
)
"""What a door may do: read the secret it checks with, record that it saw a request, and pass it on. It decides nothing."""


def signed(model: Model, method: Node) -> str | None:
    """How ``method`` is known to ask for a signature; None if it is not.

    The request has no way in without a signature's header, and the function that checks it can read one secret of this
    deployment, and do nothing but pass on what it believes. tests/lambda/receive_chat shows what it believes.
    """
    if method.get("HttpMethod") != "POST" or not _header(model, method):
        return None
    uri = str(method.get("Integration", "Uri", default=""))
    called = re.search(r"functions/(.+)/invocations", uri)
    function = model.find(called[1], "AWS::Lambda::Function") if called else None
    role = model.find(function.get("Role"), "AWS::IAM::Role") if function else None
    if function is None or role is None:
        return None
    documents = documents_of(model, role)
    granted = {
        str(action)
        for one in statements(documents)
        if one.get("Effect") == "Allow"
        for action in as_list(one.get("Action"))
    }
    open_ended = any("NotAction" in one for one in statements(documents) if one.get("Effect") == "Allow")
    secrets = allows(documents, "secretsmanager:GetSecretValue", None)
    if open_ended or granted - _HARMLESS or not _own_secret(model, secrets):
        return None
    return f"believes what is signed with {secrets[0]}, by {function.path}"


def without_keys(model: Model, stage: Node) -> bool:
    """Whether every method of a stage's API asks for a signature, so that no caller has a key to count by."""
    methods = [one for one in _methods(model, stage) if one.get("HttpMethod") != "OPTIONS"]
    return bool(methods) and all(signed(model, one) for one in methods)


def _methods(model: Model, stage: Node) -> Iterator[Node]:
    for method in model.of("AWS::ApiGateway::Method"):
        if method.get("RestApiId") == stage.get("RestApiId"):
            yield method


def _header(model: Model, method: Node) -> bool:
    validator = model.find(method.get("RequestValidatorId"), "AWS::ApiGateway::RequestValidator")
    wanted = method.get("RequestParameters", default={})
    return (
        validator is not None
        and truthy(validator.get("ValidateRequestParameters"))
        and isinstance(wanted, dict)
        and any(
            re.fullmatch(r"method\.request\.header\..*Signature", name) and truthy(must)
            for name, must in wanted.items()
        )
    )


def _own_secret(model: Model, secrets: list[str]) -> bool:
    return bool(secrets) and all(model.find(one, "AWS::SecretsManager::Secret") is not None for one in secrets)
