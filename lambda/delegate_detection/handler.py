"""Lets detection services into the organization and appoints their administrator, in every region.

CloudFormation has no type for trusted access, for delegated administrators but Security Hub's, nor for central root
access. Idempotent; deletion of the custom resource leaves everything as it is, so that tearing a stack down never
switches evidence off.

Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_delegated_admin.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import boto3
from palisade_runtime.custom_resource import Context, Outcome, RefusedRequestError, Request, respond

Clients = Callable[[str, str | None], Any]
"""A client by service and region (None for services without regions)."""


def handle(event: Mapping[str, Any], context: Context) -> None:
    """Called by CloudFormation with ``Administrator``, ``Regions``, ``MacieRegions``, ``TrustedServices`` and
    ``DelegatedServices``."""
    respond(event, context, service="delegate_detection", act=lambda request: delegate(request, _client))


def _client(service: str, region: str | None) -> Any:
    return boto3.client(service, region_name=region)


def delegate(request: Request, clients: Clients) -> Outcome:
    """Let services in, appoint the administrator, and turn central root access on, unless the resource is being deleted.

    Raises:
        RefusedRequestError: a property is malformed, or a service already has another administrator.
    """
    administrator = request.text("Administrator")
    outcome = Outcome(physical_id=f"detection-by-{administrator}")
    if request.kind == "Delete":
        return outcome
    organizations = clients("organizations", None)
    _let_in(organizations, request.texts("TrustedServices"))
    vacant: list[Callable[[], object]] = []
    others: list[str] = []
    for where, found, appoint in _offices(request, organizations, clients):
        if not found:
            vacant.append(appoint)
        elif administrator not in found:
            others.append(f"{where} has {', '.join(found)}")
    if others:
        raise RefusedRequestError(f"another account is administrator, deregister it first: {'; '.join(others)}")
    for appoint in vacant:
        appoint()
    _manage_root(clients("iam", None))
    return outcome


def _let_in(organizations: Any, services: list[str]) -> None:
    pages = organizations.get_paginator("list_aws_service_access_for_organization").paginate()
    inside = {entry["ServicePrincipal"] for page in pages for entry in page["EnabledServicePrincipals"]}
    for service in services:
        if service not in inside:
            organizations.enable_aws_service_access(ServicePrincipal=service)


def _offices(
    request: Request, organizations: Any, clients: Clients
) -> Iterator[tuple[str, list[str], Callable[[], object]]]:
    """Each post: where, who holds it, and how to appoint the administrator."""
    administrator = request.text("Administrator")
    for service in request.texts("DelegatedServices"):
        holders = organizations.list_delegated_administrators(ServicePrincipal=service)["DelegatedAdministrators"]
        appoint = organizations.register_delegated_administrator
        yield (
            service,
            [holder["Id"] for holder in holders],
            partial(appoint, AccountId=administrator, ServicePrincipal=service),
        )
    for region in request.texts("Regions"):
        guardduty, inspector = clients("guardduty", region), clients("inspector2", region)
        yield (
            f"GuardDuty in {region}",
            [one["AdminAccountId"] for one in guardduty.list_organization_admin_accounts()["AdminAccounts"]],
            partial(guardduty.enable_organization_admin_account, AdminAccountId=administrator),
        )
        yield (
            f"Inspector in {region}",
            [one["accountId"] for one in inspector.list_delegated_admin_accounts()["delegatedAdminAccounts"]],
            partial(inspector.enable_delegated_admin_account, delegatedAdminAccountId=administrator),
        )
    for region in request.texts("MacieRegions"):
        macie = clients("macie2", region)
        yield (
            f"Macie in {region}",
            [one["accountId"] for one in macie.list_organization_admin_accounts()["adminAccounts"]],
            partial(macie.enable_organization_admin_account, adminAccountId=administrator),
        )


def _manage_root(iam: Any) -> None:
    on = iam.list_organizations_features()["EnabledFeatures"]
    if "RootCredentialsManagement" not in on:
        iam.enable_organizations_root_credentials_management()
    if "RootSessions" not in on:
        iam.enable_organizations_root_sessions()
