"""Responses of an API Gateway proxy integration, with the headers that keep a browser honest.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import json
from collections.abc import Mapping
from decimal import Decimal

SECURITY_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains; preload",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class RefusalError(Exception):
    """A request that is answered with a status other than success; `message` is safe to show and to log."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def respond(status: int, body: object = None) -> dict[str, object]:
    """A response with a JSON body, or with none when `body` is None."""
    headers = dict(SECURITY_HEADERS)
    if body is not None:
        headers["Content-Type"] = "application/json; charset=utf-8"
    text = "" if body is None else json.dumps(body, default=_plain, allow_nan=False)
    return {"statusCode": status, "headers": headers, "body": text, "isBase64Encoded": False}


def refuse(refusal: RefusalError, request_id: str) -> dict[str, object]:
    """The response to a refused request."""
    return respond(
        refusal.status, {"error": {"code": refusal.code, "message": refusal.message}, "request_id": request_id}
    )


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(type(value).__name__)
