"""Promises about incidents: everything found comes to one place, people are called until somebody answers, and the time that
was promised is counted.

What the functions do when called, twice, late, at once or killed halfway, their tests show with a moved clock:
tests/lambda/take_finding, lead_incident (the deployed definition), page_people, answer_responder and, for hand-overs across
the changes of the clock, holidays, the 72 hours and the business day, tests/lambda/palisade_runtime/test_on_call.py and
tests/lambda/lead_incident/test_timer.py; the rehearsal runs them from a sample finding to the post-mortem.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any, Final

from assembly.event_pattern import PatternError, seen
from assembly.sample_findings import SAMPLES
from proofs.delivery.judge import plain
from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import Model, Node, as_list, at
from proofs.model.policies import allows, documents_of, statements
from proofs.register.questions import Facts, facts
from rehearsal.state_machine import MovedClock, StateMachine, UnknownLanguageError

_TAKES, _LEADS, _CALLS, _ANSWERS = "take_finding", "lead_incident", "page_people", "answer_responder"
_PROMISE: Final = timedelta(minutes=5)
_ENDINGS: Final = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
_ENOUGH: Final = 200


class _Enough(BaseException):
    """The machine has been watched long enough. No error: the machine would catch one."""


def _functions(model: Model, source: str, finding: Finding) -> list[Node]:
    found = [one for one in model.of("AWS::Lambda::Function") if one.get("Handler") == f"{source}.handler.handle"]
    if not found:
        finding.missing.append(Note("incidents", f"no function runs {source}"))
    return found


def _role(model: Model, function: Node) -> list[Any]:
    """The policies under which a function works."""
    role = model.find(function.get("Role"), "AWS::IAM::Role", near=function)
    return [] if role is None else documents_of(model, role)


def _may(rights: list[Any], action: str, arn: str) -> bool:
    return any(fnmatchcase(plain(arn), plain(pattern)) for pattern in allows(rights, action, None))


def _setting(function: Node, name: str) -> str:
    return str(function.get("Environment", "Variables", name, default=""))


def _machines(model: Model, function: Node) -> list[Node]:
    """The state machines that call a function."""
    return [
        one
        for one in model.of("AWS::StepFunctions::StateMachine", account=function.account)
        if plain(function.arn) in plain(str(one.get("DefinitionString")))
    ]


# ------------------------------------------------------------------------------------------------------------- intake


@proof("incidents.everything-comes-to-one-intake")
def everything_comes_to_one_intake(case: Case, finding: Finding) -> None:
    """A sample of each kind of finding goes from the findings bus into the queue of the function that makes incidents of them,
    which may start a timer for each, and knows every account that holds customers' data.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html
    """
    known = facts(case)
    model = known.model
    for taker in _functions(model, _TAKES, finding):
        queues = [
            model.find(one.get("EventSourceArn"), "AWS::SQS::Queue", near=one)
            for one in model.of("AWS::Lambda::EventSourceMapping", account=taker.account)
            if model.find(one.get("FunctionName"), "AWS::Lambda::Function", near=one) is taker
        ]
        rules = []
        for arrow, refused in known.deliveries("rule to queue"):
            if arrow.receiver is not None and arrow.receiver in queues:
                if refused is None:
                    rules.append(arrow.sender)
                else:
                    finding.broken.append(note(refused.where, f"{arrow} does not arrive: {refused.text}"))
        lost = [kind for kind in SAMPLES if not any(_sees(rule, kind) for rule in rules)]
        if lost:
            finding.broken += [
                note(where, f"a finding of {', '.join(lost)} opens no incident") for where in (*rules, taker)
            ]
        else:
            finding.evidence.append(note(taker, f"takes every kind: {', '.join(SAMPLES)}"))
        leads = [one for source in _functions(model, _LEADS, finding) for one in _machines(model, source)]
        if not any(_may(_role(model, taker), "states:StartExecution", one.arn) for one in leads):
            finding.broken.append(note(taker, "may not start the timer of an incident"))
        stages = json.loads(_setting(taker, "STAGES") or "{}")
        for account in sorted((case.terms.guarded | case.terms.workshops) - set(stages)):
            finding.broken.append(note(taker, f"does not know that account {account} holds customers' data"))


def _sees(rule: Node, kind: str) -> bool:
    pattern: Any = rule.get("EventPattern")
    if rule.get("State", default="ENABLED") == "DISABLED" or not isinstance(pattern, Mapping):
        return False
    try:
        return seen([pattern], SAMPLES[kind])
    except PatternError:
        return False


# -------------------------------------------------------------------------------------------------------------- calls


@proof("incidents.people-are-called-by-rotation")
def people_are_called_by_rotation(case: Case, finding: Finding) -> None:
    """Everybody in the rotation, and management, has a mailbox at the topic that calls go to, and hears what is for them alone;
    the function that calls may publish there and read the addresses of the other channels.

    https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
    """
    model = case.model
    for caller in _functions(model, _CALLS, finding):
        topic = model.find(_setting(caller, "TOPIC_ARN"), "AWS::SNS::Topic", near=caller)
        if topic is None:
            finding.broken.append(note(caller, "calls by no topic of the assembly"))
            continue
        boxes: dict[str, Node] = {}
        for box in model.referrers(topic, "AWS::SNS::Subscription"):
            named = [str(one) for one in as_list(box.get("FilterPolicy", "to"))]
            if len(named) == 1 and box.get("Endpoint"):
                boxes[named[0]] = box
            else:
                finding.broken.append(note(box, "is not one person's"))
        for leader in _functions(model, _LEADS, finding):
            rotation = json.loads(_setting(leader, "ROTATION") or "{}")
            everyone = [*rotation.get("people", []), *rotation.get("management", [])]
            if not rotation.get("people"):
                finding.broken.append(note(leader, "knows nobody to call"))
            for person in everyone:
                if person in boxes:
                    finding.evidence.append(note(boxes[person], f"calls {person}"))
                else:
                    finding.broken += [
                        note(where, f"{person} is on call and cannot be called")
                        for where in (leader, *(box for name, box in boxes.items() if name not in everyone))
                    ]
        rights = _role(model, caller)
        for action in ("sns:Publish", "secretsmanager:GetSecretValue"):
            if not (_may(rights, action, topic.arn) if action.startswith("sns") else allows(rights, action, None)):
                finding.broken.append(note(caller, f"may not {action}"))


@proof("incidents.unanswered-calls-go-on")
def unanswered_calls_go_on(case: Case, finding: Finding) -> None:
    """The timer of an incident, run here, calls whom it is told to, sleeps until it is to ask again, goes on when a step fails,
    and ends only when the incident is closed; whoever is late is heard of at five minutes, and so is a timer that ends early.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-states.html
    """
    known = facts(case)
    model = known.model
    for leader in _functions(model, _LEADS, finding):
        machines = _machines(model, leader)
        if not machines:
            finding.broken.append(note(leader, "no timer asks it"))
        for machine in machines:
            for caller in _functions(model, _CALLS, finding):
                faults = list(_faults(machine, plain(leader.arn), plain(caller.arn)))
                finding.broken += [note(machine, fault) for fault in faults]
                if not faults:
                    finding.evidence.append(note(machine, "calls, sleeps and asks again until the incident is closed"))
                rights = [
                    document
                    for role in [model.find(machine.get("RoleArn"), "AWS::IAM::Role", near=machine)]
                    if role is not None
                    for document in documents_of(model, role)
                ]
                for function in (leader, caller):
                    if not _may(rights, "lambda:InvokeFunction", function.arn):
                        finding.broken.append(note(machine, f"may not call {function.path}"))
            _heard(known, machine, dict.fromkeys(_ENDINGS), finding)
        space = _setting(leader, "NAMESPACE")
        _heard(known, leader, {"TimeToAssign": space, "PromisesMissed": space}, finding)


def _faults(machine: Node, leader: str, caller: str) -> Iterator[str]:
    """What is wrong with the timer, by running it."""
    try:
        definition = json.loads(plain(str(machine.get("DefinitionString"))))
        asked, called, status = _watched(definition, leader, failing="")
        if (len(called), status) != (2, "SUCCEEDED"):
            yield f"told to call twice, then that it is closed, it calls {len(called)} times and is {status.lower()}"
        if len(asked) < 2 or asked[1] - asked[0] != _PROMISE:
            yield "it does not ask again when it is told to"
        for failing, what in ((caller, "calling"), (leader, "asking")):
            asked, _, status = _watched(definition, leader, failing=failing)
            if status != "SUCCEEDED" or len(asked) < 3:
                yield f"when {what} fails for an hour, it does not go on"
    except (ValueError, KeyError, UnknownLanguageError) as error:
        yield f"it cannot be run: {error}"


def _watched(
    definition: Mapping[str, Any], leader: str, *, failing: str
) -> tuple[list[timedelta], list[timedelta], str]:
    """When the timer asks and calls, and how it ends, if ``failing`` fails for its first hour."""
    clock = MovedClock()
    began = clock()
    asked: list[timedelta] = []
    called: list[timedelta] = []

    def task(resource: str, _given: Any) -> Any:
        since = clock() - began
        (asked if resource == leader else called).append(since)
        if len(asked) + len(called) > _ENOUGH:
            raise _Enough
        if resource == failing and since < timedelta(hours=1):
            raise ConnectionError(resource)
        if resource != leader:
            return {}
        until = (clock() + _PROMISE).isoformat().replace("+00:00", "Z")
        told = {"incident": "i", "done": False, "until": until}
        if len(called) < 2 or (failing and since < timedelta(hours=1)):
            return {**told, "page": {"incident": "i"}}
        return {**told, "done": True}

    try:
        status = StateMachine(definition, task, clock).run({"incident": "i"}).status
    except _Enough:
        status = "RUNNING"
    return asked, called, status


def _heard(known: Facts, about: Node, metrics: Mapping[str, str | None], finding: Finding) -> None:
    """Somebody hears of each metric: of the machine ``about`` if it names no namespace, else of that namespace."""
    told = {arrow.sender for arrow, refused in known.deliveries("alarm to topic") if refused is None}
    for metric, space in metrics.items():
        alarms = [
            one
            for one in known.model.of("AWS::CloudWatch::Alarm", account=about.account)
            if one.get("MetricName") == metric
            and (
                one.get("Namespace") == space
                if space
                else plain(about.arn) in {plain(str(at(each, "Value"))) for each in as_list(one.get("Dimensions"))}
            )
        ]
        late = [one for one in alarms if metric == "TimeToAssign" and _seconds(one) > _PROMISE.total_seconds()]
        finding.broken += [note(one, "allows more than five minutes") for one in late]
        if not any(one in told and one not in late for one in alarms):
            finding.broken += [note(one, f"nobody hears of {metric}") for one in (*alarms, about)]
        else:
            finding.evidence += [note(one, f"tells people of {metric}") for one in alarms if one in told]


def _seconds(alarm: Node) -> float:
    threshold = alarm.get("Threshold")
    return float(threshold) if isinstance(threshold, (int, float)) else float("inf")


# ------------------------------------------------------------------------------------------------------------- people


@proof("incidents.people-act-in-their-own-name")
def people_act_in_their_own_name(case: Case, finding: Finding) -> None:
    """Whoever acknowledges, assigns, tells, writes up or closes writes that under the id of their own session, which IAM fills
    in; the function that records it can write no deed itself, and a record is written once into the locked archive.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    model = case.model
    for desk in _functions(model, _ANSWERS, finding):
        folder = f"{desk.account}/{_setting(desk, 'RECORD_WORKFLOW')}"
        bucket = f"arn:aws:s3:::{_setting(desk, 'RECORD_BUCKET')}"
        if allows(_role(model, desk), "s3:PutObject", f"{bucket}/{folder}-deeds/ack@x/y.json"):
            finding.broken.append(note(desk, "can write what people say"))
        if not allows(_role(model, desk), "s3:PutObject", f"{bucket}/{folder}/x/closed.json"):
            finding.broken.append(note(desk, "cannot record what people did"))
        policies = [
            one
            for one in model.of("AWS::IAM::ManagedPolicy", account=desk.account)
            if _may([one.get("PolicyDocument")], "lambda:InvokeFunction", desk.arn) and not one.get("Roles")
        ]
        if not policies:
            finding.broken.append(note(desk, "nobody may call it"))
        for policy in policies:
            own = [
                str(resource)
                for statement in statements([policy.get("PolicyDocument")])
                if "s3:PutObject" in as_list(statement.get("Action"))
                for resource in as_list(statement.get("Resource"))
            ]
            wide = [one for one in own if not one.endswith("/${aws:userid}.json") or f"{folder}-deeds/" not in one]
            deeds = {one.rpartition("-deeds/")[2].partition("@")[0] for one in own}
            finding.broken += [note(policy, f"lets people speak for others: {one}") for one in wide]
            finding.broken += [
                note(policy, f"lets nobody {deed}")
                for deed in ("ack", "assign", "told", "postmortem", "close")
                if deed not in deeds
            ]
            if not wide:
                finding.evidence.append(note(policy, f"{', '.join(sorted(deeds))}: each under one's own id"))


@proof("incidents.items-follow")
def items_follow(case: Case, finding: Finding) -> None:
    """The functions that lead an incident and answer people may make its item, and those of its actions, and change them.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/OpsCenter.html
    """
    model = case.model
    for source in (_LEADS, _ANSWERS):
        for function in _functions(model, source, finding):
            rights = _role(model, function)
            lacking = [one for one in ("ssm:CreateOpsItem", "ssm:UpdateOpsItem") if not allows(rights, one, None)]
            if lacking:
                finding.broken.append(note(function, f"may not {' and '.join(lacking)}"))
                role = model.find(function.get("Role"), "AWS::IAM::Role", near=function)
                finding.broken += [
                    note(policy, f"lets {function.path} not {' and '.join(lacking)}")
                    for policy in model.of("AWS::IAM::ManagedPolicy", account=function.account)
                    if role is not None and {role.id, role.name} & set(map(str, as_list(policy.get("Roles"))))
                ]
            else:
                finding.evidence.append(note(function, "makes and changes items"))
