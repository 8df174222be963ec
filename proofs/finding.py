"""What a proof answers: whether a promise holds, by which evidence, or where it breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from assembly import Assembly
from proofs.model import Model, Node
from proofs.reachability import Reachability
from proofs.terms import Terms


class Verdict(StrEnum):
    """Whether a promise holds."""

    HOLDS = "HOLDS"
    PARTIAL = "PARTIAL"
    """Nothing breaks it, but something of it is missing or could not be judged; the finding says what."""
    BROKEN = "BROKEN"


@dataclass(frozen=True, order=True)
class Note:
    """One sentence about one resource, by its construct path."""

    where: str
    what: str
    type: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def note(node: Node, what: str) -> Note:
    """A sentence about a resource."""
    return Note(node.path, what, node.type)


@dataclass
class Finding:
    """The answer of one proof. It is partial if nothing was found to judge: silence proves nothing."""

    proof: str
    evidence: list[Note] = field(default_factory=list)
    """What was found good, resource by resource."""
    missing: list[Note] = field(default_factory=list)
    """What is lost, absent or undecidable without breaking the promise."""
    broken: list[Note] = field(default_factory=list)
    """Counter-examples: the guilty resource and the shortest reason."""
    assumptions: list[str] = field(default_factory=list)
    """What the verdict takes for granted beyond the templates."""

    @property
    def promise(self) -> str:
        """What the proof is of."""
        return promise_of(PROOFS[self.proof]) if self.proof in PROOFS else self.proof

    @property
    def verdict(self) -> Verdict:
        """Whether the promise holds."""
        if self.broken:
            return Verdict.BROKEN
        return Verdict.PARTIAL if self.missing or not self.evidence else Verdict.HOLDS

    def __str__(self) -> str:
        lines = [f"{self.verdict}  {self.proof}: {self.promise}"]
        lines += [f"  broken: {item}" for item in sorted(set(self.broken))]
        lines += [f"  missing: {item}" for item in sorted(set(self.missing))]
        if not (self.evidence or self.broken or self.missing):
            lines.append("  missing: nothing of the kind is in the assembly")
        return "\n".join(lines)


class Case:
    """An assembly before the judges: its model, its networks and the terms of the promises."""

    def __init__(self, assembly: Assembly, terms: Terms | None = None) -> None:
        self.assembly = assembly
        self.terms = terms or Terms()

    @cached_property
    def model(self) -> Model:
        """Every resource, resolved."""
        return Model(self.assembly)

    @cached_property
    def reach(self) -> Reachability:
        """Who reaches whom."""
        return Reachability(self.model)


Proof = Callable[[Case], Finding]
PROOFS: dict[str, Proof] = {}
"""Every proof by id (``subject.promise``), filled as ``proofs.all_proofs`` imports them."""


def proof(proof_id: str) -> Callable[[Callable[[Case, Finding], None]], Proof]:
    """Register a function that fills a finding as the proof of ``proof_id``; its docstring's first sentence is the promise.

    Raises:
        ValueError: the id is taken or the docstring is missing.
    """

    def register(judge: Callable[[Case, Finding], None]) -> Proof:
        if proof_id in PROOFS or not judge.__doc__:
            raise ValueError(f"proof id {proof_id!r} is taken, or its function promises nothing")

        def run(case: Case) -> Finding:
            finding = Finding(proof_id)
            try:
                judge(case, finding)
            except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
                # Templates of others may hold a property in a shape that AWS itself would refuse; that is never a pass.
                finding.missing.append(Note("assembly", f"could not be judged to the end: {error!r}"))
            return finding

        run.__doc__, run.__name__, run.__module__ = judge.__doc__, judge.__name__, judge.__module__
        PROOFS[proof_id] = run
        return run

    return register


def promise_of(judge: Proof) -> str:
    """The first sentence of a proof's docstring."""
    return " ".join((judge.__doc__ or "").split("\n\n")[0].split())


def prove(case: Case, ids: Iterable[str] | None = None) -> dict[str, Finding]:
    """Run the proofs (all if no ids are given).

    Raises:
        KeyError: no such proof.
    """
    return {proof_id: PROOFS[proof_id](case) for proof_id in (PROOFS if ids is None else ids)}
