"""Whether a drill was one: every identity, every step, and another person told in time."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from palisade_runtime.records import Deed

STEPS = {
    "role-taken": "takes the role with its MFA device",
    "ends-in-an-hour": "is given an hour and refused two",
    "refused-elsewhere": "is refused from a region where nobody listens",
    "only-with-mfa": "is refused by the deployed trust without MFA, and with MFA that is too old",
}
"""What is tried for each identity, and what must come of it."""
ID = re.compile(r"[a-z][a-z0-9]{1,11}\.20[0-9]{6}-[0-9a-f]{10}")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Who may break the glass where, how soon somebody must hear of it, and how often it is drilled."""

    stages: frozenset[str]
    identities: tuple[str, ...]
    heard_within: timedelta
    every: timedelta


def stage_of(identity: str) -> str:
    """The stage of a drill's id."""
    return identity.partition(".")[0]


def problems(identity: str, drill: Deed, witnesses: Sequence[Deed], rules: Rules) -> list[str]:
    """Everything that stands against the drill."""
    return [*_report(identity, drill, rules), *_heard(drill, witnesses, rules)]


def _report(identity: str, drill: Deed, rules: Rules) -> Iterator[str]:
    if stage_of(identity) not in rules.stages:
        yield f"{stage_of(identity)} is no stage with an emergency role"
    steps = _steps(drill)
    for who in rules.identities:
        for step, meaning in STEPS.items():
            found = steps.get((who, step))
            if found is None:
                yield f"{who}: nobody tried whether it {meaning}"
            elif found.get("ok") is not True:
                yield f"{who}: not shown that it {meaning}: {str(found.get('said', ''))[:200]}"
    taken = first_taken(drill)
    if taken is not None and not timedelta(minutes=-1) <= drill.at - taken <= rules.heard_within:
        yield "the report does not follow the drill at once; write it by the command that drills"


def _heard(drill: Deed, witnesses: Sequence[Deed], rules: Rules) -> Iterator[str]:
    taken = first_taken(drill)
    if taken is None:
        yield "it says not when the role was taken"
        return
    others = [one for one in witnesses if one.person != drill.person]
    minutes = int(rules.heard_within.total_seconds() // 60)
    for who in rules.identities:
        heard = [one for one in others if who in _told(one)]
        if not heard:
            yield f"{who}: nobody but {drill.person} witnessed the message about it"
        elif min(one.at for one in heard) - taken > rules.heard_within:
            yield f"{who}: the message about it was witnessed later than {minutes} minutes after the role was taken"


def first_taken(drill: Deed) -> datetime | None:
    """When the first of the identities took the role, as the report says."""
    moments = []
    for (_, step), found in _steps(drill).items():
        if step == "role-taken" and found.get("ok") is True:
            try:
                moment = datetime.fromisoformat(str(found.get("at")))
            except ValueError:
                continue
            if moment.tzinfo is not None:
                moments.append(moment)
    return min(moments, default=None)


def _steps(drill: Deed) -> dict[tuple[str, str], Mapping[str, Any]]:
    said = drill.body.get("steps")
    return {
        (str(one.get("identity")), str(one.get("step"))): one
        for one in (said if isinstance(said, list) else ())
        if isinstance(one, dict)
    }


def _told(witness: Deed) -> frozenset[str]:
    said = witness.body.get("saw")
    return frozenset(map(str, said)) if isinstance(said, list) else frozenset()
