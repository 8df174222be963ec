"""Services ministack lacks, or does worse, answered by moto in the same process."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from ministack import app as ministack
from ministack.core.responses import get_account_id

Answer = tuple[int, dict[str, str], bytes]

WHOLE_SERVICES = (
    "application-autoscaling",
    "config",
    "guardduty",
    "macie2",
    "network-firewall",
    "route53resolver",
    "securityhub",
    "servicequotas",
    "shield",
    "synthetics",
)
"""Config replaces ministack's own, which cannot delete recorders or channels."""

BY_TARGET = {
    "ssm": ("Document", "MaintenanceWindow", "PatchBaseline", "PatchGroup"),
    "wafv2": ("LoggingConfiguration",),
    "cloudtrail": ("InsightSelectors",),
}
"""Operations of a service that go to moto, by a part of their X-Amz-Target; the rest stays with ministack."""

_application: Any = None
_lock = threading.Lock()
_SKIPPED_HEADERS = frozenset({"content-length", "transfer-encoding", "connection"})


def _moto() -> Any:
    global _application  # noqa: PLW0603 - built once, on first use
    with _lock:
        if _application is None:
            from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

            _application = DomainDispatcherApplication(create_backend_app)
    return _application


def ask(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]) -> Answer:
    """One request to moto, in the account of the request being served."""
    from werkzeug.test import Client

    if "PatchGroup" in headers.get("x-amz-target", ""):
        _patch_groups_let_go()
    pairs = [(key, item) for key, value in query.items() for item in (value if isinstance(value, list) else [value])]
    kept = {key: value for key, value in headers.items() if key.lower() not in _SKIPPED_HEADERS}
    kept["x-moto-account-id"] = get_account_id()
    response = Client(_moto()).open(
        path=path, method=method, headers=kept, data=body, query_string=urlencode(pairs) if method != "POST" else ""
    )
    answer = {key: value for key, value in response.headers.items() if key.lower() not in _SKIPPED_HEADERS}
    return response.status_code, answer, response.get_data()


@functools.cache
def _patch_groups_let_go() -> None:
    """moto keeps a patch group bound to a baseline it was taken from."""
    from moto.ssm.models import SimpleSystemManagerBackend

    def deregister(self: Any, baseline_id: str, patch_group: str) -> tuple[str, str]:
        group = self.patch_groups.get(patch_group)
        if group is not None:
            group.associations = {
                system: baseline for system, baseline in group.associations.items() if baseline != baseline_id
            }
        return baseline_id, patch_group

    SimpleSystemManagerBackend.deregister_patch_baseline_for_patch_group = deregister  # type: ignore[method-assign]


async def handler(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Answer:
    return await asyncio.to_thread(ask, method, path, headers, body, query)


def _split(service: str, chosen: Callable[[str], bool]) -> None:
    own = ministack.SERVICE_HANDLERS[service]

    async def either(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Answer:
        if chosen(headers.get("x-amz-target", "")):
            return await handler(method, path, headers, body, query)
        answer: Answer = await own(method, path, headers, body, query)
        return answer

    ministack.SERVICE_HANDLERS[service] = either


def install() -> None:
    """Route the services and operations above to moto."""
    for service in WHOLE_SERVICES:
        ministack.SERVICE_HANDLERS[service] = handler
    for service, parts in BY_TARGET.items():
        _split(service, lambda target, parts=parts: any(part in target for part in parts))  # type: ignore[misc]
