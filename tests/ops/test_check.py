"""The gate's runner: every step to its end, one failure fails the whole."""

from __future__ import annotations

import sys

import pytest

from ops import check


def _step(name: str, code: str, *, feeds_the_next: bool = False) -> check.Step:
    return check.Step(name=name, command=[sys.executable, "-c", code], feeds_the_next=feeds_the_next)


def test_one_failure_fails_the_gate_but_stops_no_other_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = [_step("bad", "import sys; sys.exit('broken here')"), _step("good", "print('all fine')")]
    monkeypatch.setattr(check, "lanes", lambda _deployment: (steps, []))
    assert check.main([]) == 1
    printed = capsys.readouterr().out
    assert "FAILED" in printed
    assert "broken here" in printed
    assert "all fine" in printed
    assert "check: 1 passed, 1 failed" in printed


def test_what_needs_a_failed_step_is_skipped_and_counted_as_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = [_step("synth", "import sys; sys.exit(1)", feeds_the_next=True), _step("gate", "print('never')")]
    monkeypatch.setattr(check, "lanes", lambda _deployment: (steps, []))
    assert check.main([]) == 1
    printed = capsys.readouterr().out
    assert "skipped" in printed
    assert "never" not in printed
    assert "check: 0 passed, 2 failed" in printed


def test_the_gate_never_runs_with_validation_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_VALIDATION", "false")
    seen = "import os, sys; sys.exit('CDK_VALIDATION' in os.environ)"
    monkeypatch.setattr(check, "lanes", lambda _deployment: ([_step("synth", seen)], []))
    assert check.main([]) == 0
