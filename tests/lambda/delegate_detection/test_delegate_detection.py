"""The security account's appointment: complete, once, and never against somebody else's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from delegate_detection.handler import delegate
from palisade_runtime.custom_resource import RefusedRequestError, Request

ADMIN, REGIONS = "333333333333", ["eu-west-1", "us-east-1"]


class Organization:
    """What the services know of the organization; every call that changes something is written down."""

    def __init__(self, holders: dict[str, str] | None = None, trusted: set[str] | None = None) -> None:
        self.holders = holders or {}
        self.trusted = trusted or set()
        self.root: set[str] = set()
        self.changes: list[str] = []

    def client(self, service: str, region: str | None) -> Any:
        return Service(self, service, region)


class Service:
    """One client; ``post`` is where an administrator is appointed."""

    def __init__(self, organization: Organization, name: str, region: str | None) -> None:
        self._all, self._name, self._post = organization, name, f"{name} {region}"

    def get_paginator(self, _operation: str) -> Any:
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [{"EnabledServicePrincipals": [{"ServicePrincipal": name} for name in self._all.trusted]}]

    def enable_aws_service_access(self, *, ServicePrincipal: str) -> None:  # noqa: N803
        self._all.changes.append(f"trust {ServicePrincipal}")
        self._all.trusted.add(ServicePrincipal)

    def _held(self, post: str) -> list[str]:
        return [self._all.holders[post]] if post in self._all.holders else []

    def _appoint(self, post: str, account: str) -> None:
        self._all.changes.append(f"appoint {post}")
        self._all.holders[post] = account

    def list_delegated_administrators(self, *, ServicePrincipal: str) -> dict[str, Any]:  # noqa: N803
        return {"DelegatedAdministrators": [{"Id": account} for account in self._held(ServicePrincipal)]}

    def register_delegated_administrator(self, *, AccountId: str, ServicePrincipal: str) -> None:  # noqa: N803
        self._appoint(ServicePrincipal, AccountId)

    def list_organization_admin_accounts(self) -> dict[str, Any]:
        found = self._held(self._post)
        return {
            "AdminAccounts": [{"AdminAccountId": account} for account in found],
            "adminAccounts": [{"accountId": account} for account in found],
        }

    def list_delegated_admin_accounts(self) -> dict[str, Any]:
        return {"delegatedAdminAccounts": [{"accountId": account} for account in self._held(self._post)]}

    def enable_organization_admin_account(self, **given: str) -> None:
        self._appoint(self._post, next(iter(given.values())))

    def enable_delegated_admin_account(self, *, delegatedAdminAccountId: str) -> None:  # noqa: N803
        self._appoint(self._post, delegatedAdminAccountId)

    def list_organizations_features(self) -> dict[str, Any]:
        return {"EnabledFeatures": sorted(self._all.root)}

    def enable_organizations_root_credentials_management(self) -> None:
        self._all.changes.append("root credentials")
        self._all.root.add("RootCredentialsManagement")

    def enable_organizations_root_sessions(self) -> None:
        self._all.changes.append("root sessions")
        self._all.root.add("RootSessions")


def _request(kind: str = "Create", more: Mapping[str, object] | None = None) -> Request:
    properties = {
        "Administrator": ADMIN,
        "Regions": REGIONS,
        "MacieRegions": REGIONS,
        "TrustedServices": ["guardduty.amazonaws.com", "config.amazonaws.com"],
        "DelegatedServices": ["config.amazonaws.com"],
        **(more or {}),
    }
    return Request(kind=kind, properties=properties, physical_id=None if kind == "Create" else "x")


def test_lets_services_in_before_it_appoints_and_leaves_no_region_out() -> None:
    organization = Organization()
    delegate(_request(), organization.client)
    posts = {f"{name} {region}" for name in ("guardduty", "inspector2", "macie2") for region in REGIONS}
    assert set(organization.holders) == posts | {"config.amazonaws.com"}
    assert set(organization.holders.values()) == {ADMIN}
    assert organization.root == {"RootCredentialsManagement", "RootSessions"}
    trusts = [change for change in organization.changes if change.startswith("trust")]
    assert organization.changes[: len(trusts)] == trusts


def test_doing_it_twice_changes_nothing_more() -> None:
    organization = Organization()
    first = delegate(_request(), organization.client)
    organization.changes.clear()
    assert delegate(_request("Update"), organization.client) == first
    assert organization.changes == []


def test_refuses_to_replace_another_administrator_and_appoints_nobody() -> None:
    organization = Organization(holders={"macie2 us-east-1": "999999999999"})
    with pytest.raises(RefusedRequestError, match=r"Macie in us-east-1 has 999999999999"):
        delegate(_request(), organization.client)
    assert not [change for change in organization.changes if change.startswith("appoint")]


def test_deletion_switches_nothing_off() -> None:
    organization = Organization()
    delegate(_request(), organization.client)
    organization.changes.clear()
    delegate(_request("Delete"), organization.client)
    assert organization.changes == []
    assert organization.holders


@pytest.mark.parametrize("name", ["Regions", "TrustedServices", "DelegatedServices", "Administrator"])
def test_refuses_a_request_that_leaves_something_open(name: str) -> None:
    with pytest.raises(RefusedRequestError, match=name):
        delegate(_request(more={name: []}), Organization().client)
