"""Whose user somebody is: said by providers and administrators, never by users."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shape_token import handler
from shape_token.handler import ROLES, NoTenantError, handle, role_of, tenant_of

PROVIDERS = {"Initech": "initech", "Umbrella": "umbrella"}


def _identities(*providers: str) -> str:
    return json.dumps([{"userId": "7", "providerName": name, "primary": True} for name in providers])


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    handler._provider_tenants.cache_clear()
    monkeypatch.setenv("PROVIDER_TENANTS", json.dumps(PROVIDERS))
    yield
    handler._provider_tenants.cache_clear()


def _event(groups: list[str], **attributes: str) -> dict[str, Any]:
    return {
        "version": "2",
        "triggerSource": "TokenGeneration_HostedAuth",
        "request": {
            "userAttributes": {"sub": "0f-1", "email": "jane@initech.example", **attributes},
            "groupConfiguration": {"groupsToOverride": groups},
        },
        "response": {"claimsAndScopeOverrideDetails": None},
    }


def _claims(event: dict[str, Any]) -> dict[str, str]:
    answer = handle(event, None)["response"]["claimsAndScopeOverrideDetails"]
    assert set(answer) == {"accessTokenGeneration"}, "the id token stays as Cognito made it"
    assert set(answer["accessTokenGeneration"]) == {"claimsToAddOrOverride"}
    found: dict[str, str] = answer["accessTokenGeneration"]["claimsToAddOrOverride"]
    return found


def test_invited_user_gets_the_tenant_that_an_administrator_wrote() -> None:
    assert _claims(_event(["editor"], **{"custom:tenant": "acme"})) == {"tenant": "acme", "role": "editor"}


def test_federated_user_gets_the_tenant_of_the_provider() -> None:
    assert _claims(_event([], identities=_identities("Initech"))) == {"tenant": "initech", "role": "reader"}


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"custom:tenant": ""},
        {"tenant": "initech"},
        {"identities": "not json"},
        {"identities": "7"},
        {"identities": _identities("Google")},
        {"identities": _identities("initech")},
        {"identities": _identities("Initech", "Umbrella")},
        {"identities": _identities("Initech"), "custom:tenant": "umbrella"},
        {"custom:tenant": "*"},
        {"custom:tenant": "initech/umbrella"},
        {"custom:tenant": "INITECH"},
        {"name": "Initech", "email": "boss@initech.example"},
    ],
)
def test_refuses_whoever_belongs_to_nobody_or_to_two(attributes: dict[str, str]) -> None:
    with pytest.raises(NoTenantError):
        handle(_event(["administrator"], **attributes), None)


def test_google_user_needs_an_administrators_word() -> None:
    attributes = {"identities": _identities("Google"), "custom:tenant": "acme"}
    assert _claims(_event([], **attributes))["tenant"] == "acme"


@given(st.lists(st.sampled_from([*ROLES, "Administrator", "admin", "eu-west-1_x_Google"])))
def test_the_most_powerful_group_counts_and_none_means_reader(groups: list[str]) -> None:
    expected = next((role for role in ROLES if role in groups), "reader")
    assert role_of(groups) == expected


@given(st.dictionaries(st.sampled_from(["custom:tenant", "identities", "email", "name"]), st.text()))
def test_never_invents_a_tenant(attributes: dict[str, str]) -> None:
    with contextlib.suppress(NoTenantError):
        assert tenant_of(attributes, PROVIDERS) == attributes.get("custom:tenant")


def test_logs_no_address(capsys: pytest.CaptureFixture[str]) -> None:
    handle(_event([], **{"custom:tenant": "acme"}), None)
    out = capsys.readouterr()
    assert "jane" not in out.out + out.err
