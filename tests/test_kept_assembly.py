"""The kept assembly is made anew whenever anything changes that synthesis reads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.kept_assembly import ROOT, covers

_READ = """
import os, runpy, sys
seen = set()
def watch(event, arguments):
    if event in {"open", "os.listdir", "os.scandir"} and isinstance(arguments[0], (str, bytes, os.PathLike)):
        seen.add(os.path.realpath(os.fsdecode(arguments[0])))
sys.addaudithook(watch)
sys.argv = ["app.py"]
runpy.run_path("app.py", run_name="__main__")
seen |= {os.path.realpath(one.__file__) for one in sys.modules.values() if getattr(one, "__file__", None)}
sys.stdout.write("\\n".join(seen))
"""


def test_synthesis_reads_nothing_that_the_digest_leaves_out(tmp_path: Path) -> None:
    environment = {**os.environ, "CDK_OUTDIR": str(tmp_path), "CDK_VALIDATION": "false"}
    read = subprocess.run(
        [sys.executable, "-c", _READ], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    ).stdout
    own = [Path(line) for line in read.splitlines() if Path(line).is_relative_to(ROOT)]
    own = [one for one in own if not {".venv", "node_modules", "__pycache__"} & set(one.parts)]
    assert ROOT / "stacks" / "names.py" in own
    assert [str(one) for one in own if not covers(one) and one != ROOT] == []
