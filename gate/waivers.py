"""Waivers: the deployment's only way to weaken a control, for a time, with an owner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from fnmatch import fnmatchcase
from typing import Protocol

from gate.control import CONTROLS, Finding
from gate.exceptions import Exemption

FEWEST_WORDS = 4


class WaiverLike(Protocol):
    """What a waiver says; ``stacks.settings.Waiver`` is one."""

    @property
    def control(self) -> str: ...
    @property
    def where(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def expires(self) -> date: ...


def apply_waivers(findings: Sequence[Finding], waivers: Sequence[WaiverLike], *, today: date) -> list[Finding]:
    """The findings that no waiver covers, and one more for each waiver that is unknown, unused, expired or without reason."""
    left = [finding for finding in findings if not any(_covers(waiver, finding) for waiver in waivers)]
    return [*left, *(problem for waiver in waivers for problem in _problems(waiver, findings, today))]


def _covers(waiver: WaiverLike, finding: Finding) -> bool:
    return waiver.control == finding.control and (
        finding.where == waiver.where or finding.where.startswith(waiver.where.rstrip("/") + "/")
    )


def _problems(waiver: WaiverLike, findings: Sequence[Finding], today: date) -> Iterator[Finding]:
    def problem(message: str, fix: str) -> Finding:
        return Finding(
            control="waivers.entry.valid",
            where=f"config/waivers.py, {waiver.control} at {waiver.where}",
            message=message,
            fix=fix,
        )

    if waiver.control not in CONTROLS:
        close = [known for known in CONTROLS if known.split(".")[0] == waiver.control.split(".")[0]]
        yield problem(
            "there is no such control",
            f'".venv/bin/python -m gate controls" lists them{": " + ", ".join(close[:4]) if close else ""}.',
        )
    elif not any(_covers(waiver, finding) for finding in findings):
        yield problem("it waives nothing that the gate finds", "Delete it, or correct its construct path.")
    if waiver.expires < today:
        yield problem(f"it expired on {waiver.expires}", "Mend what it waived, or let its owner decide anew.")
    if "/" not in waiver.where.strip("/"):
        yield problem("it covers a whole stack or more", "Name the construct's path, such as sandbox-data/Documents.")
    if len(waiver.reason.split()) < FEWEST_WORDS:
        yield problem(f"its reason is {waiver.reason!r}", "Say in a sentence why the risk is accepted.")
    if "@" not in waiver.owner:
        yield problem(f"its owner is {waiver.owner!r}", "Name a mailbox that answers for it.")


def apply_exemptions(
    findings: Sequence[Finding], exemptions: Sequence[Exemption], paths: Sequence[str]
) -> list[Finding]:
    """The findings that no exemption covers, and one more for each exemption whose construct exists without the finding."""
    used: set[Exemption] = set()
    left = []
    for finding in findings:
        covering = [one for one in exemptions if _exempts(one, finding)]
        used.update(covering)
        if not covering:
            left.append(finding)
    for exemption in exemptions:
        if exemption in used:
            continue
        if exemption.control not in CONTROLS or any(fnmatchcase(path, exemption.where) for path in paths):
            left.append(
                Finding(
                    control="exceptions.entry.valid",
                    where=f"gate/exceptions.py, {exemption.control} at {exemption.where}",
                    message="it exempts nothing that the gate finds",
                    fix="Delete it, or correct its path or the beginning of its message.",
                )
            )
    return left


def _exempts(exemption: Exemption, finding: Finding) -> bool:
    return (
        exemption.control == finding.control
        and fnmatchcase(finding.where, exemption.where)
        and finding.message.startswith(exemption.finding)
    )
