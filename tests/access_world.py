"""Access requests in memory: the archive, the directory, Identity Center and the stage as the functions meet them."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network
from typing import Any

from botocore.exceptions import ClientError
from decide_access.directory import Directory
from decide_access.handler import Services as Deciding
from decide_access.handler import decide
from decide_access.rules import Rules
from enforce_access.center import Center
from enforce_access.handler import NotSettledError, close, give_up, open_, sweep
from enforce_access.handler import Services as Enforcing
from enforce_access.stage import Stage
from palisade_runtime.grants import Place
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records

from rehearsal.state_machine import MovedClock

BUCKET = "acme-organization-decision-100000000002"
SECURITY, PROD = "100000000003", "200000000002"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOME, VPN = "198.51.100.17", "192.0.2.7"
DATABASE, OPERATOR = Place(stage="prod", level="database"), Place(stage="prod", level="operator")
WISH: dict[str, Any] = {
    "stage": "prod",
    "level": "operator",
    "reason": "the queue of uploads does not drain",
    "address": HOME,
    "minutes": 60,
    "tenants": [],
}


def failed(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, operation)


@dataclass
class Faults:
    """What fails next: each call of anything counts down, and the one at zero raises."""

    left: int | None = None
    calls: int = 0

    def __call__(self) -> None:
        self.calls += 1
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise failed("InternalError", "Anything")


@dataclass
class Archive:
    """It takes each key once. ``before_put`` happens between somebody's look and their write."""

    clock: MovedClock
    faults: Faults
    kept: dict[str, str] = field(default_factory=dict)
    written: dict[str, datetime] = field(default_factory=dict)
    before_put: list[Callable[[], object]] = field(default_factory=list)

    def put_object(self, *, Key: str, Body: bytes, IfNoneMatch: str, **_: object) -> None:  # noqa: N803
        assert IfNoneMatch == "*"
        self.faults()
        if self.before_put:
            self.before_put.pop()()
        if Key in self.kept:
            raise failed("PreconditionFailed", "PutObject")
        self.kept[Key], self.written[Key] = Body.decode(), self.clock()

    def get_object(self, *, Key: str, **_: object) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(self.kept[Key].encode())}

    def get_paginator(self, _operation: str) -> "Archive":
        return self

    def paginate(self, *, Prefix: str, Delimiter: str = "", **_: object) -> Iterator[dict[str, Any]]:  # noqa: N803
        keys = sorted(key for key in self.kept if key.startswith(Prefix))
        if Delimiter:
            folders = {Prefix + key.removeprefix(Prefix).split("/")[0] + "/" for key in keys}
            yield {"CommonPrefixes": [{"Prefix": folder} for folder in sorted(folders)]}
            return
        yield {"Contents": [{"Key": key, "LastModified": self.written[key]} for key in keys]}


@dataclass
class Store:
    """The directory: users by name, and who is of which group."""

    users: dict[str, str] = field(
        default_factory=lambda: {name: f"id-of-{name}" for name in ("ada@acme", "ben@acme", "eve@acme")}
    )
    groups: dict[str, set[str]] = field(
        default_factory=lambda: {
            "acme-operator": {"id-of-ada@acme", "id-of-ben@acme"},
            "acme-database": {"id-of-ada@acme"},
            "on-call": set(),
        }
    )

    def get_user_id(self, *, AlternateIdentifier: Mapping[str, Any], **_: object) -> dict[str, str]:  # noqa: N803
        name = AlternateIdentifier["UniqueAttribute"]["AttributeValue"]
        if name not in self.users:
            raise failed("ResourceNotFoundException", "GetUserId")
        return {"UserId": self.users[name]}

    def get_group_id(self, *, AlternateIdentifier: Mapping[str, Any], **_: object) -> dict[str, str]:  # noqa: N803
        return {"GroupId": AlternateIdentifier["UniqueAttribute"]["AttributeValue"]}

    def is_member_in_groups(
        self,
        *,
        MemberId: Mapping[str, str],  # noqa: N803
        GroupIds: list[str],  # noqa: N803
        **_: object,
    ) -> dict[str, Any]:
        return {"Results": [{"MembershipExists": MemberId["UserId"] in self.groups[group]} for group in GroupIds]}


@dataclass
class Admin:
    """Identity Center: what is asked for takes effect when it is next looked at."""

    faults: Faults
    held: set[tuple[str, str, str, str]] = field(default_factory=set)
    asked: list[tuple[bool, tuple[str, str, str, str]]] = field(default_factory=list)

    def create_account_assignment(self, **asked: str) -> None:
        self._ask(True, asked)

    def delete_account_assignment(self, **asked: str) -> None:
        self._ask(False, asked)

    def _ask(self, wanted: bool, asked: Mapping[str, str]) -> None:
        self.faults()
        if self.asked:
            raise failed("ConflictException", "CreateAccountAssignment")
        key = (asked["PermissionSetArn"], asked["TargetId"], asked["PrincipalType"], asked["PrincipalId"])
        self.asked.append((wanted, key))

    def describe_permission_set(self, *, PermissionSetArn: str, **_: object) -> dict[str, Any]:  # noqa: N803
        return {"PermissionSet": {"Name": PermissionSetArn}}

    def get_paginator(self, operation: str) -> Any:
        return _Pages(getattr(self, operation))

    def list_permission_sets(self, **_: object) -> dict[str, Any]:
        return {"PermissionSets": ["acme-operator", "acme-database"]}

    def list_account_assignments(self, *, AccountId: str, PermissionSetArn: str, **_: object) -> dict[str, Any]:  # noqa: N803
        self.faults()
        for wanted, key in self.asked:
            (self.held.add if wanted else self.held.discard)(key)
        self.asked.clear()
        found = [key for key in sorted(self.held) if key[:2] == (PermissionSetArn, AccountId)]
        return {"AccountAssignments": [{"PrincipalType": key[2], "PrincipalId": key[3]} for key in found]}

    def list_accounts_for_provisioned_permission_set(self, *, PermissionSetArn: str, **_: object) -> dict[str, Any]:  # noqa: N803
        return {"AccountIds": sorted({key[1] for key in self.held if key[0] == PermissionSetArn})}


@dataclass
class _Pages:
    page: Callable[..., dict[str, Any]]

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        yield self.page(**asked)


@dataclass
class Iam:
    """The gates of one account: versions, of which five fit."""

    faults: Faults
    versions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    count: int = 0

    def get_policy(self, *, PolicyArn: str) -> dict[str, Any]:  # noqa: N803
        return {
            "Policy": {"DefaultVersionId": next(v["VersionId"] for v in self._of(PolicyArn) if v["IsDefaultVersion"])}
        }

    def get_policy_version(self, *, PolicyArn: str, VersionId: str) -> dict[str, Any]:  # noqa: N803
        return {"PolicyVersion": next(v for v in self._of(PolicyArn) if v["VersionId"] == VersionId)}

    def list_policy_versions(self, *, PolicyArn: str) -> dict[str, Any]:  # noqa: N803
        return {"Versions": self._of(PolicyArn)}

    def delete_policy_version(self, *, PolicyArn: str, VersionId: str) -> None:  # noqa: N803
        self.faults()
        kept = [v for v in self._of(PolicyArn) if v["VersionId"] != VersionId]
        assert len(kept) + 1 == len(self._of(PolicyArn)), "deleted what was not there"
        self.versions[PolicyArn] = kept

    def create_policy_version(self, *, PolicyArn: str, PolicyDocument: str, SetAsDefault: bool) -> None:  # noqa: N803
        self.faults()
        assert SetAsDefault
        assert len(self._of(PolicyArn)) < 5, "LimitExceeded"
        for version in self._of(PolicyArn):
            version["IsDefaultVersion"] = False
        self.count += 1
        self._of(PolicyArn).append(self._version(json.loads(PolicyDocument)))

    def gate(self, level: str) -> dict[str, Any]:
        arn = f"arn:aws:iam::{PROD}:policy/acme-gate-{level}"
        document: dict[str, Any] = next(v["Document"] for v in self._of(arn) if v["IsDefaultVersion"])
        return document

    def _of(self, arn: str) -> list[dict[str, Any]]:
        refusal = {"Sid": "NobodyIsGranted", "Effect": "Deny", "Action": "*", "Resource": "*"}
        return self.versions.setdefault(arn, [self._version({"Version": "2012-10-17", "Statement": [refusal]})])

    def _version(self, document: dict[str, Any]) -> dict[str, Any]:
        return {
            "VersionId": f"v{self.count}",
            "IsDefaultVersion": True,
            "CreateDate": NOW + timedelta(seconds=self.count),
            "Document": document,
        }


@dataclass
class Ssm:
    """Sessions on machines, by id, each with its owner's ARN."""

    sessions: dict[str, str] = field(default_factory=dict)

    def get_paginator(self, _operation: str) -> _Pages:
        return _Pages(
            lambda **_: {"Sessions": [{"SessionId": i, "Owner": o} for i, o in sorted(self.sessions.items())]}
        )

    def terminate_session(self, *, SessionId: str) -> None:  # noqa: N803
        del self.sessions[SessionId]


class World:
    """Everything together, and people who do things in it."""

    def __init__(self) -> None:
        self.clock, self.faults = MovedClock(NOW), Faults()
        self.archive = Archive(self.clock, self.faults)
        self.store, self.admin, self.iam, self.ssm = Store(), Admin(self.faults), Iam(self.faults), Ssm()
        self.records = Records(s3=self.archive, bucket=BUCKET, account=SECURITY, workflow="access")
        self.started: dict[str, str] = {}
        self.pages: list[str] = []
        self.counted: list[Mapping[str, int]] = []
        self.number = 0
        lines = Logger(service="test", clock=self.clock, output=io.StringIO())
        sets = {"operator": "acme-operator", "database": "acme-database"}
        self.deciding = Deciding(
            records=self.records,
            directory=Directory(store=self.store, store_id="d-9876543210", groups=sets, on_call="on-call"),
            rules=Rules(
                stages=frozenset({"prod"}),
                levels=frozenset(sets),
                customer_data=frozenset({"database"}),
                networks=(IPv4Network("198.51.100.16/28"), IPv4Network("192.0.2.7/32")),
                shortest_minutes=15,
                longest_minutes=720,
                waiting_hours=24,
                consent_days=90,
            ),
            start=self._start,
            page=self._page,
            clock=self.clock,
            logger=lines,
        )
        self.enforcing = Enforcing(
            records=self.records,
            center=Center(admin=self.admin, instance="instance", sets=sets),
            stages=lambda _name: Stage(
                account=PROD,
                iam=self.iam,
                ssm=self.ssm,
                policies={level: f"arn:aws:iam::{PROD}:policy/acme-gate-{level}" for level in sets},
                sets=sets,
            ),
            places=(DATABASE, OPERATOR),
            accounts=frozenset({PROD, SECURITY}),
            count=self.counted.append,
            page=self._page,
            clock=self.clock,
            logger=lines,
        )

    def _start(self, name: str, identity: str) -> None:
        self.faults()
        self.started.setdefault(name, identity)

    def _page(self, subject: str, _text: str) -> None:
        self.faults()
        self.pages.append(subject)

    # ------------------------------------------------------------------------------------------------------- people

    def identity(self) -> str:
        self.number += 1
        return f"{self.clock():%Y%m%d}-{self.number:010x}"

    def say(self, person: str, deed: str, subject: str, **body: Any) -> None:
        self.records.say(deed, subject, f"AROAEXAMPLE:{person}", body)

    def ask(self, person: str = "ada@acme", **wish: Any) -> dict[str, Any]:
        identity = self.identity()
        self.say(person, "request", identity, **{**WISH, **wish})
        return self.decide("request", identity)

    def decide(self, kind: str, identity: str, **event: Any) -> dict[str, Any]:
        return decide({"kind": kind, "id": identity, **event}, self.deciding)

    def do(self, person: str, deed: str, identity: str) -> dict[str, Any]:
        self.say(person, deed, identity)
        return self.decide(deed, identity)

    def consent(self, person: str, tenant: str, until: str = "2026-03-31") -> dict[str, Any]:
        identity = self.identity()
        self.say(person, "consent", f"{tenant}.{identity}", until=until, evidence="letter of 1 March, ticket 4711")
        return self.decide("consent", identity, tenant=tenant)

    def granted(self, person: str = "ada@acme", by: str = "ben@acme", **wish: Any) -> str:
        identity = str(self.ask(person, **wish)["id"])
        answer = self.do(by, "approve", identity)
        assert answer["outcome"] == "approved", answer
        return identity

    # ------------------------------------------------------------------------------------------------------- functions

    def step(self, name: str, identity: str) -> dict[str, Any]:
        return {"open": open_, "close": close, "give-up": give_up}[name](identity, self.enforcing)

    def step_until_settled(self, name: str, identity: str) -> dict[str, Any]:
        for _ in range(5):
            try:
                return self.step(name, identity)
            except NotSettledError:
                continue
        raise AssertionError("it does not settle")

    def sweep(self) -> dict[str, Any]:
        return sweep(self.enforcing)

    def holders(self, level: str = "operator") -> set[str]:
        self.admin.list_account_assignments(AccountId=PROD, PermissionSetArn=f"acme-{level}")
        return {key[3] for key in self.admin.held if key[0] == f"acme-{level}"}
