"""Incidents are contained on what is deployed, and everything is as it was when that is undone.

Machines are not quarantined here, because the embedded AWS neither snapshots several volumes at once nor changes the groups
of an interface; tests/lambda/contain does it on another one.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from palisade_runtime.records import Records

from ops.contain import Responder
from rehearsal.checks import Resource, View, refused, scenario
from rehearsal.people import signed_in

Look = Callable[[], Any]


def _functions(view: View) -> list[tuple[Resource, Mapping[str, str]]]:
    return [
        (function, function.properties["Environment"]["Variables"])
        for function in view.of("AWS::Lambda::Function")
        if function.properties.get("Handler") == "contain.handler.handle"
    ]


@scenario(
    "each act of containment is planned without a trace, waits for a second person where it must, is done, and is undone to "
    "exactly what was before"
)
def contained_and_undone(view: View) -> None:
    for function, settings in _functions(view):
        guarded = settings["GUARDED"] == "yes"
        with ExitStack() as made:
            ada, ben = made.enter_context(_responders(view, function, settings, "ada@example.com", "ben@example.com"))
            _only_as_oneself(ada, ben)
            for action, target, look, stops in _targets(view, function, settings, made):
                former = look()
                planned = ada.plan(action, target)
                assert planned["outcome"] == "planned", planned
                assert planned["people"] == (2 if guarded and stops else 1), planned
                assert look() == former, f"planning {action} changed something"
                said = ada.do(action, target, reason="rehearsal")
                if guarded and stops:
                    assert said["outcome"] == "waits", said
                    assert ada.approve(said["id"])["outcome"] == "waits", "one's own approval counted"
                    assert look() == former, f"{action} did not wait"
                    said = ben.approve(said["id"])
                assert said["outcome"] == "contained", said
                assert look() != former, f"{action} contained nothing"
                _undo(ada, ben, action, said["id"], guarded=guarded and stops)
                assert look() == former, f"undoing {action} left {look()}, not {former}"


def _only_as_oneself(ada: Responder, ben: Responder) -> None:
    forged = dataclasses.replace(ada, user_id=ben.user_id)
    refused(lambda: forged.records.say("approve", "0123456789ab-1", forged.user_id, {}), because="AccessDenied")
    refused(lambda: ada.records.keep("0123456789ab-1", "approved", {}), because="AccessDenied")


def _undo(ada: Responder, ben: Responder, action: str, identity: str, *, guarded: bool) -> None:
    undone = ben.undo(identity, reason="rehearsal")
    if action == "revoke-sessions":
        assert undone["outcome"] == "refused", "sessions that were ended lived again"
        undone = ben.undo(identity, reason="nobody had a session", force=True)
        if guarded:
            assert undone["outcome"] == "undo waits", undone
            undone = ada.approve_undo(identity)
    assert undone["outcome"] == "undone", undone


@scenario("keys of backups, logs and messages are not disabled, nor is containment contained")
def what_must_stay_stays(view: View) -> None:
    for function, settings in _functions(view):
        prefix = settings["KEY_ALIASES"].split()[0].rpartition("/")[0]
        keys = [("disable-key", f"{prefix}/{name}") for name in ("backup", "logs", "messaging", "containment")]
        with _responders(view, function, settings, "ada@example.com") as (ada,):
            for action, target in (
                *keys,
                ("isolate-function", function.id),
                ("revoke-sessions", settings["OWN_ROLE"]),
                ("block-address", "128.0.0.0/1"),
            ):
                assert ada.plan(action, target)["outcome"] == "refused", f"{action} {target}"


def _targets(
    view: View, function: Resource, settings: Mapping[str, str], made: ExitStack
) -> Iterator[tuple[str, str, Look, bool]]:
    """An action, a target, how to look at it, and whether the product stops."""
    client = {name: view.client(name, function) for name in ("iam", "kms", "lambda", "cognito-idp")}
    sets = [one for one in view.of("AWS::WAFv2::IPSet") if one.account == function.account]

    def addresses() -> Any:
        found = {}
        for one in sets:
            name, number, scope = one.id.split("|")
            answer = view.client("wafv2", one).get_ip_set(Name=name, Id=number, Scope=scope)
            found[name] = answer["IPSet"]["Addresses"]
        return found

    if len(sets) == 4:
        yield "block-address", "9.9.9.9", addresses, False
        yield "block-address", "2a00:1450:4001:800::/64", addresses, False

    victim = next(
        (
            one
            for one in sorted(view.of("AWS::Lambda::Function"), key=lambda one: "nalys" not in one.id)
            if one.account == function.account and one.id.startswith(f"{settings['STAGE']}-")
        ),
        None,
    )
    if victim is not None:
        yield "isolate-function", victim.id, lambda: _function(client["lambda"], victim.id), True
        role = str(victim.properties["Role"]).rpartition("/")[2]
        yield "revoke-sessions", role, lambda: client["iam"].list_role_policies(RoleName=role)["PolicyNames"], True

    alias = settings["KEY_ALIASES"].split()[0]
    yield "disable-key", alias, lambda: client["kms"].describe_key(KeyId=alias)["KeyMetadata"]["KeyState"], True

    user, key = made.enter_context(_leftover(client["iam"]))
    yield (
        "disable-access-key",
        f"{user}/{key}",
        lambda: client["iam"].list_access_keys(UserName=user)["AccessKeyMetadata"][0]["Status"],
        False,
    )
    pool = settings["USER_POOL"]
    if pool != "-":
        name = made.enter_context(_product_user(client["cognito-idp"], pool))
        yield (
            "block-user",
            name,
            lambda: client["cognito-idp"].admin_get_user(UserPoolId=pool, Username=name)["Enabled"],
            False,
        )


def _function(functions: Any, name: str) -> Any:
    reserved = functions.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
    mappings = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    return reserved, sorted((one["UUID"], one["State"]) for one in mappings)


@contextmanager
def _leftover(iam: Any) -> Iterator[tuple[str, str]]:
    user = f"leftover-{uuid.uuid4()}"
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
    try:
        yield user, key
    finally:
        iam.delete_access_key(UserName=user, AccessKeyId=key)
        iam.delete_user(UserName=user)


@contextmanager
def _product_user(cognito: Any, pool: str) -> Iterator[str]:
    name = f"{uuid.uuid4()}@example.com"
    password = f"Aa1!{uuid.uuid4()}"
    cognito.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS", TemporaryPassword=password)
    try:
        yield name
    finally:
        cognito.admin_delete_user(UserPoolId=pool, Username=name)


@contextmanager
def _responders(view: View, function: Resource, settings: Mapping[str, str], *names: str) -> Iterator[list[Responder]]:
    prefix = settings["BOUNDARY"].rpartition("-")[0]
    with signed_in(view, function, names=names, policies=[f"{prefix}-responder"]) as people:
        yield [
            Responder(
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
            for person in people
        ]
