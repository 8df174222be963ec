"""What ministack lacks where accounts and tenants are kept apart: whose host name it is, policy variables, leading keys.

Statements whose variables have no value match nothing, as on AWS.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import apigateway_v1, dynamodb

_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_EQUALS = re.compile(r"([#\w.-]+)\s*=\s*(:\w+)")


def install() -> None:
    """Apply all three."""
    _host_names_lead_to_their_account()
    _policies_have_variables()
    _requests_name_leading_keys()


def _host_names_lead_to_their_account() -> None:
    """A request through a custom domain is not signed, so ministack looks for the API in its default account only."""

    def owner(records: Any) -> Any:
        def find(name: str) -> Any:
            for (account, region, stored), _ in records.all_items():
                if stored.lower() == name.lower():
                    return account, region, stored
            return None

        return find

    find_domain, find_api = owner(apigateway_v1._domain_names), owner(apigateway_v1._rest_apis)
    apigateway_v1.find_domain_scope = find_domain
    apigateway_v1.find_api_scope = lambda name: (found := find_api(name)) and found[:2]


class _NoValueError(Exception):
    """A variable that this request gives no value."""


def _policies_have_variables() -> None:
    matches = iam_evaluator._first_match

    def first_match(context: Any, statements: list[Any], effect: str) -> Any:
        for statement in statements:
            try:
                filled = dataclasses.replace(
                    statement,
                    resources=_filled(statement.resources, context),
                    not_resources=_filled(statement.not_resources, context),
                    conditions=_filled(statement.conditions, context),
                )
            except _NoValueError:
                continue
            if found := matches(context, [filled], effect):
                return found
        return None

    iam_evaluator._first_match = first_match


def _filled(value: Any, context: Any) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _value(found[1], context), value) if "${" in value else value
    if isinstance(value, list):
        return [_filled(item, context) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, context) for key, item in value.items()}
    return value


def _value(variable: str, context: Any) -> str:
    if variable in ("*", "?", "$"):
        return variable
    found = iam_evaluator._resolve_condition_key(variable, context)
    if not isinstance(found, str):
        raise _NoValueError(variable)
    return found


def _requests_name_leading_keys() -> None:
    original = iam_actions.dynamodb_service_context

    def service_context(body: bytes) -> dict[str, Any]:
        found = _leading_keys(json.loads(body or b"{}"))
        return {**original(body), **({"dynamodb:LeadingKeys": found} if found else {})}

    iam_actions.dynamodb_service_context = service_context


def _leading_keys(request: dict[str, Any]) -> list[str]:
    table = dynamodb._tables.get(str(request.get("TableName", "")).rsplit("/", 1)[-1])
    if table is None:
        return []
    name = next(key["AttributeName"] for key in table["KeySchema"] if key["KeyType"] == "HASH")
    given = [request.get("Key"), request.get("Item")]
    values = [item[name] for item in given if isinstance(item, dict) and name in item]
    aliases = request.get("ExpressionAttributeNames") or {}
    for left, right in _EQUALS.findall(str(request.get("KeyConditionExpression", ""))):
        if aliases.get(left, left) == name:
            values.append(request["ExpressionAttributeValues"][right])
    return [str(value) for typed in values for value in typed.values()]
