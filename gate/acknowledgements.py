"""Acknowledged findings of the policy packs: read from the assembly alone, and refused where they say nothing.

cdk-nag matches an acknowledgement exactly and forgets one that matches nothing, so a stale or misspelt one would stay for
ever as a claim that nobody checks. https://docs.aws.amazon.com/cdk/v2/guide/policy-validation-synthesis.html
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assembly import Assembly
from gate.control import Finding

FEWEST_WORDS = 4


@dataclass(frozen=True, order=True, kw_only=True)
class Acknowledgement:
    """One acknowledged finding: where it was written down, its id (``AwsSolutions::AwsSolutions-S1``) and why."""

    where: str
    id: str
    reason: str

    @property
    def construct(self) -> str:
        """The construct's path without its stack: the same code in another stage has the same."""
        return self.where.partition("/")[2]


def report_of(assembly: Assembly) -> dict[str, Any]:
    """The validation report of the synthesis; empty if it ran without validation."""
    file = assembly.directory / "validation-report.json"
    if not file.is_file():
        return {}
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def written(assembly: Assembly) -> list[Acknowledgement]:
    """Every acknowledgement that the assembly's metadata holds."""
    manifest = json.loads((assembly.directory / "manifest.json").read_text(encoding="utf-8"))
    found: set[Acknowledgement] = set()
    for artifact in manifest["artifacts"].values():
        if artifact.get("type") != "aws:cloudformation:stack":
            continue
        metadata: dict[str, Any] = dict(artifact.get("metadata", {}))
        extra = artifact.get("additionalMetadataFile")
        if extra and (assembly.directory / extra).is_file():
            metadata.update(json.loads((assembly.directory / extra).read_text(encoding="utf-8")))
        for path, entries in metadata.items():
            for entry in entries:
                if entry.get("type") == "aws:cdk:acknowledged-rules":
                    for rule, reason in entry["data"].items():
                        found.add(Acknowledgement(where=path.lstrip("/"), id=rule, reason=reason))
    return sorted(found)


def matched(report: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Place and id of every acknowledgement that stood against a finding."""
    return {
        (violation["acknowledgedAt"], violation["acknowledgedId"])
        for plugin in report.get("pluginReports", [])
        for violation in plugin.get("suppressedViolations", [])
    }


def unacknowledged(report: Mapping[str, Any]) -> list[Finding]:
    """Findings of the packs and the validator that nobody acknowledged."""
    return [
        Finding(
            control=f"packs.{plugin.get('pluginName', 'validator')}",
            where=place["constructPath"],
            message=f"{violation['ruleName']}: {violation['description']}",
            fix="Mend the resource; if the finding is wrong there, acknowledge it on that construct with the reason.",
        )
        for plugin in report.get("pluginReports", [])
        for violation in plugin.get("violations", [])
        for place in violation.get("violatingConstructs", [])
    ]


def check(assembly: Assembly) -> list[Finding]:
    """What is wrong with the acknowledgements: unknown, stale, stack-wide, without a reason, or with another's reason."""
    report = report_of(assembly)
    if not report:
        return [
            Finding(
                control="acknowledgements.report.present",
                where=str(assembly.directory),
                message="there is no validation report, so the policy packs did not run",
                fix='Run "make synth" without CDK_VALIDATION=false.',
            )
        ]
    entries = written(assembly)
    return [*unacknowledged(report), *_problems(entries, report, {stack.name for stack in assembly.stacks})]


def _problems(entries: list[Acknowledgement], report: Mapping[str, Any], stacks: set[str]) -> Iterator[Finding]:
    used = matched(report)
    packs = {str(plugin.get("pluginName")) for plugin in report.get("pluginReports", [])}
    sharing: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        sharing[" ".join(entry.reason.lower().split())].add(entry.construct)
    for entry in entries:

        def problem(name: str, message: str, fix: str, entry: Acknowledgement = entry) -> Finding:
            return Finding(
                control=f"acknowledgements.{name}", where=entry.where, message=f"{entry.id}: {message}", fix=fix
            )

        pack, _, rule = entry.id.partition("::")
        if not rule or (packs and pack not in packs and not _validator(pack)):
            yield problem(
                "id.known", "no policy pack has this id", f"Write PACK::RULE; packs: {', '.join(sorted(packs))}."
            )
        elif (entry.where, entry.id) not in used and not _said_more_narrowly(entry, used):
            yield problem("id.used", "it matches no finding", "Delete it: the finding is gone, or the id is misspelt.")
        if entry.where in stacks:
            yield problem("place.narrow", "it covers a whole stack", "Put it on the construct that has the finding.")
        if len(entry.reason.split()) < FEWEST_WORDS:
            yield problem("reason.true", f"its reason is {entry.reason!r}", "Say in a sentence why it is right there.")
        others = sharing[" ".join(entry.reason.lower().split())] - {entry.construct}
        if others:
            yield problem(
                "reason.own",
                f"its reason is also given for {', '.join(sorted(others)[:2])}",
                "Say what is true of this construct alone.",
            )


def _said_more_narrowly(entry: Acknowledgement, used: set[tuple[str, str]]) -> bool:
    """Whether a construct inside acknowledges the same finding with a reason of its own, which then counts instead."""
    return any(rule == entry.id and where.startswith(f"{entry.where}/") for where, rule in used)


def _validator(pack: str) -> bool:
    return re.fullmatch(r"(?i)(cfn|cloudformation).*", pack) is not None
