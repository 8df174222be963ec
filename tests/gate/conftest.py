"""Small assemblies written by hand, to show what the gate makes of templates that are not ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from assembly import Assembly, load

Write = Callable[..., Assembly]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes an assembly of one stack (``dev-thing``) from its resources, acknowledgements and validation report."""

    def writer(
        resources: Mapping[str, Any],
        *,
        acknowledged: Mapping[str, Mapping[str, str]] | None = None,
        report: Mapping[str, Any] | None = None,
        region: str = "eu-central-1",
        termination_protection: bool = True,
    ) -> Assembly:
        metadata: dict[str, Any] = {
            f"/dev-thing/{name}": [{"type": "aws:cdk:logicalId", "data": name}] for name in resources
        }
        for path, rules in (acknowledged or {}).items():
            metadata.setdefault(f"/{path}", []).extend(
                {"type": "aws:cdk:acknowledged-rules", "data": {rule: reason}} for rule, reason in rules.items()
            )
        manifest = {
            "artifacts": {
                "dev-thing": {
                    "type": "aws:cloudformation:stack",
                    "environment": f"aws://111111111111/{region}",
                    "properties": {
                        "templateFile": "dev-thing.template.json",
                        "terminationProtection": termination_protection,
                    },
                    "metadata": metadata,
                }
            }
        }
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))
        (tmp_path / "dev-thing.template.json").write_text(json.dumps({"Resources": resources}))
        if report is not None:
            (tmp_path / "validation-report.json").write_text(json.dumps(report))
        return load(tmp_path)

    return writer
