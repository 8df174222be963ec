"""How template properties become the input of a service operation."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.emulator import engine
from rehearsal.emulator.spec import SPECS, Context, Spec


class _Client:
    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def call(**params: Any) -> dict[str, Any]:
            self.calls.append((name, params))
            return {"Allocation": "eip-1", "PublicIp": "192.0.2.1"}

        return call


def _context(client: _Client) -> Context:
    return Context(
        logical_id="Thing", stack="stack", account="111111111111", region="eu-west-1", client=lambda _service: client
    )


def _with(monkeypatch: pytest.MonkeyPatch, **rest: Any) -> Spec:
    spec = Spec(type="Test::Thing", **rest)
    monkeypatch.setitem(SPECS, "Test::Thing", spec)
    return spec


def test_maps_properties_onto_the_service_model_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    client, seen = _Client(), set[str]()
    _with(monkeypatch, service="ec2", create="allocate_address", id="PublicIp", attributes={"Id": "Allocation"})
    made = engine.create("Test::Thing", {"domain": "vpc"}, _context(client), seen)
    assert made == ("192.0.2.1", {"Id": "eip-1"})
    assert client.calls == [("allocate_address", {"Domain": "vpc"})]


def test_a_property_the_service_does_not_know_counts_as_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    client, seen = _Client(), set[str]()
    _with(monkeypatch, service="ec2", create="allocate_address", id="PublicIp")
    engine.create("Test::Thing", {"Domain": "vpc", "Invented": "x"}, _context(client), seen)
    assert "Domain*" in seen
    assert not any(path.startswith("Invented") for path in seen)


def test_a_recorded_type_is_checked_against_the_service_model(monkeypatch: pytest.MonkeyPatch) -> None:
    _with(monkeypatch, service="shield", create="create_protection_group", id=lambda *_: "made", recorded=True)
    with pytest.raises(ValueError, match="shield:create_protection_group would refuse") as refusal:
        engine.create("Test::Thing", {"Aggregation": "AVERAGE"}, _context(_Client()), set())
    assert "AVERAGE" in str(refusal.value)
    assert "ProtectionGroupId" in str(refusal.value)


def test_coerces_what_templates_write_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    client = _Client()
    _with(monkeypatch, service="ec2", create="create_network_acl_entry", id=lambda *_: "entry")
    properties = {"NetworkAclId": "acl-1", "RuleNumber": "100", "Egress": "true", "Protocol": 6, "RuleAction": "allow"}
    engine.create("Test::Thing", properties, _context(client), set())
    assert client.calls[0][1]["RuleNumber"] == 100
    assert client.calls[0][1]["Egress"] is True
    assert client.calls[0][1]["Protocol"] == "6"


def test_replaces_before_it_deletes(monkeypatch: pytest.MonkeyPatch) -> None:
    client = _Client()
    _with(
        monkeypatch,
        service="ec2",
        create="allocate_address",
        id="PublicIp",
        delete="release_address",
        delete_with=lambda identity, _p, _a: {"PublicIp": identity},
    )
    engine.update("Test::Thing", "192.0.2.9", {}, {"Domain": "vpc"}, attributes={}, context=_context(client))
    assert [name for name, _ in client.calls] == ["allocate_address", "release_address"]
    assert client.calls[1][1] == {"PublicIp": "192.0.2.9"}
