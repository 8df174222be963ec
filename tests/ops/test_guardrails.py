"""The page of guardrails: whole, and what the templates say."""

from __future__ import annotations

from pathlib import Path

import pytest

from assembly import Assembly
from ops.guardrails.__main__ import main
from ops.guardrails.page import METADATA, page


def test_tells_of_every_policy_and_every_guardrail(assembly: Assembly) -> None:
    text = page(assembly)
    policies = [policy for _, policy in assembly.resources("AWS::Organizations::Policy")]
    assert policies
    for policy in policies:
        assert f"| `{policy.properties['Name']}` |" in text
        for about in policy.definition["Metadata"][METADATA]:
            assert f"### {about['name']}\n" in text
            assert about["stops"] in text
            assert f"Exempt: {about['exempt']}" in text


def test_says_so_when_the_page_is_out_of_date(
    synthesized: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "guardrails.md"
    arguments = ["--assembly", str(synthesized), "--out", str(out)]
    assert main([*arguments, "--check"]) == 1
    assert "make guardrails" in capsys.readouterr().err
    assert main(arguments) == 0
    assert main([*arguments, "--check"]) == 0
