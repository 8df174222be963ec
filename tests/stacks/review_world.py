"""An organization small enough to hold in the hand, and access reviews at work in it: real handlers, a synthesized definition,
and a clock that is moved."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from collect_access import handler as collecting
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records
from review_access import handler as reviewing
from review_access.findings import Rules
from review_access.store import Store

from rehearsal.state_machine import MovedClock

ACCOUNTS = {"management": "100000000001", "security": "100000000003", "prod": "200000000002"}
BUCKET = "acme-organization-decision-100000000002"
INSTANCE, STORE = "arn:aws:sso:::instance/ssoins-1", "d-1"
ADA, BEN, CLEO, DAN = ("ada@acme.example", "ben@acme.example", "cleo@acme.example", "dan@acme.example")
ACTS = frozenset({"begin", "watch", "open", "weigh", "look", "told", "list", "status", "show", "sign", "run"})


def failure(code: str, operation: str = "Call") -> ClientError:
    """An answer of AWS that is none."""
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)


@dataclass
class Archive:
    """The archive as functions meet it: it takes each key once, and tells when."""

    clock: MovedClock
    kept: dict[str, str] = field(default_factory=dict)
    written: dict[str, datetime] = field(default_factory=dict)

    def put_object(self, *, Key: str, Body: bytes, IfNoneMatch: str, **_: object) -> None:  # noqa: N803
        assert IfNoneMatch == "*"
        if Key in self.kept:
            raise failure("PreconditionFailed")
        self.kept[Key], self.written[Key] = Body.decode(), self.clock()

    def get_object(self, *, Key: str, **_: object) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(self.kept[Key].encode())}

    def get_paginator(self, _operation: str) -> Archive:
        return self

    def paginate(self, *, Prefix: str, Delimiter: str = "", **_: object) -> Iterator[dict[str, Any]]:  # noqa: N803
        keys = sorted(key for key in self.kept if key.startswith(Prefix))
        if Delimiter:
            folders = {Prefix + key.removeprefix(Prefix).split("/")[0] + "/" for key in keys}
            yield {"CommonPrefixes": [{"Prefix": folder} for folder in sorted(folders)]}
        else:
            yield {"Contents": [{"Key": key, "LastModified": self.written[key]} for key in keys]}


@dataclass
class Pages:
    """A client of canned answers: each operation has its one page."""

    answers: Mapping[str, Any]

    def get_paginator(self, operation: str) -> Any:
        answer = self.answers[operation]

        class Paginator:
            def paginate(self, **asked: Any) -> list[Any]:
                return [answer(asked) if callable(answer) else answer]

        return Paginator()

    def __getattr__(self, operation: str) -> Any:
        answer = self.answers[operation]
        return lambda **asked: answer(asked) if callable(answer) else answer


def document(*actions: str) -> dict[str, Any]:
    """A policy that allows ``actions`` everywhere."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}


def user(name: str, *, created: str = "2026-02-01T00:00:00+00:00", **row: str) -> tuple[dict[str, Any], dict[str, str]]:
    """An IAM user, and its row of the credential report."""
    detail = {
        "UserName": name, "Arn": f"arn:aws:iam::{ACCOUNTS['prod']}:user/{name}", "GroupList": [],
        "CreateDate": datetime.fromisoformat(created),
        "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": document("s3:GetObject")}],
    }  # fmt: skip
    return detail, {"user": name, "password_enabled": "false", "mfa_active": "false", **row}


def role(
    name: str, *, path: str = "/", used: str | None = None, template: bool = False, actions: tuple[str, ...] = ()
) -> Any:
    """A role that is a year old."""
    return {
        "RoleName": name, "Path": path, "Arn": f"arn:aws:iam::1:role{path}{name}",
        "CreateDate": datetime(2025, 3, 1, tzinfo=UTC),
        "RoleLastUsed": {"LastUsedDate": datetime.fromisoformat(used)} if used else {},
        "Tags": [{"Key": "palisade:deployment", "Value": "fixture"}] if template else [],
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": document(*actions)}] if actions else [],
        "AttachedManagedPolicies": [],
    }  # fmt: skip


def of_people(name: str, *actions: str) -> Any:
    """The role that Identity Center makes of a permission set."""
    path = "/aws-reserved/sso.amazonaws.com/"
    return role(f"AWSReservedSSO_acme-{name}_0123456789abcdef", path=path, actions=actions)


@dataclass
class World:
    """Accounts, people and what is asked of them. ``unreachable`` accounts refuse; ``busy`` reports take so many looks."""

    clock: MovedClock = field(default_factory=MovedClock)
    users: dict[str, list[tuple[dict[str, Any], dict[str, str]]]] = field(default_factory=dict)
    roles: dict[str, list[Any]] = field(default_factory=dict)
    sign_ins: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    """By account: person, permission set, moment."""
    members: dict[str, list[str]] = field(default_factory=dict)
    assignments: list[tuple[str, str, str, str]] = field(default_factory=list)
    """Permission set, account, GROUP or USER, principal."""
    unreachable: set[str] = field(default_factory=set)
    busy: int = 0
    running: list[str] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    metrics: list[tuple[str, int]] = field(default_factory=list)
    published: list[tuple[str, str]] = field(default_factory=list)
    reviewers: tuple[str, ...] = (ADA, BEN)

    def __post_init__(self) -> None:
        self.archive = Archive(self.clock)
        logger = Logger(service="test", clock=self.clock)
        rules = Rules(
            prefix="acme",
            standing=frozenset({"acme-read-only:acme-read-only:prod", "id-finance:acme-billing:prod"}),
            emergency=frozenset({f"arn:aws:iam::{ACCOUNTS['prod']}:user/emergency"}),
            directory_account=ACCOUNTS["management"],
            unused_days=60,
            key_days=90,
        )
        self.store = Store(
            records=self._records("reviews"),
            granted=self._records("access"),
            rules=rules,
            accounts=ACCOUNTS,
            reviewers={"admin": self.reviewers, "access": self.reviewers},
        )
        self.reviewing = reviewing.Services(
            store=self.store, states=self, metrics=self, machine="machine", namespace="Palisade/Reviews", acts=ACTS,
            due_days=14, remind_days=(3, 7), clock=self.clock, logger=logger,
        )  # fmt: skip
        self.collecting = collecting.Services(
            records=self._records("reviews"), clients=self.client, clock=self.clock, logger=logger, regions=("eu-central-1",),
            owners={account: owner for owner, account in ACCOUNTS.items()},
            center=collecting.Center(
                account=ACCOUNTS["management"], region="eu-central-1", instance=INSTANCE, store_id=STORE
            ),
        )  # fmt: skip

    def _records(self, workflow: str) -> Records:
        return Records(s3=self.archive, bucket=BUCKET, account=ACCOUNTS["security"], workflow=workflow)

    # ------------------------------------------------------------------------------------------------------ the accounts

    def client(self, account: str, service: str, _region: str | None) -> Any:
        if account in self.unreachable:
            raise failure("AccessDenied", "AssumeRole")
        owner = next(name for name, number in ACCOUNTS.items() if number == account)
        makers = {"iam": self._iam, "cloudtrail": self._trail, "sso-admin": self._center, "identitystore": self._people}
        return makers[service](owner)

    def _iam(self, owner: str) -> Pages:
        users = self.users.get(owner, [])
        rows = [{"user": "<root_account>"}, *(row for _, row in users)]
        heads = sorted({head for row in rows for head in row})
        text = "\n".join([",".join(heads), *(",".join(row.get(head, "N/A") for head in heads) for row in rows)])

        def details(_asked: Any) -> dict[str, Any]:
            if self.busy > 0:
                self.busy -= 1
                return {"JobStatus": "IN_PROGRESS"}
            used = {"ServiceNamespace": "s3", "LastAuthenticated": self.clock()}
            return {"JobStatus": "COMPLETED", "ServicesLastAccessed": [used, {"ServiceNamespace": "ec2"}]}

        return Pages(
            {
                "get_account_authorization_details": {
                    "UserDetailList": [detail for detail, _ in users],
                    "RoleDetailList": self.roles.get(owner, []),
                },
                "generate_credential_report": {},
                "get_credential_report": {"Content": text.encode()},
                "generate_service_last_accessed_details": lambda asked: {"JobId": asked["Arn"]},
                "get_service_last_accessed_details": details,
                "get_account_summary": {"SummaryMap": {"AccountPasswordPresent": 0}},
            }
        )

    def _trail(self, owner: str) -> Pages:
        events = [
            {
                "CloudTrailEvent": json.dumps(
                    {
                        "eventTime": at,
                        "requestParameters": {
                            "roleArn": f"arn:aws:iam::1:role/x/AWSReservedSSO_acme-{name}_0123456789abcdef",
                            "roleSessionName": person,
                        },
                    }
                )
            }
            for person, name, at in self.sign_ins.get(owner, [])
        ]
        return Pages({"lookup_events": {"Events": events}})

    def _center(self, _owner: str) -> Pages:
        names = sorted({name for name, *_ in self.assignments})

        def assigned(asked: Any) -> dict[str, Any]:
            return {
                "AccountAssignments": [
                    {"PrincipalType": kind, "PrincipalId": principal}
                    for name, account, kind, principal in self.assignments
                    if (name, account) == (asked["PermissionSetArn"], asked["AccountId"])
                ]
            }

        return Pages(
            {
                "list_permission_sets": {"PermissionSets": names},
                "describe_permission_set": lambda asked: {"PermissionSet": {"Name": asked["PermissionSetArn"]}},
                "list_accounts_for_provisioned_permission_set": lambda asked: {
                    "AccountIds": sorted({a for name, a, *_ in self.assignments if name == asked["PermissionSetArn"]})
                },
                "list_account_assignments": assigned,
            }
        )

    def _people(self, _owner: str) -> Pages:
        people = sorted({one for members in self.members.values() for one in members} | {ADA, BEN, CLEO, DAN})
        return Pages(
            {
                "list_users": {"Users": [{"UserId": f"id-{one}", "UserName": one} for one in people]},
                "list_groups": {"Groups": [{"GroupId": f"id-{one}", "DisplayName": one} for one in self.members]},
                "list_group_memberships": lambda asked: {
                    "GroupMemberships": [
                        {"MemberId": {"UserId": f"id-{one}"}}
                        for one in self.members[asked["GroupId"].removeprefix("id-")]
                    ]
                },
            }
        )

    # ---------------------------------------------------------------------------------- Step Functions and CloudWatch

    def get_paginator(self, _operation: str) -> World:
        return self

    def paginate(self, **_: object) -> list[dict[str, Any]]:
        return [{"executions": [{"name": name} for name in self.running]}]

    def start_execution(self, *, name: str, **_: object) -> None:
        if name in self.started:
            raise failure("ExecutionAlreadyExists")
        self.started.append(name)

    def put_metric_data(self, *, MetricData: list[dict[str, Any]], **_: object) -> None:  # noqa: N803
        self.metrics += [(one["MetricName"], one["Value"]) for one in MetricData]

    # --------------------------------------------------------------------------------------------------------- what is done

    def do(self, what: str, **given: Any) -> dict[str, Any]:
        """Call the function of reviews."""
        return reviewing.review({"do": what, **given}, self.reviewing)

    def task(self, resource: str, given: Any) -> Any:
        """What Task states of the machine ask for."""
        if resource.endswith("sns:publish"):
            assert len(given["Subject"]) < 100
            self.published.append((str(given["TopicArn"]), given["Subject"]))
            return {}
        if given["do"] in {"begin", "gather", "missing"}:
            return collecting.collect(given, self.collecting)
        return reviewing.review(given, self.reviewing)

    def review(self, period: str) -> dict[str, Any]:
        """Collect and weigh, as the machine does in its first steps."""
        course = self.do("open", period=period)
        for account in course["accounts"]:
            self.collect(period, account, course["round"])
        return self.do("weigh", **course)

    def collect(self, period: str, account: str, number: int) -> None:
        """One account of one collection."""
        which = {"period": period, "account": account, "round": number}
        try:
            begun = collecting.collect({"do": "begin", **which}, self.collecting)
            while not begun["ready"]:
                begun = collecting.collect({"do": "gather", **which, "begun": begun}, self.collecting)
        except ClientError:
            collecting.collect({"do": "missing", **which, "error": {"Error": "ClientError"}}, self.collecting)

    def sign(
        self, period: str, person: str, decisions: Mapping[str, str], *, digest: str | None = None, number: str = ""
    ) -> dict[str, Any]:
        """As the command does: the deed under the person's own session, then the call."""
        shown = self.do("show", period=period)
        number = number or f"n{next(_numbers)}"
        body = {
            "digest": shown["digest"] if digest is None else digest,
            "decisions": decisions,
            "reason": "looked at it",
        }
        self.store.records.say("sign", f"{period}.{number}", f"AROAEXAMPLE:{person}", body)
        return self.do("sign", period=period, number=number)

    def grant(self, level: str, person: str, *, start: str, end: str, events: tuple[str, ...] = ()) -> str:
        """A grant as the workflow of access requests records it."""
        identity = f"{start[:10].replace('-', '')}-{len(self.archive.kept):010x}"
        granted = self._records("access")
        request = {"stage": "prod", "level": level, "user": f"id-{person}", "by": person, "address": "", "tenants": []}
        granted.keep(identity, "request", request)
        granted.keep(identity, "decision", {"outcome": "approved", "at": start, "expires": end})
        for event in events:
            granted.keep(identity, event, {"at": start})
        return identity


_numbers = itertools.count(1)


def usual() -> World:
    """A world in which a review finds nothing: people who work, and roles of templates."""
    recent = "2026-02-27T09:00:00Z"
    return World(
        roles={"prod": [of_people("read-only", "ec2:DescribeInstances"), role("acme-api", template=True)]},
        sign_ins={"prod": [(CLEO, "read-only", recent)]},
        members={"acme-read-only": [CLEO]},
        assignments=[("acme-read-only", ACCOUNTS["prod"], "GROUP", "id-acme-read-only")],
    )
