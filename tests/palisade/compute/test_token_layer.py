"""The token layer: what is packed is what the lock pins."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from palisade.compute import TokenLayer


def _fetched(folder: Path, lock: str, code: str) -> Path:
    (folder / "python" / "jwt").mkdir(parents=True)
    (folder / "python" / "jwt" / "__init__.py").write_text(code, encoding="utf-8")
    (folder / "lock.txt").write_text(lock, encoding="utf-8")
    return folder


def _template(lock: Path, files: Path) -> dict[str, object]:
    stack = cdk.Stack(cdk.App(), "Test")
    TokenLayer(stack, "Token", lock=lock, files=files)
    return dict(assertions.Template.from_stack(stack).to_json())


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "layer-token.txt"
    file.write_text("pyjwt==1 --hash=sha256:00", encoding="utf-8")
    return file


def test_refuses_an_absent_layer_and_says_how_to_fetch_it(tmp_path: Path, lock: Path) -> None:
    with pytest.raises(ValueError, match=r'is not there. Run "make layers"'):
        _template(lock, tmp_path / "nothing")


def test_refuses_a_layer_that_was_fetched_for_another_lock(tmp_path: Path, lock: Path) -> None:
    files = _fetched(tmp_path / "token", "pyjwt==2", "")
    with pytest.raises(ValueError, match=r'is not what .*layer-token.txt pins. Run "make layers"'):
        _template(lock, files)


def test_the_lock_alone_decides_the_version_of_the_layer(tmp_path: Path, lock: Path) -> None:
    wanted = lock.read_text(encoding="utf-8")
    first = _template(lock, _fetched(tmp_path / "first", wanted, "fetched = 'here'"))
    second = _template(lock, _fetched(tmp_path / "second", wanted, "fetched = 'elsewhere'"))
    assert first == second
    lock.write_text("pyjwt==2", encoding="utf-8")
    assert first != _template(lock, _fetched(tmp_path / "third", "pyjwt==2", ""))
