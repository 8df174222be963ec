"""Set-up: refuses an unfit machine with every reason, and finishes what was interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops import setup


def test_refuses_an_old_python_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "OLDEST", (99, 0))
    assert setup.main() == 1
    assert "make PYTHON3=" in capsys.readouterr().err


def test_a_finished_step_is_not_done_again_and_an_interrupted_one_is(tmp_path: Path) -> None:
    lock, folder, done = tmp_path / "lock", tmp_path / "tools", []
    lock.write_text("one")

    def fail() -> None:
        folder.mkdir(exist_ok=True)
        raise setup.SetupError("no network")

    with pytest.raises(setup.SetupError):
        setup._step("tools", folder, [lock], fail)
    assert setup._step("tools", folder, [lock], lambda: done.append(1)) is True
    assert setup._step("tools", folder, [lock], lambda: done.append(2)) is False
    lock.write_text("two")
    assert setup._step("tools", folder, [lock], lambda: done.append(3)) is True
    assert done == [1, 3]


@pytest.mark.parametrize(("argument", "status"), [("--help", 0), ("layer", 2)])
def test_help_and_mistakes_install_nothing(
    argument: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["setup.py", argument])
    monkeypatch.setattr(setup, "_step", lambda *_, **__: pytest.fail("something was installed"))
    assert setup.main() == status
    assert "usage:" in capsys.readouterr().out


@pytest.mark.parametrize(("there", "environments"), [(True, []), (False, ["main", "rehearsal"])])
def test_layers_sets_up_everything_where_nothing_is(
    there: bool, environments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    uv = tmp_path / "uv"
    if there:
        uv.touch()
    monkeypatch.setattr("sys.argv", ["setup.py", "layers"])
    monkeypatch.setattr(setup, "_uv", lambda: uv)
    monkeypatch.setattr(setup, "_environment", lambda name, *_: made.append(name))
    for step in ("_command_line_tools", "_layers", "_postgres", "_warm"):
        monkeypatch.setattr(setup, step, lambda: False)
    assert setup.main() == 0
    assert made == environments


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["setup.py"])
    monkeypatch.setattr(setup, "LOG", tmp_path / "absent" / "build" / "setup.log")
    assert setup.main() == 1
    said = capsys.readouterr().err
    assert said.startswith("set-up stopped: ")
    assert str(setup.LOG.parent) in said
