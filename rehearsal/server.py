"""Starts, asks and ends the embedded AWS: a child process of its own session, with its own environment and folder."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

import botocore.session
from botocore.config import Config

from rehearsal.certificates import Authority
from rehearsal.issuer import Issuer

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60


class RehearsalError(Exception):
    """Something the person running the rehearsal can act on; its text is the whole message."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class EmbeddedAws:
    """The embedded AWS as a context manager: on any way out, the process group and the folder are gone."""

    def __init__(
        self, *, home_region: str, accounts: tuple[str, ...] = (), names: tuple[str, ...] = (), organization: str = ""
    ) -> None:
        self._home_region = home_region
        self._accounts, self._names = accounts, names
        self._organization = organization
        self._session = botocore.session.get_session()
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> EmbeddedAws:
        self.folder = Path(tempfile.mkdtemp(prefix="rehearsal-"))
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def _start(self) -> None:
        self.port, self.tls_port = free_port(), free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.tls_endpoint = f"https://127.0.0.1:{self.tls_port}"
        self.authority = Authority(self.folder)
        own = self.authority.issue(
            "embedded-aws", ["127.0.0.1", "localhost", *(f"{account}.127.0.0.1" for account in self._accounts)]
        )
        self.issuer = Issuer(self.authority.issue("issuer", ["localhost", *self._names]), pools=self.endpoint)
        bundle = str(self.authority.bundle)
        functions = {
            "AWS_ENDPOINT_URL": self.tls_endpoint,
            "AWS_CA_BUNDLE": bundle,
            "SSL_CERT_FILE": bundle,
            "REQUESTS_CA_BUNDLE": bundle,
            "NODE_EXTRA_CA_CERTS": bundle,
            "PYTHONPATH": str(ROOT / "rehearsal" / "function_site"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "REHEARSAL_NAMES": json.dumps(dict.fromkeys(self._names, self.issuer.port)),
        }
        home, scratch = self.folder / "home", self.folder / "tmp"
        home.mkdir()
        scratch.mkdir()
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "TMPDIR": str(scratch),
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": self._home_region,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LAMBDA_EXECUTOR": "local",
            "DOCKER_HOST": "unix:///nonexistent",
            "GATEWAY_PORT": str(self.port),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_SECRET_ACCESS_KEY": "test",
            "LOG_LEVEL": "WARNING",
            # As AWS does, refuse a sign-in whose token nobody shaped.
            "MINISTACK_COGNITO_PRETOKEN_STRICT": "1",
            "MOTO_IAM_LOAD_MANAGED_POLICIES": "false",
            "REHEARSAL_HOME": str(self.folder),
            "REHEARSAL_TLS_PORT": str(self.tls_port),
            "REHEARSAL_CERTIFICATE": str(own.certificate),
            "REHEARSAL_KEY": str(own.key),
            "REHEARSAL_ORGANIZATION": self._organization,
            "REHEARSAL_FUNCTION_ENVIRONMENT": json.dumps(functions),
        }
        self.log = self.folder / "embedded-aws.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "rehearsal.emulator"],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._await_health()

    def _await_health(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        process = self._process
        while process and time.monotonic() < deadline:
            if process.poll() is not None:
                raise RehearsalError(f"the embedded AWS ended at its start:\n{self.tail()}")
            with contextlib.suppress(OSError, urllib.error.URLError):
                self.ask("overview")
                return
            time.sleep(0.05)
        raise RehearsalError(f"the embedded AWS did not answer within {START_SECONDS} s:\n{self.tail()}")

    def ask(self, question: str, **body: Any) -> Any:
        """One of the questions of `rehearsal.emulator`, which are about the emulator and not about AWS."""
        data = json.dumps(body).encode() if body else b""
        request = urllib.request.Request(f"{self.endpoint}/_rehearsal/{question}", data=data, method="POST")  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def client(self, service: str, account: str, region: str) -> Any:
        """A client of one account and region, with the powers of its root user."""
        with self._lock:
            key = (service, account, region)
            if key not in self._clients:
                self._clients[key] = self._session.create_client(
                    service,
                    endpoint_url=self.tls_endpoint,
                    verify=str(self.authority.bundle),
                    region_name=region,
                    aws_access_key_id=account,
                    aws_secret_access_key="test",  # noqa: S106 - the embedded AWS knows no other
                    config=Config(retries={"max_attempts": 0}, read_timeout=120, max_pool_connections=20),
                )
            return self._clients[key]

    def memory(self) -> int:
        """Peak resident memory of the embedded AWS, in MiB; 0 where the platform does not say."""
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self._process.pid if self._process else 0}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) // 1024
        return 0

    def tail(self, lines: int = 30) -> str:
        """The end of the embedded AWS's log."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""

    def close(self) -> None:
        """End the process group, functions included, and remove the folder."""
        process, self._process = self._process, None
        if process is not None:
            for number, seconds in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0)):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(seconds)
                    if number == signal.SIGTERM:
                        with contextlib.suppress(ProcessLookupError):
                            os.killpg(process.pid, signal.SIGKILL)
                    break
            if process.stdin:
                process.stdin.close()
        if hasattr(self, "issuer"):
            self.issuer.close()
        shutil.rmtree(self.folder, ignore_errors=True)
