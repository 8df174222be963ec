"""Connections to the database: encrypted and verified, or not at all. On a real PostgreSQL."""

from __future__ import annotations

import datetime
import re
import ssl
from pathlib import Path
from typing import Any

import pg8000.native
import pytest
from cryptography import x509
from palisade_runtime.database import ROOTS, connect

from rehearsal.certificates import Authority

REFUSED = (ssl.SSLError, pg8000.native.InterfaceError, pg8000.native.DatabaseError)


def test_a_verified_connection_is_encrypted(server: Any) -> None:
    connection = server.open("application")
    ((encrypted, version),) = connection.run("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    assert encrypted is True
    assert version in ("TLSv1.2", "TLSv1.3")
    connection.close()


def test_refuses_a_certificate_of_another_authority(server: Any, tmp_path: Path) -> None:
    stranger = Authority(tmp_path)
    with pytest.raises(REFUSED, match=r"(?i)certificate verify failed|self.signed"):
        connect(server.address(), user="application", password=server.passwords["application"], roots=stranger.bundle)


def test_the_roots_of_production_do_not_trust_it_either(server: Any) -> None:
    with pytest.raises(REFUSED, match=r"(?i)certificate verify failed|self.signed"):
        connect(server.address(), user="application", password=server.passwords["application"])


def test_refuses_a_certificate_for_another_host(server: Any) -> None:
    with pytest.raises(REFUSED, match=r"(?i)127.0.0.1|hostname|IP address mismatch"):
        connect(
            server.address(host="127.0.0.1"),
            user="application",
            password=server.passwords["application"],
            roots=server.authority.bundle,
        )


def test_the_server_refuses_a_plain_connection(server: Any) -> None:
    with pytest.raises(pg8000.native.DatabaseError, match="no encryption"):
        pg8000.native.Connection(
            "application",
            host="localhost",
            port=server.port,
            database="palisade",
            password=server.passwords["application"],
            ssl_context=False,
        )


def test_a_wrong_password_opens_nothing(server: Any) -> None:
    with pytest.raises(pg8000.native.DatabaseError, match="password authentication failed"):
        connect(server.address(), user="application", password="guessed", roots=server.authority.bundle)


def test_the_roots_are_rds_own_one_for_each_region_and_valid_for_years() -> None:
    roots = x509.load_pem_x509_certificates(ROOTS.read_bytes())
    names = [root.subject.rfc4514_string() for root in roots]
    regions = re.findall(r"Amazon RDS ([a-z]+-[a-z]+-\d) Root CA ECC384 G1", " ".join(names))
    assert {"eu-central-1", "eu-west-1", "eu-west-2", "us-east-1", "ap-southeast-2"} <= set(regions)
    assert len(set(regions)) == len(regions) == len(roots)
    for root in roots:
        assert root.issuer == root.subject, "a root signs itself"
        assert root.not_valid_after_utc > datetime.datetime(2060, 1, 1, tzinfo=datetime.UTC)
        root.verify_directly_issued_by(root)
