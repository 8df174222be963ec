"""The promise that infrastructure is what the code says: changes by hand are noticed."""

from __future__ import annotations

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
    broken = [note(function, f"it does not look into {region}") for region in sorted(unseen)]
    rules = [
        one for one in known.model.of("AWS::Events::Rule", account=function.account) if _aims(known, one, function)
    ]
    if not any(_on(rule) for rule in rules):
        broken += [note(one, "no schedule that is on calls what compares stacks") for one in rules or [function]]
    alarms = [one for one in known.model.of("AWS::CloudWatch::Alarm", account=function.account) if _counts(one)]
    if not alarms:
        broken.append(note(function, "no alarm tells anybody of what it counts"))
    for alarm in alarms:
        if alarm.get("TreatMissingData") != "breaching":
            broken.append(note(alarm, "that nothing is counted any more is no alarm"))
        arrows = [(arrow, refused) for arrow, refused in known.deliveries("alarm to topic") if arrow.sender is alarm]
        if not arrows or not truthy(alarm.get("ActionsEnabled", default=True)):
            broken.append(note(alarm, "it tells nobody"))
        broken += [note(refused.where, f"{arrow} is refused: {refused.text}") for arrow, refused in arrows if refused]
    finding.broken += broken
    if not broken:
        finding.evidence += [note(alarm, f"tells of drift in account {function.account}") for alarm in alarms]


def _aims(known: Facts, rule: Node, function: Node) -> bool:
    return any(known.model.find(at(one, "Arn"), near=rule) is function for one in as_list(rule.get("Targets")))


def _on(rule: Node) -> bool:
    return bool(rule.get("ScheduleExpression")) and str(rule.get("State", default="ENABLED")) != "DISABLED"


def _counts(alarm: Node) -> bool:
    return NAMESPACE in {at(one, "MetricStat", "Metric", "Namespace") for one in as_list(alarm.get("Metrics"))}
