"""The declarative description of one CloudFormation type that ministack lacks, and the registry of all of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Props = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Context:
    """Where a resource is being made: stack, logical id, account, region, and clients for its services."""

    logical_id: str
    stack: str
    account: str
    region: str
    client: Callable[[str], Any]

    def name(self, length: int = 60) -> str:
        """A name the way CloudFormation invents one: stack, logical id and a stable suffix."""
        suffix = digest(self.stack, self.logical_id)[:10]
        return f"{self.stack}-{self.logical_id}"[: length - 11] + "-" + suffix

    def arn(self, service: str, resource: str, *, region: str | None = None) -> str:
        return f"arn:aws:{service}:{self.region if region is None else region}:{self.account}:{resource}"


Value = str | Callable[[Props, Any, Context], Any]
Parameters = Callable[[Props, Context], Props]
Removal = Callable[[str, Props, Mapping[str, Any]], Props]


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One type: the operation that makes it, its id and attributes, how it changes and how it goes.

    Properties go to the input of the operation by name, whatever their case; `rename` maps the others, `drop` leaves
    some out (they count as unread unless `extra` or `after` reads them) and `extra` adds parameters. Values of `id`
    and `attributes` are JMESPath expressions over the answer, or functions of (properties, answer, context).
    `recorded` means that no service behind the embedded AWS knows the type: its input is checked against the service
    model and kept, nothing more.
    """

    type: str
    service: str
    create: str
    id: Value
    attributes: Mapping[str, Value] = field(default_factory=dict)
    rename: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None
    wrap: str = ""
    extra: Parameters | None = None
    after: Callable[[Context, str, Props, Any], None] | None = None
    update: str = "replace"
    update_with: Removal | None = None
    delete: str = ""
    delete_with: Removal | None = None
    before_delete: Callable[[Context, str, Props], None] | None = None
    recorded: bool = False


SPECS: dict[str, Spec] = {}
Hook = Callable[[Context, str, Props], Props | None]
"""Run after a handler of ministack's own; what it returns are further attributes of the resource."""

HOOKS: dict[str, Hook] = {}


def spec(cfn_type: str, service: str, create: str, identity: Value, **rest: Any) -> None:
    """Register a type; see `Spec`."""
    SPECS[cfn_type] = Spec(type=cfn_type, service=service, create=create, id=identity, **rest)


def hook(cfn_type: str) -> Callable[[Hook], Hook]:
    """Register what ministack's own handler of a type leaves out: run after it creates or updates the resource."""

    def register(function: Hook) -> Hook:
        HOOKS[cfn_type] = function
        return function

    return register


def digest(*parts: object) -> str:
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:17]


def made_up(prefix: str) -> Callable[[Props, Any, Context], str]:
    """An id of the form the service would invent, stable for one resource of one stack."""
    return lambda _p, _r, context: prefix + digest(context.account, context.region, context.stack, context.logical_id)


def named(prop: str, length: int = 60) -> Callable[[Props, Any, Context], str]:
    """The name a template gives in `prop`, or one as CloudFormation invents it."""
    return lambda props, _r, context: str(props.get(prop) or context.name(length))


def text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def true(value: Any) -> bool:
    return str(value).lower() == "true"
