"""The trust report as Markdown, for a repository or a wiki."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from ops.report.proofs import STATUSES, Claim, Proofs
from ops.report.wording import STATUS, plural, source_line

MOST_RESOURCES = 5


def markdown(proofs: Proofs, *, at: datetime | None = None) -> str:
    """The whole report; of the resources behind an evidence the first few."""
    return "\n".join(_lines(proofs, at)) + "\n"


def _lines(proofs: Proofs, at: datetime | None) -> Iterator[str]:
    yield "# Trust report"
    yield ""
    date = f", as of {at.date().isoformat()}" if at else ""
    yield (
        f"Deployment {_text(proofs.deployment)}: {plural(proofs.stacks, 'stack')}, {plural(proofs.resources, 'resource')}, "
        f"{plural(len(proofs.claims), 'promise')}{date}. Proofs: SHA-256 `{proofs.digest}`."
    )
    yield ""
    yield "| source | " + " | ".join(STATUS[status].label for status in STATUSES) + " |"
    yield "|---|" + "--:|" * len(STATUSES)
    for source in proofs.sources:
        counts = proofs.by_status([claim for claim in proofs.claims if claim.source == source])
        yield f"| {_text(source)} | " + " | ".join(str(counts[status]) for status in STATUSES) + " |"
    yield "| all | " + " | ".join(str(count) for count in proofs.by_status().values()) + " |"
    for source in proofs.sources:
        yield from ("", f"## {_text(source.capitalize())}", "", f"{_text(source_line(source))}.")
        claims = [claim for claim in proofs.claims if claim.source == source]
        for topic in dict.fromkeys(claim.topic for claim in claims):
            yield from ("", f"### {_text(topic.capitalize())}", "")
            for claim in claims:
                if claim.topic == topic:
                    yield from _claim(claim)
    yield from ("", "## Left to attest", "")
    attest = [claim for claim in proofs.claims if claim.status == "ATTEST"]
    yield from (f"- [ ] `{claim.id}` {_text(claim.claim)}" for claim in attest)
    if not attest:
        yield "Nothing."
    yield from ("", "## Waivers", "")
    for waiver in proofs.waivers:
        yield "- " + "; ".join(f"{_text(key.replace('_', ' '))}: {_text(value)}" for key, value in waiver.items())
    if not proofs.waivers:
        yield "None."


def _claim(claim: Claim) -> Iterator[str]:
    meaning = STATUS[claim.status]
    yield f"- {meaning.sign} **{meaning.label}** `{claim.id}` {_text(claim.claim)}"
    for example in claim.counter_examples:
        place = example.path or "/".join(filter(None, (example.stack, example.resource)))
        yield f"  - Counter-example: {_text(example.text)}" + (f" (`{place}`)" if place else "")
    if claim.kept_by:
        yield f"  - {_text(claim.kept_by)}"
    for missing in claim.missing:
        yield f"  - {'To attest' if claim.status == 'ATTEST' else 'Still missing'}: {_text(missing)}"
    for evidence in claim.evidence:
        yield f"  - Evidence: {_text(evidence.text)}"
        yield from (f"    - Assumes: {_text(assumption)}" for assumption in evidence.assumptions)
        for resource in evidence.resources[:MOST_RESOURCES]:
            fact = f": {_text(resource.fact)}" if resource.fact else ""
            yield f"    - `{resource.name}` {resource.type}".rstrip() + fact
        if more := max(0, len(evidence.resources) - MOST_RESOURCES):
            yield f"    - and {more:,} more"
    if claim.mappings:
        yield "  - Controls: " + "; ".join(f"{name} {', '.join(ids)}" for name, ids in claim.mappings.items())


def _text(words: str) -> str:
    """Words as they are: no character of them is taken for Markdown or HTML."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(words.split()))
