"""Migrations run once, whole or not at all, and a schema that does not keep tenants apart is refused. Real PostgreSQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pg8000.native
import pytest
from migrate_database.handler import IsolationError, Services, migrate
from migrate_database.migrations import FOLDER, Migration, MigrationError, pending, read


def _more(services: Services, *statements: str) -> Services:
    added = tuple(
        Migration(version=len(services.migrations) + number, name="more", sql=sql)
        for number, sql in enumerate(statements, start=1)
    )
    return dataclasses.replace(services, migrations=(*services.migrations, *added))


def test_applies_once_and_then_only_verifies(empty: Callable[[], Services]) -> None:
    services = empty()
    everything = [migration.version for migration in services.migrations]
    assert migrate(services) == {"applied": everything, "version": len(everything)}
    assert migrate(services) == {"applied": [], "version": len(everything)}


def test_two_at_once_apply_each_migration_once(empty: Callable[[], Services]) -> None:
    services = empty()
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: migrate(services)["applied"], range(4)))
    assert sorted(version for done in results for version in done) == [m.version for m in services.migrations]


def test_a_failure_in_the_middle_leaves_nothing_of_its_migration_and_resumes(empty: Callable[[], Services]) -> None:
    services = empty()
    broken = _more(services, "CREATE TABLE public.half (id int); SELECT 1 / 0")
    for _ in range(2):
        with pytest.raises(pg8000.native.DatabaseError):
            migrate(broken)
    assert services.connect().run("SELECT to_regclass('public.half')") == [[None]]
    mended = _more(services, "CREATE TABLE public.half (id int)")
    assert migrate(mended)["applied"] == [mended.migrations[-1].version]


def test_refuses_a_migration_that_was_changed_afterwards_and_changes_nothing(empty: Callable[[], Services]) -> None:
    services = empty()
    migrate(services)
    first = dataclasses.replace(services.migrations[0], sql=services.migrations[0].sql + "-- harmless?")
    changed = dataclasses.replace(services, migrations=(first, *services.migrations[1:]))
    with pytest.raises(MigrationError, match=r"0001_.* was changed after it was applied"):
        migrate(_more(changed, "CREATE TABLE public.never (id int)"))
    assert services.connect().run("SELECT to_regclass('public.never')") == [[None]]


def test_refuses_a_database_that_is_ahead_of_the_code(empty: Callable[[], Services]) -> None:
    services = empty()
    migrate(_more(services, "SELECT 1"))
    with pytest.raises(MigrationError, match="does not know"):
        migrate(services)


def test_numbers_follow_each_other(tmp_path: Any) -> None:
    assert pending(read(), {}) == read()
    for name, reason in (("0001-x.sql", "expected a name"), ("0002_x.sql", "numbered")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_text("SELECT 1", encoding="utf-8")
        with pytest.raises(MigrationError, match=reason):
            read(folder)
    assert all(file.suffix == ".sql" for file in FOLDER.iterdir())


_TABLE = "SET LOCAL ROLE tables_owner; CREATE TABLE app.t (tenant text NOT NULL, id int, PRIMARY KEY (tenant, id)); "

BROKEN = {
    "a table of no tenant": (
        "SET LOCAL ROLE tables_owner; CREATE TABLE app.t (id int)",
        "table t has no tenant column",
    ),
    "a table that nobody isolated": (_TABLE, "table t does not force row-level security"),
    "a table whose owner is not bound": (
        _TABLE + "CALL app.isolate('app.t'); ALTER TABLE app.t NO FORCE ROW LEVEL SECURITY",
        "table t does not force",
    ),
    "a policy that lets all through": (
        _TABLE + "CALL app.isolate('app.t'); ALTER POLICY tenant_only ON app.t USING (true)",
        "table t has no restrictive policy",
    ),
    "a policy that lets all be written": (
        _TABLE + "CALL app.isolate('app.t'); ALTER POLICY tenant_only ON app.t WITH CHECK (true)",
        "table t has no restrictive policy",
    ),
    "a policy for some": (
        _TABLE + "CALL app.isolate('app.t'); ALTER POLICY tenant_only ON app.t TO reader",
        "table t has no restrictive policy",
    ),
    "a table of the owner": ("CREATE TABLE app.t (tenant text NOT NULL)", "table t belongs to palisade_owner"),
    "a key without the tenant": (
        "SET LOCAL ROLE tables_owner; CREATE TABLE app.t (tenant text NOT NULL, id int PRIMARY KEY); "
        "CALL app.isolate('app.t')",
        "unique index app.t_pkey leaves the tenant out",
    ),
    "a reference without the tenant": (
        "SET LOCAL ROLE tables_owner; CREATE TABLE app.s (tenant text NOT NULL, id int UNIQUE); "
        "CREATE TABLE app.t (tenant text NOT NULL, s int REFERENCES app.s (id)); "
        "CALL app.isolate('app.s'); CALL app.isolate('app.t')",
        "foreign key app.t.t_s_fkey leaves the tenant out",
    ),
    "a view that runs as its owner": (
        "SET LOCAL ROLE tables_owner; CREATE VIEW app.v AS SELECT * FROM app.matters",
        "v is a view that runs as its owner",
    ),
    "a materialized view": (
        "SET LOCAL ROLE tables_owner; CREATE MATERIALIZED VIEW app.v AS SELECT * FROM app.matters",
        "v is a view",
    ),
    "a function that runs as its owner": (
        "SET LOCAL ROLE tables_owner; CREATE FUNCTION app.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "function f runs as its owner",
    ),
    "a right to empty a table": (
        "SET LOCAL ROLE tables_owner; GRANT TRUNCATE ON app.matters TO application",
        "a right beyond rows is granted: application on matters",
    ),
    "a table that would outlive its tenant": (
        _TABLE + "CALL app.isolate('app.t'); REVOKE DELETE ON app.t FROM eraser",
        "table t would outlive its tenant",
    ),
    "an eraser that writes": (
        "SET LOCAL ROLE tables_owner; GRANT INSERT ON app.matters TO eraser",
        "a right beyond rows is granted: eraser on matters",
    ),
    "a right for everybody": (
        "SET LOCAL ROLE tables_owner; GRANT SELECT ON app.matters TO PUBLIC",
        "a right beyond rows is granted: PUBLIC on matters",
    ),
}


@pytest.mark.parametrize(("sql", "problem"), BROKEN.values(), ids=BROKEN.keys())
def test_verification_finds(sql: str, problem: str, empty: Callable[[], Services]) -> None:
    services = empty()
    migrate(services)
    with pytest.raises(IsolationError, match=problem.replace("(", r"\(")):
        migrate(_more(services, sql))
    with pytest.raises(IsolationError):
        migrate(_more(services, sql))  # and goes on saying so


def test_verification_finds_roles_with_powers(server: Any, empty: Callable[[], Services]) -> None:
    services = empty()
    migrate(services)
    administrator = server.open("administrator")
    try:
        administrator.run("ALTER ROLE application BYPASSRLS; GRANT tables_owner TO reader")
        with pytest.raises(IsolationError) as found:
            migrate(services)
    finally:
        administrator.run("ALTER ROLE application NOBYPASSRLS; REVOKE tables_owner FROM reader")
        administrator.close()
    assert "role application has a power" in str(found.value)
    assert "role reader in tables_owner lends" in str(found.value)
    migrate(services)
