"""Structured, redacted log lines that carry the tenant, the user and the request.

One JSON object a line on standard output, with the `timestamp` and `level` fields that Lambda's JSON log format
reads to filter by level.
Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
"""

import json
import sys
from dataclasses import dataclass, field, replace
from typing import Protocol

from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.redaction import redact


class Output(Protocol):
    """Where lines go."""

    def write(self, text: str, /) -> object:
        """Takes one line with its end."""


class _StandardOutput:
    # Looked up at each write: the runtime, like pytest, may replace sys.stdout after import.
    def write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


@dataclass(frozen=True, kw_only=True)
class Logger:
    """Writes what happened, never what a document said: fields are redacted, an error gives only its kind."""

    service: str
    clock: Clock = utc_now
    output: Output = field(default_factory=_StandardOutput)
    context: dict[str, str] = field(default_factory=dict)

    def bind(self, **context: str) -> "Logger":
        """A logger whose every line also carries `context`."""
        return replace(self, context={**self.context, **context})

    def info(self, event: str, **fields: object) -> None:
        """Something happened as it should."""
        self._write("INFO", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Something was refused or put off."""
        self._write("WARN", event, fields)

    def failure(self, event: str, error: BaseException, **fields: object) -> None:
        """Something failed. Only the error's kind and AWS code are written: its text may quote a document."""
        self._write("ERROR", event, {**fields, "error": describe_error(error)})

    def _write(self, level: str, event: str, fields: dict[str, object]) -> None:
        line = {
            "timestamp": self.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": level,
            "service": self.service,
            "event": event,
            **self.context,
            **fields,
        }
        self.output.write(json.dumps(redact(line), ensure_ascii=True, allow_nan=False, default=str) + "\n")


def describe_error(error: BaseException) -> str:
    """The error's class and, if AWS answered with one, its code."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return f"{type(error).__name__}({code})" if isinstance(code, str) else type(error).__name__
