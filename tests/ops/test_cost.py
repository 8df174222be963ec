"""Cost: fixed prices by owner, from the templates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assembly import Assembly
from ops.cost.__main__ import main
from ops.cost.prices import AREAS, BY_USE, DESCRIBED, PRICES
from ops.cost.report import report


def test_knows_a_price_for_every_type_the_library_makes(assembly: Assembly) -> None:
    assert report(assembly).unknown_types == ()


def test_three_nat_gateways_cost_three_times_one(assembly: Assembly) -> None:
    bills = {bill.owner: bill for bill in report(assembly).bills}
    price = {
        owner: item.dollars for owner in ("dev", "prod") for item in bills[owner].items if "NatGateway" in item.type
    }
    assert price["prod"] == pytest.approx(3 * price["dev"])


def test_a_database_that_pauses_has_no_fixed_price(assembly: Assembly) -> None:
    bills = {bill.owner: bill for bill in report(assembly).bills}
    assert not [item for item in bills["dev"].items if item.type == "AWS::RDS::DBCluster"]
    (cluster,) = [item for item in bills["prod"].items if item.type == "AWS::RDS::DBCluster"]
    assert cluster.dollars == pytest.approx(0.14 * 730 * 1.0 * 3)


def test_dearest_items_come_first(assembly: Assembly) -> None:
    for bill in report(assembly).bills:
        dollars = [item.dollars for item in bill.items]
        assert dollars == sorted(dollars, reverse=True)


def test_warns_of_a_type_and_of_a_region_without_a_price(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    template = {"Resources": {"Warehouse": {"Type": "AWS::Redshift::Cluster", "Properties": {}}}}
    (tmp_path / "foreign.template.json").write_text(json.dumps(template))
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://123456789012/ap-southeast-2",
        "properties": {"templateFile": "foreign.template.json"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"foreign": stack}}))
    assert main(["--assembly", str(tmp_path)]) == 0
    warnings = capsys.readouterr().err
    assert "AWS::Redshift::Cluster" in warnings
    assert "ap-southeast-2" in warnings


def test_says_where_the_assembly_should_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--assembly", str(tmp_path / "nowhere")]) == 1
    assert "make synth" in capsys.readouterr().err


def test_no_type_is_both_priced_and_free() -> None:
    assert not BY_USE & PRICES.keys()
    assert DESCRIBED.keys() <= PRICES.keys()
    assert set(AREAS.values()) == {"us", "ie", "de"}
