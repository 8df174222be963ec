"""The decided controls as a page, and as data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ops.coverage.controls import SEVERITIES, Standards
from ops.coverage.judge import Row, Status, of_recommendation

COMMAND = "make coverage"
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
_LONGEST = 360
"""Characters of one cell; the data holds everything."""


def page(standards: Standards, rows: Mapping[str, Row], deployment: str) -> str:
    """The page: how many controls of each standard are what, then each control, those not covered first."""
    foundational = [rows[name] for name in standards.fsbp]
    recommended = [of_recommendation(one, rows) for one in standards.cis]
    text = [
        "# Coverage of published standards",
        "",
        f"<!-- Written by {COMMAND}; do not edit. -->",
        "",
        f"Each control of two standards held against the templates of the deployment `{deployment}`. Nothing here is typed in: a",
        "control is **met** if the check beside it ran over every resource that it judges and found no fault, **not applicable**",
        "if the templates hold nothing that it judges, **waived** if every fault has a written reason, and else **not covered**,",
        "with what is missing. What only a running account can show is not covered.",
        "",
        "| standard | " + " | ".join(Status) + " | all |",
        "| --- |" + " ---: |" * (len(Status) + 1),
        _count(f"[AWS Foundational Security Best Practices]({standards.source['FSBP']})", foundational),
        _count(f"[CIS AWS Foundations Benchmark v5.0.0]({standards.source['CIS v5.0.0']})", recommended),
        "",
        "## AWS Foundational Security Best Practices",
        "",
        *_tables(foundational, "control"),
        "## CIS AWS Foundations Benchmark v5.0.0",
        "",
        *_tables(recommended, "recommendation"),
    ]
    return "\n".join(text).rstrip() + "\n"


def as_json(standards: Standards, rows: Mapping[str, Row], deployment: str) -> dict[str, Any]:
    """Everything as plain data, every fault and excuse included."""
    recommended = [of_recommendation(one, rows) for one in standards.cis]
    return {
        "deployment": deployment,
        "fsbp": [asdict(rows[name]) for name in standards.fsbp],
        "cis": [
            {**asdict(row), "controls": list(one.controls), "level": one.level}
            for one, row in zip(standards.cis, recommended, strict=True)
        ],
    }


def summary(standards: Standards, rows: Mapping[str, Row]) -> str:
    """One line a standard."""
    lines = []
    for name, found in (
        ("FSBP", [rows[name] for name in standards.fsbp]),
        ("CIS v5.0.0", [of_recommendation(one, rows) for one in standards.cis]),
    ):
        counts = Counter(row.status for row in found)
        lines.append(f"coverage: {name}: " + ", ".join(f"{counts[status]} {status}" for status in Status))
    return "\n".join(lines)


def _count(name: str, rows: Sequence[Row]) -> str:
    counts = Counter(row.status for row in rows)
    return f"| {name} | " + " | ".join(str(counts[status]) for status in Status) + f" | {len(rows)} |"


def _tables(rows: Sequence[Row], name: str) -> Iterator[str]:
    for status in Status:
        chosen = [row for row in rows if row.status is status]
        if not chosen:
            continue
        yield f"### {status.capitalize()}"
        yield ""
        rated = any(row.severity for row in chosen)
        said = {Status.MET: "decided by", Status.NOT_COVERED: "what is missing"}.get(status, "reason")
        yield f"| {name} | {'severity | ' if rated else ''}what it asks | {said} |"
        yield "| --- |" + (" --- |" if rated else "") + " --- | --- |"
        for row in _sorted(chosen) if rated else chosen:
            severity = f" {row.severity} |" if rated else ""
            yield f"| {row.id} |{severity} {row.title} | {_cell(row.why)} |"
        yield ""


def _sorted(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: SEVERITIES.index(row.severity))


def _cell(text: str) -> str:
    short = _ACCOUNT.sub("(account)", " ".join(text.split()))
    short = short if len(short) <= _LONGEST else f"{short[: _LONGEST - 3].rstrip()}..."
    return short.replace("|", "\\|").replace("<", "&lt;")
