"""Stages a function's code for upload: its own package and the shared runtime, nothing else."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
_SHARED = "palisade_runtime"


@cache
def lambda_source(package: str) -> str:
    """Path of a folder that holds ``lambda/<package>`` and the shared runtime, free of caches and tests.

    Copied once into ``build/functions/``, because an asset is one folder and byte code in it would change the asset's hash
    from machine to machine. The folder is named after its content and appears whole, so that processes can synthesize at
    the same time.

    Raises:
        ValueError: there is no ``lambda/<package>/handler.py``.
    """
    if not (_ROOT / "lambda" / package / "handler.py").is_file():
        raise ValueError(
            f"lambda/{package}/handler.py: no such file. A function's folder holds handler.py with handle()."
        )
    files = {
        file.relative_to(_ROOT / "lambda"): file.read_bytes()
        for part in (package, _SHARED)
        for file in sorted((_ROOT / "lambda" / part).rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc" and file.name != "README.md"
    }
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name.as_posix()}\0{len(content)}\0".encode() + content)
    target = _ROOT / "build" / "functions" / f"{package}-{digest.hexdigest()[:16]}"
    if target.is_dir():
        return str(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as folder:
        staged = Path(folder) / package
        for name, content in files.items():
            (staged / name).parent.mkdir(parents=True, exist_ok=True)
            (staged / name).write_bytes(content)
        # Another process may have been faster; what it put there is the same.
        with contextlib.suppress(OSError):
            staged.rename(target)
    return str(target)
