"""What the person at the terminal sees: a live line on a terminal, plain lines elsewhere, a table and a last line."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(kw_only=True)
class Row:
    """One stack of the summary table."""

    stack: str
    account: str
    region: str
    resources: int
    created: int = 0
    recorded: int = 0
    checks: int = 0
    passed: int = 0
    changed: int = 0
    retained: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    failed: bool = False


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What became of a scenario: how often it found something to try, and whether a promise was broken."""

    times: int = 0
    broken: bool = False
    seconds: float = 0.0


class Progress:
    """Prints as the rehearsal goes on."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._width = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def step(self, phase: str, done: int, total: int, what: str) -> None:
        """One stack or check further."""
        text = f"{self.seconds:6.1f} s  {phase:<8} {done}/{total}  {what}"
        with self._lock:
            if self._live:
                self._stream.write("\r" + text[:118].ljust(self._width))
                self._width = max(self._width, min(len(text), 118))
            else:
                self._stream.write(text + "\n")
            self._stream.flush()

    def line(self, text: str) -> None:
        """A line that stays."""
        with self._lock:
            if self._live and self._width:
                self._stream.write("\r" + " " * self._width + "\r")
                self._width = 0
            self._stream.write(text + "\n")
            self._stream.flush()

    def table(self, rows: list[Row]) -> None:
        """The summary, one line per stack."""
        width = max([len(row.stack) for row in rows] + [5])
        head = f"{'stack':<{width}}  {'account':<12}  {'region':<14}  {'resources':>13}  {'checks':>9}  "
        self.line("")
        self.line(head + f"{'changed':>7}  {'retained':>8}  {'create':>6}  {'update':>6}  {'delete':>6}")
        for row in rows:
            made = f"{row.created}/{row.resources}" + (f" ({row.recorded})" if row.recorded else "")
            times = "  ".join(f"{row.seconds.get(phase, 0.0):>6.1f}" for phase in ("create", "update", "delete"))
            mark = "  FAILED" if row.failed else ""
            self.line(
                f"{row.stack:<{width}}  {row.account:<12}  {row.region:<14}  {made:>13}  "
                f"{f'{row.passed}/{row.checks}':>9}  {row.changed:>7}  {row.retained:>8}  {times}{mark}"
            )

    def scenarios(self, tried: Mapping[str, Tried]) -> None:
        """What was lived through end to end, one line a scenario."""
        if any(one.times or one.broken for one in tried.values()):
            self.line("\nlived through")
        for says, one in tried.items():
            if one.times or one.broken:
                self.line(f"  {'BROKEN' if one.broken else 'ok':<6} {one.seconds:>5.1f} s  {says}")
        idle = sum(not (one.times or one.broken) for one in tried.values())
        if idle:
            self.line(f"  {idle} more found nothing deployed that they are about")
