"""Answers the load balancer's health checks, the canary and anybody who asks: up, and which version. No data.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-alb.html
"""

import functools
import json
from collections.abc import Mapping
from typing import Any

from palisade_runtime.environment import read_environment
from palisade_runtime.responses import SECURITY_HEADERS

_REASONS = {200: "OK", 404: "Not Found", 405: "Method Not Allowed"}


def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Lambda's entry point."""
    return answer(event.get("httpMethod"), event.get("path"), version=_version())


def answer(method: object, path: object, *, version: str) -> dict[str, Any]:
    """The response to one request; a HEAD gets no body."""
    if path != "/status":
        return _response(404, {"status": "unknown"})
    if method not in {"GET", "HEAD"}:
        return _response(405, {"status": "refused"}, {"Allow": "GET, HEAD"})
    return _response(200, {"status": "up", "version": version} if method == "GET" else None)


def _response(status: int, body: object, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {
        "statusCode": status,
        "statusDescription": f"{status} {_REASONS[status]}",
        "headers": {**SECURITY_HEADERS, "Content-Type": "application/json; charset=utf-8", **(headers or {})},
        "body": "" if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


@functools.cache
def _version() -> str:
    return read_environment(text=("VERSION",))["VERSION"]
