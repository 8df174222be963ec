"""A configuration file that Python cannot run: one error with file, line and fix, never a traceback."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import pytest

import config
from stacks import configured
from stacks.configured import value_of
from stacks.settings import ConfigError, Waiver, check_waivers

_WAIVER = Waiver(control="a.b.c", where="dev-data/Key", reason="x", owner="a@example.com", expires=date(2027, 3, 31))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(config, "__path__", [str(tmp_path)])
    monkeypatch.setattr(configured, "CONFIG", tmp_path)
    monkeypatch.delitem(sys.modules, "config.broken", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("from ipaddress import IPv4Network\nA = IPv4Network('10.0.0.1/16')\n", "10.0.0.1/16 has host bits set"),
        ("from stacks.settings import Domain\nA = Domain(nmae='a')\n", "unexpected keyword argument 'nmae'"),
        ("\nA = (\n", "was never closed"),
        ("\nA = Stage()\n", "name 'Stage' is not defined"),
    ],
)
def test_says_file_line_and_reason(folder: Path, text: str, said: str) -> None:
    (folder / "broken.py").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        value_of("broken", "A")
    (problem,) = refused.value.problems
    assert problem.startswith("config/broken.py, line 2: ")
    assert said in problem


def test_says_what_the_file_says(folder: Path) -> None:
    (folder / "broken.py").write_text("A = 1\n", encoding="utf-8")
    assert value_of("broken", "A") == 1
    assert value_of("broken", "B") is None


def test_accepts_waivers() -> None:
    assert check_waivers((_WAIVER,)) == (_WAIVER,)


@pytest.mark.parametrize(
    ("waivers", "said"),
    [
        ([], "WAIVERS is []; it must be a tuple"),
        (("x",), "WAIVERS[0] is 'x'; it must be of type Waiver"),
        (
            (Waiver(**{**vars(_WAIVER), "expires": "2027-03-31"}),),
            "WAIVERS[0].expires is '2027-03-31'; it must be of type date. Write date(2027, 3, 31).",
        ),
    ],
)
def test_refuses_what_is_no_waiver(waivers: object, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_waivers(waivers)
    assert said in str(refused.value)
