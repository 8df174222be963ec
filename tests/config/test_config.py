"""The fork's own configuration: values only, valid, and with no waiver that the gate would refuse out of hand."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from config.waivers import WAIVERS
from gate.control import CONTROLS
from gate.judge import controls_for
from stacks.configured import deployment_named
from stacks.settings import Waiver
from stacks.synthesis import chosen_deployment, new_app

_CONFIG = Path(__file__).resolve().parents[2] / "config"
_FILES = sorted(_CONFIG.rglob("*.py"))
_DEPLOYMENTS = sorted(path.stem for path in _CONFIG.glob("*.py") if path.stem not in {"__init__", "waivers"})
_LOGIC = (
    ast.If, ast.IfExp, ast.For, ast.While, ast.Try, ast.With, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Match,
)  # fmt: skip


@pytest.mark.parametrize("file", _FILES, ids=lambda file: str(file.relative_to(_CONFIG)))
def test_holds_values_only(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    logic = [f"line {node.lineno}: {type(node).__name__}" for node in ast.walk(tree) if isinstance(node, _LOGIC)]
    assert not logic, f"{file.name} decides something; config/ holds values, code belongs into stacks/: {logic}"
    modules = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    foreign = {name for name in modules if name.split(".")[0] not in {"stacks", "ipaddress", "datetime", "config"}}
    assert not foreign, f"{file.name} imports {foreign}; it may import types only, so that synthesis reads nothing else"


@pytest.mark.parametrize("name", _DEPLOYMENTS)
def test_is_valid(name: str) -> None:
    assert deployment_named(name, place="").name == name


def test_the_reference_is_chosen_unless_another_is_named() -> None:
    assert chosen_deployment(new_app()).name == "reference"


@pytest.mark.parametrize("waiver", WAIVERS, ids=lambda waiver: f"{waiver.control} {waiver.where}")
def test_a_waiver_names_a_control_that_exists(waiver: Waiver) -> None:
    assert controls_for("AWS::S3::Bucket")
    assert waiver.control in CONTROLS, '".venv/bin/python -m gate controls" lists them'
