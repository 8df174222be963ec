"""Decides every claim of the register over one assembly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import proofs.all_proofs  # noqa: F401  (registers every proof)
from proofs.finding import PROOFS, Case, Finding, Note
from proofs.model import Node
from proofs.register.claims import Claim, Register


class Status(StrEnum):
    """What became of a claim."""

    HOLDS = "HOLDS"
    PARTIAL = "PARTIAL"
    """Nothing breaks it, but something of it is missing or not judged."""
    BROKEN = "BROKEN"
    ATTEST = "ATTEST"
    """People alone can keep it: yours to sign."""


@dataclass(kw_only=True)
class Decided:
    """One claim with its status, what is missing, what breaks it and what shows it."""

    claim: Claim
    status: Status = Status.ATTEST
    missing: list[str] = field(default_factory=list)
    counter_examples: list[Note] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def shortest(self) -> Note | None:
        """The shortest counter-example."""
        return min(self.counter_examples, key=lambda one: (len(str(one)), str(one)), default=None)


class Decisions:
    """Claims decided over one case; each proof runs once, however many claims it serves."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._findings: dict[str, Finding] = {}

    def finding(self, proof_id: str) -> Finding:
        """The answer of one proof. An id that nothing registers, or a proof that does not finish, is something missing."""
        if proof_id not in self._findings:
            judge = PROOFS.get(proof_id)
            if judge is None:
                found = Finding(proof_id, missing=[Note(proof_id, "there is no such proof")])
            else:
                try:
                    found = judge(self.case)
                except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
                    # Templates of others may have any shape; what cannot be judged is never taken for a pass.
                    found = Finding(proof_id, missing=[Note(proof_id, f"could not be judged to the end: {error!r}")])
            self._findings[proof_id] = found
        return self._findings[proof_id]

    def decide(self, claim: Claim) -> Decided:
        """The claim's status, from its proofs and from what it waits for."""
        decided = Decided(claim=claim)
        if claim.attested:
            return decided
        types = set(self.case.model.types())
        for waits in claim.waits:
            there = sorted(types & set(waits.types))
            decided.missing.append(
                f"not proven yet, though {', '.join(there)} is there: {waits.what}"
                if there
                else f"nothing in the assembly does this yet: {waits.what}"
                if waits.types
                else f"nothing in the assembly shows this yet: {waits.what}"
            )
        for proof_id in claim.proofs:
            finding = self.finding(proof_id)
            decided.findings.append(finding)
            decided.counter_examples += finding.broken
            decided.missing += [str(one) for one in finding.missing]
            if not (finding.evidence or finding.broken or finding.missing):
                decided.missing.append(f"{finding.promise} Nothing in the assembly is of that kind.")
        if decided.counter_examples:
            decided.status = Status.BROKEN
        elif decided.missing or not any(finding.evidence for finding in decided.findings):
            decided.status = Status.PARTIAL
            if not decided.missing:
                decided.missing.append("no proof judges it yet")
        else:
            decided.status = Status.HOLDS
        decided.missing = list(dict.fromkeys(decided.missing))
        decided.counter_examples = sorted(set(decided.counter_examples))
        return decided


def decide(case: Case, claims: Iterable[Claim]) -> list[Decided]:
    """Every claim, decided."""
    decisions = Decisions(case)
    return [decisions.decide(claim) for claim in claims]


def unexplained(decided: Iterable[Decided], register: Register) -> list[str]:
    """Why the register does not pass: claims broken, partial without a reason, or with a reason that is out of date."""
    problems = []
    for one in decided:
        reason = register.partial.get(one.claim.id)
        if one.status is Status.BROKEN:
            problems.append(f"{one.claim.id} is BROKEN: {one.shortest}")
        elif one.status is Status.PARTIAL and reason is None:
            problems.append(f"{one.claim.id} is PARTIAL and proofs/partial.yaml gives no reason: {one.missing[0]}")
        elif one.status in {Status.HOLDS, Status.ATTEST} and reason is not None:
            problems.append(f"{one.claim.id} is {one.status}, and proofs/partial.yaml still says that it is partial")
    return problems


def as_json(case: Case, decided: Iterable[Decided], *, deployment: str, waivers: Iterable[Any] = ()) -> dict[str, Any]:
    """The decisions as plain data: what reports and comparisons are made from."""
    by_path = {node.path: node for node in case.model}
    return {
        "deployment": deployment,
        "assembly": str(case.assembly.directory),
        "stacks": len(case.assembly.stacks),
        "resources": sum(len(stack.resources) for stack in case.assembly.stacks),
        "claims": [_claim(one, by_path) for one in decided],
        "waivers": [
            {name: str(getattr(waiver, name, "")) for name in ("control", "where", "reason", "owner", "expires")}
            for waiver in waivers
        ],
    }


def _claim(decided: Decided, by_path: Mapping[str, Node]) -> dict[str, Any]:
    claim = decided.claim
    return {
        "id": claim.id,
        "source": claim.source,
        "topic": claim.topic,
        "kind": claim.kind,
        "claim": claim.claim,
        "control": claim.control,
        "proof": claim.proof,
        "kept_by": claim.kept_by,
        "status": str(decided.status),
        "missing": decided.missing,
        "counter_examples": [
            {"text": one.what, "resource": one.type, "path": one.where, "stack": _stack(one.where, by_path)}
            for one in decided.counter_examples
        ],
        "evidence": [
            {
                "proof": finding.proof,
                "text": finding.promise,
                "assumptions": list(dict.fromkeys(finding.assumptions)),
                "resources": [
                    {
                        "stack": _stack(one.where, by_path),
                        "path": one.where,
                        "type": one.type,
                        "logical_id": by_path[one.where].resource.logical_id if one.where in by_path else "",
                        "fact": one.what,
                    }
                    for one in sorted(set(finding.evidence))
                ],
            }
            for finding in decided.findings
            if finding.evidence
        ],
        "mappings": {name: list(items) for name, items in claim.mappings.items()},
    }


def _stack(path: str, by_path: Mapping[str, Node]) -> str:
    return by_path[path].stack.name if path in by_path else ""
