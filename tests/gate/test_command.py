"""``python -m gate``: one report, no traceback, an exit code that says what happened."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.__main__ import main
from tests.gate.conftest import Write


def test_reports_findings_and_exits_with_1(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assembly = write({"Thing": {"Type": "AWS::S3::Bucket"}})
    assert main(["--assembly", str(assembly.directory)]) == 1
    printed = capsys.readouterr().out
    assert "dev-thing/Thing" in printed
    assert "storage.bucket.private" in printed
    assert "fix:" in printed


@pytest.mark.parametrize("content", [None, "{", '{"artifacts": {}'])
def test_says_in_one_line_what_it_cannot_read(
    tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    assert main(["--assembly", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("gate: ")


def test_refuses_an_unknown_deployment(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--assembly", str(write({}).directory), "--deployment", "nowhere"]) == 2
    assert "no config/nowhere.py" in capsys.readouterr().err


def test_lists_controls(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["controls"]) == 0
    assert "storage.archive.object-lock" in capsys.readouterr().out
