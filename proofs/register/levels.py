"""The levels at which staff may do something, and a matrix of who may do what, evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from proofs.delivery.judge import plain
from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import Model
from proofs.model.organization import KNOWN_KEYS
from proofs.model.people import Person, granted, people
from proofs.policy import UNKNOWN, PolicySet, Request, Sourced
from proofs.policy.context import ContextValue
from stacks.settings import Job

Where = Callable[[Model, str], list[str]]


@dataclass(frozen=True, kw_only=True)
class Deed:
    """Something that people do: at which level, in words, the action, and on which resources of an account."""

    level: str
    says: str
    action: str
    on: Where
    context: Mapping[str, ContextValue] = field(default_factory=dict)


def _of(*types: str, without: str = "", inside: str = "") -> Where:
    def found(model: Model, account: str) -> list[str]:
        arns = [plain(node.arn).removesuffix(":*") for node in model.of(*types, account=account)]
        return [f"{arn}{inside}" for arn in arns if not without or without not in arn]

    return found


def _named(arn: str) -> Where:
    return lambda _model, account: [arn.format(account=account)]


def _server_logs(model: Model, account: str) -> list[str]:
    groups = _of("AWS::Logs::LogGroup")(model, account)
    return [f"{arn}:*" for arn in groups if "/access/" not in arn and "/aws/rds/" not in arn]


def _recordings(model: Model, account: str) -> list[str]:
    return [f"{arn}:*" for arn in _of("AWS::Logs::LogGroup")(model, account) if "/access/" in arn]


def _documents(model: Model, account: str) -> list[str]:
    stage = next(model.of("AWS::EC2::VPC", account=account), None)
    return [] if stage is None else _of("AWS::S3::Bucket", inside="/customer/object")(model, account)


def _evidence(model: Model, account: str) -> list[str]:
    locked = ("ObjectLockConfiguration", "Rule", "DefaultRetention")
    return [f"{plain(node.arn)}/x" for node in model.of("AWS::S3::Bucket", account=account) if node.get(*locked)]


def _users(user: str) -> Where:
    def found(model: Model, account: str) -> list[str]:
        return [
            f"arn:aws:rds-db:{cluster.region}:{account}:dbuser:cluster-ABCDEFGHIJKL/{user}"
            for cluster in model.of("AWS::RDS::DBCluster", account=account)
        ]

    return found


def _tunnel(model: Model, account: str) -> list[str]:
    return [arn for arn in _of("AWS::SSM::Document")(model, account) if arn.endswith("-database")]


def _said(deed: str) -> Where:
    """Where, in the archive, the requests of the account lie that decides about them, under one's own name."""

    def found(model: Model, account: str) -> list[str]:
        if not any(
            str(one.get("StateMachineName")).endswith("-access-grants") for one in model.of(_MACHINE, account=account)
        ):
            return []
        logs = [plain(node.arn) for node in model.of("AWS::S3::Bucket") if "-organization-decision-" in plain(node.arn)]
        return [f"{log}/{account}/access-deeds/{deed}@20260302-0123456789/{_SESSION}.json" for log in logs]

    return found


_MACHINE: Final = "AWS::StepFunctions::StateMachine"
_SESSION: Final = "AROAEXAMPLE000000001:ada@example.com"
_TABLES = _of("AWS::DynamoDB::Table")
_QUEUES = _of("AWS::SQS::Queue")
_FUNCTIONS = _of("AWS::Lambda::Function")
_KEYS = _of("AWS::KMS::Key")
_EVERYTHING = _named("*")
USER: Final = "ada@example.com"

DEEDS: Final = (
    Deed(level="configuration", says="see how things are set up", action="ec2:DescribeInstances", on=_EVERYTHING),
    Deed(level="settings", says="limit or stop a function", action="lambda:PutFunctionConcurrency", on=_FUNCTIONS),
    Deed(level="settings", says="fail the database over", action="rds:FailoverDBCluster", on=_of("AWS::RDS::DBCluster")),
    Deed(level="billing", says="see costs", action="ce:GetCostAndUsage", on=_EVERYTHING),
    Deed(level="billing", says="pay", action="payments:MakePayment", on=_EVERYTHING),
    Deed(level="user data", says="read documents", action="s3:GetObject", on=_documents),
    Deed(level="user data", says="read items", action="dynamodb:GetItem", on=_TABLES),
    Deed(level="user data", says="connect to the database as oneself", action="rds-db:connect", on=_users(USER)),
    Deed(level="user data", says="connect in an emergency", action="rds-db:connect", on=_users("break_glass")),
    Deed(level="messaging", says="read messages", action="sqs:ReceiveMessage", on=_QUEUES),
    Deed(level="messaging", says="send messages on", action="sqs:StartMessageMoveTask", on=_QUEUES),
    Deed(level="server logs", says="read server logs", action="logs:GetLogEvents", on=_server_logs),
    Deed(level="evidence", says="read the log archive", action="s3:GetObject", on=_evidence),
    Deed(level="findings", says="see findings", action="securityhub:GetFindings", on=_EVERYTHING),
    Deed(level="keys", says="switch a key off", action="kms:DisableKey", on=_KEYS),
    Deed(
        level="requests", says="ask for a level of a live stage", action="s3:PutObject", on=_said("request"),
        context={"aws:userid": _SESSION},
    ),
    Deed(
        level="approvals", says="let others in", action="s3:PutObject", on=_said("approve"),
        context={"aws:userid": _SESSION},
    ),
    Deed(
        level="tunnel", says="open the way to the database", action="ssm:StartSession", on=_tunnel,
        context={"ssm:SessionDocumentAccessCheck": "true"},
    ),
    Deed(
        level="deployment", says="deploy by hand", action="sts:AssumeRole",
        on=_named("arn:aws:iam::{account}:role/cdk-hnb659fds-deploy-role-{account}-eu-west-1"),
    ),
    Deed(
        level="bounded roles", says="make a role with the boundary", action="iam:CreateRole",
        on=_named("arn:aws:iam::{account}:role/lab/experiment"), context={"iam:PermissionsBoundary": UNKNOWN},
    ),
    Deed(level="recordings", says="read recorded sessions in place", action="logs:GetLogEvents", on=_recordings),
    Deed(
        level="limits", says="make a role without the boundary", action="iam:CreateRole",
        on=_named("arn:aws:iam::{account}:role/lab/experiment"),
    ),
    Deed(level="limits", says="make a user", action="iam:CreateUser", on=_named("arn:aws:iam::{account}:user/mallory")),
    Deed(
        level="limits", says="lift a boundary", action="iam:DeleteRolePermissionsBoundary",
        on=_named("arn:aws:iam::{account}:role/lab/experiment"),
    ),
    Deed(level="limits", says="change a key's policy", action="kms:PutKeyPolicy", on=_KEYS),
    Deed(
        level="limits", says="stop the trail", action="cloudtrail:StopLogging",
        on=_named("arn:aws:cloudtrail:eu-west-1:{account}:trail/any"),
    ),
    Deed(level="limits", says="give somebody rights", action="sso:CreateAccountAssignment", on=_EVERYTHING),
    Deed(level="limits", says="leave the organization", action="organizations:LeaveOrganization", on=_EVERYTHING),
)  # fmt: skip
"""What is asked of every permission set, in the order in which the table of identities shows it."""

_SAID: Final = frozenset(key.lower() for deed in DEEDS for key in deed.context)
"""What deeds say of a request: a deed that does not say it is done without."""

LEVELS: Final = ("settings", "billing", "user data", "messaging")
"""Levels of staff, which no job but the emergency's has two of."""


def may(model: Model, person: Person, deed: Deed) -> bool:
    """Whether the person might do it to anything of the account, the organization's policies included."""
    return any(_may_on(model, person, deed, arn) for arn in deed.on(model, person.account))


def _may_on(model: Model, person: Person, deed: Deed, arn: str) -> bool:
    # What a key's or a role's own policy adds is for other proofs: here it leaves the answer to the account's policies.
    account = {"Effect": "Allow", "Principal": {"AWS": person.account}, "Action": "*", "Resource": "*"}
    if deed.action == "sts:AssumeRole":
        del account["Resource"]
    context: dict[str, ContextValue] = {
        **dict.fromkeys(model.organization.keys - KNOWN_KEYS - _SAID, UNKNOWN),
        "aws:viaawsservice": UNKNOWN,
        "aws:principaltag/username": USER,
        "aws:resourceaccount": person.account,
        "kms:resourcealiases": UNKNOWN,
        "kms:viaservice": UNKNOWN,
        **deed.context,
    }
    request = Request(
        principal=person.session,
        session_issuer=person.role,
        action=deed.action,
        resource=arn,
        resource_account=person.account,
        context=context,
    )
    policies = PolicySet.of(
        identity_policies=[Sourced(document, str(person)) for document in person.documents],
        permission_boundaries=[] if person.boundary is None else [person.boundary],
        resource_policy={"Version": "2012-10-17", "Statement": [account]},
    )
    return model.organization.evaluate(request, policies).possibly_allowed


def _job(name: str) -> Job | None:
    return next((job for job in Job if name.endswith(f"-{job.value}")), None)


def staff(case: Case) -> list[Person]:
    """Every permission set in each account where somebody has it for good; one that nobody has so, in each stage that people
    only look at, where it is granted for a while."""
    model = case.model
    standing = list(people(model))
    held = {person.permission_set for person in standing}
    return [
        *standing,
        *(
            granted(model, permission_set, account)
            for permission_set in model.of("AWS::SSO::PermissionSet")
            if permission_set not in held
            for account in sorted(case.terms.guarded)
        ),
    ]


@proof("people.levels-are-apart")
def levels_are_apart(case: Case, finding: Finding) -> None:
    """Settings, billing, user data and messaging are levels of their own: each has a permission set, and outside sandbox none
    but the emergency's reaches two.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html
    """
    reached: set[str] = set()
    everybody = staff(case)
    for person in everybody:
        if person.account in case.terms.workshops or _job(person.name) is Job.BREAK_GLASS:
            continue
        found = [
            level for level in LEVELS if any(may(case.model, person, deed) for deed in DEEDS if deed.level == level)
        ]
        reached |= set(found)
        if len(found) > 1:
            finding.broken.append(note(person.permission_set, f"{person} reach {' and '.join(found)}"))
        elif found:
            finding.evidence.append(note(person.permission_set, f"{person} reach {found[0]} alone"))
    for level in LEVELS if everybody else ():
        if level not in reached:
            finding.missing.append(Note(level, "no permission set is for this level"))


def matrix(case: Case) -> dict[Job, dict[str, bool]]:
    """Whether each job may do each deed (by its words) in an account that the job is for."""
    elsewhere = (Job.BILLING, Job.EVIDENCE, Job.REQUESTER, Job.APPROVER, Job.REVIEWER, Job.RESPONDER, Job.DRILLER)
    meant = {Job.ENGINEER: case.terms.workshops, **dict.fromkeys(elsewhere, None)}
    found: dict[Job, dict[str, bool]] = {}
    for person in staff(case):
        job = _job(person.name)
        places = meant.get(job, case.terms.guarded) if job is not None else frozenset()
        if job is not None and job not in found and (places is None or person.account in places):
            found[job] = {deed.says: may(case.model, person, deed) for deed in DEEDS}
    return found
