"""Promises about reviews of access: that they come about, see every account, and stay open until people have signed.

What happens in the course of one, with a moved clock and killed after every step, tests/stacks/test_security_reviews.py and
tests/lambda/review_access show; on an embedded AWS with planted users, keys and roles rehearsal/checks/reviews.py does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from proofs.delivery.judge import plain
from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import Model, Node, as_list, at
from proofs.model.policies import allows, documents_of, statements

_FUNCTION: Final = "AWS::Lambda::Function"
_MACHINE: Final = "AWS::StepFunctions::StateMachine"
_MONTH: Final = r"cron\(\S+ \S+ \d+ \*(/1)? \? \*\)"
_QUARTER: Final = r"cron\(\S+ \S+ \d+ (\*/3|\d+(,\d+){3,}) \? \*\)"
LEAST_SIGNERS: Final = 2
LATEST_DAYS: Final = 28
"""A monthly review is signed before the next one."""


def _environment(function: Node) -> Mapping[str, Any]:
    found = function.get("Environment", "Variables", default={})
    return found if isinstance(found, Mapping) else {}


def _named(model: Model, *names: str) -> Iterator[tuple[Node, Mapping[str, Any]]]:
    """Functions whose environment names all of these."""
    for function in model.of(_FUNCTION):
        environment = _environment(function)
        if all(name in environment for name in names):
            yield function, environment


def _does(environment: Mapping[str, Any], act: str) -> bool:
    return act in str(environment.get("ACTS")).split()


def _definition(machine: Node) -> Mapping[str, Any]:
    text = machine.get("DefinitionString")
    found = json.loads(text) if isinstance(text, str) else {}
    return found if isinstance(found, Mapping) else {}


def _states(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, state in at(definition, "States", default={}).items():
        yield name, state
        for inner in (state.get("ItemProcessor"), *as_list(state.get("Branches"))):
            if isinstance(inner, Mapping):
                yield from _states(inner)


def _steps(model: Model) -> Iterator[tuple[Node, Mapping[str, Any], Node | None]]:
    """The function that a review goes by, its environment, and the machine that it begins."""
    for function, environment in _named(model, "ACTS", "MACHINE"):
        if _does(environment, "begin"):
            machine = model.find(environment["MACHINE"], _MACHINE, near=function)
            may = allows(
                documents_of(model, _role(model, function)), "states:StartExecution", str(environment["MACHINE"])
            )
            yield function, environment, machine if may else None


def _role(model: Model, function: Node) -> Node:
    role = model.find(function.get("Role"), "AWS::IAM::Role", near=function)
    if role is None:
        raise ValueError(f"{function.path} has no role")
    return role


def _scheduled(case: Case, finding: Finding, *, kind: str, pattern: str, often: str) -> None:
    model = case.model
    for function, environment, machine in _steps(model):
        rules = [
            rule
            for rule in model.of("AWS::Events::Rule", account=function.account)
            for target in as_list(rule.get("Targets"))
            if f'"kind":"{kind}"' in re.sub(r"\s", "", str(at(target, "Input")))
            and '"do":"begin"' in re.sub(r"\s", "", str(at(target, "Input")))
            and model.find(at(target, "Arn"), _FUNCTION, near=rule) is function
        ]
        good = [one for one in rules if re.fullmatch(pattern, str(one.get("ScheduleExpression"))) and _wakes(one)]
        called = any(
            model.find(one.get("FunctionName"), _FUNCTION, near=function) is function
            and any(plain(rule.arn) == plain(str(one.get("SourceArn"))) for rule in good)
            for one in model.of("AWS::Lambda::Permission", account=function.account)
        )
        if machine is None:
            finding.broken.append(note(function, f"no machine that it may begin collects the review of {kind}"))
        elif not good:
            finding.broken.append(note(rules[0] if rules else function, f"nothing begins a review of {kind} {often}"))
        elif not called:
            finding.broken.append(note(good[0], f"it may not call {function.path}"))
        else:
            people = {one.casefold() for one in str(environment.get(f"{kind.upper()}_REVIEWERS")).split()}
            if len(people) < LEAST_SIGNERS:
                finding.broken.append(note(function, f"fewer than {LEAST_SIGNERS} people sign the review of {kind}"))
            else:
                finding.evidence.append(note(good[0], f"{often}, signed by two of {len(people)} people"))


def _wakes(rule: Node) -> bool:
    return bool(rule.get("State", default="ENABLED") == "ENABLED")


@proof("reviews.administrators-every-month")
def administrators_every_month(case: Case, finding: Finding) -> None:
    """Every month the rights of administrators are reviewed, with the grants that are live and those that nobody used.

    https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_permissions_continuous_reduction.html
    """
    _scheduled(case, finding, kind="admin", pattern=_MONTH, often="every month")
    for function, environment, _ in _steps(case.model):
        granted = f"{environment.get('GRANTS_WORKFLOW')}/"
        bucket = str(environment.get("RECORD_BUCKET"))
        grants = f"arn:aws:s3:::{bucket}/{function.account}/{granted}x/decision.json"
        if not allows(documents_of(case.model, _role(case.model, function)), "s3:GetObject", grants):
            finding.broken.append(note(function, "it cannot read which grants were given"))


@proof("reviews.everybody-every-quarter")
def everybody_every_quarter(case: Case, finding: Finding) -> None:
    """Every quarter the rights of everybody are reviewed.

    https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_permissions_continuous_reduction.html
    """
    _scheduled(case, finding, kind="access", pattern=_QUARTER, often="every quarter")


@proof("reviews.every-account-is-read")
def every_account_is_read(case: Case, finding: Finding) -> None:
    """A review reads every account, through a role that only its collector may assume and that changes nothing, and says of
    one that does not answer that it is missing.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html
    """
    model = case.model
    for function, environment in _named(model, "REVIEWER", "EXTERNAL_ID", "ACCOUNTS"):
        role = _role(model, function)
        read = {one.partition("=")[2] for one in str(environment["ACCOUNTS"]).split()}
        for account in sorted({stack.account for stack in case.assembly.stacks}):
            reviewer = next(
                (one for one in model.of("AWS::IAM::Role", account=account) if one.name == environment["REVIEWER"]),
                None,
            )
            if account not in read:
                finding.broken.append(note(function, f"account {account} is left out"))
            elif reviewer is None:
                finding.broken.append(note(function, f"account {account} has no role {environment['REVIEWER']}"))
            elif not allows(documents_of(model, role), "sts:AssumeRole", plain(reviewer.arn)):
                finding.broken.append(note(role, f"it may not read account {account}"))
            else:
                _narrow(model, finding, reviewer, role, str(environment["EXTERNAL_ID"]))
    for machine in _machines(model):
        if not any(_says_missing(state) for _, state in _states(_definition(machine))):
            finding.broken.append(note(machine, "an account that does not answer is not recorded as missing"))


def _machines(model: Model) -> Iterator[Node]:
    return (machine for _, _, machine in _steps(model) if machine is not None)


def _says_missing(state: Mapping[str, Any]) -> bool:
    return at(state, "Parameters", "do") == "missing" and bool(state.get("Retry"))


def _narrow(model: Model, finding: Finding, reviewer: Node, collector: Node, external_id: str) -> None:
    trusting = list(statements([reviewer.get("AssumeRolePolicyDocument")]))
    bound = all(
        plain(str(at(one, "Condition", "ArnEquals", "aws:PrincipalArn"))) == plain(collector.arn)
        and at(one, "Condition", "StringEquals", "sts:ExternalId") == external_id
        for one in trusting
    )
    actions = [
        str(action)
        for one in statements(documents_of(model, reviewer))
        if one.get("Effect") == "Allow"
        for action in as_list(one.get("Action"))
    ]
    changes = [
        action
        for action in actions
        if not re.fullmatch(r"[a-z-]+:(Describe|Generate|Get|List|Lookup)[A-Za-z]+", action)
    ]
    wanted = {"iam:GetAccountAuthorizationDetails", "iam:GetCredentialReport", "iam:GetServiceLastAccessedDetails"}
    if not trusting or not bound:
        finding.broken.append(note(reviewer, f"others than {collector.path} may assume it"))
    elif changes:
        finding.broken.append(note(reviewer, f"it does more than read: {', '.join(changes)}"))
    elif not wanted <= set(actions):
        finding.broken.append(note(reviewer, f"it cannot see {', '.join(sorted(wanted - set(actions)))}"))
    else:
        finding.evidence.append(note(reviewer, "is read by the collector alone"))


@proof("reviews.people-sign-as-themselves")
def people_sign_as_themselves(case: Case, finding: Finding) -> None:
    """A reviewer signs under their own identity, which IAM binds, in records that nobody alters; the function that takes the
    signatures is the only one that reviewers reach, and none of its steps.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    model = case.model
    for function, environment in _named(model, "ACTS", "RECORD_BUCKET"):
        if not _does(environment, "sign"):
            continue
        folder = (
            f"arn:aws:s3:::{environment['RECORD_BUCKET']}/{function.account}/{environment['RECORD_WORKFLOW']}-deeds/"
        )
        bucket = model.find(str(environment["RECORD_BUCKET"]), "AWS::S3::Bucket")
        inner = {one.arn for one, other in _named(model, "ACTS") if not _does(other, "sign")}
        signers = [
            policy
            for policy in model.of("AWS::IAM::ManagedPolicy", account=function.account)
            if not as_list(policy.get("Roles"))
            and allows([policy.get("PolicyDocument")], "lambda:InvokeFunction", function.arn)
        ]
        if bucket is None or not bucket.get("ObjectLockConfiguration", "Rule", "DefaultRetention"):
            finding.broken.append(note(bucket or function, "signatures are kept where they may be altered"))
        if set(str(environment["ACTS"]).split()) & {"begin", "open", "weigh", "look", "told"}:
            finding.broken.append(note(function, "whoever signs may also take a review from step to step"))
        if not signers:
            finding.missing.append(note(function, "no policy lets reviewers reach it"))
        for policy in signers:
            document = policy.get("PolicyDocument")
            writes = allows([document], "s3:PutObject", None)
            strange = [one for one in writes if not (one.startswith(folder) and one.endswith("/${aws:userid}.json"))]
            reached = [arn for arn in inner if allows([document], "lambda:InvokeFunction", arn)]
            if not writes or strange:
                finding.broken.append(note(policy, "its holder may sign as somebody else, or not at all"))
            elif reached:
                finding.broken.append(note(policy, "its holder may call the steps of a review"))
            else:
                finding.evidence.append(note(policy, "its holder signs as themselves"))


@proof("reviews.unsigned-is-heard")
def unsigned_is_heard(case: Case, finding: Finding) -> None:
    """People are reminded until they have signed, what is overdue goes to others as well, and an alarm that looks from outside
    sounds when a review is late, has not come about, or nobody counts.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    model = case.model
    for function, environment, machine in _steps(model):
        if machine is None:
            finding.broken.append(note(function, "there is no machine that reminds anybody"))
            continue
        _reminded(model, finding, machine)
        late = str(environment.get("DUE_DAYS"))
        if not late.isdigit() or int(late) > LATEST_DAYS:
            finding.broken.append(note(function, f"a review is late after {late} days only"))
        watch = [
            rule
            for rule in model.of("AWS::Events::Rule", account=function.account)
            if _wakes(rule)
            and str(rule.get("ScheduleExpression")).startswith("rate(")
            and any('"watch"' in str(at(one, "Input")) for one in as_list(rule.get("Targets")))
        ]
        alarm = next(
            (
                one
                for one in model.of("AWS::CloudWatch::Alarm", account=function.account)
                if one.get("MetricName") == "ReviewsOverdue" and one.get("Namespace") == environment.get("NAMESPACE")
            ),
            None,
        )
        if not watch or not _does(environment, "watch"):
            finding.broken.append(note(function, "nobody looks from outside whether a review is late"))
        elif alarm is None or not _sounds(alarm):
            finding.broken.append(note(alarm or function, "no alarm sounds when a review is late or nobody counts"))
        else:
            finding.evidence.append(note(alarm, "sounds when a review is late or nobody counts"))


def _sounds(alarm: Node) -> bool:
    return (
        alarm.get("TreatMissingData") == "breaching"
        and bool(alarm.get("AlarmActions"))
        and alarm.get("ActionsEnabled", default=True) is True
        and str(alarm.get("ComparisonOperator")).startswith("GreaterThan")
        and float(alarm.get("Threshold", default=9)) <= 1
    )


def _reminded(model: Model, finding: Finding, machine: Node) -> None:
    definition = _definition(machine)
    told = [
        (name, model.find(at(state, "Parameters", "TopicArn"), "AWS::SNS::Topic", near=machine))
        for name, state in _states(definition)
        if str(state.get("Resource")).endswith(":sns:publish")
    ]
    for name, topic in told:
        mailboxes = [
            one
            for one in model.of("AWS::SNS::Subscription", account=machine.account)
            if topic is not None and model.find(one.get("TopicArn"), "AWS::SNS::Topic", near=one) is topic
        ]
        if not mailboxes:
            finding.broken.append(note(machine, f"{name} reaches nobody"))
    if len({topic for _, topic in told}) < LEAST_SIGNERS:
        finding.broken.append(note(machine, "reminders and escalations do not go to different people"))
    waits = [state for _, state in _states(definition) if state.get("Type") == "Wait" and state.get("TimestampPath")]
    if not waits or not any(state.get("Type") == "Succeed" for _, state in _states(definition)):
        finding.broken.append(Note(machine.path, "nothing waits for signatures", machine.type))
