"""Features of the organization: on, checked, and never turned off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from palisade_runtime.custom_resource import RefusedRequestError, Request
from set_organization_features.handler import enable


class Organizations:
    """An organization with some policy types on; a type becomes enabled after ``delay`` looks."""

    def __init__(self, *types: str, delay: int = 0) -> None:
        self.types = dict.fromkeys(types, "ENABLED")
        self.trusted: list[str] = []
        self.administrators: dict[str, set[str]] = {}
        self.calls: list[str] = []
        self._delay = delay

    def list_roots(self) -> dict[str, Any]:
        if "PENDING_ENABLE" in self.types.values():
            self._delay -= 1
            if self._delay < 0:
                self.types = dict.fromkeys(self.types, "ENABLED")
        return {"Roots": [{"Id": "r-ab12", "PolicyTypes": [{"Type": t, "Status": s} for t, s in self.types.items()]}]}

    def enable_policy_type(self, **given: str) -> None:
        assert given == {"RootId": "r-ab12", "PolicyType": given["PolicyType"]}
        assert given["PolicyType"] not in self.types, "AWS refuses to enable a type twice"
        self.types[given["PolicyType"]] = "PENDING_ENABLE"
        self.calls.append("enable_policy_type")

    def enable_aws_service_access(self, **given: str) -> None:
        self.trusted.append(given["ServicePrincipal"])

    def list_delegated_administrators(self, **given: str) -> dict[str, Any]:
        found = self.administrators.get(given["ServicePrincipal"], set())
        return {"DelegatedAdministrators": [{"Id": account} for account in sorted(found)]}

    def register_delegated_administrator(self, **given: str) -> None:
        found = self.administrators.setdefault(given["ServicePrincipal"], set())
        assert given["AccountId"] not in found, "AWS refuses to register an account twice"
        found.add(given["AccountId"])


def _request(kind: str = "Create", more: Mapping[str, object] | None = None) -> Request:
    properties = {
        "PolicyTypes": ["RESOURCE_CONTROL_POLICY", "SERVICE_CONTROL_POLICY"],
        "TrustedServices": ["cloudtrail.amazonaws.com"],
        "DelegatedAdministrators": {"config.amazonaws.com": "333333333333"},
        **(more or {}),
    }
    return Request(kind=kind, properties=properties, physical_id=None)


def _enable(request: Request, organizations: Organizations) -> str:
    return enable(request, organizations, lambda _seconds: None).physical_id


def test_enables_what_is_off_and_leaves_the_rest() -> None:
    organizations = Organizations("SERVICE_CONTROL_POLICY", "TAG_POLICY")
    _enable(_request(), organizations)
    assert set(organizations.types) == {"SERVICE_CONTROL_POLICY", "TAG_POLICY", "RESOURCE_CONTROL_POLICY"}
    assert organizations.trusted == ["cloudtrail.amazonaws.com"]
    assert organizations.administrators == {"config.amazonaws.com": {"333333333333"}}


def test_doing_it_twice_is_the_same_resource() -> None:
    organizations = Organizations()
    assert _enable(_request(), organizations) == _enable(_request("Update"), organizations)


def test_waits_until_a_type_is_enabled() -> None:
    organizations = Organizations(delay=3)
    _enable(_request(), organizations)
    assert set(organizations.types.values()) == {"ENABLED"}


def test_says_which_type_stayed_off() -> None:
    with pytest.raises(RefusedRequestError, match="RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY"):
        _enable(_request(), Organizations(delay=99))


def test_deletion_disables_nothing() -> None:
    organizations = Organizations()
    _enable(_request(), organizations)
    _enable(_request("Delete"), organizations)
    assert organizations.types
    assert organizations.administrators


@pytest.mark.parametrize(
    "wrong",
    [
        {"PolicyTypes": None},
        {"PolicyTypes": "SERVICE_CONTROL_POLICY"},
        {"TrustedServices": [3]},
        {"DelegatedAdministrators": ["333333333333"]},
        {"DelegatedAdministrators": {"config.amazonaws.com": "security"}},
    ],
)
def test_refuses_what_it_cannot_read(wrong: dict[str, object]) -> None:
    organizations = Organizations()
    with pytest.raises(RefusedRequestError, match=next(iter(wrong))):
        _enable(_request(more=wrong), organizations)
    assert not organizations.calls
