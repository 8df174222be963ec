"""A debug export from the request to its deletion, by the people, functions and machine that are deployed."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from palisade_runtime.records import Records

from ops.debug_export import Desk
from rehearsal.checks import Resource, View, refused, scenario
from rehearsal.machines import machines
from rehearsal.people import Person, signed_in


@scenario(
    "a debug export is approved by another person, holds one tenant's items without a name in them, is fetched by a link on "
    "record, and is deleted when its time is over"
)
def exported_for_a_while(view: View) -> None:
    functions = view.of("AWS::Lambda::Function")
    for function in functions:
        if function.properties.get("Handler") != "export_debug_data.handler.handle":
            continue
        maker = next(
            one
            for one in functions
            if one.stack == function.stack and one.properties.get("Handler") == "make_debug_export.handler.handle"
        )
        table = maker.properties["Environment"]["Variables"]["TABLE_NAME"]
        with signed_in(
            view, function, names=["ada@example.com", "ben@example.com", "eve@example.com"], policies=[function.id]
        ) as people:
            ada, ben, eve = (_desk(function, one) for one in people)
            _exported(view, function, table, [ada, ben, eve])


def _exported(view: View, function: Resource, table: str, people: Sequence[Desk]) -> None:
    ada, ben, eve = people
    settings = function.properties["Environment"]["Variables"]
    tenant, other = (f"{name}-{uuid.uuid4().hex[:8]}" for name in ("debugged", "neighbour"))
    dynamodb, s3 = view.client("dynamodb", function), view.client("s3", function)
    items = [_item(name, number) for name in (tenant, other) for number in range(3)]
    for item in items:
        dynamodb.put_item(TableName=table, Item=item)
    export = f"{tenant}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    assert _of(ada.request(export, rows=2, hours=1, reason="rehearsal"), export)["state"] == "waits"
    assert "another person" in str(ada.approve(export)["refused"]), "one's own approval counted"
    assert "refused" in ada.fetch(export), "fetched unapproved"
    approved = _of(ben.approve(export), export)
    assert (approved["state"], approved["approved_by"]) == ("approved", "ben@example.com"), approved
    bucket, key = settings["BUCKET_NAME"], f"{export}.json"
    machine = next(one for one in machines(view) if one.resource.id == settings["MACHINE"])
    given = {"export": export, "tenant": tenant, "rows": 2, "expires_at": approved["expires_at"]}
    machine.task(_maker(machine.definition), {"kind": "make", **given})
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    told = body.decode()
    rows = json.loads(told)["items"]
    assert len(rows) == 2, rows
    assert len({one["tenant"] for one in rows}) == 1, rows
    for item in items:
        for name in ("tenant", "document", "created_by", "title"):
            assert item[name]["S"] not in told, f"{name} is in the export"
    assert "only who asked" in str(eve.fetch(export)["refused"]), "a third person got a link"
    for person in (ada, ben):
        fetched = person.fetch(export)
        assert fetched["sha256"] == hashlib.sha256(body).hexdigest(), fetched
        assert 0 < fetched["seconds"] <= 900, fetched
        assert "X-Amz-Expires=" in fetched["link"], fetched
    assert _of(ada.every(), export)["fetched"] == 2
    refused(lambda: ada.records.keep(export, "approved", {}), because="AccessDenied")
    execution = machine.run(given)
    assert (execution.status, execution.path[-1]) == ("SUCCEEDED", "Gone"), execution.error
    assert not s3.list_object_versions(Bucket=bucket, Prefix=key).get("Versions"), "the export is still there"
    assert "expired" in str(ada.fetch(export)["refused"]), "fetched after its time"
    assert _of(ada.every(), export)["state"] == "deleted"
    for item in items:
        dynamodb.delete_item(TableName=table, Key={name: item[name] for name in ("tenant", "document")})


def _of(said: Mapping[str, Any], export: str) -> dict[str, Any]:
    assert "refused" not in said, said
    found: dict[str, Any] = next(one for one in said["exports"] if one["export"] == export)
    return found


def _maker(definition: Mapping[str, Any]) -> str:
    return str(definition["States"]["Make"]["Resource"])


def _item(tenant: str, number: int) -> dict[str, Any]:
    return {
        "tenant": {"S": tenant},
        "document": {"S": uuid.uuid4().hex},
        "created_by": {"S": f"joe{number}@{tenant}.example"},
        "title": {"S": f"Divorce of {uuid.uuid4().hex}"},
        "status": {"S": "analysed"},
        # Analysed later than any upload, so that the analysis leaves it alone.
        "sequencer": {"S": "~"},
        "size": {"N": "17"},
    }


def _desk(function: Resource, person: Person) -> Desk:
    settings = function.properties["Environment"]["Variables"]
    return Desk(
        records=Records(
            s3=person.client("s3"),
            bucket=settings["RECORD_BUCKET"],
            account=function.account,
            workflow=settings["RECORD_WORKFLOW"],
        ),
        functions=person.client("lambda"),
        function=function.id,
        user_id=person.user_id,
    )
