"""Stages a function's code for upload: its own package and the shared runtime, nothing else."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
_SHARED = "palisade_runtime"


@cache
def lambda_source(package: str) -> str:
    """Path of a folder that holds ``lambda/<package>`` and the shared runtime, free of caches and tests.

    Copied once a process into ``build/functions/``, because an asset is one folder and byte code in it would change the
    asset's hash from machine to machine.

    Raises:
        ValueError: there is no ``lambda/<package>/handler.py``.
    """
    if not (_ROOT / "lambda" / package / "handler.py").is_file():
        raise ValueError(
            f"lambda/{package}/handler.py: no such file. A function's folder holds handler.py with handle()."
        )
    target = _ROOT / "build" / "functions" / package
    shutil.rmtree(target, ignore_errors=True)
    for part in (package, _SHARED):
        if (_ROOT / "lambda" / part).is_dir():
            shutil.copytree(
                _ROOT / "lambda" / part,
                target / part,
                ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "README.md"),
            )
    return str(target)
