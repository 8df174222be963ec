"""The fixture deployment's assembly, made once for as long as nothing that it is made from changes."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "build" / "fixture"
SOURCES = (
    "app.py",
    "cdk.json",
    "config",
    "constructs",
    "lambda",
    "pyproject.toml",
    "requirements",
    "requirements.txt",
    "stacks",
    "tests/fixture_deployment.py",
    "tests/kept_assembly.py",
)
"""Whatever synthesis reads beside ``build/``, which is made from it; tests/test_kept_assembly.py watches it read."""
_LATEST = 3
"""How many are kept: tests of an older state may still be running."""


def assembly() -> Path:
    """Folder of the assembly, validation report included; whoever comes first makes it, and others wait."""
    directory = KEPT / digest()
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.is_dir():
            fresh = Path(tempfile.mkdtemp(dir=KEPT, prefix="fresh-"))
            try:
                _synthesize(fresh / "cdk.out")
                (fresh / "cdk.out").rename(directory)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
        directory.touch()
        kept = sorted((one for one in KEPT.iterdir() if one.is_dir()), key=lambda one: one.stat().st_mtime)
        for old in kept[:-_LATEST]:
            shutil.rmtree(old, ignore_errors=True)
    return directory


def digest() -> str:
    """Of every file that synthesis reads, and of the tools that it uses."""
    found = hashlib.sha256(f"{sys.version} {version('aws-cdk-lib')} {version('cdk-nag')}".encode())
    for path in sorted(_files()):
        found.update(f"{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:16]


def covers(path: Path) -> bool:
    """Whether ``path``, which synthesis read, is one of those that the digest is of."""
    return any(path == ROOT / source or ROOT / source in path.parents for source in (*SOURCES, "build"))


def _files() -> Iterator[Path]:
    # A layer is what its lock file pins.
    yield from (ROOT / "build" / "layers").glob("*/lock.txt")
    for source in SOURCES:
        place = ROOT / source
        found = [place] if place.is_file() else place.rglob("*")
        yield from (one for one in found if one.is_file() and "__pycache__" not in one.parts)


def _synthesize(directory: Path) -> None:
    # The construct library takes a second to start, which whoever finds the assembly kept need not wait for.
    from app import build  # noqa: PLC0415
    from stacks.synthesis import new_app  # noqa: PLC0415
    from tests.fixture_deployment import FIXTURE  # noqa: PLC0415

    app = new_app(outdir=directory, context={"@aws-cdk/core:failSynthOnValidationErrors": False})
    build(app, FIXTURE).synth()
