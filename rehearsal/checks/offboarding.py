"""The end of a tenant, from what people say to the certificate: of two tenants one goes, and the other keeps every byte."""

from __future__ import annotations

import contextlib
import json
import secrets
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rehearsal.checks import Resource, View, refused, scenario
from rehearsal.machines import machines
from rehearsal.state_machine import Execution, Killed, StateMachine

DATABASE = "database rows"
"""No database runs here; tests/postgres empties a real one with the same code."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """One stage's desk as people meet it, and its tenants' stores as nobody does."""

    view: View
    function: Resource
    deleter: Resource

    @property
    def settings(self) -> Mapping[str, str]:
        """What the desk is set to."""
        found: Mapping[str, str] = self.function.properties["Environment"]["Variables"]
        return found

    @property
    def archive(self) -> Resource:
        """The bucket in which people say things and records are kept."""
        return next(one for one in self.view.of("AWS::S3::Bucket") if one.id == self.settings["RECORD_BUCKET"])

    def say(self, deed: str, subject: str, person: str) -> None:
        """What IAM lets a person write under their own session's id; here the archive's owner does, for want of people."""
        from palisade_runtime.records import Records

        Records(
            s3=self.view.client("s3", self.archive),
            bucket=self.archive.id,
            account=self.function.account,
            workflow=self.settings["RECORD_WORKFLOW"],
        ).say(deed, subject, f"AROAEXAMPLE:{person}@example.com", {"reason": "rehearsal"})

    def ask(self, kind: str, tenant: str, **more: Any) -> dict[str, Any]:
        """What the deployed function answers."""
        event = json.dumps({"kind": kind, "tenant": tenant, **more}).encode()
        answer = self.view.client("lambda", self.function).invoke(FunctionName=self.function.id, Payload=event)
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, said
        return said

    @property
    def stores(self) -> dict[str, list[str]]:
        """The deleter's stores, as it knows them."""
        found: dict[str, list[str]] = json.loads(self.deleter.properties["Environment"]["Variables"]["STORES"])
        return found

    def fill(self, tenant: str) -> None:
        """Items, objects in versions and behind a marker, and a user, in every store there is."""
        for kind, *where in self.stores.values():
            match kind:
                case "table":
                    for number in range(3):
                        # Analysed later than any upload, so that the analysis leaves it alone.
                        done = {"status": {"S": "analysed"}, "sequencer": {"S": "~"}}
                        item = {"tenant": {"S": tenant}, where[1]: {"S": f"{number:032x}"}, **done}
                        self._client("dynamodb").put_item(TableName=where[0], Item=item)
                case "objects":
                    for number in range(3):
                        for text in (b"draft", b"final"):
                            self._client("s3").put_object(Bucket=where[0], Key=f"{tenant}/{number:032x}", Body=text)
                    self._client("s3").delete_object(Bucket=where[0], Key=f"{tenant}/{0:032x}")
                case "users":
                    self._client("cognito-idp").admin_create_user(
                        UserPoolId=self._pool,
                        Username=f"joe@{tenant}.example",
                        TemporaryPassword=f"{secrets.token_urlsafe(20)}aA1!",
                        UserAttributes=[
                            {"Name": "email", "Value": f"joe@{tenant}.example"},
                            {"Name": "custom:tenant", "Value": tenant},
                        ],
                    )

    def of(self, tenant: str) -> list[Any]:
        """Every byte that the tenant has."""
        return list(self._of(tenant))

    def _of(self, tenant: str) -> Iterator[Any]:
        for kind, *where in self.stores.values():
            match kind:
                case "table":
                    yield from self._client("dynamodb").query(
                        TableName=where[0],
                        KeyConditionExpression="tenant = :t",
                        ExpressionAttributeValues={":t": {"S": tenant}},
                    )["Items"]
                case "objects":
                    s3 = self._client("s3")
                    listed = s3.list_object_versions(Bucket=where[0], Prefix=f"{tenant}/")
                    for one in listed.get("Versions", []):
                        named = {"Key": one["Key"], "VersionId": one["VersionId"]}
                        yield named, s3.get_object(Bucket=where[0], **named)["Body"].read()
                    yield from ((one["Key"], one["VersionId"]) for one in listed.get("DeleteMarkers", []))
                case "users":
                    users = self._client("cognito-idp").list_users(UserPoolId=self._pool)["Users"]
                    said = {"Name": "custom:tenant", "Value": tenant}
                    yield from (user["Username"] for user in users if said in user["Attributes"])

    @property
    def _pool(self) -> str:
        return str(self.deleter.properties["Environment"]["Variables"]["USER_POOL_ID"])

    def _client(self, service: str) -> Any:
        return self.view.client(service, self.function)

    def run(self, tenant: str, request: str, *, kill_after: int | None = None) -> Execution:
        """The deployed definition, but for the store that does not run here."""
        machine = next(one for one in machines(self.view) if one.resource.id == self.settings["MACHINE"])
        definition: Any = json.loads(json.dumps(machine.definition))
        stores = definition["States"]["Begin"]["Parameters"]["stores"]
        assert set(stores) == set(self.stores), "the machine does not work on every store"
        stores.remove(DATABASE)
        interpreter = StateMachine(definition, machine.task, machine.clock)
        return interpreter.run({"tenant": tenant, "request": request}, kill_after=kill_after)


def _desks(view: View) -> Iterator[Desk]:
    functions = view.of("AWS::Lambda::Function")
    for function in functions:
        if function.properties.get("Handler") == "offboard_tenant.handler.handle":
            deleter = next(
                one
                for one in functions
                if one.stack == function.stack and one.properties.get("Handler") == "delete_tenant.handler.handle"
            )
            yield Desk(view=view, function=function, deleter=deleter)


@scenario(
    "a held tenant is not deleted; released, asked for and approved it is, though killed half-way, in every store but the "
    "database, which does not run here; another tenant keeps every byte, and the certificate is true and locked"
)
def tenants_are_deleted(view: View) -> None:
    with _lambda_source():
        for desk in _desks(view):
            _deleted(desk)


def _deleted(desk: Desk) -> None:
    leaver, stayer = (f"{name}-{uuid.uuid4().hex[:8]}" for name in ("leaver", "leaver-2"))
    for tenant in (leaver, stayer):
        desk.fill(tenant)
    before, had = desk.of(stayer), len(desk.of(leaver))
    assert had > 5
    moment = _moment()
    desk.say("hold", f"{leaver}:CASE-1", "carla")
    assert desk.ask("hold", leaver, case="CASE-1")["tenants"][0]["holds"] == {"CASE-1": "unconfirmed"}
    desk.say("delete", f"{leaver}:{moment}", "ada")
    if desk.settings["TWO_PEOPLE"] == "yes":
        assert "another person" in str(desk.ask("delete", leaver, request=moment)), "one person was enough"
    desk.say("approve", f"{leaver}:{moment}", "ben")
    assert "held" in str(desk.ask("delete", leaver, request=moment)["refused"])
    desk.say("release", f"{leaver}:CASE-1", "carla")
    assert "two people" in str(desk.ask("release", leaver, case="CASE-1")["refused"])
    desk.say("release", f"{leaver}:CASE-1", "dan")
    assert desk.ask("release", leaver, case="CASE-1")["tenants"][0]["holds"] == {}
    begun = desk.ask("delete", leaver, request=moment)["tenants"][0]
    assert begun["status"] == "deleting", begun
    with contextlib.suppress(Killed):
        desk.run(leaver, begun["request"], kill_after=14)
    execution = desk.run(leaver, begun["request"])
    assert (execution.status, execution.path[-1]) == ("SUCCEEDED", "Deleted"), execution.error
    assert desk.of(leaver) == [], desk.of(leaver)
    assert desk.of(stayer) == before, "another tenant's data changed"
    _certified(desk, leaver, had)
    moment = _moment()
    for deed, person in (("delete", "ada"), ("approve", "ben")):
        desk.say(deed, f"{stayer}:{moment}", person)
    begun = desk.ask("delete", stayer, request=moment)["tenants"][0]
    assert desk.run(stayer, begun["request"]).status == "SUCCEEDED"
    assert desk.of(stayer) == []


def _moment() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def _certified(desk: Desk, tenant: str, had: int) -> None:
    from certify_deletion.certificate import digest

    (body,) = desk.ask("certificate", tenant)["certificates"]
    made = body["certificate"]
    assert digest(made) == body["digest"]
    assert sum(one["deleted"] for one in made["stores"]) == had, (made["stores"], had)
    assert made["backups"], made
    assert made["logs"], made
    s3 = desk.view.client("s3", desk.archive)
    prefix = f"{desk.function.account}/{desk.settings['RECORD_WORKFLOW']}/{tenant}/certificate-"
    (version,) = s3.list_object_versions(Bucket=desk.archive.id, Prefix=prefix)["Versions"]
    refused(
        lambda: s3.delete_object(Bucket=desk.archive.id, Key=version["Key"], VersionId=version["VersionId"]),
        because="AccessDenied",
    )


@contextlib.contextmanager
def _lambda_source() -> Iterator[None]:
    import sys

    place = str(Path(__file__).resolve().parents[2] / "lambda")
    sys.path.insert(0, place)
    try:
        yield
    finally:
        sys.path.remove(place)
