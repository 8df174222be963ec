"""The levels of a live stage that nobody holds for good, and what each may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from palisade.identity import Ground, sight, work

from stacks.settings import Job

TAG = ("palisade:held", "by-grant")
"""Marks the permission sets that the workflow of access requests may assign; it may assign no other."""


@dataclass(frozen=True, kw_only=True)
class Position:
    """What a job is for, for how many hours a session lasts, and what it may do."""

    purpose: str
    hours: int
    rights: Sequence[iam.PolicyStatement] = ()
    policies: Sequence[str] = ()


def levels(live: Ground) -> Mapping[Job, Position]:
    """Each level of the stages of ``live``, without the gate before it."""
    return {
        Job.OPERATOR: Position(
            purpose="Level settings: turns the knobs of a running stage",
            hours=1,
            rights=[*sight.configuration(), *work.settings(live), live.never_elsewhere()],
        ),
        Job.MESSAGING: Position(
            purpose="Level messaging: looks into queues and sends messages on",
            hours=1,
            rights=[*sight.configuration(), *work.messages(live), live.never_elsewhere()],
        ),
        Job.DATABASE: Position(
            purpose="Level user data: connects to the database as oneself",
            hours=1,
            rights=[*work.database(live), live.never_elsewhere()],
        ),
        Job.KEY_ADMINISTRATOR: Position(
            purpose="Switches keys off and on, and never uses one",
            hours=1,
            rights=[*work.keys(live), live.never_elsewhere()],
        ),
        Job.BREAK_GLASS: Position(
            purpose="Emergencies; every use is announced", hours=1, rights=work.in_an_emergency(live)
        ),
    }


def entering_customer_data(live: Ground) -> list[str]:
    """The levels whose rights answer with customers' data, or with what leads to it."""
    return [
        level.value
        for level, position in levels(live).items()
        if any(
            action in sight.CUSTOMER_DATA
            for right in position.rights
            if right.effect is iam.Effect.ALLOW
            for action in right.actions
        )
    ]
