"""One synthesis of everything, with every check on, shared by all sessions until something changes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

# Before Node starts, which keeps the environment of its start: an app of a test would write over the assembly there.
os.environ.pop("CDK_OUTDIR", None)

import pytest
from hypothesis import settings

from assembly import Assembly, load
from tests import kept_assembly

# How long one example takes tells of the machine's load, not of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def synthesized() -> Path:
    """Folder of the fixture deployment's cloud assembly, validation report included; nobody writes there."""
    return kept_assembly.assembly()


@pytest.fixture(scope="session")
def assembly(synthesized: Path) -> Assembly:
    """The fixture deployment's cloud assembly."""
    return load(synthesized)


@pytest.fixture(scope="session")
def findings(synthesized: Path) -> list[dict[str, Any]]:
    """Every violation of the policy packs and of the built-in validator, as the report holds them."""
    report = json.loads((synthesized / "validation-report.json").read_text(encoding="utf-8"))
    return [
        {"pack": plugin.get("pluginName"), **violation}
        for plugin in report["pluginReports"]
        for violation in plugin.get("violations", [])
    ]


@pytest.fixture(autouse=True)
def _no_aws_access(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may reach AWS: credentials are absent and the metadata service is off."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
