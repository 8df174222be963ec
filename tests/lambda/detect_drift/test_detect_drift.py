"""Drift of stacks: counted, asked about when due, and never passed over in silence."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from detect_drift.handler import COMPARABLE, DUE_AFTER, OVERDUE_AFTER, Watch, judge, run
from palisade_runtime.logs import Logger

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _stack(
    name: str, *, status: str = "IN_SYNC", compared: timedelta | None = HOUR, made: timedelta = 100 * HOUR
) -> Any:
    drift: dict[str, Any] = {"StackDriftStatus": status if compared is not None else "NOT_CHECKED"}
    if compared is not None:
        drift["LastCheckTimestamp"] = NOW - compared
    return {"StackName": name, "CreationTime": NOW - made, "DriftInformation": drift}


class Aws:
    """CloudFormation of each region, and the metrics that were put."""

    def __init__(self, stacks: dict[str, list[Any]], refuses: tuple[str, ...] = ()) -> None:
        self.stacks, self.refuses = stacks, refuses
        self.asked: list[tuple[str, str]] = []
        self.counts: dict[str, float] = {}
        self.silent = False

    def client(self, service: str, region_name: str = "") -> Any:
        return _Metrics(self) if service == "cloudwatch" else _CloudFormation(self, region_name)


class _Metrics:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> None:  # noqa: N803 - boto3's names
        assert Namespace == "Palisade/Drift"
        self._aws.counts = {item["MetricName"]: item["Value"] for item in MetricData}


class _CloudFormation:
    def __init__(self, aws: Aws, region: str) -> None:
        self._aws, self._region = aws, region

    def get_paginator(self, operation: str) -> _CloudFormation:
        assert operation == "list_stacks"
        return self

    def paginate(self, **given: Any) -> Any:
        assert given["StackStatusFilter"] == list(COMPARABLE)
        if self._aws.silent:
            raise ClientError({"Error": {"Code": "Throttling"}}, "ListStacks")
        # One to a page, so that a reader of the first page alone is found out.
        return ({"StackSummaries": [stack]} for stack in self._aws.stacks.get(self._region, []))

    def detect_stack_drift(self, *, StackName: str) -> None:  # noqa: N803 - boto3's names
        if StackName in self._aws.refuses:
            raise ClientError({"Error": {"Code": "ValidationError"}}, "DetectStackDrift")
        self._aws.asked.append((self._region, StackName))


class Lines:
    def __init__(self) -> None:
        self.written: list[dict[str, Any]] = []

    def write(self, text: str, /) -> None:
        self.written.append(json.loads(text))


def _watch(aws: Aws, lines: Lines | None = None) -> Watch:
    return Watch(
        owner="live",
        regions=("eu-west-1", "us-east-1"),
        namespace="Palisade/Drift",
        clients=aws.client,
        clock=lambda: NOW,
        logger=Logger(service="detect_drift", output=lines or Lines()),
    )


def test_counts_what_drifted_in_every_region_and_names_it() -> None:
    aws, lines = (
        Aws({"eu-west-1": [_stack("live-keys"), _stack("live-data", status="DRIFTED")], "us-east-1": []}),
        Lines(),
    )
    aws.stacks["us-east-1"].append(_stack("live-edge", status="DRIFTED"))
    run(_watch(aws, lines))
    assert aws.counts == {"StacksDrifted": 2, "StacksNotCompared": 0}
    assert "live-data" in str(lines.written)
    assert "live-edge" in str(lines.written)


def test_counts_nothing_where_nothing_drifted_so_that_silence_is_a_fault() -> None:
    aws = Aws({"eu-west-1": [_stack("live-keys")]})
    run(_watch(aws))
    assert aws.counts == {"StacksDrifted": 0, "StacksNotCompared": 0}
    assert aws.asked == []


def test_asks_for_what_is_due_in_its_own_region() -> None:
    due = [_stack("live-edge", compared=DUE_AFTER + HOUR), _stack("live-alarms-edge", compared=None)]
    aws = Aws({"eu-west-1": [_stack("live-keys")], "us-east-1": due})
    run(_watch(aws))
    assert aws.asked == [("us-east-1", "live-edge"), ("us-east-1", "live-alarms-edge")]


def test_leaves_stacks_of_others_alone() -> None:
    others = [
        _stack("liveliness", compared=None),
        _stack("CDKToolkit", compared=None),
        _stack("sandbox-data", status="DRIFTED"),
    ]
    verdict = judge(others, "live", NOW)
    assert (verdict.drifted, verdict.overdue, verdict.due) == ((), (), ())


def test_one_refused_comparison_does_not_hold_up_the_others() -> None:
    aws = Aws({"eu-west-1": [_stack(name, compared=None) for name in ("live-a", "live-b")]}, refuses=("live-a",))
    run(_watch(aws))
    assert aws.asked == [("eu-west-1", "live-b")]


@pytest.mark.parametrize(
    ("stack", "overdue"),
    [
        (_stack("live-keys", compared=OVERDUE_AFTER + HOUR), True),
        (_stack("live-keys", compared=OVERDUE_AFTER - HOUR), False),
        (_stack("live-keys", compared=None, made=OVERDUE_AFTER + HOUR), True),
        (_stack("live-keys", compared=None, made=HOUR), False),
    ],
)
def test_a_stack_that_cannot_be_compared_is_counted_in_time(stack: Any, overdue: bool) -> None:
    assert bool(judge([stack], "live", NOW).overdue) is overdue


def test_a_changed_stack_is_compared_anew() -> None:
    stack = {**_stack("live-keys", compared=2 * HOUR), "LastUpdatedTime": NOW - HOUR}
    assert judge([stack], "live", NOW).due == ("live-keys",)


def test_a_region_that_does_not_answer_leaves_no_count() -> None:
    aws = Aws({})
    aws.silent = True
    with pytest.raises(ClientError):
        run(_watch(aws))
    assert aws.counts == {}
