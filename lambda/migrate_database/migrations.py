"""Migrations in order, each with the checksum of its text."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("sql")
_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One step, which never changes once it was applied anywhere."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


class MigrationError(Exception):
    """The migrations cannot be applied to this database as they are; the message says why. Nothing was changed."""


def read(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """The migrations of ``folder``, numbered from 1 without a gap; anything else is MigrationError."""
    found = []
    for file in sorted(folder.iterdir()):
        match = _NAME.fullmatch(file.name)
        if match is None:
            raise MigrationError(f"{file.name}: expected a name like 0003_add_parties.sql")
        found.append(Migration(version=int(match[1]), name=match[2], sql=file.read_text(encoding="utf-8")))
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise MigrationError("migrations must be numbered 0001, 0002 and so on, none twice and none left out")
    return tuple(found)


def pending(wanted: tuple[Migration, ...], applied: dict[int, str]) -> tuple[Migration, ...]:
    """What is still to be applied, given version and checksum of what was.

    Refuses, as MigrationError, a database that is ahead of this code and a migration that was changed afterwards.
    """
    ahead = sorted(set(applied) - {migration.version for migration in wanted})
    if ahead:
        raise MigrationError(
            f"the database has migration {ahead[-1]:04}, which this code does not know; deploy newer code"
        )
    for migration in wanted:
        if migration.version in applied and applied[migration.version] != migration.checksum:
            raise MigrationError(
                f"{migration.version:04}_{migration.name}.sql was changed after it was applied; restore it, and put the "
                "change into a new migration"
            )
    return tuple(migration for migration in wanted if migration.version not in applied)
