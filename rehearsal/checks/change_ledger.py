"""The record of changes, from the function that keeps it to the command that verifies it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from ops.ledger import Archive, verify
from rehearsal.checks import Resource, View, refused, scenario


def _ledgers(view: View) -> list[tuple[Resource, Mapping[str, str]]]:
    """The functions that record changes, each with its environment."""
    return [
        (function, function.properties["Environment"]["Variables"])
        for function in view.of("AWS::Lambda::Function")
        if function.properties.get("Handler") == "record_change.handler.handle"
    ]


@scenario(
    "a reviewed change is recorded, an unreviewed and an unapproved one are refused, and nothing of it can be deleted"
)
def changes_are_recorded(view: View) -> None:
    for function, settings in _ledgers(view):
        open_to_all = next(owner for owner in settings["OWNERS"].split() if owner not in settings["GUARDED"].split())
        change = {
            "kind": "begin",
            "change": f"change-{uuid.uuid4()}",
            "owner": open_to_all,
            "commit": uuid.uuid4().hex + "0" * 8,
            "authors": ["ada@example.com"],
            "reviewers": ["ben@example.com"],
            "templates": {"stack": "0" * 64},
        }
        begun = _ask(view, function, change)
        assert begun["event"] == "authorised", begun
        assert _ask(view, function, change) == begun, "the same change was recorded twice"
        own = {**change, "change": f"change-{uuid.uuid4()}", "reviewers": ["ada@example.com"]}
        assert _ask(view, function, own)["event"] == "refused", "its own author reviewed it"
        for guarded in (one for one in settings["GUARDED"].split() if one != "-"):
            unapproved = {**change, "change": f"change-{uuid.uuid4()}", "owner": guarded}
            assert _ask(view, function, unapproved)["event"] == "refused", "nobody approved it"
        ended = {"kind": "end", "owner": open_to_all, "change": change["change"], "outcome": "succeeded"}
        assert _ask(view, function, ended)["sequence"] == begun["sequence"] + 2
        assert _ask(view, function, {"kind": "last", "owner": open_to_all})["commit"] == change["commit"]
        _verified(view, function, settings["RECORD_BUCKET"])


def _verified(view: View, function: Resource, name: str) -> None:
    bucket = next(bucket for bucket in view.of("AWS::S3::Bucket") if bucket.id == name)
    s3 = view.client("s3", bucket)
    prefix = f"{function.account}/change-ledger/"
    faults = {owner: found for owner, found in verify(Archive(s3, name, prefix).chains()).items() if found}
    assert not faults, faults
    record = s3.list_object_versions(Bucket=name, Prefix=prefix)["Versions"][0]
    refused(
        lambda: s3.delete_object(Bucket=name, Key=record["Key"], VersionId=record["VersionId"]), because="AccessDenied"
    )


def _ask(view: View, function: Resource, event: Mapping[str, Any]) -> dict[str, Any]:
    answer = view.client("lambda", function).invoke(FunctionName=function.id, Payload=json.dumps(event).encode())
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, said
    return said
