"""A stage with tenants in every store, its archive, its clock, and the people who say what is to become of them."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any, ClassVar

import certify_deletion.handler as clerk
import delete_tenant.handler as deleter
import offboard_tenant.handler as desk
from botocore.exceptions import ClientError
from certify_deletion.certificate import Kept
from delete_tenant.stores import ObjectStore, Page, TableStore, UserStore
from palisade_runtime.records import Records
from palisade_runtime.tenants import Register, Tenant

from rehearsal.state_machine import Execution, MovedClock, StateMachine

ACCOUNT = "200000000002"
CREDENTIALS = "credentials"
"""The vault's table."""


@dataclass
class Archive:
    """The archive as functions meet it: it takes each key once, and says when."""

    clock: MovedClock
    kept: dict[str, tuple[datetime, str]] = field(default_factory=dict)

    def put_object(self, *, Key: str, Body: bytes, IfNoneMatch: str, **_: object) -> None:  # noqa: N803
        assert IfNoneMatch == "*"
        if Key in self.kept:
            raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": ""}}, "PutObject")
        self.kept[Key] = (self.clock(), Body.decode())

    def get_object(self, *, Key: str, **_: object) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(self.kept[Key][1].encode())}

    def get_paginator(self, _operation: str) -> Archive:
        return self

    def paginate(self, *, Prefix: str, **_: object) -> Iterator[dict[str, Any]]:  # noqa: N803
        keys = sorted(key for key in self.kept if key.startswith(Prefix))
        yield {"Contents": [{"Key": key, "LastModified": self.kept[key][0]} for key in keys]}


@dataclass
class Rows:
    """Rows of a database, by tenant: the real one is asked in tests/postgres."""

    of: dict[str, list[str]] = field(default_factory=dict)

    def count(self, tenant: str, _checkpoint: Any, /) -> Page:
        return Page(number=len(self.of.get(tenant, [])))

    def delete(self, tenant: str, _checkpoint: Any, /) -> Page:
        first, self.of[tenant] = self.of.get(tenant, [])[:2], self.of.get(tenant, [])[2:]
        return Page(number=len(first), next="again" if first else None)


class _UserNotFoundError(Exception):
    pass


@dataclass
class Directory:
    """A user pool with small pages; its tokens stay good while users go."""

    users: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    exceptions: ClassVar[Any] = SimpleNamespace(UserNotFoundException=_UserNotFoundError)

    def add(self, name: str, **attributes: str) -> None:
        self.users[name] = [{"Name": key.replace("_", ":"), "Value": value} for key, value in attributes.items()]

    def list_users(self, *, Limit: int = 60, PaginationToken: str = "", **_: object) -> dict[str, Any]:  # noqa: N803
        names = [name for name in sorted(self.users) if name > PaginationToken][: min(Limit, 4)]
        page = [{"Username": name, "Attributes": self.users[name]} for name in names]
        return {"Users": page, **({"PaginationToken": names[-1]} if names and names[-1] != max(self.users) else {})}

    def admin_delete_user(self, *, Username: str, **_: object) -> None:  # noqa: N803
        if self.users.pop(Username, None) is None:
            raise _UserNotFoundError(Username)


@dataclass
class World:
    """Everything, and what people and the calendar do to it."""

    stage: Any
    archive: Archive
    definition: Mapping[str, Any]
    directory: Directory = field(default_factory=Directory)
    rows: Rows = field(default_factory=Rows)
    started: dict[str, dict[str, str]] = field(default_factory=dict)
    mails: list[str] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    two_people: bool = True

    @property
    def clock(self) -> MovedClock:
        clock: MovedClock = self.stage.clock
        return clock

    @functools.cached_property
    def records(self) -> Records:
        return Records(
            s3=self.archive, bucket="acme-prod-decision-100000000002", account=ACCOUNT, workflow="offboarding"
        )

    @functools.cached_property
    def register(self) -> Register:
        return Register(dynamodb=self.stage.dynamodb, table=self.stage.register)

    def known(self, tenant: str) -> Tenant:
        return self.register.get(tenant)

    # ---------------------------------------------------------------------------------------------------- the stores

    def fill(self, tenant: str, *, things: int = 3) -> None:
        """Items, objects in versions and behind delete markers, users and rows."""
        for number in range(things):
            document = f"{number:032x}"
            item = {"tenant": {"S": tenant}, "document": {"S": document}, "status": {"S": "analysed"}}
            self.stage.dynamodb.put_item(TableName=self.stage.table, Item=item)
            for text in ("draft", "final"):
                self.stage.s3.put_object(Bucket=self.stage.bucket, Key=f"{tenant}/{document}", Body=text.encode())
            entry = {"tenant": {"S": tenant}, "entry": {"S": f"mail-{number}"}, "sealed": {"B": b"sealed"}}
            self.stage.dynamodb.put_item(TableName=CREDENTIALS, Item=entry)
            self.directory.add(f"user{number}-{tenant}", custom_tenant=tenant)
            self.rows.of.setdefault(tenant, []).append(f"row {number}")
        self.stage.s3.delete_object(Bucket=self.stage.bucket, Key=f"{tenant}/{0:032x}")

    def of(self, tenant: str) -> dict[str, Any]:
        """Every byte that the tenant has."""
        listed = self.stage.s3.list_object_versions(Bucket=self.stage.bucket, Prefix=f"{tenant}/")
        versions = [(one["Key"], one["VersionId"]) for one in listed.get("Versions", [])]
        return {
            "items": [item for item in self.stage.items() if item["tenant"]["S"] == tenant],
            "credentials": [
                item
                for item in self.stage.dynamodb.scan(TableName=CREDENTIALS)["Items"]
                if item["tenant"]["S"] == tenant
            ],
            "versions": [
                (*one, self.stage.s3.get_object(Bucket=self.stage.bucket, Key=one[0], VersionId=one[1])["Body"].read())
                for one in versions
            ],
            "markers": [(one["Key"], one["VersionId"]) for one in listed.get("DeleteMarkers", [])],
            "users": sorted(name for name, said in self.directory.users.items() if tenant in str(said).split("'")),
            "rows": list(self.rows.of.get(tenant, [])),
        }

    def gone(self, tenant: str) -> bool:
        return not any(self.of(tenant).values())

    # ------------------------------------------------------------------------------------------------- people, calendar

    def say(self, deed: str, subject: str, person: str, **body: str) -> None:
        self.records.say(deed, subject, f"AROAEXAMPLE:{person}@example.com", body)

    def ask(self, kind: str, tenant: str = "", **more: Any) -> dict[str, Any]:
        return desk.answer({"kind": kind, "tenant": tenant, **more}, self.desk)

    def sweep(self) -> dict[str, Any]:
        return desk.answer({"kind": "sweep"}, self.desk)

    def demand(self, tenant: str, moment: str = "20260302T090000Z") -> str:
        """Ada asks, Ben approves; the request."""
        self.say("delete", f"{tenant}:{moment}", "ada", reason="they asked")
        self.say("approve", f"{tenant}:{moment}", "ben")
        answer = self.ask("delete", tenant, request=moment)
        assert "refused" not in answer, answer
        return f"demand-{moment}"

    # ----------------------------------------------------------------------------------------------------- the functions

    @property
    def desk(self) -> desk.Services:
        def start(name: str, data: Mapping[str, str]) -> None:
            self.started.setdefault(name, dict(data))

        return desk.Services(
            register=self.register,
            records=self.records,
            start=start,
            tell=lambda subject, _text: self.mails.append(subject),
            clock=self.clock,
            two_people=self.two_people,
            logger=self.stage.logger,
        )

    @property
    def clerk(self) -> clerk.Services:
        return clerk.Services(
            register=self.register,
            records=self.records,
            clock=self.clock,
            where={"deployment": "fixture", "stage": "prod", "account": ACCOUNT},
            backups=(Kept(what="database", days=365, why="locked"),),
            logs=(Kept(what="trail", days=400, why="locked"),),
            logger=self.stage.logger,
        )

    @property
    def deleter(self) -> deleter.Services:
        def table(clients: Any) -> TableStore:
            return TableStore(dynamodb=clients.dynamodb, table=self.stage.table, sort="document")

        def credentials(clients: Any) -> TableStore:
            return TableStore(dynamodb=clients.dynamodb, table=CREDENTIALS, sort="entry")

        def objects(clients: Any) -> ObjectStore:
            return ObjectStore(s3=clients.s3, bucket=self.stage.bucket)

        def users(_clients: Any) -> UserStore:
            return UserStore(cognito=self.directory, pool="pool", providers={"Initech": "initech"})

        return deleter.Services(
            sessions=self.stage.sessions,
            register=self.stage.register,
            stores={
                "users": users,
                "document items": table,
                "document objects": objects,
                "credentials": credentials,
                "database rows": lambda _clients: self.rows,
            },
            logger=self.stage.logger,
        )

    def task(self, resource: str, given: Any) -> Any:
        """What the deployed functions would answer; a store whose name is in ``failing`` is out of order."""
        if resource == "Clerk":
            return clerk.act(given, self.clerk)
        if given["store"] in self.failing and given["phase"] == "delete":
            raise ConnectionError(given["store"])
        # No time is left after a batch, so that each takes a call of its own.
        return deleter.work(given, self.deleter, lambda: 0)

    def run(self, tenant: str, request: str, *, kill_after: int | None = None) -> Execution:
        machine = StateMachine(self.definition, self.task, self.clock)
        return machine.run({"tenant": tenant, "request": request}, kill_after=kill_after)
