"""Enables what CloudFormation has no type for: policy types, trusted access of services, delegated administrators.

Idempotent: what is on already is left alone. Deletion of the custom resource leaves everything on, because policies and
services that exist depend on it.

Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_EnablePolicyType.html
https://docs.aws.amazon.com/organizations/latest/APIReference/API_EnableAWSServiceAccess.html
https://docs.aws.amazon.com/organizations/latest/APIReference/API_RegisterDelegatedAdministrator.html
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from palisade_runtime.custom_resource import Context, Outcome, RefusedRequestError, Request, respond

PATIENCE = 10
"""Looks at a type that is being enabled, two seconds apart."""

Sleep = Callable[[float], None]


def handle(event: Mapping[str, Any], context: Context) -> None:
    """Called by CloudFormation with ``PolicyTypes``, ``TrustedServices`` and ``DelegatedAdministrators``."""
    respond(
        event,
        context,
        service="set_organization_features",
        act=lambda request: enable(request, boto3.client("organizations"), time.sleep),
    )


def enable(request: Request, organizations: Any, sleep: Sleep) -> Outcome:
    """Enable what is asked for, unless the resource is being deleted.

    Raises:
        RefusedRequestError: a property is malformed, or a policy type does not become enabled.
    """
    types = _names(request, "PolicyTypes")
    services = _names(request, "TrustedServices")
    administrators = _accounts(request)
    if request.kind != "Delete":
        _enable_types(types, organizations, sleep)
        for service in services:
            organizations.enable_aws_service_access(ServicePrincipal=service)
        for service, account in sorted(administrators.items()):
            _register(service, account, organizations)
    return Outcome(physical_id="organization-features")


def _enable_types(wanted: list[str], organizations: Any, sleep: Sleep) -> None:
    root, enabled = _root(organizations)
    for policy_type in wanted:
        if enabled.get(policy_type) is None:
            organizations.enable_policy_type(RootId=root, PolicyType=policy_type)
    for _ in range(PATIENCE):
        _, enabled = _root(organizations)
        waiting = [policy_type for policy_type in wanted if enabled.get(policy_type) != "ENABLED"]
        if not waiting:
            return
        sleep(2)
    raise RefusedRequestError(f"the organization's root still shows as off: {', '.join(waiting)}")


def _root(organizations: Any) -> tuple[str, dict[str, str]]:
    (root,) = organizations.list_roots()["Roots"]
    return root["Id"], {entry["Type"]: entry["Status"] for entry in root["PolicyTypes"]}


def _register(service: str, account: str, organizations: Any) -> None:
    known = organizations.list_delegated_administrators(ServicePrincipal=service)["DelegatedAdministrators"]
    if account not in {administrator["Id"] for administrator in known}:
        organizations.register_delegated_administrator(AccountId=account, ServicePrincipal=service)


def _names(request: Request, name: str) -> list[str]:
    value = request.properties.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise RefusedRequestError(f"property {name} must be a list of names")
    return value


def _accounts(request: Request) -> dict[str, str]:
    value = request.properties.get("DelegatedAdministrators")
    if not isinstance(value, dict) or not all(isinstance(item, str) and item.isdecimal() for item in value.values()):
        raise RefusedRequestError("property DelegatedAdministrators must map services to account ids")
    return value
