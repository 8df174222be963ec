"""Keeps third-party credentials of tenants in a stage's vault.

usage: ./palisade vault put --stage STAGE --tenant TENANT --purpose PURPOSE
       ./palisade vault rotate --stage STAGE --tenant TENANT --purpose PURPOSE [--back]
       ./palisade vault list --stage STAGE [--tenant TENANT] [--json]
       ./palisade vault status --stage STAGE [--json]
       ./palisade vault reencrypt --stage STAGE [--request REQUEST]

"put" asks for the value, or reads it from standard input; it is never an argument. A first version is in use at once, a
later one is staged until "rotate", which "rotate --back" undoes within the days of grace. "status" opens each credential
in use, without showing it. "reencrypt" seals all of them anew; interrupted, it goes on with --request. Credentials are of
the stage's account, by the vault keeper's policy ("reencrypt": the vault operator's).
"""

from __future__ import annotations

import argparse
import getpass
import json
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "lambda"))

from palisade_runtime.records import Records  # noqa: E402

from ops.configured import deployment_of  # noqa: E402
from ops.places import OpsError  # noqa: E402
from stacks.names import Log, Names, Workflow  # noqa: E402
from stacks.settings import Deployment, Stage  # noqa: E402

OLD_DAYS = 90
"""A credential whose version in use is older is shown as old."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What a keeper of credentials works with: the vault's functions by task, and the archive for one's word."""

    functions: Any
    records: Any
    names: Mapping[str, str]
    user_id: str

    def say(self, deed: str, request: str, what: dict[str, str]) -> None:
        """Put on record, under one's own name, what is to be done."""
        self.records.say(deed, request, self.user_id, what)

    def ask(self, task: str, event: dict[str, object]) -> dict[str, Any]:
        """The answer of a function.

        Raises:
            OpsError: it refused or failed.
        """
        answer = self.functions.invoke(FunctionName=self.names[task], Payload=json.dumps(event).encode())
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise OpsError(f"the vault failed ({said.get('errorType', 'unknown')}). Nothing is lost; ask again.")
        if "refused" in said:
            raise OpsError(f"refused: {said['refused']}")
        return said


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked and return the exit status."""
    options = _parser().parse_args(arguments)
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - half a second that --help should not wait for

    try:
        deployment = deployment_of(options.deployment)
        stage = next((one for one in deployment.stages if one.name == options.stage), None)
        if stage is None:
            known = ", ".join(one.name for one in deployment.stages)
            raise OpsError(f"--stage {options.stage}: there is no such stage. Choose one of {known}.")
        try:
            return run(options, desk(deployment, stage))
        except (BotoCoreError, ClientError) as error:
            policy = "operator" if options.what == "reencrypt" else "keeper"
            raise OpsError(f"{error}. Sign in to {stage.name} with the vault {policy}'s policy.") from None
    except OpsError as error:
        print(f"vault: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nvault: interrupted", file=sys.stderr)
        return 130


def run(options: argparse.Namespace, desk: Desk) -> int:
    """Do what is asked at ``desk``."""
    acts = {"put": _put, "rotate": _rotate, "list": _list, "status": _status, "reencrypt": _reencrypt}
    return acts[options.what](options, desk)


def desk(deployment: Deployment, stage: Stage) -> Desk:
    """The desk of ``stage``, for the credentials that the shell has.

    Raises:
        OpsError: they are of another account.
    """
    import boto3  # noqa: PLC0415

    names, region = Names(deployment), deployment.home.name
    identity = boto3.client("sts", region_name=region).get_caller_identity()
    if identity["Account"] != stage.account:
        raise OpsError(
            f"the credentials are of account {identity['Account']}, and {stage.name} is {stage.account}. Switch profile."
        )
    records = Records(
        s3=boto3.client("s3", region_name=region),
        bucket=names.archive_bucket(stage.name, Log.DECISION),
        account=stage.account,
        workflow=Workflow.VAULT,
    )
    return Desk(
        functions=boto3.client("lambda", region_name=region),
        records=records,
        names={task: names.vault_function(task) for task in ("keep", "check", "reencrypt")},
        user_id=identity["UserId"],
    )


def _put(options: argparse.Namespace, desk: Desk) -> int:
    value = getpass.getpass("value (not shown): ") if sys.stdin.isatty() else sys.stdin.read().removesuffix("\n")
    if not value:
        raise OpsError("the value is empty. Type it, or pipe it in.")
    version = _new_id()
    what = {"tenant": options.tenant, "purpose": options.purpose, "version": version}
    desk.say("put", version, what)
    state = desk.ask("keep", {"kind": "put", "request": version, **what, "value": value})["state"]
    print(f"kept as {version}: {state}" + (' until "rotate" puts it into use' if state == "staged" else ""))
    return 0


def _rotate(options: argparse.Namespace, desk: Desk) -> int:
    kind, state = ("take-back", "previous") if options.back else ("rotate", "staged")
    entries = desk.ask("keep", {"kind": "list", "tenant": options.tenant})["entries"]
    versions = [one["version"] for one in entries if (one["purpose"], one["state"]) == (options.purpose, state)]
    if not versions:
        raise OpsError(f'{options.tenant} has no {state} version of {options.purpose}. "list" shows what there is.')
    request = _new_id()
    what = {"tenant": options.tenant, "purpose": options.purpose, "version": versions[0]}
    desk.say(kind, request, what)
    desk.ask("keep", {"kind": kind, "request": request, **what})
    print(f"in use: {versions[0]}; the one before can be taken back for a week")
    return 0


def _list(options: argparse.Namespace, desk: Desk) -> int:
    entries = _entries(desk, options.tenant)
    if options.json:
        print(json.dumps(entries))
        return 0
    for one in entries:
        print(f"{one['tenant']:<24} {one['purpose']:<20} {one['version']:<26} {one['state']:<9} {one['made_at'][:10]}")
    if not entries:
        print("vault: nothing is kept here yet")
    return 0


def _status(options: argparse.Namespace, desk: Desk) -> int:
    """Whether everything in use opens, is young and lies under the key in use; exit 1 if something does not open."""
    listed = desk.ask("keep", {"kind": "list"})
    used = [one for one in listed["entries"] if one["state"] == "current"]
    broken = []
    for one in used:
        try:
            desk.ask("check", {"tenant": one["tenant"], "purpose": one["purpose"]})
        except OpsError as error:
            broken.append(f"{one['tenant']} {one['purpose']}: {error}")
    today = datetime.now(UTC)
    old = [one for one in used if (today - datetime.fromisoformat(one["made_at"])).days > OLD_DAYS]
    under = [one for one in listed["entries"] if one["key"] != listed["key"]]
    if options.json:
        counts = {"versions": len(listed["entries"]), "current": len(used), "old": len(old)}
        print(json.dumps({**counts, "under_former_keys": len(under), "broken": broken, "key": listed["key"]}))
    else:
        print(f"versions           {len(listed['entries'])}")
        print(f"in use             {len(used)}, {len(used) - len(broken)} of them open")
        print(f"older than {OLD_DAYS} days {len(old)}")
        print(f"under former keys  {len(under)}" + (' ("reencrypt" moves them)' if under else ""))
        print(*(f"  {one}" for one in broken), sep="\n", end="\n" if broken else "")
    return 1 if broken else 0


def _reencrypt(options: argparse.Namespace, desk: Desk) -> int:
    request = options.request or _new_id()
    if options.request is None:
        desk.say("reencrypt", request, {})
    print(f"request {request}: if this is interrupted, go on with --request {request}", flush=True)
    after, moved = None, 0
    while True:
        done = desk.ask("reencrypt", {"request": request, "after": after or None})
        moved, after = moved + done["moved"], done["after"]
        print(f"{moved} sealed anew" + ("" if done["done"] else f", up to {after}"), flush=True)
        if done["done"]:
            return 0


def _entries(desk: Desk, tenant: str | None) -> Sequence[dict[str, Any]]:
    entries: list[dict[str, Any]] = desk.ask("keep", {"kind": "list", "tenant": tenant})["entries"]
    return entries


def _new_id() -> str:
    """As the vault names versions and requests."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


def _parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    assert __doc__
    whole = argparse.ArgumentParser(
        prog="palisade vault", description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n")[-1]
    )
    commands = whole.add_subparsers(dest="what", required=True, metavar="put | rotate | list | status | reencrypt")
    for name, text in (
        ("put", "keep a credential; its value is asked for or read from standard input"),
        ("rotate", "put the staged version into use, or the previous one back"),
        ("list", "print what there is, never what it says"),
        ("status", "say whether everything opens, is young and lies under the key in use"),
        ("reencrypt", "seal everything anew under the key in use"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
        command.add_argument("--stage", required=True, help="which stage's vault")
        if name in {"put", "rotate", "list"}:
            command.add_argument("--tenant", required=name != "list", help="whose credential")
        if name in {"put", "rotate"}:
            command.add_argument("--purpose", required=True, help="what for, such as payments-api")
        if name in {"list", "status"}:
            command.add_argument("--json", action="store_true", help="print JSON")
        if name == "rotate":
            command.add_argument("--back", action="store_true", help="take the previous version back into use")
        if name == "reencrypt":
            command.add_argument("--request", help="go on with what this request began")
    return whole
