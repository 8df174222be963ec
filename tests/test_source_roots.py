"""``constructs/`` is a source root, not a package."""

from __future__ import annotations

from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("folder", ["constructs", "tests/constructs", "lambda"])
def test_a_source_root_has_no_init_file(folder: str) -> None:
    file = _ROOT / folder / "__init__.py"
    assert not file.exists(), (
        f"Delete {file.relative_to(_ROOT)}: with it, Python takes this folder for the package of that name, and no import of "
        "CDK works."
    )
