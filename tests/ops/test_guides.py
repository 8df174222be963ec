"""The guides' command lines are ones that the commands take, word for word."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path

import pytest

from ops.__main__ import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
_LINE = re.compile(r"^ {4,}(?:eval \"\$\()?\./palisade (.+?)(?:\)\")?$", re.MULTILINE)
LINES = sorted(
    {
        (guide.name, line.strip())
        for guide in (ROOT / "README.md", *(ROOT / "docs" / "howto").glob("*.md"))
        for line in _LINE.findall(guide.read_text(encoding="utf-8"))
    }
)


@pytest.mark.parametrize(("guide", "line"), LINES, ids=[f"{guide}: {line}" for guide, line in LINES])
def test_takes_what_the_guide_says(guide: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(re.sub(r"\$\([^)]*\)", "0" * 40, line), comments=True)
    words = words[: next((number for number, word in enumerate(words) if word in {">", "|"}), len(words))]
    name, *arguments = words
    assert name in COMMANDS, f"{guide}: {line}"
    parser = importlib.import_module(f"ops.{name.replace('-', '_')}")._parser()
    try:
        parser.parse_args(arguments)
    except SystemExit:
        pytest.fail(f"{guide}: ./palisade {line}: {capsys.readouterr().err.splitlines()[-1]}")


def test_each_command_has_a_guide() -> None:
    assert {line.split()[0] for _, line in LINES} >= set(COMMANDS)
