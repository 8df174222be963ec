"""Promises about what people may do, by the permission sets that they sign in with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from proofs.delivery.judge import plain, plain_values
from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import Model, Node, as_list, as_mapping, at, walk
from proofs.model.organization import KNOWN_KEYS
from proofs.model.people import Person, granted, people, unassigned
from proofs.model.policies import allows, documents_of
from proofs.policy import UNKNOWN, PolicyKind, PolicySet, Request, compile_policy, evaluate
from proofs.policy.context import ContextValue
from proofs.register.questions import statements
from stacks.settings import Job

Deeds = tuple[tuple[str, str], ...]
"""Actions with the type of resource that they are tried on (empty: anything)."""

_ITEMS: Final[Deeds] = (
    ("dynamodb:GetItem", "AWS::DynamoDB::Table"),
    ("dynamodb:Scan", "AWS::DynamoDB::Table"),
    ("s3:GetObject", "AWS::S3::Bucket"),
    ("secretsmanager:GetSecretValue", "AWS::SecretsManager::Secret"),
    ("ssm:StartSession", "AWS::EC2::Instance"),
)
_QUEUES: Final[Deeds] = (("sqs:ReceiveMessage", "AWS::SQS::Queue"),)
_DATABASE: Final[Deeds] = (("rds-db:connect", "AWS::RDS::DBUser"),)
_LOGS: Final[Deeds] = (("logs:FilterLogEvents", "AWS::Logs::LogGroup"), ("logs:StartQuery", "AWS::Logs::LogGroup"))
_CHANGES: Final[Deeds] = (
    ("cloudformation:UpdateStack", ""),
    ("dynamodb:DeleteTable", "AWS::DynamoDB::Table"),
    ("ec2:AuthorizeSecurityGroupIngress", ""),
    ("lambda:UpdateFunctionCode", "AWS::Lambda::Function"),
    ("rds:DeleteDBCluster", "AWS::RDS::DBCluster"),
    ("s3:PutBucketPolicy", "AWS::S3::Bucket"),
    ("sts:AssumeRole", "AWS::CDK::DeployRole"),
)
_KNOBS: Final[Deeds] = (
    ("lambda:PutFunctionConcurrency", "AWS::Lambda::Function"),
    ("rds:FailoverDBCluster", "AWS::RDS::DBCluster"),
)
_IDENTITIES: Final[Deeds] = (
    ("iam:AttachRolePolicy", "AWS::IAM::Role"),
    ("iam:CreateUser", ""),
    ("iam:PutRolePolicy", "AWS::IAM::Role"),
    ("sso:CreateAccountAssignment", ""),
)
_KEYS: Final[Deeds] = (("kms:DisableKey", "AWS::KMS::Key"),)
_BILLS: Final[Deeds] = (("ce:GetCostAndUsage", ""), ("payments:MakePayment", ""))

ITEMS_AND_MESSAGES: Final = (*_ITEMS, *_DATABASE, *_QUEUES)
"""What answers with customers' data, or leads to it."""
RIGHTS: Final[Mapping[str, Deeds]] = {
    "bills": _BILLS,
    "changes": _CHANGES,
    "customers' items and objects": _ITEMS,
    "database": _DATABASE,
    "identities": _IDENTITIES,
    "keys": _KEYS,
    "knobs": _KNOBS,
    "messages": _QUEUES,
    "server logs": _LOGS,
}
"""Kinds of rights, by what is tried."""
LEAST: Final[Mapping[Job, frozenset[str]]] = {
    Job.ENGINEER: frozenset(
        {"changes", "customers' items and objects", "database", "knobs", "messages", "server logs"}
    ),
    Job.READ_ONLY: frozenset(),
    Job.LOG_READER: frozenset({"server logs"}),
    Job.EVIDENCE: frozenset({"evidence"}),
    Job.SECURITY: frozenset(),
    Job.RESPONDER: frozenset(),
    Job.BILLING: frozenset({"bills"}),
    Job.OPERATOR: frozenset({"knobs"}),
    Job.MESSAGING: frozenset({"messages"}),
    Job.DATABASE: frozenset({"database", "customers' items and objects"}),
    Job.KEY_ADMINISTRATOR: frozenset({"keys"}),
    Job.REVIEWER: frozenset(),
    Job.DRILLER: frozenset(),
    Job.BREAK_GLASS: frozenset(
        {"changes", "customers' items and objects", "database", "knobs", "messages", "server logs"}
    ),
    Job.REQUESTER: frozenset(),
    Job.APPROVER: frozenset(),
}
"""The most that each job may have. Who connects to the database reaches it over a session on the bastion."""
_EVERYDAY: Final[Deeds] = (
    ("cloudwatch:GetMetricData", ""),
    ("ec2:DescribeInstances", ""),
    ("logs:FilterLogEvents", "AWS::Logs::LogGroup"),
    ("lambda:InvokeFunction", "AWS::Lambda::Function"),
    ("dynamodb:PutItem", "AWS::DynamoDB::Table"),
    ("sts:AssumeRole", "AWS::CDK::DeployRole"),
)
_NEVER: Final[Deeds] = (
    ("cloudtrail:StopLogging", ""),
    ("config:StopConfigurationRecorder", ""),
    ("guardduty:DeleteDetector", ""),
    ("iam:CreateUser", ""),
    ("iam:UpdateAssumeRolePolicy", "AWS::IAM::Role"),
    ("organizations:DetachPolicy", ""),
    ("organizations:LeaveOrganization", ""),
)


class Rights:
    """What a permission set lets people do in an account.

    A key's own policy and a role's trust are other proofs' questions: here they pass on whatever the account passes on.
    """

    def __init__(self, model: Model, person: Person) -> None:
        self.model = model
        self.person = person
        trust = {"Effect": "Allow", "Principal": {"AWS": person.account}, "Action": "*", "Resource": "*"}
        self._policies = PolicySet(
            identity_policies=tuple(
                compile_policy(plain_values(document), PolicyKind.IDENTITY, str(person))
                for document in person.documents
            ),
            permission_boundaries=()
            if person.boundary is None
            else (compile_policy(plain_values(person.boundary), PolicyKind.BOUNDARY, str(person)),),
            resource_policy=compile_policy(
                {"Statement": [trust]}, PolicyKind.RESOURCE, "a policy that trusts the account"
            ),
        )
        keys = {
            str(key).lower()
            for document in (*person.documents, person.boundary)
            for value in walk(document)
            if isinstance(value, Mapping) and isinstance(value.get("Condition"), Mapping)
            for test in value["Condition"].values()
            for key in test
        }
        self._context: dict[str, ContextValue] = {
            **dict.fromkeys((keys | model.organization.keys) - KNOWN_KEYS, UNKNOWN),
            "aws:principaltag/username": "somebody",
            "aws:userid": "AROAEXAMPLE000000001:somebody",
        }

    def may(self, deeds: Deeds) -> list[str]:
        """The deeds that its own policies allow on some resource of the account, under whatever conditions."""
        return self._found(deeds, lambda request: evaluate(request, self._policies).possibly_allowed)

    def can(self, deeds: Deeds) -> list[str]:
        """The deeds that the organization lets through as well, whenever the conditions of its own policies are met."""
        return self._found(
            deeds, lambda request: self.model.organization.evaluate(request, self._policies).possibly_allowed
        )

    def _found(self, deeds: Deeds, allowed: Callable[[Request], bool]) -> list[str]:
        found: list[str] = []
        for action, kind in deeds:
            for arn in self._resources(action, kind):
                request = Request(
                    principal=self.person.session,
                    session_issuer=self.person.role,
                    action=action,
                    resource=arn,
                    resource_account=self.person.account,
                    context=self._context,
                )
                if allowed(request):
                    found.append(f"{action} on {arn}")
                    break
        return found

    def _resources(self, action: str, kind: str) -> Iterator[str]:
        account = self.person.account
        region = next((vpc.region for vpc in self.model.of("AWS::EC2::VPC", account=account)), "us-east-1")
        if not kind:
            yield "*"
        elif kind == "AWS::RDS::DBUser":
            yield f"arn:aws:rds-db:{region}:{account}:dbuser:cluster-X/somebody"
        elif kind == "AWS::CDK::DeployRole":
            yield f"arn:aws:iam::{account}:role/cdk-hnb659fds-deploy-role-{account}-{region}"
        else:
            arns = [plain(node.arn).removesuffix(":*") for node in self.model.of(kind, account=account)]
            inside = "/x" if kind == "AWS::S3::Bucket" and "Object" in action else ""
            yield from (f"{arn}{inside}" for arn in arns)
            yield f"arn:aws:{action.partition(':')[0]}:{region}:{account}:x"


def _everybody(model: Model, finding: Finding) -> list[Person]:
    found = list(people(model))
    finding.missing += [note(node, "whom it lets in where is not known") for node in unassigned(model)]
    for person in found:
        finding.missing += [
            note(person.permission_set, f"what {name} allows in {person.account} is in no template")
            for name in person.unknown
        ]
    if not found:
        finding.missing.append(Note("people", "the assembly assigns no permission set to anybody"))
    return found


def _job(permission_set: Node) -> Job | None:
    name = str(permission_set.get("Name"))
    return next((job for job in Job if name == job.value or name.endswith(f"-{job.value}")), None)


@proof("people.engineers-work-in-sandbox")
def engineers_work_in_sandbox(case: Case, finding: Finding) -> None:
    """A group of engineers works in every sandbox unasked, with everyday tools, and never at the guardrails.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html
    """
    found = _everybody(case.model, finding)
    if not case.terms.workshops:
        finding.missing.append(Note("terms", "no configuration names a stage in which engineers work"))
    for account in sorted(case.terms.workshops):
        here = [person for person in found if person.account == account]
        workers = [person for person in here if len(Rights(case.model, person).can(_EVERYDAY)) == len(_EVERYDAY)]
        if not workers:
            sets = sorted(
                {node.path for node in case.model.of("AWS::SSO::PermissionSet") if _job(node) is Job.ENGINEER}
            )
            finding.broken.append(
                Note(account, f"nobody can do all of everyday work there, also not with {', '.join(sets)}", "account")
            )
        for person in here:
            for deed in Rights(case.model, person).can(_NEVER):
                finding.broken.append(note(person.permission_set, f"{person} can {deed}"))
        finding.evidence += [
            note(person.permission_set, f"{person}: everyday work, no guardrail") for person in workers
        ]


@proof("people.live-is-entered-apart")
def live_is_entered_apart(case: Case, finding: Finding) -> None:
    """Who works in sandbox has no right in live by that: other permission sets hold there, and unasked they only look.

    https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_permissions_least_privileges.html
    """
    found = _everybody(case.model, finding)
    working = _CHANGES + _ITEMS + _DATABASE + _QUEUES + _KNOBS + _IDENTITIES
    in_sandbox = {
        p.permission_set for p in found if p.account in case.terms.workshops and Rights(case.model, p).may(working)
    }
    if not case.terms.guarded:
        finding.missing.append(Note("terms", "no configuration names a stage that people may only look at"))
    for person in found:
        if person.account not in case.terms.guarded:
            continue
        if person.permission_set in in_sandbox:
            finding.broken.append(
                note(person.permission_set, f"works in sandbox and holds in live {person.account} too")
            )
        deeds = Rights(case.model, person).may(working)
        finding.broken += [note(person.permission_set, f"{person} may {deed} without asking") for deed in deeds]
        if not deeds:
            finding.evidence.append(note(person.permission_set, f"{person} may look, and touch nothing"))


@proof("people.jobs-have-the-least-rights")
def jobs_have_the_least_rights(case: Case, finding: Finding) -> None:
    """Each permission set is one job's and has no right that the written least set of the job lacks, nor every action of a
    service on everything.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege
    """
    model = case.model
    assigned = _everybody(model, finding)
    stages = case.terms.workshops | case.terms.guarded
    for permission_set in model.of("AWS::SSO::PermissionSet"):
        job = _job(permission_set)
        if job is None:
            finding.missing.append(note(permission_set, "there is no written least set for a job of this name"))
            continue
        places = {person.account for person in assigned if person.permission_set is permission_set}
        places |= case.terms.guarded if job not in _NOT_IN_STAGES else set()
        too_much = [
            f"{kind}: {deed} in {account}"
            for account in sorted(places)
            for kind, deeds in RIGHTS.items()
            if kind not in LEAST[job] and (account in stages or not kind.startswith("customers"))
            for deed in Rights(model, granted(model, permission_set, account)).may(deeds)
        ]
        documents = granted(model, permission_set, min(places, default="")).documents
        too_much += [f"allows {action} on everything" for action in _wild(documents)]
        finding.broken += [note(permission_set, what) for what in too_much]
        if not too_much:
            finding.evidence.append(
                note(permission_set, f"{job.value}: {', '.join(sorted(LEAST[job])) or 'looks only'}")
            )


_NOT_IN_STAGES: Final = frozenset(
    {
        Job.APPROVER,
        Job.BILLING,
        Job.DRILLER,
        Job.ENGINEER,
        Job.EVIDENCE,
        Job.REQUESTER,
        Job.RESPONDER,
        Job.REVIEWER,
        Job.SECURITY,
    }
)
"""Jobs that nobody is granted in live."""


def _wild(documents: Iterable[Any]) -> Iterator[str]:
    for document in documents:
        for statement in statements(document):
            if statement.get("Effect") == "Allow" and "*" in as_list(statement.get("Resource")):
                yield from (
                    str(each) for each in as_list(statement.get("Action")) if re.fullmatch(r"\*|[\w-]+:\*", str(each))
                )
                if "NotAction" in statement:
                    yield "all but some actions"


@proof("people.server-logs-have-few-readers")
def server_logs_have_few_readers(case: Case, finding: Finding) -> None:
    """In live only two groups read server logs, those of log readers and of the security team, and no component does.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/permissions-reference-cwl.html
    """
    found = _everybody(case.model, finding)
    groups = {group.id: group for group in case.model.of("AWS::IdentityStore::Group")}
    for person in found:
        if person.account not in case.terms.guarded or not (deeds := Rights(case.model, person).may(_LOGS)):
            continue
        for assignment in person.assignments:
            group = groups.get(str(assignment.get("PrincipalId")))
            if group is None:
                finding.missing.append(
                    note(assignment, f"whom it lets read logs of {person.account} is in no template")
                )
            elif str(group.get("DisplayName")).endswith((Job.LOG_READER.value, Job.SECURITY.value)):
                finding.evidence.append(note(assignment, f"lets {group.path} read logs of {person.account}"))
            else:
                finding.broken.append(note(assignment, f"lets {group.path} do {deeds[0]}"))
    for account in sorted(case.terms.guarded):
        for role in case.model.of("AWS::IAM::Role", account=account):
            readers = [action for action, _ in _LOGS if allows(documents_of(case.model, role), action, None)]
            if readers and _with_second_factor(role):
                finding.evidence.append(note(role, "reads logs in an emergency, by whom a second factor proves"))
            elif readers:
                finding.broken.append(note(role, f"a component may {readers[0]}"))
    _known_readers(case, finding)


def _with_second_factor(role: Node) -> bool:
    """Whether only named people assume it, with multi-factor sign-in."""
    allowing = [each for each in statements(role.get("AssumeRolePolicyDocument")) if each.get("Effect") == "Allow"]
    return bool(allowing) and all(
        set(as_mapping(each.get("Principal"))) == {"AWS"}
        and str(at(each, "Condition", "Bool", "aws:MultiFactorAuthPresent")).lower() == "true"
        for each in allowing
    )


def _known_readers(case: Case, finding: Finding) -> None:
    """What is not a standing right is granted for a while, to jobs whose written least set has it."""
    for permission_set in case.model.of("AWS::SSO::PermissionSet"):
        job = _job(permission_set)
        if job is None or job in _NOT_IN_STAGES or "server logs" in LEAST[job]:
            continue
        for account in sorted(case.terms.guarded):
            for deed in Rights(case.model, granted(case.model, permission_set, account)).may(_LOGS):
                finding.broken.append(note(permission_set, f"whoever is granted it may {deed}"))
