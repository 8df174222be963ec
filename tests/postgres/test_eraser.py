"""The eraser empties one tenant's rows and can do nothing else; every other row stays as it was. On a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import delete_tenant.database as erasing
import pytest
from delete_tenant.database import DatabaseStore
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from palisade_runtime.database import DatabaseError, for_tenant

TENANTS = ("left", "left-2", "lef", "stays")
# Embeddings stand in an array: pgvector's type is no other to a DELETE.
_TABLES = """
CREATE TABLE app.embeddings (
  tenant text NOT NULL DEFAULT app.tenant(), id int, matter uuid, vector real[] NOT NULL, PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, matter) REFERENCES app.matters (tenant, id)
);
CREATE TABLE app.folders (
  tenant text NOT NULL DEFAULT app.tenant(), id int, inside int, PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, inside) REFERENCES app.folders (tenant, id)
);
CREATE TABLE app.parts (tenant text NOT NULL DEFAULT app.tenant(), day int, PRIMARY KEY (tenant, day)) PARTITION BY RANGE (day);
"""


@pytest.fixture(scope="module")
def administrator(server: Any) -> Iterator[Any]:
    owner = server.open("palisade_owner")
    owner.run("BEGIN; SET LOCAL ROLE tables_owner")
    owner.run(_TABLES)
    for name in ("embeddings", "folders", "parts"):
        owner.run(f"CALL app.isolate('app.{name}')")
    # Partitions lie elsewhere, as they may: rows are reached through their table alone.
    owner.run("CREATE TABLE app.parts_1 PARTITION OF app.parts FOR VALUES FROM (0) TO (5)")
    owner.run("CREATE TABLE app.parts_2 PARTITION OF app.parts FOR VALUES FROM (5) TO (100)")
    owner.run("COMMIT")
    connection = server.open("administrator")
    yield connection
    connection.close()
    owner.run("BEGIN; SET LOCAL ROLE tables_owner; DROP TABLE app.embeddings, app.folders, app.parts; COMMIT")
    owner.close()


@pytest.fixture(scope="module")
def store(server: Any) -> DatabaseStore:
    return DatabaseStore(open=lambda: server.open("eraser"))


def _fill(server: Any, tenant: str, rows: int) -> None:
    application = server.open("application")
    with for_tenant(application, tenant):
        for number in range(rows):
            ((matter,),) = application.run(
                "INSERT INTO matters (reference, title) VALUES (:n, :n) RETURNING id", n=f"M-{number}"
            )
            application.run("INSERT INTO notes (matter, body) VALUES (:matter, 'x')", matter=matter)
            application.run(
                "INSERT INTO embeddings (id, matter, vector) VALUES (:n, :m, '{0.1,0.2}')", n=number, m=matter
            )
            application.run("INSERT INTO parts (day) VALUES (:n)", n=number)
        for number in range(rows):
            inside = number - 1 if number else None
            application.run("INSERT INTO folders (id, inside) VALUES (:n, :inside)", n=number, inside=inside)
    application.close()


def _all(administrator: Any) -> dict[str, list[Any]]:
    tables = ("matters", "notes", "embeddings", "folders", "parts")
    found: dict[str, list[Any]] = {tenant: [] for tenant in TENANTS}
    for table in tables:
        for tenant, text in administrator.run(
            f"SELECT tenant, t::text || t.ctid::text FROM app.{table} t WHERE tenant = ANY(:some) ORDER BY 1, 2",
            some=list(TENANTS),
        ):
            found[tenant].append((table, text))
    return found


def _empty(administrator: Any) -> None:
    for table in ("notes", "embeddings", "folders", "parts", "matters"):
        administrator.run(f"DELETE FROM app.{table} WHERE tenant = ANY(:some)", some=list(TENANTS))


def _delete(store: DatabaseStore, tenant: str) -> int:
    total = 0
    while True:
        page = store.delete(tenant, None)
        total += page.number
        if page.next is None:
            return total


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.integers(0, 9), min_size=4, max_size=4), batch=st.integers(1, 5))
def test_empties_one_tenant_in_any_batches_and_leaves_every_other_row(
    numbers: list[int], batch: int, server: Any, administrator: Any, store: DatabaseStore
) -> None:
    erasing._ROWS = batch
    try:
        _empty(administrator)
        for tenant, rows in zip(TENANTS, numbers, strict=True):
            _fill(server, tenant, rows)
        before = _all(administrator)
        assert store.count("left", None).number == len(before["left"])
        _delete(store, "left")
        assert store.count("left", None).number == 0
        assert _all(administrator) == {**before, "left": []}, "bytes and places of the others' rows"
    finally:
        erasing._ROWS = 5000
        _empty(administrator)


def test_a_batch_that_was_interrupted_is_done_again(server: Any, administrator: Any, store: DatabaseStore) -> None:
    _empty(administrator)
    _fill(server, "left", 6)
    erasing._ROWS = 4
    try:
        store.delete("left", None)
        assert store.count("left", None).number > 0
        _delete(store, "left")
    finally:
        erasing._ROWS = 5000
    assert (store.count("left", None).number, _delete(store, "left")) == (0, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO app.matters (reference, title) VALUES ('x', 'y')",
        "UPDATE app.matters SET title = 'x'",
        "TRUNCATE app.matters",
        "DROP TABLE app.matters",
        "ALTER TABLE app.matters NO FORCE ROW LEVEL SECURITY",
        "SET ROLE tables_owner",
        "SET ROLE application",
        "DELETE FROM migrations.applied",
        "CREATE TABLE app.mine (id int)",
        "SET row_security = off; SELECT * FROM app.matters",
    ],
)
def test_the_eraser_does_nothing_but_delete(statement: str, server: Any) -> None:
    connection = server.open("eraser")
    try:
        with pytest.raises(DatabaseError), for_tenant(connection, "left"):
            connection.run(statement)
    finally:
        connection.close()


def test_without_a_tenant_it_sees_and_deletes_nothing(server: Any, administrator: Any) -> None:
    _fill(server, "stays", 2)
    before = _all(administrator)
    connection = server.open("eraser")
    try:
        assert connection.run("SELECT count(*) FROM app.matters") == [[0]]
        connection.run("DELETE FROM app.matters")
        connection.run("DELETE FROM app.matters WHERE tenant = 'stays'")
    finally:
        connection.close()
    assert _all(administrator) == before
    _empty(administrator)
