"""What runs apart: out of Ctrl-C's reach, and gone with everything it wrote when its caller is struck."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from ops.places import apart

_WAITS = "import tempfile, time; tempfile.mkdtemp(); time.sleep(60)"


def test_an_interrupted_caller_leaves_no_process_and_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    running = apart([sys.executable, "-c", _WAITS], os.environ)
    child = running.__enter__()
    assert os.getsid(child.pid) != os.getsid(0)
    assert not running.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert child.returncode is not None
    assert child.returncode < 0
    assert list(tmp_path.iterdir()) == []


def test_what_ends_by_itself_gives_its_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with apart([sys.executable, "-c", "import sys; sys.exit(3)"], os.environ) as child:
        assert child.wait() == 3
    assert list(tmp_path.iterdir()) == []
