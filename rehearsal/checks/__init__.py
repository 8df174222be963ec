"""What the rehearsal asks the services after every step, one file per subject; never through CloudFormation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.server import EmbeddedAws


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource as its template says it must be, references resolved, and its physical id."""

    stack: str
    account: str
    region: str
    logical_id: str
    type: str
    id: str
    properties: Mapping[str, Any]
    attributes: Mapping[str, Any]
    path: str

    def __str__(self) -> str:
        return f"{self.stack}/{self.logical_id} ({self.type})"


@dataclass(frozen=True, kw_only=True)
class View:
    """What a check sees: every resource of the assembly, and clients for any account and region."""

    aws: EmbeddedAws
    resources: tuple[Resource, ...]
    _clients: list[str] = field(default_factory=list)

    @property
    def asked(self) -> int:
        """How many clients were asked for."""
        return len(self._clients)

    def client(self, service: str, resource: Resource) -> Any:
        """A client in the account and region of a resource."""
        self._clients.append(service)
        return self.aws.client(service, resource.account, resource.region)

    def of(self, *types: str) -> list[Resource]:
        """Every resource of these types."""
        return [resource for resource in self.resources if resource.type in types]

    def attached(self, cfn_type: str, prop: str, resource: Resource) -> list[Resource]:
        """Resources of a type whose property names `resource`."""
        names = {resource.id, *(str(value) for value in resource.attributes.values())}
        return [
            other
            for other in self.of(cfn_type)
            if other.account == resource.account and str(other.properties.get(prop)) in names
        ]


Describe = Callable[[Any, Resource, View], Any]
Check = Callable[[Resource, View], None]
Scenario = Callable[[View], None]


@dataclass(frozen=True, kw_only=True)
class Description:
    """How a service describes a type, and where its answer differs in name from the template."""

    service: str
    ask: Describe
    rename: Mapping[str, str] = field(default_factory=dict)


DESCRIPTIONS: dict[str, Description] = {}
CHECKS: dict[str, list[tuple[str, Check]]] = {}
SCENARIOS: list[tuple[str, Scenario]] = []


def described(cfn_type: str, service: str, ask: Describe, **rest: Any) -> None:
    """Say how a service describes a type: every property of every such resource is then compared with the answer.

    `rename` maps a property path to the path in the answer.
    """
    DESCRIPTIONS[cfn_type] = Description(service=service, ask=ask, **rest)


def check(*types: str, says: str) -> Callable[[Check], Check]:
    """Register a check of every resource of these types; it raises AssertionError when the promise `says` is broken."""

    def register(function: Check) -> Check:
        for cfn_type in types:
            CHECKS.setdefault(cfn_type, []).append((says, function))
        return function

    return register


def scenario(says: str) -> Callable[[Scenario], Scenario]:
    """Register a check of several resources together, run once after all others."""

    def register(function: Scenario) -> Scenario:
        SCENARIOS.append((says, function))
        return function

    return register


def load() -> None:
    """Register the checks of every subject."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")


def absent(error: Exception) -> bool:
    """Whether a service says that a resource is not there."""
    if isinstance(error, LookupError):
        return True
    if not isinstance(error, ClientError):
        return False
    code = str(error.response.get("Error", {}).get("Code", ""))
    words = ("notfound", "nosuch", "nonexist", "doesnotexist", "404", "validationerror", "invaliddocument")
    return any(word in code.lower() for word in words) or (
        code == "InvalidRequestException" and "not found" in str(error)
    )


def refused(call: Callable[[], Any], *, because: str) -> None:
    """Assert that the service refuses `call`, and that its error says `because` (in any case)."""
    try:
        call()
    except ClientError as error:
        if because.lower() not in str(error).lower():
            raise AssertionError(f"refused for another reason: {error}") from error
        return
    raise AssertionError("the service allowed it")
