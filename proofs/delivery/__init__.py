"""Would each service be let through by the policies of what it writes to?

    for finding in findings(Model(load("cdk.out"))):
        print(finding)

Every arrow of the assembly is asked for: the bucket, topic, queue, log group, function or vault, and the key behind it. A
delivery that is not certainly let through is a finding; one that hangs on something the templates leave open says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from proofs.delivery.arrows import Arrow, arrows
from proofs.delivery.judge import Call, Judge, Refusal
from proofs.delivery.senders import ROLES, SENDERS, RoleDeeds, Sender
from proofs.model import Model, Node

__all__ = [
    "ROLES",
    "SENDERS",
    "Arrow",
    "Call",
    "DeliveryFinding",
    "Judge",
    "Refusal",
    "RoleDeeds",
    "Sender",
    "arrows",
    "findings",
]


@dataclass(frozen=True, kw_only=True)
class DeliveryFinding:
    """One delivery that does not certainly arrive: who, to whom, why, and the statement and resource that decide."""

    arrow: Arrow
    text: str
    certain: bool
    statement: str
    where: Node
    """The resource to mend."""

    def __str__(self) -> str:
        sure = "is refused" if self.certain else "cannot be shown to arrive"
        return f"{self.arrow} {sure}: {self.text} ({self.arrow.page})"


def findings(model: Model, only: Iterable[Arrow] | None = None) -> Iterator[DeliveryFinding]:
    """The first reason of each arrow (of ``only`` if given) that does not certainly arrive."""
    judge = Judge(model)
    for arrow in arrows(model) if only is None else only:
        if arrow.faults:
            yield DeliveryFinding(
                arrow=arrow,
                text=arrow.faults[0],
                certain=arrow.receiver is not None,
                statement="",
                where=arrow.sender if arrow.receiver is None else arrow.receiver,
            )
            continue
        for call in arrow.calls:
            refusal = judge.refusal(call)
            if refusal is not None:
                yield DeliveryFinding(
                    arrow=arrow,
                    text=refusal.text,
                    certain=refusal.certain,
                    statement=refusal.statement,
                    where=refusal.where or arrow.sender,
                )
                break
