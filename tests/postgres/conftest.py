"""A real PostgreSQL that lives as long as the session: TLS only, and an owner with an RDS owner's rights and no more."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pg8000.native
import pytest
from migrate_database.handler import Services, migrate
from migrate_database.migrations import read
from palisade_runtime.database import Address, connect
from palisade_runtime.logs import Logger

from ops.postgres import libraries, programs
from rehearsal.certificates import Authority

START_SECONDS = 30
_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
ssl = on
ssl_min_protocol_version = 'TLSv1.2'
password_encryption = 'scram-sha-256'
fsync = off
"""
# As rds.force_ssl: a connection without TLS matches no line.
_ADMISSION = "hostssl all all 127.0.0.1/32 scram-sha-256\n"


@dataclass(kw_only=True)
class Server:
    """Where it is, whom it trusts, and everybody's password."""

    port: int
    authority: Authority
    passwords: dict[str, str] = field(default_factory=dict)

    def address(self, database: str = "palisade", host: str = "localhost") -> Address:
        return Address(host=host, port=self.port, database=database)

    def open(self, user: str, database: str = "palisade") -> pg8000.native.Connection:
        return connect(self.address(database), user=user, password=self.passwords[user], roots=self.authority.bundle)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    place = programs()
    if place is None:
        pytest.skip("no PostgreSQL on this machine: set-up fetches it on Debian and Ubuntu; elsewhere install it")
    folder = Path(tempfile.mkdtemp(prefix="palisade-postgres-"))
    try:
        yield from _running(place, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _running(place: Path, folder: Path) -> Iterator[Server]:
    # PostgreSQL refuses to run as root, as some containers do.
    as_somebody: dict[str, Any] = {}
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "LD_LIBRARY_PATH": libraries()}
    authority = Authority(folder)
    issued = authority.issue("database", ["localhost"])
    administrator = secrets.token_urlsafe(18)
    password = folder / "password"
    password.write_text(administrator, encoding="utf-8")
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        as_somebody = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        for path in (folder, *folder.iterdir()):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
    data = folder / "data"
    options = ["-U", "administrator", "--auth=scram-sha-256", f"--pwfile={password}", "-E", "UTF8", "--no-sync"]
    subprocess.run(
        [place / "initdb", "-D", data, *options], env=environment, capture_output=True, check=True, **as_somebody
    )
    with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(f"{_SETTINGS}ssl_cert_file = '{issued.certificate}'\nssl_key_file = '{issued.key}'\n")
    (data / "pg_hba.conf").write_text(_ADMISSION, encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [place / "postgres", "-D", data, "-p", str(port)], env=environment, stdout=log, stderr=log, **as_somebody
        )
    try:
        server = Server(port=port, authority=authority, passwords={"administrator": administrator})
        _await(server, process, folder / "log")
        _prepare(server)
        yield server
    finally:
        process.terminate()
        process.wait(20)


def _await(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.open("administrator", "postgres").close()
        except (pg8000.native.InterfaceError, pg8000.native.DatabaseError, OSError) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {error}\n{log.read_text()[-2000:]}") from error
            time.sleep(0.1)
        else:
            return


def _prepare(server: Server) -> None:
    """What RDS makes: an owner that is no superuser, the role by which IAM signs in, and an empty database."""
    server.passwords["palisade_owner"] = secrets.token_urlsafe(18)
    administrator = server.open("administrator", "postgres")
    administrator.run("CREATE ROLE rds_iam")
    administrator.run(
        f"CREATE ROLE palisade_owner LOGIN CREATEROLE CREATEDB PASSWORD '{server.passwords['palisade_owner']}'"
    )
    administrator.run("GRANT rds_iam TO palisade_owner WITH ADMIN OPTION")
    administrator.close()
    fresh(server, "palisade")
    migrate(services(server, "palisade"))
    administrator = server.open("administrator")
    for role in ("application", "reader", "eraser"):
        # IAM is not here to sign them in.
        server.passwords[role] = secrets.token_urlsafe(18)
        administrator.run(f"ALTER ROLE {role} PASSWORD '{server.passwords[role]}'")
    administrator.close()


def fresh(server: Server, name: str) -> None:
    """An empty database that belongs to the owner."""
    administrator = server.open("administrator", "postgres")
    administrator.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    administrator.run(f"CREATE DATABASE {name} OWNER palisade_owner")
    administrator.close()


def services(server: Server, database: str) -> Services:
    """What the function reaches, on a database of this server."""
    return Services(
        connect=lambda: server.open("palisade_owner", database),
        migrations=read(),
        logger=Logger(service="t", output=_Silent()),
    )


class _Silent:
    def write(self, text: str, /) -> None:
        """Nowhere."""


@pytest.fixture
def empty(server: Server) -> Callable[[], Services]:
    """Makes the function's services on an empty database of its own."""

    def make() -> Services:
        fresh(server, "another")
        return services(server, "another")

    return make
