"""The addresses command: the plan from configuration alone, the egress addresses from the deployed parameter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from ops import addresses
from ops.addresses import egress_document, free_blocks, main, plan
from ops.places import OpsError
from stacks.names import Names
from tests.fixture_deployment import FIXTURE

STAGE = FIXTURE.stages[0]


@pytest.fixture
def ssm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(addresses, "account_in_use", lambda: STAGE.account)
    with mock_aws():
        yield boto3.client("ssm", region_name=FIXTURE.home.name)


def publish(ssm: Any, value: str) -> None:
    name = Names(FIXTURE).parameter("network", "egress-addresses")
    ssm.put_parameter(Name=name, Type="StringList", Value=value)


def test_plan_shows_every_stage_and_tier_and_blocks_that_are_free() -> None:
    text = "\n".join(plan(FIXTURE))
    for stage in FIXTURE.stages:
        assert f"{stage.name:<15}{stage.network}" in text
    assert text.count("application") == len(FIXTURE.stages)
    assert not any(block.overlaps(stage.network) for block in free_blocks(FIXTURE) for stage in FIXTURE.stages)


def test_document_holds_the_deployed_addresses(ssm: Any) -> None:
    publish(ssm, "203.0.113.5,203.0.113.6")
    assert egress_document(FIXTURE, STAGE) == {
        "stage": STAGE.name,
        "region": FIXTURE.home.name,
        "egress_addresses": ["203.0.113.5", "203.0.113.6"],
    }


def test_says_what_to_do_before_the_first_deployment(ssm: Any) -> None:
    del ssm
    with pytest.raises(OpsError, match=f"Deploy {STAGE.name}-network first"):
        egress_document(FIXTURE, STAGE)


def test_refuses_what_is_no_address(ssm: Any) -> None:
    publish(ssm, "203.0.113.5,elsewhere")
    with pytest.raises(OpsError, match="does not hold addresses"):
        egress_document(FIXTURE, STAGE)


def test_refuses_credentials_of_another_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "account_in_use", lambda: "999999999999")
    with pytest.raises(OpsError, match="Switch profile"):
        egress_document(FIXTURE, STAGE)


def test_writes_the_file(
    ssm: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(ssm, "203.0.113.5")
    monkeypatch.setattr(addresses, "deployment_of", lambda _: FIXTURE)
    target = tmp_path / "addresses.json"
    assert main([STAGE.name, "--out", str(target)]) == 0
    assert json.loads(target.read_text(encoding="utf-8"))["egress_addresses"] == ["203.0.113.5"]
    assert "203.0.113.5" in capsys.readouterr().out


def test_unknown_stage_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(addresses, "deployment_of", lambda _: FIXTURE)
    assert main(["nowhere"]) == 1
    assert "Choose one of dev, prod" in capsys.readouterr().err
