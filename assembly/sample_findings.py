"""One sample of each kind of finding, in the form that its service documents; in ``sample_findings.json``.

What a rule must see is asked of these, by evaluation of its pattern.
https://docs.aws.amazon.com/eventbridge/latest/ref/events.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SAMPLES: Mapping[str, Mapping[str, Any]] = json.loads(
    Path(__file__).with_name("sample_findings.json").read_text(encoding="utf-8")
)
"""Events by kind."""

REPORTED_BY_EVERY_ACCOUNT = ("alarm", "break-glass", "config", "root")
REPORTED_BY_DETECTORS = ("access-analyzer", "guardduty", "inspector", "macie", "unused-access")
REPORTED_WHERE_GATHERED = ("security-hub",)
SEVERE = ("access-analyzer", "break-glass", "guardduty", "inspector", "macie", "root", "security-hub")
"""Kinds whose sample is severe enough that somebody hears of it at once."""
