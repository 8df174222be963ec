"""Acknowledgements: refused where they are unknown, stale, stack-wide, wordless or copied."""

from __future__ import annotations

from typing import Any

import pytest

from gate import acknowledgements
from tests.gate.conftest import Write

_ID = "AwsSolutions::AwsSolutions-S1"
_REASON = "Its own requests are recorded by the trail."


def _report(*matched: tuple[str, str]) -> dict[str, Any]:
    return {
        "pluginReports": [
            {
                "pluginName": "AwsSolutions",
                "suppressedViolations": [{"acknowledgedAt": where, "acknowledgedId": rule} for where, rule in matched],
            }
        ]
    }


def _controls(write: Write, where: str, rule: str, reason: str, *, matched: bool = True) -> set[str]:
    assembly = write(
        {"Thing": {"Type": "AWS::S3::Bucket"}},
        acknowledged={where: {rule: reason}},
        report=_report(*([(where, rule)] if matched else [])),
    )
    return {finding.control for finding in acknowledgements.check(assembly)}


def test_takes_a_narrow_reasoned_acknowledgement_that_matches(write: Write) -> None:
    assert _controls(write, "dev-thing/Thing", _ID, _REASON) == set()


@pytest.mark.parametrize(
    ("where", "rule", "reason", "matched", "control"),
    [
        ("dev-thing/Thing", _ID, _REASON, False, "acknowledgements.id.used"),
        ("dev-thing/Thing", "Annotation::AwsSolutions-S1", _REASON, False, "acknowledgements.id.known"),
        ("dev-thing/Thing", "Nowhere::Nowhere-S1", _REASON, False, "acknowledgements.id.known"),
        ("dev-thing", _ID, _REASON, True, "acknowledgements.place.narrow"),
        ("dev-thing/Thing", _ID, "fine", True, "acknowledgements.reason.true"),
    ],
)
def test_refuses(  # noqa: PLR0917
    write: Write, where: str, rule: str, reason: str, matched: bool, control: str
) -> None:
    assert control in _controls(write, where, rule, reason, matched=matched)


def test_refuses_one_reason_for_two_constructs(write: Write) -> None:
    places = {"dev-thing/One": {_ID: _REASON}, "dev-thing/Two": {_ID: _REASON}}
    assembly = write({}, acknowledged=places, report=_report(*((where, _ID) for where in places)))
    assert {finding.control for finding in acknowledgements.check(assembly)} == {"acknowledgements.reason.own"}


def test_refuses_an_assembly_without_a_validation_report(write: Write) -> None:
    assert [f.control for f in acknowledgements.check(write({}))] == ["acknowledgements.report.present"]


def test_reports_what_nobody_acknowledged(write: Write) -> None:
    violation = {
        "ruleName": "AwsSolutions-S1",
        "description": "No access log.",
        "violatingConstructs": [{"constructPath": "dev-thing/Thing/Resource"}],
    }
    report = {"pluginReports": [{"pluginName": "AwsSolutions", "violations": [violation]}]}
    (finding,) = acknowledgements.check(write({}, report=report))
    assert finding.where == "dev-thing/Thing/Resource"
