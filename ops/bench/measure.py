"""Runs a command and measures what a person would feel: wall-clock seconds, and the peak memory of all its processes."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.05


class BenchError(Exception):
    """A measured command failed; the message holds its last lines."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run: seconds, and megabytes resident in the whole process tree at its largest."""

    seconds: float
    megabytes: float


def measure(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str] | None = None) -> Run:
    """Run ``command`` once.

    Memory is sampled from /proc, so it is 0 on systems without it.

    Raises:
        BenchError: the command did not end with status 0.
    """
    started = time.perf_counter()
    with subprocess.Popen(
        command, cwd=cwd, env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        peak = [0]
        watcher = threading.Thread(target=_watch, args=(process, peak), daemon=True)
        watcher.start()
        output, _ = process.communicate()
        seconds = time.perf_counter() - started
        watcher.join()
    if process.returncode:
        last = output.decode(errors="replace").strip().splitlines()[-8:]
        raise BenchError(f"{' '.join(command)} ended with status {process.returncode}:\n  " + "\n  ".join(last))
    return Run(seconds=seconds, megabytes=peak[0] / 1e6)


def _watch(process: subprocess.Popen[bytes], peak: list[int]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], _resident(process.pid))
        time.sleep(SAMPLE_SECONDS)


def _resident(root: int) -> int:
    children: dict[int, list[int]] = {}
    resident: dict[int, int] = {}
    page = os.sysconf("SC_PAGE_SIZE")
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            status = (entry / "stat").read_text().rpartition(")")[2].split()
            resident[int(entry.name)] = int((entry / "statm").read_text().split()[1]) * page
        except (OSError, IndexError):
            continue
        children.setdefault(int(status[1]), []).append(int(entry.name))
    total, waiting = 0, [root]
    while waiting:
        process = waiting.pop()
        total += resident.get(process, 0)
        waiting.extend(children.get(process, []))
    return total
