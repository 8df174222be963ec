"""Promises about debug exports: one tenant's listed fields, approved by deeds, fetched by short links, gone when time is over.

That no value of a name leaves in any encoding, that nobody approves their own request, that links end with the export and are
recorded first, and that the machine deletes though it was killed anywhere, is shown by
tests/lambda/make_debug_export/test_debug_export.py, and on the embedded AWS by rehearsal/checks/debug_export.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import Model, Node, as_list, at
from proofs.register.questions import facts, statements, texts

_FUNCTION, _MACHINE, _BUCKET = "AWS::Lambda::Function", "AWS::StepFunctions::StateMachine", "AWS::S3::Bucket"
_DESK, _MAKER = "export_debug_data.", "make_debug_export."
_TAG = "${aws:PrincipalTag/tenant}"
_WORDS = frozenset({"title", "summary", "reason", "statistics"})
"""Fields that hold what people wrote, or what was made of it."""
_LINK_MILLISECONDS = 15 * 60 * 1000
_READS = ("s3:GetObject", "s3:GetObjectVersion")


@dataclass(frozen=True)
class _Export:
    """One stage's exports: the functions, the machine with its definition, and the bucket."""

    model: Model
    desk: Node
    maker: Node
    machine: Node
    bucket: Node
    states: Mapping[str, Any]

    def rights(self, function: Node, variable: str = "") -> Iterator[tuple[Node, Mapping[str, Any]]]:
        """What the function's role, or the role that a variable of it names, is allowed, and where it says so."""
        named = function.get("Environment", "Variables", variable) if variable else function.get("Role")
        role = self.model.find(named, "AWS::IAM::Role")
        for policy in () if role is None else self.model.referrers(role, "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
            if role in [self.model.find(one, "AWS::IAM::Role", near=policy) for one in as_list(policy.get("Roles"))]:
                for one in statements(policy.get("PolicyDocument")):
                    if one.get("Effect") == "Allow":
                        yield policy, one


def _exports(case: Case, finding: Finding) -> Iterator[_Export]:
    """The exports of every stage that has a desk for them; without the rest the promise is broken."""
    model = facts(case).model
    for desk in model.of(_FUNCTION):
        if not str(desk.get("Handler")).startswith(_DESK):
            continue
        beside = model.of(_FUNCTION, account=desk.account)
        maker = next((one for one in beside if str(one.get("Handler")).startswith(_MAKER)), None)
        machine = (
            None
            if maker is None
            else next((one for one in model.of(_MACHINE, account=desk.account) if _calls(one, maker)), None)
        )
        bucket = None if maker is None else model.find(maker.get("Environment", "Variables", "BUCKET_NAME"), _BUCKET)
        if maker is None or machine is None or bucket is None:
            finding.broken.append(note(desk, "nothing makes and deletes what it decides"))
        else:
            definition = json.loads(str(machine.get("DefinitionString")))
            yield _Export(model, desk, maker, machine, bucket, definition)


def _calls(machine: Node, function: Node) -> bool:
    text = str(machine.get("DefinitionString"))
    return function.arn in text or function.id in text


def _judge(finding: Finding, node: Node, faults: Sequence[str | Note], evidence: str) -> None:
    finding.broken.extend(note(node, fault) if isinstance(fault, str) else fault for fault in faults)
    if not faults:
        finding.evidence.append(note(node, evidence))


@proof("debug-export.gone-when-time-is-over")
def gone_when_time_is_over(case: Case, finding: Finding) -> None:
    """An export is made, kept until it expires, deleted, and looked for; what fails is tried again and heard of.

    https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html
    """
    for export in _exports(case, finding):
        _judge(finding, export.machine, list(_faults_of_time(export)), "makes, waits, deletes and looks again")
        _judge(
            finding, export.bucket, list(_faults_of_bucket(export)), "keeps nothing for more than days, nor do backups"
        )


def _faults_of_time(export: _Export) -> Iterator[str]:
    states = at(export.states, "States", default={})
    way: list[str] = []
    name, last = export.states.get("StartAt"), ""
    while isinstance(name, str) and name in states and len(way) <= len(states):
        state, last = states[name], name
        way.append(str(state.get("TimestampPath") or at(state, "Parameters", "kind") or state.get("Type")))
        name = state.get("Next")
    if way != ["make", "$.expires_at", "delete", "verify", "Succeed"]:
        yield f"it does not make, wait until it expires, delete and verify, but {', '.join(way)}, up to {last}"
    unmade = next((one.get("Next") for one in at(states, "Make", "Catch", default=[])), None)
    after = at(states, str(unmade), default={})
    if (at(after, "Parameters", "kind"), at(states, str(after.get("Next")), "Parameters", "kind")) != (
        "delete",
        "verify",
    ):
        yield "what could not be made is not deleted"
    for step, state in states.items():
        if state.get("Type") == "Task" and not any(
            "States.ALL" in texts(one.get("ErrorEquals")) and one.get("MaxAttempts", 3) > 0
            for one in state.get("Retry", ())
        ):
            yield f"{step} is not tried again"
    heard = {
        str(alarm.get("MetricName"))
        for alarm in export.model.referrers(export.machine, "AWS::CloudWatch::Alarm")
        if alarm.get("AlarmActions")
    }
    for metric in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"):
        if metric not in heard:
            yield f"nobody hears of {metric}"
    rights = [one for _, one in export.rights(export.maker)]
    for action in ("s3:DeleteObjectVersion", "s3:ListBucketVersions"):
        if not any(action in texts(one.get("Action")) and _of(export.bucket, one) for one in rights):
            yield f"its function may not {action}"


def _faults_of_bucket(export: _Export) -> Iterator[str]:
    rules = [
        one for one in as_list(export.bucket.get("LifecycleConfiguration", "Rules")) if one.get("Status") == "Enabled"
    ]
    if not any(0 < int(one.get("ExpirationInDays") or 0) <= 2 for one in rules):
        yield "what the machine left would stay for more than two days"
    if not any(0 < int(at(one, "NoncurrentVersionExpiration", "NoncurrentDays") or 0) <= 1 for one in rules):
        yield "versions would stay for more than a day"
    if export.bucket.tags.get("palisade:backup") != "archived":
        yield "backups would keep it"


@proof("debug-export.one-tenants-listed-fields")
def one_tenants_listed_fields(case: Case, finding: Finding) -> None:
    """The function that makes an export reads listed fields of one tenant's items, no text that people wrote, and nothing else.

    Only its state machine calls it, and only the desk, which hears people's deeds, begins the machine.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
    """
    for export in _exports(case, finding):
        faults = [*_faults_of_reading(export), *_faults_of_session(export), *_callers(export)]
        _judge(
            finding, export.maker, faults, "reads listed fields through a session of one tenant, for its machine alone"
        )
    finding.assumptions.append(
        "make_debug_export.pseudonyms replaces every name, as its property tests show for every field and several encodings."
    )


def _faults_of_reading(export: _Export) -> Iterator[str | Note]:
    for policy, one in export.rights(export.maker):
        for action in texts(one.get("Action")):
            if action.startswith(("dynamodb:", "rds")) or (action in _READS and _of(export.bucket, one)):
                yield note(policy, f"lets it {action} outside a session of one tenant")
    reading = [
        (policy, one)
        for policy, one in export.rights(export.maker, "TENANT_ROLE_ARN")
        if any(action.startswith(("dynamodb:", "s3:", "rds")) for action in texts(one.get("Action")))
    ]
    if not reading:
        yield "takes no role for one tenant"
    for policy, one in reading:
        yield from (note(policy, fault) for fault in _too_much(one))


def _too_much(statement: Mapping[str, Any]) -> Iterator[str]:
    condition = statement.get("Condition", {})
    bound = at(condition, "ForAllValues:StringEquals", default={})
    if texts(statement.get("Action")) != ["dynamodb:Query"]:
        yield f"its session may {', '.join(texts(statement.get('Action')))}"
    if texts(at(bound, "dynamodb:LeadingKeys")) != [_TAG] or at(condition, "Null", "dynamodb:LeadingKeys") != "false":
        yield "its session reads every tenant's items"
    fields = set(texts(at(bound, "dynamodb:Attributes")))
    if not fields or fields & _WORDS or any("*" in field for field in fields):
        yield f"its session reads {', '.join(sorted(fields & _WORDS)) or 'every field'}"
    if at(condition, "StringEqualsIfExists", "dynamodb:Select") != "SPECIFIC_ATTRIBUTES":
        yield "its session reads whole items"


def _faults_of_session(export: _Export) -> Iterator[Note]:
    role = export.model.find(export.maker.get("Environment", "Variables", "TENANT_ROLE_ARN"), "AWS::IAM::Role")
    for one in statements(None if role is None else role.get("AssumeRolePolicyDocument")):
        asked = {"sts:AssumeRole", "sts:TagSession"} & set(texts(one.get("Action")))
        if role is not None and asked and "aws:RequestTag/tenant" not in str(one.get("Condition")):
            yield note(role, "its session need not carry a tenant")


def _callers(export: _Export) -> Iterator[str]:
    model = export.model
    expected = (
        (export.maker, "lambda:InvokeFunction", model.find(export.machine.get("RoleArn"), "AWS::IAM::Role")),
        (export.machine, "states:StartExecution", model.find(export.desk.get("Role"), "AWS::IAM::Role")),
    )
    for callee, action, caller in expected:
        admitted = False
        for policy in model.referrers(callee, "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
            if not any(
                action in texts(one.get("Action")) and callee.arn in texts(one.get("Resource"))
                for one in statements(policy.get("PolicyDocument"))
            ):
                continue
            roles = [model.find(one, "AWS::IAM::Role", near=policy) for one in as_list(policy.get("Roles"))]
            if roles != [caller]:
                yield f"{policy.path} lets others {action} {callee.path}"
            admitted = True
        if not admitted:
            yield f"nobody may {action} {callee.path}"


@proof("debug-export.short-links-on-record")
def short_links_on_record(case: Case, finding: Finding) -> None:
    """The bucket refuses links older than fifteen minutes; only the desk signs any, which it can record, for people's own deeds.

    https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html
    """
    for export in _exports(case, finding):
        _judge(finding, export.bucket, list(_faults_of_links(export)), "refuses links older than fifteen minutes")
        _judge(
            finding,
            export.desk,
            list(_faults_of_desk(export)),
            "alone signs links, for deeds under one's own name, on record",
        )


def _faults_of_links(export: _Export) -> Iterator[str]:
    for policy in export.model.referrers(export.bucket, "AWS::S3::BucketPolicy"):
        for one in statements(policy.get("PolicyDocument")):
            age = at(one, "Condition", "NumericGreaterThan", "s3:signatureAge")
            if (
                one.get("Effect") == "Deny"
                and at(one, "Principal", "AWS", default=one.get("Principal")) == "*"
                and set(_READS) <= set(texts(one.get("Action")))
                and f"{export.bucket.arn}/*" in texts(one.get("Resource"))
                and set(one.get("Condition", {})) == {"NumericGreaterThan"}
                and str(age).isdigit()
                and int(age) <= _LINK_MILLISECONDS
            ):
                return
    yield "takes links however old they are"


def _faults_of_desk(export: _Export) -> Iterator[str | Note]:
    model = export.model
    own = model.find(export.desk.get("Role"), "AWS::IAM::Role")
    for policy in model.referrers(export.bucket, "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
        reads = any(
            one.get("Effect") == "Allow"
            and set(texts(one.get("Action"))) & {*_READS, "s3:*", "*"}
            and _of(export.bucket, one)
            for one in statements(policy.get("PolicyDocument"))
        )
        if reads and [model.find(one, "AWS::IAM::Role", near=policy) for one in as_list(policy.get("Roles"))] != [own]:
            yield f"{policy.path} lets others read exports"
    log = str(export.desk.get("Environment", "Variables", "RECORD_WORKFLOW"))
    writing = {
        policy: any(f"/{log}/*" in text for text in texts(one.get("Resource")))
        for policy, one in export.rights(export.desk)
        if "s3:PutObject" in texts(one.get("Action"))
    }
    if not any(writing.values()):
        where = next((policy for policy, _ in export.rights(export.desk)), export.desk)
        yield note(where, "does not let it record whom it gives links")
    deeds: set[str] = set()
    for policy in model.referrers(export.desk, "AWS::IAM::ManagedPolicy"):
        for one in statements(policy.get("PolicyDocument")):
            for text in texts(one.get("Resource")) if "s3:PutObject" in texts(one.get("Action")) else ():
                said = re.fullmatch(rf".*/{log}-deeds/([a-z]+)@\*/(.*)\.json", text)
                if said is None or said[2] != "${aws:userid}":
                    yield f"{policy.path} lets people speak for others"
                else:
                    deeds.add(said[1])
    if deeds != {"request", "approve", "fetch"}:
        yield f"people may {', '.join(sorted(deeds)) or 'do nothing'} under their own names"


def _of(bucket: Node, statement: Mapping[str, Any]) -> bool:
    return any(
        one == "*" or one.startswith((bucket.arn, f"arn:aws:s3:::{bucket.id}"))
        for one in texts(statement.get("Resource"))
    )
