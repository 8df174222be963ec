"""Teaches ministack's CloudFormation the types it lacks, tracks what its handlers read, and injects faults.

Everything here hangs on private parts of ministack, which is why its version is pinned.
"""

from __future__ import annotations

import threading
from typing import Any

from botocore.config import Config
from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import provisioners, stacks

from rehearsal.emulator import engine
from rehearsal.emulator.spec import HOOKS, SPECS, Context, Props
from rehearsal.emulator.tracker import plain, track, unread

UNREAD: dict[tuple[str, str, str, str], dict[str, Any]] = {}
"""(account, region, stack, logical id) -> type and the property paths nobody read."""

FAULTS: set[tuple[str, str]] = set()
"""(stack, logical id) of resources whose next operation fails, once."""

MADE: dict[tuple[str, str, str, str], dict[str, Any]] = {}
"""(account, region, stack, logical id) -> every resource ever made, whether it is still there or not."""

_attributes: dict[tuple[str, str, str], dict[str, Any]] = {}
_threaded: set[str] = set()
_clients: dict[tuple[str, str, str], Any] = {}
_clients_lock = threading.Lock()
_where: dict[tuple[str, str, str, str], tuple[str, str]] = {}


class InjectedError(RuntimeError):
    """A failure that the rehearsal asked for."""


def client(endpoint: str, account: str, region: str, service: str) -> Any:
    """A client for a service of the embedded AWS; the access key is the account."""
    with _clients_lock:
        key = (account, region, service)
        if key not in _clients:
            _clients[key] = engine.SESSION.create_client(
                service,
                endpoint_url=endpoint,
                region_name=region,
                aws_access_key_id=account,
                aws_secret_access_key="test",  # noqa: S106 - the embedded AWS knows no other
                config=Config(
                    retries={"max_attempts": 0},
                    connect_timeout=3,
                    read_timeout=60,
                    max_pool_connections=20,
                    parameter_validation=True,
                ),
            )
        return _clients[key]


def _context(endpoint: str, logical_id: str, stack: str) -> Context:
    account, region = get_account_id(), get_region()
    return Context(
        logical_id=logical_id,
        stack=stack,
        account=account,
        region=region,
        client=lambda service: client(endpoint, account, region, service),
    )


def _specified(cfn_type: str, endpoint: str) -> dict[str, Any]:
    def remember(identity: str, attributes: Props, context: Context) -> None:
        _attributes[cfn_type, context.account, identity] = attributes
        _where[cfn_type, context.account, context.region, identity] = (context.logical_id, context.stack)

    def create(logical_id: str, props: Props, stack: str) -> tuple[str, Props]:
        context = _context(endpoint, logical_id, stack)
        seen: set[str] = getattr(props, "_seen", set())
        identity, attributes = engine.create(cfn_type, props, context, seen)
        remember(identity, attributes, context)
        return identity, attributes

    def update(identity: str, old: Props, new: Props, stack: str, logical_id: str) -> tuple[str, Props]:
        context = _context(endpoint, logical_id, stack)
        attributes = _attributes.get((cfn_type, context.account, identity), {})
        made, fresh = engine.update(cfn_type, identity, old, new, attributes=attributes, context=context)
        remember(made, fresh, context)
        return made, fresh

    def delete(identity: str, props: Props) -> None:
        account, region = get_account_id(), get_region()
        logical_id, stack = _where.pop((cfn_type, account, region, identity), ("", ""))
        attributes = _attributes.pop((cfn_type, account, identity), {})
        engine.delete(cfn_type, identity, props, attributes, _context(endpoint, logical_id, stack))

    return {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}


def _hooked(cfn_type: str, handlers: dict[str, Any], endpoint: str) -> dict[str, Any]:
    after = HOOKS[cfn_type]
    wrapped = dict(handlers)

    def create(logical_id: str, props: Props, stack: str) -> Any:
        made = handlers["create"](logical_id, props, stack)
        more = after(_context(endpoint, logical_id, stack), made[0], props)
        return (made[0], {**(made[1] or {}), **more}) if more else made

    def update(identity: str, old: Props, new: Props, stack: str, logical_id: str | None = None) -> Any:
        rest = (logical_id,) if handlers.get("update_with_logical_id") else ()
        made = handlers["update"](identity, old, new, stack, *rest)
        more = after(_context(endpoint, logical_id or "", stack), made[0], new)
        return (made[0], {**(made[1] or {}), **more}) if more else made

    wrapped["create"] = create
    if "update" in handlers:
        wrapped.update(update=update, update_with_logical_id=True)
    return wrapped


def _watched(cfn_type: str, handlers: dict[str, Any]) -> dict[str, Any]:
    """Inject the faults asked for, and note the properties nobody read."""
    wrapped = dict(handlers)

    def fail(stack: str, logical_id: str, operation: str) -> None:
        if (stack, logical_id) in FAULTS:
            FAULTS.remove((stack, logical_id))
            raise InjectedError(f"injected fault: the {operation} of {logical_id} fails, as the rehearsal asked")

    def note(stack: str, logical_id: str, props: Props, seen: set[str]) -> None:
        missing = [path for path in unread(plain(props), seen) if not path.startswith("Tags")]
        UNREAD[get_account_id(), get_region(), stack, logical_id] = {"type": cfn_type, "properties": missing}

    def create(logical_id: str, props: Props, stack: str) -> Any:
        fail(stack, logical_id, "create")
        seen: set[str] = set()
        made = handlers["create"](logical_id, track(props, seen), stack)
        note(stack, logical_id, props, seen)
        MADE[get_account_id(), get_region(), stack, logical_id] = {
            "type": cfn_type,
            "id": made[0],
            "properties": plain(props),
            "attributes": plain(made[1] or {}),
        }
        return made

    wrapped["create"] = create
    if "update" in handlers:

        def update(identity: str, old: Props, new: Props, stack: str, logical_id: str | None = None) -> Any:
            fail(stack, logical_id or "", "update")
            rest = (logical_id,) if handlers.get("update_with_logical_id") else ()
            return handlers["update"](identity, old, new, stack, *rest)

        wrapped.update(update=update, update_with_logical_id=True)
    return wrapped


def install(endpoint: str) -> None:
    """Register every spec and hook, and watch every handler."""
    handlers = provisioners._RESOURCE_HANDLERS
    for cfn_type in SPECS:
        handlers[cfn_type] = _specified(cfn_type, endpoint)
        _threaded.add(cfn_type)
    for cfn_type in HOOKS:
        handlers[cfn_type] = _hooked(cfn_type, handlers[cfn_type], endpoint)
        _threaded.add(cfn_type)
    for cfn_type, own in list(handlers.items()):
        if "create" in own:
            handlers[cfn_type] = _watched(cfn_type, own)
    runs_on_thread = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda cfn_type: cfn_type in _threaded or runs_on_thread(cfn_type)


def overview() -> dict[str, Any]:
    """What the rehearsal asks the embedded AWS about itself: resolved resources, unread properties, recorded types."""
    from ministack.services.cloudformation import _stacks

    found = {}
    for (account, region, _), stack in list(_stacks._data.items()):
        if stack.get("StackStatus") == "DELETE_COMPLETE":
            continue
        for logical_id, resource in list(stack.get("_resources", {}).items()):
            found["|".join((account, region, stack["StackName"], logical_id))] = {
                "type": resource["ResourceType"],
                "id": resource["PhysicalResourceId"],
                "properties": plain(resource.get("Properties", {})),
                "attributes": plain(resource.get("Attributes") or {}),
            }
    return {
        "resources": found,
        "made": {"|".join(key): value for key, value in list(MADE.items())},
        "unread": {"|".join(key): value for key, value in list(UNREAD.items())},
        "recorded": {"|".join(key): plain(value) for key, value in list(engine.RECORDED.items())},
    }


def publish(account: str, region: str, name: str) -> None:
    """Put a public parameter of AWS in the store: no API may write below /aws/service."""
    from ministack.services import ssm

    image = "ami" in name
    value = "ami-0123456789abcdef0" if image else "rehearsal"
    record = {
        "Name": name,
        "Type": "String",
        "Value": value,
        "Version": 1,
        "LastModifiedDate": 1767225600,
        "ARN": f"arn:aws:ssm:{region}::parameter{name}",
        "DataType": "aws:ec2:image" if image else "text",
    }
    ssm._parameters.set_scoped(account, region, name, record)


def own_zone(account: str, zone: str, name: str) -> None:
    """Give an account a hosted zone with a given id: a zone that exists before the deployment."""
    from ministack.services import route53

    record = {
        "id": zone,
        "name": name.rstrip(".") + ".",
        "caller_reference": zone,
        "comment": "",
        "private": False,
        "vpcs": [],
    }
    route53._zones.set_scoped(account, "", zone, record)
    route53._records.set_scoped(account, "", zone, route53._default_records(record["name"]))
