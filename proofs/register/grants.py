"""Promises about access that lasts for a while: what stands before it, who lets people in, and that nobody stays.

What the functions do when called, and when they are killed, their tests show: tests/lambda/decide_access, tests/lambda/
enforce_access (a moved clock, every call failing once, two decisions at once) and tests/stacks/test_access_requests.py (the
deployed definition, killed after each step); the rehearsal runs it from request to sweep.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from proofs.delivery.judge import plain, plain_values
from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import Model, Node, as_list, at
from proofs.model.people import granted, is_gate
from proofs.model.policies import allows, documents_of, statements
from proofs.register.people import ITEMS_AND_MESSAGES, Rights

_ASSIGN: Final = "sso:CreateAccountAssignment"
_OPEN: Final = "iam:CreatePolicyVersion"
_LONGEST_GAP: Final = timedelta(minutes=15)
_ENDINGS: Final = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")


def _levels(model: Model) -> list[Node]:
    """Permission sets that no template assigns to anybody: they are held for a while or never."""
    held = {
        model.find(one.get("PermissionSetArn"), "AWS::SSO::PermissionSet") for one in model.of("AWS::SSO::Assignment")
    }
    return [one for one in model.of("AWS::SSO::PermissionSet") if one not in held]


def _gates(model: Model, level: Node, account: str) -> list[Node]:
    """The policies of the account that the permission set attaches by name."""
    names = {str(at(one, "Name")) for one in as_list(level.get("CustomerManagedPolicyReferences"))}
    return [one for one in model.of("AWS::IAM::ManagedPolicy", account=account) if one.name in names]


def _roles_that(model: Model, action: str, resource: str | None) -> list[Node]:
    return [role for role in model.of("AWS::IAM::Role") if allows(documents_of(model, role), action, resource)]


def _trusted(role: Node) -> list[str] | None:
    """The roles, by exact ARN, that alone may assume this one; None if others may too."""
    found: list[str] = []
    for statement in statements([role.get("AssumeRolePolicyDocument")]):
        if statement.get("Effect") != "Allow":
            continue
        named = [
            str(one)
            for test in ("ArnEquals", "StringEquals")
            for one in as_list(at(statement, "Condition", test, "aws:PrincipalArn"))
        ]
        if not named or any("*" in one for one in named):
            return None
        found += named
    return found


def _function_of(model: Model, role: Node) -> Node | None:
    return next(
        (one for one in model.of("AWS::Lambda::Function") if plain(str(one.get("Role"))) == plain(role.arn)), None
    )


def _enforcers(model: Model) -> list[Node]:
    """Roles of components that assign permission sets."""
    return _roles_that(model, _ASSIGN, None)


@proof("grants.levels-wait-behind-gates")
def levels_wait_behind_gates(case: Case, finding: Finding) -> None:
    """Before each level of live stands a policy that refuses everything; one role rewrites it, for one function, which alone
    assigns the level, to nobody else's permission sets.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/prereqs-revoking-user-permissions.html
    """
    model = case.model
    levels = _levels(model)
    enforcers = {plain(role.arn): role for role in _enforcers(model)}
    for account in sorted(case.terms.guarded):
        if not levels:
            finding.missing.append(Note(account, "no permission set is held for a while only", "account"))
        for level in levels:
            attached = _gates(model, level, account)
            shut = [one for one in attached if is_gate(plain_values(one.get("PolicyDocument")))]
            if not shut:
                finding.broken += [note(one, f"lets {level.path} through unasked") for one in attached]
                finding.broken.append(note(level, f"nothing in {account} stands before it"))
            for gate in shut:
                _judge_keepers(case, gate, enforcers, finding)
    if not enforcers and levels:
        finding.missing.append(Note("grants", "nothing assigns what nobody holds"))
    for role in enforcers.values():
        _judge_reach(model, role, levels, finding)
    if len(enforcers) > 1:
        finding.broken += [
            note(role, "assigns permission sets, and is not the only one") for role in enforcers.values()
        ]


def _judge_keepers(case: Case, gate: Node, enforcers: Mapping[str, Node], finding: Finding) -> None:
    keepers = [role for role in _roles_that(case.model, _OPEN, plain(gate.arn)) if role.account == gate.account]
    if not keepers:
        finding.missing.append(note(gate, "nothing opens it"))
    for keeper in keepers:
        trusted = _trusted(keeper)
        if trusted is None:
            finding.broken.append(note(keeper, f"rewrites {gate.path} and does not say for whom"))
        elif set(map(plain, trusted)) - set(enforcers):
            finding.broken.append(note(keeper, f"rewrites {gate.path} for {', '.join(trusted)}, which assigns nothing"))
        else:
            finding.evidence.append(note(gate, f"refuses everything until {keeper.path} lets a grant through"))


def _judge_reach(model: Model, role: Node, levels: list[Node], finding: Finding) -> None:
    """It assigns what is tagged for it, and nothing but levels is."""
    for statement in statements(documents_of(model, role)):
        if statement.get("Effect") != "Allow" or _ASSIGN not in as_list(statement.get("Action")):
            continue
        if not any("permissionSet" in str(one) or str(one) == "*" for one in as_list(statement.get("Resource"))):
            continue
        wanted = {
            key.removeprefix("aws:ResourceTag/"): set(map(str, as_list(values)))
            for key, values in (at(statement, "Condition", "StringEquals") or {}).items()
            if str(key).startswith("aws:ResourceTag/")
        }
        if not wanted:
            finding.broken.append(note(role, "assigns any permission set, not only levels"))
            for policy in model.of("AWS::IAM::ManagedPolicy", account=role.account):
                if statement in [*statements([policy.get("PolicyDocument")])]:
                    finding.broken.append(note(policy, f"lets {role.path} assign any permission set"))
            continue
        within = [
            one
            for one in model.of("AWS::SSO::PermissionSet")
            if all(one.tags.get(key) in values for key, values in wanted.items())
        ]
        finding.broken += [
            note(one, f"{role.path} may assign it, and it is held for good") for one in within if one not in levels
        ]
        finding.missing += [note(one, "nothing may assign it") for one in levels if one not in within]


@proof("grants.nothing-is-forgotten")
def nothing_is_forgotten(case: Case, finding: Finding) -> None:
    """A grant is opened, ends by the clock and is closed by a machine whose every step is tried again and whose every failure is
    heard; a sweep every few minutes closes what it missed, and its silence alarms.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    model = case.model
    for role in _enforcers(model):
        function = _function_of(model, role)
        if function is None:
            finding.missing.append(note(role, "no function of the assembly works under it"))
            continue
        machines = [
            one
            for one in model.of("AWS::StepFunctions::StateMachine")
            if plain(function.arn) in plain(str(one.get("DefinitionString")))
        ]
        if not machines:
            finding.broken.append(note(function, "no state machine carries grants out by it"))
        for machine in machines:
            _judge_life(machine, finding)
            _judge_heard(model, machine, finding)
        _judge_sweep(model, function, finding)
    if not finding.evidence and not finding.broken:
        finding.missing.append(Note("grants", "nothing carries grants out"))


def _judge_life(machine: Node, finding: Finding) -> None:
    definition = json.loads(str(machine.get("DefinitionString")))
    states: Mapping[str, Any] = definition["States"]
    waits = [name for name, state in states.items() if state["Type"] == "Wait" and "TimestampPath" in state]
    tasks = {name: state for name, state in states.items() if state["Type"] == "Task"}
    bad = len(finding.broken)
    for name, state in tasks.items():
        tried = [one for one in as_list(state.get("Retry")) if "States.ALL" in as_list(at(one, "ErrorEquals"))]
        if not any(int(at(one, "MaxAttempts", default=3)) >= 3 for one in tried):
            finding.broken.append(note(machine, f"step {name} is not tried again"))
    if not waits:
        finding.broken.append(note(machine, "it waits for no moment, so nothing ends by the clock"))
    for name in waits:
        following = states[name].get("Next")
        if following not in tasks:
            finding.broken.append(note(machine, f"after {name} it closes nothing"))
    first = states[definition["StartAt"]]
    if first["Type"] == "Task" and not as_list(first.get("Catch")):
        finding.broken.append(note(machine, f"what {definition['StartAt']} cannot open is left half open"))
    if len(finding.broken) == bad:
        finding.evidence.append(note(machine, f"opens, waits for the end, closes; {len(tasks)} steps are tried again"))


def _judge_heard(model: Model, machine: Node, finding: Finding) -> None:
    for metric in _ENDINGS:
        alarms = [
            one
            for one in model.of("AWS::CloudWatch::Alarm", account=machine.account)
            if one.get("MetricName") == metric
            and plain(machine.arn) in {plain(str(at(each, "Value"))) for each in as_list(one.get("Dimensions"))}
        ]
        heard = [
            one
            for one in alarms
            if as_list(one.get("AlarmActions")) and one.get("ActionsEnabled", default=True) is not False
        ]
        if not heard:
            finding.broken += [note(one, f"tells nobody of {metric}") for one in alarms]
            finding.broken.append(note(machine, f"nobody hears of {metric}"))


def _judge_sweep(model: Model, function: Node, finding: Finding) -> None:
    rules = [
        one
        for one in model.of("AWS::Events::Rule", account=function.account)
        if plain(function.arn) in {plain(str(at(each, "Arn"))) for each in as_list(one.get("Targets"))}
    ]
    if not rules:
        finding.broken.append(note(function, "nothing sweeps by it"))
    for rule in rules:
        every = _every(str(rule.get("ScheduleExpression")))
        if rule.get("State", default="ENABLED") == "DISABLED":
            finding.broken.append(note(rule, "sweeps never: it is switched off"))
        elif every is None or every > _LONGEST_GAP:
            finding.broken.append(note(rule, f"sweeps too seldom: {rule.get('ScheduleExpression')}"))
        else:
            finding.evidence.append(note(rule, f"sweeps {rule.get('ScheduleExpression')}"))
    space = str(function.get("Environment", "Variables", "NAMESPACE"))
    watching = [
        one for one in model.of("AWS::CloudWatch::Alarm", account=function.account) if one.get("Namespace") == space
    ]
    silent = [
        one for one in watching if one.get("TreatMissingData") == "breaching" and as_list(one.get("AlarmActions"))
    ]
    if silent:
        finding.evidence += [note(one, "alarms when no sweep counts anything") for one in silent]
    else:
        finding.broken += [note(one, "does not alarm when no sweep takes place") for one in watching]
        finding.broken.append(note(function, "nobody hears when no sweep takes place"))


def _every(expression: str) -> timedelta | None:
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    return timedelta(**{f"{found[2]}s": int(found[1])}) if found else None


@proof("grants.another-person-decides")
def another_person_decides(case: Case, finding: Finding) -> None:
    """People ask and decide in their own name, which IAM fills in; the function that weighs it can let nobody in by itself, and
    asks for the customer's consent before every level that enters customers' data.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    model = case.model
    for machine in _machines(model):
        for role in _roles_that(model, "states:StartExecution", plain(machine.arn)):
            decider = _function_of(model, role)
            if decider is None:
                finding.broken.append(
                    note(role, f"starts {machine.path}, and no function of the assembly works under it")
                )
                continue
            _judge_decider(model, decider, role, finding)
            _judge_names(model, decider, finding)
            _judge_consent(case, decider, finding)
    if not finding.evidence and not finding.broken:
        finding.missing.append(Note("grants", "nothing decides about grants"))


def _machines(model: Model) -> Iterator[Node]:
    """The state machines that carry grants out."""
    functions = [function for role in _enforcers(model) if (function := _function_of(model, role)) is not None]
    for machine in model.of("AWS::StepFunctions::StateMachine"):
        if any(plain(function.arn) in plain(str(machine.get("DefinitionString"))) for function in functions):
            yield machine


def _judge_decider(model: Model, decider: Node, role: Node, finding: Finding) -> None:
    for action in (_ASSIGN, _OPEN, "sts:AssumeRole", "iam:PassRole"):
        if allows(documents_of(model, role), action, None):
            finding.broken.append(note(role, f"decides, and may {action} too"))
            finding.broken += [
                note(policy, f"lets whoever decides {action}")
                for policy in model.of("AWS::IAM::ManagedPolicy", account=role.account)
                if allows([policy.get("PolicyDocument")], action, None)
                and {role.id, role.name} & set(map(str, as_list(policy.get("Roles"))))
            ]
    finding.evidence.append(note(decider, "decides, and changes nothing but records"))


def _judge_names(model: Model, decider: Node, finding: Finding) -> None:
    """Whoever may call it may write only what ends in their own session's id."""
    attached = {
        str(at(one, "Name"))
        for level in model.of("AWS::SSO::PermissionSet")
        for one in as_list(level.get("CustomerManagedPolicyReferences"))
    }
    found = False
    for policy in model.of("AWS::IAM::ManagedPolicy", account=decider.account):
        document = policy.get("PolicyDocument")
        if policy.name not in attached or not allows([document], "lambda:InvokeFunction", plain(decider.arn)):
            continue
        found = True
        anybody = [arn for arn in allows([document], "s3:PutObject", None) if not arn.endswith("/${aws:userid}.json")]
        finding.broken += [note(policy, f"people write {arn}, not in their own name only") for arn in anybody]
        if not anybody:
            finding.evidence.append(note(policy, "people write under their own session's id"))
    if not found:
        finding.missing.append(note(decider, "nobody may call it"))


def _judge_consent(case: Case, decider: Node, finding: Finding) -> None:
    rules = json.loads(str(decider.get("Environment", "Variables", "RULES")))
    for level in _levels(case.model):
        job = next((one for one in rules["groups"] if str(level.get("Name")).endswith(f"-{one}")), None)
        if job is None:
            finding.missing.append(note(level, "nobody may ask for it"))
            continue
        for account in sorted(case.terms.guarded):
            deeds = Rights(case.model, granted(case.model, level, account)).may(ITEMS_AND_MESSAGES)
            if deeds and job not in rules["customer_data"]:
                finding.broken.append(note(decider, f"asks no consent for {level.path}, which may {deeds[0]}"))
            elif deeds:
                finding.evidence.append(note(level, f"consent is asked: it may {deeds[0]}"))
