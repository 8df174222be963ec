"""Promises about availability: the alarms that tell when the error budget burns too fast, evaluated."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from proofs.finding import Case, Finding, note, proof
from proofs.model import Model, Node, as_list, at
from proofs.register.questions import facts

BUDGET = 0.001
"""What may fail of all requests for 99.9 %."""
_OPERATORS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@proof("objectives.burn-rate-alarms-fire-on-budget")
def burn_rate_alarms_fire_on_budget(case: Case, finding: Finding) -> None:
    """Each burn-rate alarm fires when failures burn the budget of 99.9 % at its rate, and not below, and somebody is told.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-ServiceLevelObjectives.html
    """
    known = facts(case)
    model = known.model
    told = {arrow.sender for arrow, refused in known.deliveries("alarm to topic") if refused is None}
    for canary in model.of("AWS::Synthetics::Canary"):
        burning = [
            alarm for alarm in model.of("AWS::CloudWatch::Alarm", account=canary.account) if _burns(alarm, canary)
        ]
        windows = {_window(alarm) for alarm in burning}
        if len(windows) < 2:
            finding.broken.append(note(canary, "no pair of burn-rate alarms watches it"))
        for alarm in burning:
            _fires(alarm, finding)
        for composite in model.of("AWS::CloudWatch::CompositeAlarm", account=canary.account):
            parts = [alarm for alarm in burning if alarm.arn in str(composite.get("AlarmRule"))]
            if not parts:
                continue
            if composite not in told:
                finding.broken.append(note(composite, "nobody is told of it"))
            elif len({_window(alarm) for alarm in parts}) < 2 or " AND " not in str(composite.get("AlarmRule")):
                finding.broken.append(note(composite, "it does not ask a long and a short window"))
            else:
                finding.evidence.append(note(composite, f"{composite.get('AlarmDescription')}"))
        for alarm in burning:
            if (
                not any(alarm.arn in str(one.get("AlarmRule")) for one in _composites(model, canary))
                and alarm not in told
            ):
                finding.broken.append(note(alarm, "nobody is told of it"))
        if canary.get("Schedule", "Expression") in {None, "rate(0 minute)"}:
            finding.broken.append(note(canary, "it never runs"))


def _composites(model: Model, canary: Node) -> Iterator[Node]:
    return model.of("AWS::CloudWatch::CompositeAlarm", account=canary.account)


def _burns(alarm: Node, canary: Node) -> bool:
    return any(
        at(dimension, "Name") == "CanaryName" and at(dimension, "Value") == canary.name
        for metric in as_list(alarm.get("Metrics"))
        for dimension in as_list(at(metric, "MetricStat", "Metric", "Dimensions"))
    ) and any(at(metric, "Expression") for metric in as_list(alarm.get("Metrics")))


def _window(alarm: Node) -> int:
    return max(
        (int(at(metric, "MetricStat", "Period", default=0)) for metric in as_list(alarm.get("Metrics"))), default=0
    )


def _fires(alarm: Node, finding: Finding) -> None:
    """Feed the alarm's own expression with failures just over, and just under, its rate."""
    shown = next(
        (m for m in as_list(alarm.get("Metrics")) if at(m, "Expression") and at(m, "ReturnData", default=True) is True),
        None,
    )
    threshold = alarm.get("Threshold")
    if shown is None or not isinstance(threshold, (int, float)):
        finding.broken.append(note(alarm, "it has no expression or threshold to evaluate"))
        return
    requests = 1_000_000.0
    names = [str(at(m, "Id")) for m in as_list(alarm.get("Metrics")) if at(m, "MetricStat")]
    try:
        over, under = (
            _value(str(at(shown, "Expression")), _feed(names, requests, requests * BUDGET * threshold * factor))
            for factor in (1.01, 0.99)
        )
    except (ValueError, ZeroDivisionError, SyntaxError) as error:
        finding.missing.append(note(alarm, f"its expression cannot be evaluated ({error})"))
        return
    compare = {"GreaterThanOrEqualToThreshold": operator.ge, "GreaterThanThreshold": operator.gt}.get(
        str(alarm.get("ComparisonOperator"))
    )
    if compare is None or not compare(over, threshold) or compare(under, threshold):
        finding.broken.append(
            note(alarm, f"at {threshold:g} times the budget it does not change: {under:g} to {over:g}")
        )
    else:
        finding.evidence.append(note(alarm, f"fires from {threshold:g} times the budget of {BUDGET:.1%} on, not below"))


def _feed(names: list[str], requests: float, failures: float) -> dict[str, float]:
    """All requests through the first entrance, none by the canary, so that failures are exact."""
    feed = dict.fromkeys(names, 0.0)
    errors = next((name for name in names if name.startswith("errors")), "")
    total = next((name for name in names if name.startswith("requests")), "")
    if errors and total:
        feed[errors], feed[total] = failures, requests
    elif {"runs", "good"} <= set(names):
        feed["runs"], feed["good"] = requests, (requests - failures) * 100
    else:
        raise ValueError(f"no failures and requests among {', '.join(names) or 'no metrics'}")
    return feed


def _value(expression: str, feed: Mapping[str, float]) -> float:
    def visit(part: Any) -> float:
        if isinstance(part, ast.Expression):
            return visit(part.body)
        if isinstance(part, ast.Constant) and isinstance(part.value, (int, float)):
            return float(part.value)
        if isinstance(part, ast.Name) and part.id in feed:
            return feed[part.id]
        if isinstance(part, ast.BinOp) and type(part.op) in _OPERATORS:
            return _OPERATORS[type(part.op)](visit(part.left), visit(part.right))
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id == "FILL":
            return visit(part.args[0])
        raise ValueError(f"{ast.unparse(part)} is not understood")

    return visit(ast.parse(expression, mode="eval"))
