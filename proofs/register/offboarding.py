"""Promises about the end of a tenant: from every store, thirty days after its contract or on demand, and nobody else's.

That the machine does what its definition says, killed after any step, is shown by
tests/lambda/offboard_tenant/test_deletion_machine.py, with the calendar in test_desk.py beside it; on a real PostgreSQL by
tests/postgres/test_eraser.py; and on the embedded AWS by rehearsal/checks/offboarding.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import Model, Node, at
from proofs.register.questions import facts, statements, texts

_TAG = "${aws:PrincipalTag/"
_FUNCTION, _MACHINE = "AWS::Lambda::Function", "AWS::StepFunctions::StateMachine"
_DELETER, _CLERK, _DESK = "delete_tenant.", "certify_deletion.", "offboard_tenant."
_NEEDED = {
    "table": "dynamodb:DeleteItem",
    "objects": "s3:DeleteObjectVersion",
    "users": "cognito-idp:AdminDeleteUser",
    "database": "rds-db:connect",
}
"""What it takes to delete from a store of each kind."""
_HARMLESS = re.compile(
    r"(dynamodb:(DeleteItem|Query|GetItem)|s3:(DeleteObject(Version)?|ListBucketVersions)|cognito-idp:(AdminDeleteUser|ListUsers)"
    r"|rds-db:connect|sts:\w+|kms:Decrypt|logs:\w+|xray:\w+|ec2:\w+)"
)
"""All that deleting tenants' data can take. None of it reads an object, writes anything, or administers a key."""


@dataclass(frozen=True)
class _Deletion:
    """One state machine that deletes tenants, with its functions and its definition."""

    machine: Node
    deleter: Node
    clerk: Node
    states: Mapping[str, Any]

    @property
    def order(self) -> list[str]:
        """The states, each once, as they follow each other when nothing goes wrong."""
        name, found = self.states.get("StartAt"), []
        while isinstance(name, str) and name not in found:
            found.append(name)
            state = at(self.states, "States", name, default={})
            name = state.get("Next") or next(
                (one.get("Next") for one in state.get("Choices", ())), state.get("Default")
            )
        return found

    def phases(self) -> list[str]:
        """What the deleter and the clerk are told on the way."""
        steps = (at(self.states, "States", name, default={}) for name in self.order)
        return [str(at(one, "ItemSelector", "phase") or at(one, "Parameters", "kind")) for one in steps]

    @property
    def works_on(self) -> list[str]:
        """The stores that it goes through."""
        first = at(self.states, "States", self.states.get("StartAt", ""), "Parameters", "stores", default=[])
        return [str(one) for one in first]

    @property
    def stores(self) -> dict[str, list[str]]:
        """The deleter's stores, kinds and places by name."""
        found = json.loads(str(self.deleter.get("Environment", "Variables", "STORES")))
        return {name: [str(part) for part in found[name]] for name in found}


def _deletions(model: Model) -> Iterator[_Deletion]:
    for machine in model.of(_MACHINE):
        text = machine.get("DefinitionString")
        named = {kind: _called(model, text, kind) for kind in (_DELETER, _CLERK)}
        if isinstance(text, str) and named[_DELETER] is not None and named[_CLERK] is not None:
            yield _Deletion(machine, named[_DELETER], named[_CLERK], json.loads(text))


def _called(model: Model, text: Any, handler: str) -> Any:
    """The function of that handler that a definition calls."""
    functions = (one for one in model.of(_FUNCTION) if str(one.get("Handler")).startswith(handler))
    return next((one for one in functions if one.arn in str(text) or one.id in str(text)), None)


@proof("deletion.every-store-of-tenants")
def every_store_of_tenants(case: Case, finding: Finding) -> None:
    """Whatever holds tenants' data is counted, emptied and counted again by a state machine, before anybody certifies it.

    https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html
    """
    model = facts(case).model
    deletions = {one.machine.account: one for one in _deletions(model)}
    for kind, store in _tenants_stores(model):
        deletion = deletions.get(store.account)
        if deletion is None:
            finding.broken.append(note(store, "no state machine of its account deletes tenants from it"))
            continue
        named = [name for name, (known, *where) in deletion.stores.items() if known == kind and _is(store, where)]
        if not set(named) & set(deletion.works_on):
            finding.broken.append(note(store, f"{deletion.machine.path} leaves it out"))
        elif not any(_NEEDED[kind] in actions for actions in _rights(model, deletion.deleter, store)):
            finding.broken.append(note(store, f"nothing lets {deletion.deleter.path} empty it"))
        else:
            finding.evidence.append(note(store, f"emptied by {deletion.machine.path}"))
    for deletion in deletions.values():
        finding.broken.extend(note(deletion.machine, fault) for fault in _faults(model, deletion))


def _tenants_stores(model: Model) -> Iterator[tuple[str, Node]]:
    """Stores that hold tenants' data: what sessions of one tenant write to, databases, and directories of users."""
    for table in model.of("AWS::DynamoDB::Table"):
        keys = [at(one, "AttributeName") for one in table.get("KeySchema", default=[])]
        if "tenant" in keys and table.tags.get("palisade:holds") != "register":
            yield "table", table
    for bucket in model.of("AWS::S3::Bucket"):
        # What sessions leave under a lock is evidence, and is to stay.
        if bucket.get("ObjectLockEnabled") is None and any(_by_tenant(bucket, one) for one in _writing(model, bucket)):
            yield "objects", bucket
    yield from (("database", cluster) for cluster in model.of("AWS::RDS::DBCluster"))
    yield from (("users", pool) for pool in model.of("AWS::Cognito::UserPool"))


def _writing(model: Model, bucket: Node) -> Iterator[Mapping[str, Any]]:
    for policy in model.referrers(bucket, "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
        for statement in statements(policy.get("PolicyDocument")):
            if "s3:PutObject" in texts(statement.get("Action")):
                yield statement


def _by_tenant(bucket: Node, statement: Mapping[str, Any]) -> bool:
    return any(_TAG in one and one.startswith(bucket.arn) for one in texts(statement.get("Resource")))


def _is(store: Node, where: list[str]) -> bool:
    """A table or bucket is named; of databases and directories a stage has one."""
    return not where or where[0] in {store.name, store.id}


def _rights(model: Model, deleter: Node, store: Node) -> Iterator[list[str]]:
    """What the deleter, or a role that it takes, may do to the store."""
    # Whom a database lets in is named by a number that RDS invents.
    cluster = f"<{store.stack.name}/{store.resource.logical_id}."
    for _, statement in _statements(model, deleter):
        named = texts(statement.get("Resource"))
        if statement.get("Effect") == "Allow" and any(one.startswith(store.arn) or cluster in one for one in named):
            yield texts(statement.get("Action"))


def _statements(model: Model, deleter: Node) -> Iterator[tuple[Node, Mapping[str, Any]]]:
    role = model.find(deleter.get("Role"), "AWS::IAM::Role")
    taken = model.find(deleter.get("Environment", "Variables", "TENANT_ROLE_ARN"), "AWS::IAM::Role")
    for one in (role, taken):
        for policy in () if one is None else model.referrers(one, "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
            if any(
                model.find(named, "AWS::IAM::Role", near=policy) is one for named in policy.get("Roles", default=[])
            ):
                for statement in statements(policy.get("PolicyDocument")):
                    yield policy, statement


def _faults(model: Model, deletion: _Deletion) -> Iterator[str]:
    if deletion.phases() != ["None", "open", "None", "count", "counted", "delete", "count", "certify", "None", "None"]:
        yield f"does not open, count, delete, count and certify in this order, but {', '.join(deletion.order)}"
    for name, state in at(deletion.states, "States", default={}).items():
        caught = {error for one in state.get("Catch", ()) for error in texts(one.get("ErrorEquals"))}
        if state.get("Type") in {"Map", "Task"} and name != "Stopped" and "HeldError" not in caught:
            yield f"a hold does not stop it in {name}"
    heard = {
        str(alarm.get("MetricName"))
        for alarm in model.referrers(deletion.machine, "AWS::CloudWatch::Alarm")
        if alarm.get("AlarmActions")
    }
    for metric in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"):
        if metric not in heard:
            yield f"nobody hears of {metric}"


@proof("deletion.thirty-days-after-or-on-demand")
def thirty_days_after_or_on_demand(case: Case, finding: Finding) -> None:
    """Every day somebody looks whose contract has ended, people may ask for a deletion under their own name, and both begin it.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
    """
    model = facts(case).model
    for deletion in _deletions(model):
        machine = deletion.machine
        desk = next(
            (one for one in model.of(_FUNCTION, account=machine.account) if str(one.get("Handler")).startswith(_DESK)),
            None,
        )
        if desk is None:
            finding.broken.append(note(machine, "no function begins it"))
            continue
        faults = list(_desk_faults(model, desk, machine))
        finding.broken.extend(note(desk, fault) for fault in faults)
        if not faults:
            finding.evidence.append(note(desk, f"begins {machine.path} every day that one is due, and when people ask"))
    finding.assumptions.append(
        "palisade_runtime.tenants.GRACE_DAYS is thirty, as the calendar's tests show day by day."
    )


def _desk_faults(model: Model, desk: Node, machine: Node) -> Iterator[str]:
    allowed = [one for _, one in _statements(model, desk) if one.get("Effect") == "Allow"]
    if not any(
        "states:StartExecution" in texts(one.get("Action")) and machine.arn in texts(one.get("Resource"))
        for one in allowed
    ):
        yield f"it may not begin {machine.path}"
    rules = [
        rule
        for rule in model.of("AWS::Events::Rule", account=desk.account)
        if any(model.find(at(target, "Arn"), _FUNCTION) is desk for target in rule.get("Targets", default=[]))
        and "sweep" in json.dumps(rule.get("Targets"), default=str)
    ]
    daily = re.compile(r"rate\(1 day\)|cron\(\d+ \d+ \* \* \? \*\)")
    awake = [rule for rule in rules if rule.get("State") in {None, "ENABLED"}]
    if not any(daily.fullmatch(str(rule.get("ScheduleExpression"))) for rule in awake):
        yield "nothing calls it every day"
    elif not any(refused is None for arrow, refused in _calls(model, awake)):
        yield "the daily rule may not call it"
    own = re.compile(r".*-deeds/delete@\*/\$\{aws:userid\}\.json")
    people = [
        policy
        for policy in model.referrers(desk, "AWS::IAM::ManagedPolicy")
        if not policy.get("Roles")
        and any(
            own.fullmatch(one) for s in statements(policy.get("PolicyDocument")) for one in texts(s.get("Resource"))
        )
    ]
    if not people:
        yield "nobody may ask for a deletion under their own name"


def _calls(model: Model, rules: list[Node]) -> Iterator[tuple[Any, Any]]:
    from proofs.delivery import arrows, findings  # noqa: PLC0415 - they import this package's neighbours

    wanted = [arrow for arrow in arrows(model) if arrow.kind == "rule to function" and arrow.sender in rules]
    refused = {id(one.arrow): one for one in findings(model, wanted)}
    yield from ((arrow, refused.get(id(arrow))) for arrow in wanted)


@proof("deletion.reaches-one-tenant")
def reaches_one_tenant(case: Case, finding: Finding) -> None:
    """What deletes a tenant reaches that tenant's data and nothing else, and only the state machine calls it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
    """
    model = facts(case).model
    for deletion in _deletions(model):
        faults = [*_beyond(model, deletion), *_callers(model, deletion), *_without_tenant(model, deletion)]
        finding.broken.extend(faults)
        if not faults:
            finding.evidence.append(
                note(deletion.deleter, "works in sessions of one tenant, called by its machine alone")
            )


def _beyond(model: Model, deletion: _Deletion) -> Iterator[Note]:
    for policy, statement in _statements(model, deletion.deleter):
        actions = texts(statement.get("Action")) if statement.get("Effect") == "Allow" else []
        yield from (note(policy, f"lets the deleter {one}") for one in actions if not _HARMLESS.fullmatch(one))
        bound = all(_TAG in one for one in texts(statement.get("Resource"))) or _TAG in str(statement.get("Condition"))
        if any(one.startswith(("s3:", "dynamodb:")) for one in actions) and not bound:
            yield note(policy, "lets the deleter at every tenant's data")


def _callers(model: Model, deletion: _Deletion) -> Iterator[Note]:
    role = model.find(deletion.machine.get("RoleArn"), "AWS::IAM::Role")
    for function in (deletion.deleter, deletion.clerk):
        for policy in model.referrers(function, "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
            own = [model.find(named, "AWS::IAM::Role", near=policy) for named in policy.get("Roles", default=[])]
            if own != [role] and any(
                "lambda:InvokeFunction" in texts(one.get("Action")) and function.arn in texts(one.get("Resource"))
                for one in statements(policy.get("PolicyDocument"))
            ):
                yield note(policy, f"lets others than the state machine call {function.path}")


def _without_tenant(model: Model, deletion: _Deletion) -> Iterator[Note]:
    taken = model.find(deletion.deleter.get("Environment", "Variables", "TENANT_ROLE_ARN"), "AWS::IAM::Role")
    if taken is None:
        yield note(deletion.deleter, "it takes no role for one tenant")
        return
    for statement in statements(taken.get("AssumeRolePolicyDocument")):
        asked = {"sts:AssumeRole", "sts:TagSession"} & set(texts(statement.get("Action")))
        if asked and "aws:RequestTag/" not in str(statement.get("Condition")):
            yield note(taken, "its session need not carry a tenant")
