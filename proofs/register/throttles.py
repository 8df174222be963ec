"""Promises about how much one caller may ask for."""

from __future__ import annotations

from collections.abc import Iterator

from proofs.finding import Case, Finding, note, proof
from proofs.model import Node, as_list, at
from proofs.register.questions import facts
from proofs.register.webhooks import without_keys

RATE, BURST = 10, 20
"""Requests a second, and at once."""
SECONDS = 60


@proof("throttles.ten-a-second-and-bursts-of-twenty")
def ten_a_second_and_bursts_of_twenty(case: Case, finding: Finding) -> None:
    """Every method of every stage, and every usage plan, lets 20 requests through at once and 10 a second, and no more.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
    """
    model = facts(case).model
    for stage in model.of("AWS::ApiGateway::Stage"):
        settings = as_list(stage.get("MethodSettings"))
        everything = [s for s in settings if at(s, "HttpMethod") == "*" and at(s, "ResourcePath") == "/*"]
        if not everything:
            finding.broken.append(note(stage, "no throttle covers all its methods"))
        for setting in settings:
            place = f"{at(setting, 'HttpMethod')} {at(setting, 'ResourcePath')}"
            _judge(stage, place, at(setting, "ThrottlingRateLimit"), at(setting, "ThrottlingBurstLimit"), finding)
        plans = [
            plan
            for plan in model.of("AWS::ApiGateway::UsagePlan")
            if any(at(item, "Stage") == stage.id for item in as_list(plan.get("ApiStages")))
        ]
        if not plans and not without_keys(model, stage):
            finding.broken.append(note(stage, "no usage plan covers it"))
        for plan in plans:
            _judge(plan, "every key", plan.get("Throttle", "RateLimit"), plan.get("Throttle", "BurstLimit"), finding)
    for stage in model.of("AWS::ApiGatewayV2::Stage"):
        route = stage.get("DefaultRouteSettings", default={})
        _judge(stage, "every route", at(route, "ThrottlingRateLimit"), at(route, "ThrottlingBurstLimit"), finding)


def _judge(node: Node, place: str, rate: object, burst: object, finding: Finding) -> None:
    if not isinstance(rate, (int, float)) or not isinstance(burst, int):
        finding.broken.append(note(node, f"{place}: no rate or no burst is set"))
        return
    at_once, each_second = let_through(float(rate), burst)
    if (at_once, each_second) != (BURST, RATE):
        finding.broken.append(
            note(node, f"{place}: a flood gets {at_once} through at once and {each_second:g} a second")
        )
    else:
        finding.evidence.append(
            note(node, f"{place}: a flood gets {at_once} through at once, then {each_second:g} a second")
        )


def let_through(rate: float, burst: int, *, seconds: int = SECONDS) -> tuple[int, float]:
    """What a token bucket lets through of a flood: in its first instant, and each second afterwards on average."""
    tokens, first, later = float(burst), 0, 0
    for moment in _flood(seconds):
        if moment:
            tokens = min(float(burst), tokens + rate / 1000)
        while tokens >= 1:
            tokens -= 1
            first, later = (first + 1, later) if moment == 0 else (first, later + 1)
    return first, round(later / seconds, 1)


def _flood(seconds: int) -> Iterator[int]:
    """Every thousandth of a second, in each of which as many requests wait as could ever pass."""
    yield from range(seconds * 1000 + 1)
