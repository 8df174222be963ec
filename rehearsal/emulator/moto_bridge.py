"""Services ministack lacks, or does worse, answered by moto in the same process."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from ministack import app as ministack
from ministack.core.responses import get_account_id, get_region

from rehearsal.emulator import resolver

Answer = tuple[int, dict[str, str], bytes]

WHOLE_SERVICES = (
    "application-autoscaling",
    "cloudtrail",
    "config",
    "guardduty",
    "identitystore",
    "macie2",
    "network-firewall",
    "organizations",
    "route53resolver",
    "securityhub",
    "servicequotas",
    "shield",
    "sso",
    "synthetics",
)
"""Config replaces ministack's own, which cannot delete recorders or channels; CloudTrail lacks its Insights there, and
Organizations all policy types but one."""

BY_TARGET = {
    "ssm": ("DescribeSessions", "Document", "MaintenanceWindow", "PatchBaseline", "PatchGroup"),
    "wafv2": ("LoggingConfiguration",),
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

    target = headers.get("x-amz-target", "")
    if "PatchGroup" in target:
        _patch_groups_let_go()
    elif "CloudTrail" in target:
        _trails_look_for_their_bucket()
    pairs = [(key, item) for key, value in query.items() for item in (value if isinstance(value, list) else [value])]
    kept = {key: value for key, value in headers.items() if key.lower() not in _SKIPPED_HEADERS}
    kept["x-moto-account-id"] = _whose(target)
    response = Client(_moto()).open(
        path=path, method=method, headers=kept, data=body, query_string=urlencode(pairs) if method != "POST" else ""
    )
    answer = {key: value for key, value in response.headers.items() if key.lower() not in _SKIPPED_HEADERS}
    return response.status_code, answer, response.get_data()


def _whose(target: str) -> str:
    """The account whose resources a request is about: Identity Center's delegated administrator works on the organization's."""
    account: str = get_account_id()
    if target.startswith(("SWBExternalService.", "AWSIdentityStore.")):
        from rehearsal.emulator.detection import ORGANIZATION

        if account in ORGANIZATION["administrators"]["sso.amazonaws.com"]:
            return str(ORGANIZATION["management"])
    return account


@functools.cache
def _patch_groups_let_go() -> None:
    """moto keeps a patch group bound to a baseline it was taken from."""
    from moto.ssm.models import SimpleSystemManagerBackend

    def deregister(self: Any, baseline_id: str, patch_group: str) -> tuple[str, str]:
        group = self.patch_groups.get(patch_group)
        if group is not None and baseline_id in group.associations.values():
            del self.patch_groups[patch_group]
        return baseline_id, patch_group

    setattr(SimpleSystemManagerBackend, "deregister_patch_baseline_for_patch_group", deregister)  # noqa: B010


@functools.cache
def _trails_look_for_their_bucket() -> None:
    """moto looks for a trail's bucket and topic in its own stores, and they are ministack's."""
    from ministack.services import s3
    from moto.cloudtrail import models
    from moto.cloudtrail.exceptions import S3BucketDoesNotExistException

    def exists(self: Any) -> None:
        if s3._bucket_owner_account(self.bucket_name) is None:
            raise S3BucketDoesNotExistException(f"S3 bucket {self.bucket_name} does not exist!")

    setattr(models.Trail, "check_bucket_exists", exists)  # noqa: B010 - mypy knows the method
    setattr(models.Trail, "check_topic_exists", lambda _self: None)  # noqa: B010 - mypy knows the method


def _delete_canary(name: str) -> Answer:
    """moto cannot delete a canary."""
    from moto.synthetics.models import synthetics_backends

    canaries = synthetics_backends[get_account_id()][get_region()].canaries
    status, body = (200, b"{}") if canaries.pop(name, None) else (404, b'{"__type": "ResourceNotFoundException"}')
    return status, {"Content-Type": "application/json"}, body


async def handler(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Answer:
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    if method == "DELETE" and path.startswith("/canary/"):
        return _delete_canary(path.removeprefix("/canary/"))
    if operation == "DescribeSessions":
        # No machine runs here, so nobody has a session on one.
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, b'{"Sessions": []}'
    if operation in resolver.OPERATIONS:
        return resolver.answer(operation, body)
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
