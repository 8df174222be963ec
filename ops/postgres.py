"""A real PostgreSQL for tests: found on the machine, or unpacked from Debian's packages into ``build/postgresql``.

usage: python -m ops.postgres      prints where its programs are, and fetches them first where that is possible

Nothing is installed and no right of root is needed: packages are downloaded by apt, whose index pins each by hash, and
unpacked into the checkout.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "postgresql"


def programs() -> Path | None:
    """The folder with ``initdb`` and ``postgres`` of the newest version there is, or None."""
    places = [
        *FOLDER.glob("usr/lib/postgresql/*/bin"),
        *Path("/usr/lib/postgresql").glob("*/bin"),
        *Path("/opt/homebrew/opt").glob("postgresql@*/bin"),
        *Path("/usr/pgsql").parent.glob("pgsql-*/bin"),
    ]
    found = shutil.which("initdb")
    if found:
        places.append(Path(found).resolve().parent)
    whole = [place for place in places if (place / "initdb").exists() and (place / "postgres").exists()]
    return max(whole, key=_version, default=None)


def libraries() -> str:
    """Where unpacked programs find what they are linked with; empty for those of the machine."""
    return os.pathsep.join(str(path) for path in sorted(FOLDER.glob("usr/lib/*-linux-*")))


def fetch() -> Path | None:
    """The programs, unpacked from Debian's packages if the machine has none; None where that cannot be done."""
    there = programs()
    if there is not None or not (shutil.which("apt-get") and shutil.which("apt-cache") and shutil.which("dpkg")):
        return there
    version = _newest()
    if version is None:
        return None
    packages = FOLDER / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    names = [f"postgresql-{version}", f"postgresql-client-{version}", "libpq5"]
    if _run("apt-get", "download", *names, where=packages) is None:
        return None
    for package in sorted(packages.glob("*.deb")):
        if _run("dpkg", "-x", str(package), str(FOLDER), where=packages) is None:
            return None
    return programs()


def _newest() -> str | None:
    listed = _run("apt-cache", "search", "--names-only", "^postgresql-[0-9]+$", where=ROOT) or ""
    versions = re.findall(r"^postgresql-(\d+) ", listed, re.MULTILINE)
    return max(versions, key=int, default=None)


def _run(*command: str, where: Path) -> str | None:
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def _version(place: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", str(place))) or (0,)


def main() -> int:
    """Print where PostgreSQL is."""
    place = fetch()
    if place is None:
        print(
            "postgres: none here, and none can be fetched; on Debian and Ubuntu: apt-get install postgresql",
            file=sys.stderr,
        )
        return 1
    print(place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
