"""The library's own deployment of the tests, for what is committed about it: the ledger."""

from __future__ import annotations

import tempfile
from pathlib import Path

from assembly import load
from gate import ledger


def write_ledger() -> int:
    """Synthesize the fixture deployment and write its ledger anew."""
    from app import build
    from stacks.synthesis import new_app
    from tests.fixture_deployment import FIXTURE

    with tempfile.TemporaryDirectory() as folder:
        app = new_app(outdir=Path(folder) / "cdk.out", context={"@aws-cdk/core:failSynthOnValidationErrors": False})
        build(app, FIXTURE).synth()
        assembly = load(Path(folder) / "cdk.out")
        ledger.write(assembly)
        print(f"{ledger.FILE.name}: {len(ledger.entries(assembly))} stateful resources")
    return 0
