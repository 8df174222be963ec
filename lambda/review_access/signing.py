"""Who may decide what, and when a review is complete.

A review needs two people's signatures over the digest of its document, and a decision on every finding. Nobody decides a
finding about themselves; where every reviewer is meant, two who agree do. Whoever says "revoke" outweighs who says "keep".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

KEEP, REVOKE = "keep", "revoke"
LEAST_SIGNERS = 2


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What one person signed: the document's digest, and decisions by finding."""

    person: str
    digest: str
    decisions: Mapping[str, str]
    reason: str
    at: str


def problems(
    signature: Signature, *, document: Mapping[str, Any], digest: str, reviewers: Sequence[str], complete: bool
) -> list[str]:
    """Why a signature does not count; nothing if it does."""
    found = []
    if signature.person not in reviewers:
        found.append(f"{signature.person or 'the signer'} is not a reviewer of this review: {', '.join(reviewers)} are")
    if signature.digest != digest:
        found.append("it is over another document: show the review again, and sign what it says now")
    if not signature.reason.strip():
        found.append("a reason must be given")
    findings = {one["id"]: one for one in document["findings"]}
    for name, decision in sorted(signature.decisions.items()):
        if name not in findings:
            found.append(f"{name} is no finding of this review")
        elif decision not in {KEEP, REVOKE}:
            found.append(f"{name}: the decision must be {KEEP} or {REVOKE}")
        elif not may_decide(signature.person, findings[name], reviewers):
            found.append(f"{name} is about {signature.person}: somebody else must decide it")
    if complete and KEEP in signature.decisions.values():
        found.append("the review is complete; a right may still be revoked, but not kept")
    return found


def state(document: Mapping[str, Any], signatures: Sequence[Signature], reviewers: Sequence[str]) -> dict[str, Any]:
    """``decisions`` by finding, ``undecided`` findings, ``signers``, and whether the review is ``complete``."""
    decisions = {}
    for finding in document["findings"]:
        said = {
            (one.person, one.decisions[finding["id"]])
            for one in signatures
            if finding["id"] in one.decisions and may_decide(one.person, finding, reviewers)
        }
        about_all = not set(reviewers) - set(finding["people"])
        if len({person for person, _ in said}) >= (LEAST_SIGNERS if about_all else 1):
            decisions[finding["id"]] = REVOKE if REVOKE in {decision for _, decision in said} else KEEP
    undecided = [one["id"] for one in document["findings"] if one["id"] not in decisions]
    signers = sorted({one.person for one in signatures})
    return {
        "decisions": decisions,
        "undecided": undecided,
        "signers": signers,
        "complete": not undecided and len(signers) >= LEAST_SIGNERS,
    }


def may_decide(person: str, finding: Mapping[str, Any], reviewers: Sequence[str]) -> bool:
    """About oneself alone never; about oneself and others only where no other reviewer is left out of it."""
    people = finding["people"]
    if person not in people:
        return True
    return not set(reviewers) - set(people)
