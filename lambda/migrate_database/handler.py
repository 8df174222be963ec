"""Called after each deployment and once a day. Whatever it finds done, it leaves; what it was interrupted in was undone."""

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from palisade_runtime.database import Address, connect
from palisade_runtime.environment import read_environment
from palisade_runtime.logs import Logger

from migrate_database import verification
from migrate_database.migrations import Migration, pending, read

LOCK = 7_236_914_001
"""Two at a time would be one too many: PostgreSQL lets one hold this number."""

LOCK_SECONDS = 60

_LEDGER = """
CREATE SCHEMA IF NOT EXISTS migrations;
REVOKE ALL ON SCHEMA migrations FROM PUBLIC;
CREATE TABLE IF NOT EXISTS migrations.applied (
  version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, at timestamptz NOT NULL DEFAULT now()
);
"""


class IsolationError(Exception):
    """The schema does not keep tenants apart; the message lists every way."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches."""

    connect: Callable[[], Any]
    migrations: tuple[Migration, ...]
    logger: Logger


def handle(_event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Lambda's entry point."""
    return migrate(_services())


def migrate(services: Services) -> dict[str, Any]:
    """Apply what is pending, each migration whole or not at all, then see that tenants are apart.

    Raises MigrationError, IsolationError or the database's own error; the alarm tells of each.
    """
    connection = services.connect()
    try:
        connection.run(f"SET lock_timeout = '{LOCK_SECONDS}s'")
        connection.run(f"SELECT pg_advisory_lock({LOCK})")
        connection.run(_LEDGER)
        applied = dict(connection.run("SELECT version, checksum FROM migrations.applied"))
        done = []
        for migration in pending(services.migrations, applied):
            apply(connection, migration)
            services.logger.info("migration.applied", version=migration.version, name=migration.name)
            done.append(migration.version)
        found = sorted(verification.problems(connection))
        if found:
            services.logger.warning("isolation.broken", problems=found)
            raise IsolationError("; ".join(found))
        services.logger.info("isolation.verified", version=len(services.migrations))
        return {"applied": done, "version": len(services.migrations)}
    finally:
        # With the session goes the lock.
        connection.close()


def apply(connection: Any, migration: Migration) -> None:
    """One migration and its line in the ledger, in one transaction."""
    connection.run("BEGIN")
    try:
        connection.run(migration.sql)
        connection.run("RESET ROLE")
        connection.run(
            "INSERT INTO migrations.applied (version, name, checksum) VALUES (:version, :name, :checksum)",
            version=migration.version,
            name=migration.name,
            checksum=migration.checksum,
        )
    except BaseException:
        connection.run("ROLLBACK")
        raise
    connection.run("COMMIT")


@functools.cache
def _services() -> Services:
    values = read_environment(text=("HOST", "DATABASE", "SECRET_ARN"), integers=("PORT",))
    address = Address(host=values["HOST"], port=int(values["PORT"]), database=values["DATABASE"])
    secrets = boto3.client("secretsmanager")

    def open_as_owner() -> Any:
        # Asked for each time, because RDS replaces it every seven days.
        login = json.loads(secrets.get_secret_value(SecretId=values["SECRET_ARN"])["SecretString"])
        return connect(address, user=login["username"], password=login["password"])

    return Services(connect=open_as_owner, migrations=read(), logger=Logger(service="migrate_database"))
