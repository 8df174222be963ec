"""The child process of a rehearsal: the embedded AWS on two loopback ports, one plaintext and one TLS.

It ends, with every process it started, when its standard input closes: a rehearsal that dies leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import signal
import sys
import threading
from typing import Any


def _die_with_parent() -> None:
    def wait() -> None:
        while sys.stdin.buffer.read(1):
            pass
        shutil.rmtree(os.environ["REHEARSAL_HOME"], ignore_errors=True)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, daemon=True, name="parent").start()


async def _read(receive: Any) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _control(scope: Any, receive: Any, send: Any) -> None:
    """The rehearsal's own questions, under /_rehearsal: they are about the emulator, not about AWS."""
    from rehearsal.emulator import adapter, organization, past

    body = json.loads(await _read(receive) or b"{}")
    path = scope["path"]
    answer: Any = {}
    if path.endswith("/overview"):
        answer = adapter.overview()
    elif path.endswith("/fault"):
        adapter.FAULTS.add((body["stack"], body["logical_id"]))
    elif path.endswith("/hosted-zone"):
        adapter.own_zone(body["account"], body["zone"], body["name"])
    elif path.endswith("/organization"):
        organization.found(body["account"], body["root"], body["members"])
    elif path.endswith("/public-parameter"):
        adapter.publish(body["account"], body["region"], body["name"])
    elif path.endswith("/age"):
        past.age(body["account"], body["user"], body["days"])
    elif path.endswith("/sign-in"):
        past.sign_in(body["account"], body["region"], body["person"], body["role"])
    data = json.dumps(answer, default=str).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": data})


def main() -> None:
    """Serve until told to stop."""
    _die_with_parent()
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "WARNING"))
    port, tls_port = os.environ["GATEWAY_PORT"], os.environ["REHEARSAL_TLS_PORT"]
    endpoint = f"http://127.0.0.1:{port}"

    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack import app as ministack

    from rehearsal import types
    from rehearsal.emulator import (
        account_settings,
        adapter,
        backup,
        detection,
        gaps,
        keys,
        moto_bridge,
        ops_items,
        past,
        public_access,
        tenancy,
    )

    types.load()
    moto_bridge.install()
    backup.install()
    detection.install()
    public_access.install()
    ops_items.install()
    account_settings.install()
    past.install()
    gaps.install()
    tenancy.install()
    keys.install()
    adapter.install(endpoint)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/_rehearsal/"):
            await _control(scope, receive, send)
        else:
            await ministack.app(scope, receive, send)

    # What the functions see: the embedded AWS over TLS, one certificate authority, and names that lead to loopback.
    os.environ.update(json.loads(os.environ["REHEARSAL_FUNCTION_ENVIRONMENT"]))
    config = Config()
    config.bind = [f"127.0.0.1:{tls_port}"]
    config.insecure_bind = [f"127.0.0.1:{port}"]
    config.certfile, config.keyfile = os.environ["REHEARSAL_CERTIFICATE"], os.environ["REHEARSAL_KEY"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    config.accesslog = None
    config.graceful_timeout = 0.1
    asyncio.run(serve(application, config))


if __name__ == "__main__":
    main()
