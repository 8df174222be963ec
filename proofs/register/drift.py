"""The promise that infrastructure is what the code says: changes by hand are noticed."""

from __future__ import annotations

from collections.abc import Iterator

from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import Node, as_list, at, truthy
from proofs.register.questions import OWNER, Facts, facts

NAMESPACE = "Palisade/Drift"
"""Where the functions that compare stacks count."""


@proof("drift.changes-by-hand-are-noticed")
def changes_by_hand_are_noticed(case: Case, finding: Finding) -> None:
    """In every account a schedule compares the stacks of each region with their templates, and people hear of a difference,
    and of silence.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
    """
    known = facts(case)
    places: dict[str, dict[str, set[str]]] = {}
    for stack in case.assembly.stacks:
        owners = places.setdefault(stack.account, {})
        owners.setdefault(stack.tags.get(OWNER, ""), set()).add(stack.region)
    for account, owners in places.items():
        functions = [
            one
            for one in known.model.of("AWS::Lambda::Function", account=account)
            if at(one.get("Environment", "Variables"), "NAMESPACE") == NAMESPACE
        ]
        for owner, regions in owners.items():
            looking = [one for one in functions if one.get("Environment", "Variables", "OWNER") == owner]
            if not looking:
                finding.missing.append(Note(owner, f"nothing compares its stacks in account {account}"))
            for function in looking:
                unseen = regions - set(str(function.get("Environment", "Variables", "REGIONS")).split(","))
                _looks(known, function, unseen, finding)


def _looks(known: Facts, function: Node, unseen: set[str], finding: Finding) -> None:
    reasons = [f"it does not look into {region}" for region in sorted(unseen)]
    schedules = [
        arrow
        for arrow, refused in known.deliveries("rule to function")
        if arrow.receiver is function and refused is None and _on(arrow.sender)
    ]
    alarms = list(_told(known, function.account))
    if not schedules:
        reasons.append("no schedule that is on calls it")
    if not alarms:
        reasons.append("no alarm that is on tells anybody of what it counts, and of silence")
    finding.broken += [note(function, reason) for reason in reasons]
    if not reasons:
        finding.evidence += [note(alarm, f"tells of drift in account {function.account}") for alarm in alarms]


def _on(rule: Node) -> bool:
    return bool(rule.get("ScheduleExpression")) and str(rule.get("State", default="ENABLED")) != "DISABLED"


def _told(known: Facts, account: str) -> Iterator[Node]:
    for arrow, refused in known.deliveries("alarm to topic"):
        alarm = arrow.sender
        counts = {at(one, "MetricStat", "Metric", "Namespace") for one in as_list(alarm.get("Metrics"))}
        on = truthy(alarm.get("ActionsEnabled", default=True)) and alarm.get("TreatMissingData") == "breaching"
        if alarm.account == account and NAMESPACE in counts and on and refused is None:
            yield alarm
