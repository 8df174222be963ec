"""Connections to the stage's PostgreSQL: over TLS with a verified certificate, and for one tenant at a time.

A function that imports this carries the database layer. ``rds-ca.pem`` holds the root certificates that RDS instances of this
library are made with (``rds-ca-ecc384-g1``), one for each region.
Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html
"""

import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pg8000.native

from palisade_runtime.identifiers import tenant_id

Connection = pg8000.native.Connection
DatabaseError = pg8000.native.DatabaseError

ROOTS = Path(__file__).with_name("rds-ca.pem")
CONNECT_SECONDS = 45
"""A paused database needs up to half a minute to wake."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a database is. The certificate must be for ``host``."""

    host: str
    port: int
    database: str


def connect(address: Address, *, user: str, password: str, roots: Path = ROOTS) -> pg8000.native.Connection:
    """A connection that is encrypted, to a server that is verified; anything less is ssl.SSLError or an InterfaceError.

    ``password`` may be an IAM token, which is never sent before the server is verified.
    """
    context = ssl.create_default_context(cafile=str(roots))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return pg8000.native.Connection(
        user,
        host=address.host,
        port=address.port,
        database=address.database,
        password=password,
        ssl_context=context,
        timeout=CONNECT_SECONDS,
    )


@contextlib.contextmanager
def for_tenant(connection: pg8000.native.Connection, tenant: str) -> Iterator[pg8000.native.Connection]:
    """One transaction in which statements see and change rows of ``tenant`` only; an exception undoes it.

    The tenant comes from the verified token, never from the request. It is forgotten with the transaction, so a pooled
    connection carries nobody's name to the next.
    """
    name = tenant_id(tenant)
    # Cursors, statements and settings that the last one left behind would otherwise be the next one's.
    connection.run("DISCARD ALL")
    connection.run("BEGIN")
    try:
        connection.run("SELECT set_config('palisade.tenant', :tenant, true)", tenant=name)
        yield connection
    except BaseException:
        connection.run("ROLLBACK")
        raise
    connection.run("COMMIT")
