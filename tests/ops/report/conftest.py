"""The sample of what the proofs write, and what a real browser saw of its page."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ops.places import ROOT, pinned_node
from ops.report.page import Picture, page
from ops.report.proofs import Proofs, read
from ops.report.reachability import Matrix

HERE = Path(__file__).parent
SAMPLE = HERE / "sample.json"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PICTURE = Picture(
    title="Architecture",
    caption="Two boxes & an arrow.",
    svg='<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><rect width="10" height="10" fill="#0a0"/></svg>',
)
NETWORK = Matrix(
    network="live-network/Vpc",
    rows=["the internet", "live-entry/Balancer", "live-data/Database"],
    columns=["live-entry/Balancer", "live-data/Database"],
    cells={("the internet", "live-entry/Balancer"): "443", ("live-entry/Balancer", "live-data/Database"): "6432?"},
    doubtful=True,
)


@pytest.fixture(scope="session")
def proofs() -> Proofs:
    return read(SAMPLE)


@pytest.fixture(scope="session")
def seen(proofs: Proofs, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the browser saw; skips with the reason where there is none."""
    named = os.environ.get("CHROMIUM")
    browser = named or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not browser:
        pytest.skip(f"no Chromium: none of {', '.join(BROWSERS)} is installed, and CHROMIUM names none")
    node = pinned_node()
    if not node or not (ROOT / "node_modules" / "playwright-core").is_dir():
        pytest.skip('playwright-core is not set up. Run "make setup".')
    file = tmp_path_factory.mktemp("report") / "trust-report.html"
    file.write_text(page(proofs, pictures=[PICTURE], networks=[NETWORK]), encoding="utf-8")
    result = subprocess.run(
        [str(node), str(HERE / "browser.mjs"), browser, str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return json.loads(result.stdout)
