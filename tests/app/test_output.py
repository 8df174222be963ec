"""Tests leave the assembly that people and the gate look at alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_WRITES = """
import app
import aws_cdk as cdk

def test_writes_somewhere():
    made = cdk.App()
    cdk.Stack(made, "Test")
    made.synth()
"""


def test_an_app_of_a_test_writes_nothing_where_make_puts_the_assembly(tmp_path: Path) -> None:
    target = tmp_path / "cdk.out"
    test = tmp_path / "test_writes.py"
    test.write_text(_WRITES, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", str(ROOT / "pyproject.toml"), str(test)]
    environment = {**os.environ, "CDK_OUTDIR": str(target), "CDK_VALIDATION": "false", "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    assert not target.exists()
