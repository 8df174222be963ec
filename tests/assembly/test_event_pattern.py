"""Patterns of rules, evaluated as EventBridge documents them."""

from __future__ import annotations

from typing import Any

import pytest

from assembly.event_pattern import PatternError, matches, seen

EVENT: dict[str, Any] = {
    "source": "aws.guardduty",
    "detail-type": "GuardDuty Finding",
    "detail": {
        "severity": 7.5,
        "archived": False,
        "user": {"type": "Root"},
        "findings": [{"label": "LOW", "product": "A"}, {"label": "HIGH", "product": "B"}],
        "names": ["one", "two"],
        "nothing": None,
    },
}


@pytest.mark.parametrize(
    "pattern",
    [
        {},
        {"source": ["aws.s3", "aws.guardduty"]},
        {"detail": {"severity": [{"numeric": [">=", 7]}]}},
        {"detail": {"severity": [{"numeric": [">", 7, "<", 8]}]}},
        {"detail": {"archived": [False]}},
        {"detail": {"findings": {"label": ["HIGH"]}}},
        {"detail": {"names": ["two"]}},
        {"detail": {"names": [{"prefix": "t"}]}},
        {"source": [{"suffix": ".guardduty"}]},
        {"source": [{"wildcard": "aws.*duty"}]},
        {"source": [{"anything-but": ["aws.s3"]}]},
        {"source": [{"anything-but": {"prefix": "aws.s"}}]},
        {"source": [{"equals-ignore-case": "AWS.GuardDuty"}]},
        {"detail": {"user": {"invokedBy": [{"exists": False}]}}},
        {"detail": {"user": {"type": [{"exists": True}]}}},
        {"$or": [{"source": ["aws.s3"]}, {"detail": {"names": ["one"]}}]},
        {"detail": {"nothing": [None]}},
    ],
)
def test_sees(pattern: dict[str, Any]) -> None:
    assert matches(pattern, EVENT)


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": []},
        {"source": ["aws.s3"]},
        {"detail": {"severity": [{"numeric": [">", 8]}]}},
        {"detail": {"severity": ["7.5"]}},
        {"detail": {"archived": [0]}},
        # One element must satisfy the whole of a nested pattern.
        {"detail": {"findings": {"label": ["HIGH"], "product": ["A"]}}},
        {"detail": {"missing": [{"anything-but": ["x"]}]}},
        {"detail": {"user": {"type": [{"exists": False}]}}},
        {"detail": {"absent": {"deeper": ["x"]}}},
        {"source": [{"wildcard": "guard*"}]},
        {"$or": [{"source": ["aws.s3"]}, {"detail": {"names": ["three"]}}]},
        {"source": [{"anything-but": ["aws.guardduty"]}]},
    ],
)
def test_does_not_see(pattern: dict[str, Any]) -> None:
    assert not matches(pattern, EVENT)
    assert not seen([pattern], EVENT)


@pytest.mark.parametrize("pattern", [{"source": "aws.guardduty"}, {"source": [{"cidr": "10.0.0.0/8"}]}])
def test_refuses_what_it_does_not_know(pattern: dict[str, Any]) -> None:
    with pytest.raises(PatternError):
        matches(pattern, EVENT)
