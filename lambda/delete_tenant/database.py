"""The tenant's rows, deleted by a role that may do nothing else and sees one tenant's at a time.

Which tables there are is asked of PostgreSQL, so one that a migration adds is covered, with whatever its columns hold:
embeddings too. The migrations' own verification refuses a table that this role could not empty.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from palisade_runtime.database import Address, Connection, DatabaseError, connect, for_tenant

from delete_tenant.stores import Page

ERASER = "eraser"
"""The role of the database that migration 0003 installs."""

_ROWS = 5000
_REFERENCED = "23503"
"""foreign_key_violation"""

_TABLES = """
SELECT c.oid::bigint, format('%I.%I', n.nspname, c.relname),
       ARRAY(SELECT k.confrelid::bigint FROM pg_constraint k
             WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'app' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 2
"""


@dataclass(frozen=True, kw_only=True)
class DatabaseStore:
    """Every table of the schema ``app``; each call opens a connection of its own."""

    open: Callable[[], Connection]

    @classmethod
    def at(cls, *, host: str, port: int, database: str, password: Callable[[str], str]) -> "DatabaseStore":
        """In the database there, into which ``password`` lets a user."""
        address = Address(host=host, port=port, database=database)
        return cls(open=lambda: connect(address, user=ERASER, password=password(ERASER)))

    def count(self, tenant: str, _checkpoint: Any) -> Page:
        """Every row, at once."""
        with self._connection() as connection, for_tenant(connection, tenant):
            asked = [f"SELECT count(*) FROM {name}" for name in _tables(connection)]  # noqa: S608 - as below
            numbers = [int(connection.run(statement)[0][0]) for statement in asked]
        return Page(number=sum(numbers))

    def delete(self, tenant: str, _checkpoint: Any) -> Page:
        """The first rows of the first table that has any, references before what they refer to."""
        with self._connection() as connection:
            with for_tenant(connection, tenant):
                names = list(_tables(connection))
            for name in names:
                number = _delete(connection, tenant, name)
                if number:
                    return Page(number=number, next="again")
        return Page(number=0)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Connection]:
        connection = self.open()
        try:
            yield connection
        finally:
            connection.close()


def _delete(connection: Connection, tenant: str, name: str) -> int:
    """A batch of the table's rows; all of them where rows refer to others of the same table."""
    everything = f"DELETE FROM {name}"  # noqa: S608 - PostgreSQL's own name for it, quoted by it
    batch = f"(SELECT tableoid, ctid FROM {name} LIMIT {_ROWS})"  # noqa: S608 - the same
    try:
        return _run(connection, tenant, f"{everything} WHERE (tableoid, ctid) IN {batch}")
    except DatabaseError as error:
        if error.args[0].get("C") != _REFERENCED:
            raise
    return _run(connection, tenant, everything)


def _run(connection: Connection, tenant: str, statement: str) -> int:
    with for_tenant(connection, tenant):
        connection.run(statement)
        return max(int(connection.row_count), 0)


def _tables(connection: Connection) -> list[str]:
    """The tables' names, each before those that its rows refer to; where they refer in a circle, in any order."""
    found = {oid: (name, set(to)) for oid, name, to in connection.run(_TABLES)}
    ordered: list[str] = []
    while found:
        referred = {to for _, others in found.values() for to in others}
        free = [oid for oid in found if oid not in referred] or list(found)
        ordered += [found[oid][0] for oid in free]
        for oid in free:
            del found[oid]
    return ordered
