"""The policy packs and the built-in validator find nothing that is not acknowledged."""

from __future__ import annotations

from typing import Any


def test_no_finding_is_left(findings: list[dict[str, Any]]) -> None:
    left = [
        f"{finding['ruleName']} at {place['constructPath']}: {finding['description']}"
        for finding in findings
        for place in finding["violatingConstructs"]
    ]
    assert not left, "\n".join(left)
