"""The outside world on loopback: an OIDC issuer that publishes its keys and signs RS256 tokens for whatever claims a check
wants, and a service that takes what functions post to it."""

from __future__ import annotations

import gzip
import json
import ssl
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from rehearsal.certificates import Certificate


@dataclass
class Letterbox:
    """What functions posted to outside names: host, path, headers and unpacked body of each request that was taken.

    ``status`` is the answer to every request; one that is not 2xx takes nothing.
    """

    status: int = 202
    asked: int = 0
    taken: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


class Issuer:
    """Answers `/.well-known/jwks.json` and `/.well-known/openid-configuration` for every issuer of the templates.

    For a user pool, whose id begins the path, the keys are the pool's own and the one that hostile tokens are signed with.
    """

    key_id = "rehearsal-1"

    def __init__(self, certificate: Certificate, *, pools: str) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.letterbox = letterbox = Letterbox()
        public = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
        keys = [{**public, "kid": self.key_id, "use": "sig", "alg": "RS256"}]

        def own_keys(pool: str) -> list[dict[str, Any]]:
            place = f"{pools}/{pool}.well-known/jwks.json"
            with urllib.request.urlopen(place, timeout=10) as answer:  # noqa: S310 - loopback
                found: list[dict[str, Any]] = json.load(answer)["keys"]
            return found

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                pool, _, document = self.path.removeprefix("/").rpartition(".well-known/")
                issuer = f"https://{self.headers.get('Host', '').split(':')[0]}/{pool}".rstrip("/")
                pages: dict[str, Any] = {
                    "jwks.json": {"keys": [*keys, *(own_keys(pool) if pool else [])]},
                    "openid-configuration": {"issuer": issuer, "jwks_uri": f"{issuer}/.well-known/jwks.json"},
                }
                page = pages.get(document)
                body = json.dumps(page or {"message": "not found"}).encode()
                self.send_response(200 if page else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                letterbox.asked += 1
                if 200 <= letterbox.status < 300:
                    unpacked = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
                    letterbox.taken.append((self.headers.get("Host", ""), self.path, dict(self.headers), unpacked))
                self.send_response(letterbox.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Quiet: the rehearsal prints its own progress."""

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.certificate, certificate.key)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True, name="issuer").start()

    def token(self, claims: dict[str, Any], *, seconds: int = 300, forged: bool = False) -> str:
        """A signed token for `claims`, which win over the usual ones; `forged` signs with a key nobody published."""
        now = int(time.time())
        usual = {"iat": now, "nbf": now, "exp": now + seconds}
        key = self._stranger if forged else self._key
        return jwt.encode({**usual, **claims}, key, algorithm="RS256", headers={"kid": self.key_id})

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
