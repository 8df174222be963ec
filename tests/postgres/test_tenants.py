"""Any two tenants, any statement: nothing of one is seen, changed or guessed by the other. On a real PostgreSQL."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pg8000.native
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from migrate_database.verification import problems
from palisade_runtime.database import for_tenant
from palisade_runtime.identifiers import InvalidIdentifierError

TENANTS = ("initech", "umbrella", "a", "x-1", "0")
MARK = "secret-of-"

USES_ROWS = pytest.mark.usefixtures("rows")
ROLE_ERRORS = (pg8000.native.DatabaseError, pg8000.native.InterfaceError)


@pytest.fixture(scope="module")
def administrator(server: Any) -> Iterator[pg8000.native.Connection]:
    connection = server.open("administrator")
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def sessions(server: Any) -> Iterator[dict[str, pg8000.native.Connection]]:
    """One connection of each role, used again and again as a pool would."""
    opened = {role: server.open(role) for role in ("application", "reader")}
    yield opened
    for connection in opened.values():
        connection.close()


@pytest.fixture(scope="module")
def rows(server: Any, administrator: Any) -> dict[str, dict[str, str]]:
    """One matter and one note of every tenant, made by the application itself."""
    made = {}
    connection = server.open("application")
    for tenant in TENANTS:
        with for_tenant(connection, tenant):
            title = f"{MARK}{tenant}"
            ((matter,),) = connection.run(
                "INSERT INTO matters (reference, title) VALUES ('M-1', :title) RETURNING id", title=title
            )
            ((note,),) = connection.run(
                "INSERT INTO notes (matter, body) VALUES (:matter, :body) RETURNING id", matter=matter, body=title
            )
        made[tenant] = {"matter": str(matter), "note": str(note)}
    connection.close()
    administrator.run("ANALYZE app.matters; ANALYZE app.notes")
    return made


def everything_of(administrator: Any, tenant: str) -> list[Any]:
    """What the tenant has, seen by somebody whom no policy binds."""
    return [
        administrator.run(f"SELECT * FROM app.{table} WHERE tenant = :tenant ORDER BY id", tenant=tenant)
        for table in ("matters", "notes")
    ]


READING = (
    "SELECT * FROM matters",
    "TABLE notes",
    "SELECT * FROM matters WHERE tenant = '{theirs}'",
    "SELECT * FROM matters WHERE tenant <> app.tenant()",
    "SELECT * FROM matters WHERE id = '{matter}'",
    "SELECT m.*, n.* FROM matters m JOIN notes n ON n.matter = m.id",
    "SELECT m.* FROM matters m FULL JOIN notes n ON true",
    "SELECT (SELECT string_agg(title, ',') FROM matters), (SELECT string_agg(body, ',') FROM notes)",
    "SELECT * FROM (SELECT title FROM matters UNION ALL SELECT body FROM notes) x",
    "WITH all_of AS MATERIALIZED (SELECT * FROM notes) SELECT * FROM all_of",
    "WITH RECURSIVE r AS (SELECT id, title FROM matters UNION SELECT m.id, m.title FROM matters m JOIN r ON true) TABLE r",
    "SELECT m.title, l.body FROM matters m, LATERAL (SELECT body FROM notes) l",
    "SELECT first_value(title) OVER (ORDER BY title), count(*) OVER () FROM matters",
    "SELECT * FROM matters TABLESAMPLE BERNOULLI (100)",
    "SELECT * FROM matters WHERE ctid = '(0,1)'",
    "SELECT row_to_json(m) FROM matters m",
    "SELECT query_to_xml('SELECT * FROM app.matters', true, true, '')",
    "SELECT table_to_xml('app.matters', true, true, '')",
    "SELECT title::int FROM matters WHERE tenant = '{theirs}'",
    "SELECT * FROM matters WHERE title::int = 1 AND tenant = '{theirs}'",
    "SELECT 1 FROM matters WHERE 1 / (CASE WHEN title LIKE '" + MARK + "{theirs}%' THEN 0 ELSE 1 END) = 1",
    "SELECT * FROM matters WHERE title = '" + MARK + "{theirs}'",
    "SELECT most_common_vals, histogram_bounds FROM pg_stats WHERE schemaname = 'app'",
    "SELECT * FROM pg_statistic",
    "COPY matters TO STDOUT",
    "COPY (SELECT * FROM notes) TO STDOUT",
    "COPY matters TO '/tmp/matters'",
    "COPY matters TO PROGRAM 'cat'",
    "DECLARE c CURSOR FOR SELECT * FROM matters; FETCH ALL FROM c",
    "PREPARE p AS SELECT * FROM matters; EXECUTE p",
    "PREPARE p (text) AS SELECT * FROM matters WHERE tenant = $1; EXECUTE p ('{theirs}')",
    "SELECT * FROM matters FOR UPDATE",
    "LOCK TABLE matters IN ACCESS EXCLUSIVE MODE",
    "SELECT pg_read_file('/etc/passwd')",
    "EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM matters WHERE title LIKE '" + MARK + "%'",
)

WRITING = (
    "INSERT INTO matters (tenant, reference, title) VALUES ('{theirs}', 'M-2', 'planted')",
    "INSERT INTO matters (tenant, id, reference, title) VALUES ('{theirs}', '{matter}', 'M-1', 'planted')",
    "INSERT INTO notes (tenant, matter, body) VALUES ('{theirs}', '{matter}', 'planted')",
    "INSERT INTO notes (matter, body) VALUES ('{matter}', 'hung on')",
    "INSERT INTO matters (tenant, reference, title) SELECT '{theirs}', 'M-3', title FROM matters",
    "INSERT INTO matters (id, reference, title) VALUES ('{matter}', 'M-9', 'same id') ON CONFLICT DO NOTHING",
    "INSERT INTO matters (tenant, id, reference, title) VALUES ('{theirs}', '{matter}', 'M-1', 'x') "
    "ON CONFLICT (tenant, id) DO UPDATE SET title = 'overwritten'",
    "INSERT INTO matters (reference, title) VALUES ('M-1', 'x') "
    "ON CONFLICT (tenant, reference) DO UPDATE SET tenant = '{theirs}'",
    "MERGE INTO matters m USING (SELECT '{matter}'::uuid AS id) s ON m.id = s.id "
    "WHEN MATCHED THEN UPDATE SET title = 'merged' WHEN NOT MATCHED THEN DO NOTHING",
    "UPDATE matters SET title = 'changed'",
    "UPDATE matters SET title = 'changed' WHERE tenant = '{theirs}'",
    "UPDATE matters SET tenant = '{theirs}'",
    "UPDATE notes SET matter = '{matter}'",
    "UPDATE notes n SET body = m.title FROM matters m WHERE m.id = '{matter}'",
    "DELETE FROM matters",
    "DELETE FROM notes WHERE id = '{note}'",
    "DELETE FROM notes USING matters WHERE notes.matter = matters.id",
    "WITH gone AS (DELETE FROM notes RETURNING *) SELECT * FROM gone",
    "TRUNCATE matters CASCADE",
    "COPY matters FROM STDIN",
    "GRANT ALL ON matters TO PUBLIC",
    "DO $$ BEGIN UPDATE app.matters SET title = 'by a block'; END $$",
    "DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM app.matters LOOP "
    "RAISE EXCEPTION '%', r.title USING ERRCODE = 'P0002'; END LOOP; END $$",
)

ESCAPING = (
    "SET ROLE tables_owner",
    "SET ROLE palisade_owner",
    "SET ROLE administrator",
    "SET ROLE reader",
    "SET SESSION AUTHORIZATION tables_owner",
    "SET row_security = off",
    "SET session_replication_role = replica",
    "ALTER ROLE application BYPASSRLS",
    "ALTER ROLE application SUPERUSER",
    "GRANT tables_owner TO application",
    "ALTER TABLE matters DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE matters NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE matters OWNER TO application",
    "DROP POLICY tenant_only ON matters",
    "CREATE POLICY all_of ON matters USING (true)",
    "CREATE TABLE app.copies AS SELECT * FROM matters",
    "CREATE TABLE public.copies AS SELECT * FROM matters",
    "CREATE TEMP TABLE copies AS SELECT * FROM matters",
    "CREATE VIEW app.all_of AS SELECT * FROM matters",
    "CREATE FUNCTION app.leak(text) RETURNS boolean LANGUAGE sql COST 0.0001 AS 'SELECT true'",
    "CREATE OR REPLACE FUNCTION app.tenant() RETURNS text LANGUAGE sql AS 'SELECT ''umbrella'''",
    "CREATE TRIGGER t AFTER UPDATE ON matters FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE r AS ON SELECT TO matters DO INSTEAD SELECT 1",
    "CREATE EXTENSION dblink",
    "CALL app.isolate('app.matters')",
    "DROP TABLE matters CASCADE",
)


def _attempt(connection: Any, tenant: str, statements: list[str]) -> str:
    """Everything that came back, errors included, in one transaction of ``tenant`` that is undone where it fails."""
    said: list[str] = []
    try:
        with for_tenant(connection, tenant):
            for statement in statements:
                copied = io.BytesIO(b"x\n" if "STDIN" in statement else b"")
                said.append(str(connection.run(statement, stream=copied if "STD" in statement else None)))
                said.append(copied.getvalue().decode())
    except ROLE_ERRORS as error:
        said.append(str(error))
    return "\n".join(said)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ours=st.sampled_from(TENANTS),
    theirs=st.sampled_from(TENANTS),
    role=st.sampled_from(["application", "application", "reader"]),
    statements=st.lists(st.sampled_from([*READING, *WRITING, *ESCAPING]), min_size=1, max_size=4),
)
def test_no_sequence_of_statements_crosses(  # noqa: PLR0917 - drawn and set up
    ours: str, theirs: str, role: str, statements: list[str], sessions: Any, administrator: Any, rows: Any
) -> None:
    if ours == theirs:
        return
    _crosses_not(sessions[role], ours, theirs, statements, administrator, rows)


@pytest.mark.parametrize("statement", [*READING, *WRITING, *ESCAPING])
def test_no_statement_crosses(statement: str, sessions: Any, administrator: Any, rows: Any) -> None:
    _crosses_not(sessions["application"], "initech", "umbrella", [statement], administrator, rows)


@USES_ROWS
def test_the_tests_would_notice(sessions: Any, administrator: Any) -> None:
    for weaker, stronger in (
        ("DISABLE ROW LEVEL SECURITY", "ENABLE ROW LEVEL SECURITY"),
        (
            "RENAME TO hidden; CREATE VIEW app.matters AS TABLE app.hidden; GRANT SELECT ON app.matters TO application",
            "",
        ),
    ):
        administrator.run(f"ALTER TABLE app.matters {weaker}")
        try:
            assert f"{MARK}umbrella" in _attempt(sessions["application"], "initech", ["SELECT * FROM matters"])
            assert list(problems(administrator)) != []
        finally:
            administrator.run(
                f"ALTER TABLE app.matters {stronger}"
                if stronger
                else "DROP VIEW app.matters; ALTER TABLE app.hidden RENAME TO matters"
            )


def _crosses_not(  # noqa: PLR0917
    connection: Any, ours: str, theirs: str, statements: list[str], administrator: Any, rows: Any
) -> None:
    known = rows[theirs]
    filled = [statement.replace("{theirs}", theirs).replace("{matter}", known["matter"]) for statement in statements]
    filled = [statement.replace("{note}", known["note"]) for statement in filled]
    others = [tenant for tenant in TENANTS if tenant != ours]
    before = [everything_of(administrator, tenant) for tenant in others]
    said = _attempt(connection, ours, filled)
    for tenant in others:
        # What a statement asks for by name comes back in its error; what is theirs never does.
        assert f"{MARK}{tenant}" not in said.replace("\\n", "\n") or f"{MARK}{tenant}" in " ".join(filled), said
        assert rows[tenant]["note"] not in said or rows[tenant]["note"] in " ".join(filled)
    assert [everything_of(administrator, tenant) for tenant in others] == before
    _restore(administrator, ours, rows[ours])


def _restore(administrator: Any, tenant: str, known: dict[str, str]) -> None:
    """Put a tenant's own rows back as they were."""
    administrator.run("DELETE FROM app.matters WHERE tenant = :tenant", tenant=tenant)
    title = f"{MARK}{tenant}"
    administrator.run(
        "INSERT INTO app.matters (tenant, id, reference, title) VALUES (:tenant, CAST(:id AS uuid), 'M-1', :title)",
        tenant=tenant,
        id=known["matter"],
        title=title,
    )
    administrator.run(
        "INSERT INTO app.notes (tenant, id, matter, body) VALUES (:tenant, CAST(:id AS uuid), CAST(:matter AS uuid), :body)",
        tenant=tenant,
        id=known["note"],
        matter=known["matter"],
        body=title,
    )


@USES_ROWS
@pytest.mark.parametrize("statement", ESCAPING)
def test_no_power_can_be_taken(statement: str, sessions: Any) -> None:
    connection = sessions["application"]
    with pytest.raises(pg8000.native.DatabaseError), for_tenant(connection, "initech"):  # noqa: PT012 - either may
        connection.run(statement)
        # Row security may be switched off, and then a statement fails instead of being filtered.
        connection.run("SELECT * FROM matters")


def test_a_tenant_sees_and_changes_all_of_its_own(server: Any, rows: Any, administrator: Any) -> None:
    connection = server.open("application")
    with for_tenant(connection, "initech"):
        assert connection.run("SELECT title FROM matters") == [[f"{MARK}initech"]]
        assert connection.run("UPDATE notes SET body = body || '!' RETURNING body") == [[f"{MARK}initech!"]]
    connection.close()
    _restore(administrator, "initech", rows["initech"])


@USES_ROWS
def test_without_a_tenant_nothing_is_there(server: Any) -> None:
    for role in ("application", "reader"):
        connection = server.open(role)
        assert connection.run("SELECT * FROM matters") == []
        assert connection.run("SELECT * FROM notes") == []
        connection.close()


@USES_ROWS
def test_a_reader_changes_nothing(server: Any) -> None:
    connection = server.open("reader")
    connection.run("SET default_transaction_read_only = off")
    with pytest.raises(pg8000.native.DatabaseError), for_tenant(connection, "initech"):  # noqa: PT012 - either may
        connection.run("SET LOCAL transaction_read_only = off")
        connection.run("UPDATE matters SET title = 'changed'")
    connection.close()


@USES_ROWS
def test_the_tables_owner_is_bound_too(server: Any) -> None:
    owner = server.open("palisade_owner")
    owner.run("SET ROLE tables_owner")
    assert owner.run("SELECT * FROM app.matters") == []
    owner.close()


@USES_ROWS
def test_a_pooled_connection_carries_nothing_to_the_next_tenant(server: Any) -> None:
    connection = server.open("application")
    with for_tenant(connection, "umbrella"):
        connection.run("DECLARE kept CURSOR WITH HOLD FOR SELECT * FROM matters")
        connection.run("PREPARE kept AS SELECT title FROM matters")
        connection.run("SET search_path = public")
    assert connection.run("SELECT current_setting('palisade.tenant', true)") in ([[""]], [[None]])
    with for_tenant(connection, "initech"):
        assert connection.run("SELECT title FROM matters") == [[f"{MARK}initech"]]
        for statement in ("FETCH ALL FROM kept", "EXECUTE kept"):
            connection.run("SAVEPOINT s")
            with pytest.raises(pg8000.native.DatabaseError):
                connection.run(statement)
            connection.run("ROLLBACK TO SAVEPOINT s")
    connection.close()


@USES_ROWS
def test_an_exception_undoes_the_transaction_and_forgets_the_tenant(server: Any) -> None:
    connection = server.open("application")
    with pytest.raises(RuntimeError), for_tenant(connection, "initech"):  # noqa: PT012 - what comes before is undone
        connection.run("DELETE FROM matters")
        raise RuntimeError
    assert connection.run("SELECT * FROM matters") == []
    with for_tenant(connection, "initech"):
        assert connection.run("SELECT count(*) FROM matters") == [[1]]
    connection.close()


@pytest.mark.parametrize("tenant", ["", "*", "Initech", "initech'; SET ROLE x; --", "a/b", None, 7])
def test_refuses_what_is_no_tenant(tenant: Any, server: Any) -> None:
    connection = server.open("application")
    with pytest.raises(InvalidIdentifierError), for_tenant(connection, tenant):
        pytest.fail("a transaction began")
    connection.close()


def test_after_all_that_the_schema_is_as_it_was(administrator: Any) -> None:
    assert list(problems(administrator)) == []
