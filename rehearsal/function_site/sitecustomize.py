"""Runs in every Python function of the rehearsal: chosen names lead to loopback, every other name leads nowhere."""

import ipaddress
import json
import os
import re
import socket
from typing import Any

_NAMES: dict[str, int] = json.loads(os.environ.get("REHEARSAL_NAMES", "{}"))
_look_up = socket.getaddrinfo


def _local(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        return False


def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if name in _NAMES and str(port) in ("443", "https"):
        return _look_up("127.0.0.1", _NAMES[name], *args, **kwargs)
    if name and re.fullmatch(r"\d{12}\.127\.0\.0\.1", name):
        return _look_up("127.0.0.1", port, *args, **kwargs)  # S3 Control puts the account in front of the endpoint
    if _local(host):
        return _look_up(host, port, *args, **kwargs)
    raise socket.gaierror(socket.EAI_NONAME, f"the rehearsal has no internet: {host}")


socket.getaddrinfo = getaddrinfo

# A layer holds packages built for another machine; the rehearsal's own environment has the same ones.
os.environ.pop("_LAMBDA_LAYERS_DIRS", None)
