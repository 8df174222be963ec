"""Handles incidents: lists and shows them, and records what you do under your own name.

usage: ./palisade incident list [--all]
       ./palisade incident show | ack | close INCIDENT
       ./palisade incident assign INCIDENT --to PERSON
       ./palisade incident note | resolve INCIDENT --text TEXT
       ./palisade incident told INCIDENT --whom customers|regulator|affected (--text HOW | --not-needed WHY)
       ./palisade incident draft INCIDENT --of postmortem|customers|regulator
       ./palisade incident postmortem INCIDENT --file FILE
       ./palisade incident report --title TITLE --priority P0..P3 --account ACCOUNT [--tenant T] [--resource R]

Credentials of the security account with the responder's policy are needed. Who you are comes from the credentials: nobody
can acknowledge in another's name. Every command takes --json. Exit status: 0 done, 1 refused, 2 not possible.
"""

from __future__ import annotations

import argparse
import json
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "lambda"))

from palisade_runtime.records import Records  # noqa: E402

from ops.configured import deployment_of  # noqa: E402
from ops.places import OpsError  # noqa: E402
from stacks.names import ORGANIZATION, Log, Names, Workflow  # noqa: E402
from stacks.settings import Deployment  # noqa: E402

Client = Callable[[str], Any]


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The function that answers, and the archive that takes deeds. ``client`` makes AWS clients of the home region."""

    deployment: Deployment
    client: Client

    def ask(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The function's answer.

        Raises:
            OpsError: it could not be called, or failed.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            answer = self.client("lambda").invoke(
                FunctionName=Names(self.deployment).incident_desk, Payload=json.dumps(event).encode()
            )
            said: dict[str, Any] = json.loads(answer["Payload"].read())
        except (BotoCoreError, ClientError) as error:
            raise OpsError(
                f"the desk did not answer: {error}. Sign in to the security account as a responder."
            ) from None
        if "FunctionError" in answer:
            raise OpsError(f"the desk failed ({said.get('errorType', 'unknown')}). Run the same command again.")
        return said

    def do(self, deed: str, incident: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Write ``deed`` as oneself, then have it looked at.

        Raises:
            OpsError: the archive did not take it, or the desk did not answer.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        deed_id = uuid.uuid4().hex
        try:
            identity = self.client("sts").get_caller_identity()
            if identity["Account"] != self.deployment.accounts.security:
                raise OpsError(
                    f"the credentials are of account {identity['Account']}, but incidents are handled in the security "
                    f"account {self.deployment.accounts.security}. Switch profile."
                )
            records = Records(
                s3=self.client("s3"),
                bucket=Names(self.deployment).archive_bucket(ORGANIZATION, Log.DECISION),
                account=identity["Account"],
                workflow=Workflow.INCIDENTS,
            )
            records.say(deed, f"{incident}@{deed_id}" if incident else deed_id, identity["UserId"], body)
        except ValueError as error:
            raise OpsError(f'{error}. "./palisade incident list" prints incidents.') from None
        except (BotoCoreError, ClientError) as error:
            raise OpsError(f"it was not recorded: {error}. Only responders may; sign in as one.") from None
        return self.ask({"kind": deed, "incident": incident, "deed": deed_id})


def main(arguments: list[str] | None = None, client: Client | None = None) -> int:
    """Do what is asked and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        deployment = deployment_of(options.deployment)
        desk = Desk(deployment=deployment, client=client or _client(deployment.home.name))
        answer = _answer(desk, options)
    except OpsError as error:
        print(f"incident: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(answer))
    elif not answer["ok"]:
        for problem in answer["problems"]:
            print(f"incident: refused: {problem}", file=sys.stderr)
    else:
        _print(options.what, answer)
    return 0 if answer["ok"] else 1


def _answer(desk: Desk, options: argparse.Namespace) -> dict[str, Any]:
    what = options.what
    if what in {"list", "show", "draft"}:
        names = ("all", "incident", "of")
        return desk.ask({"kind": what} | {name: getattr(options, name) for name in names if hasattr(options, name)})
    return desk.do(what, getattr(options, "incident", ""), _body(what, options))


def _body(what: str, options: argparse.Namespace) -> dict[str, Any]:
    """What a deed says."""
    body: dict[str, Any] = {}
    match what:
        case "report":
            names = ("title", "priority", "account")
            body = {"tenants": options.tenant, "resources": options.resource}
            body |= {name: getattr(options, name) for name in names}
        case "assign":
            body = {"to": options.to}
        case "told":
            needed = options.not_needed is None
            body = {"whom": options.whom, "needed": needed, "text": options.text if needed else options.not_needed}
        case "postmortem":
            body = {"text": _file(options.file)}
        case "note" | "resolve":
            body = {"text": options.text}
    return body


def _print(what: str, answer: Mapping[str, Any]) -> None:
    if what == "list":
        for one in answer["incidents"]:
            print(
                f"{one['incident']:<24} {one['priority']} {one['status']:<13} {one['assignee'] or '-':<10} "
                f"{one['found']:>4}x  {one['account']}  {one['title']}"
            )
        if not answer["incidents"]:
            print("no incident is open")
        return
    if what == "draft":
        print(answer["text"], end="")
        return
    shown = answer["incident"]
    if "by" in answer:
        done = "recorded" if answer["first"] else f"{answer['by']} had done so before"
        print(f"{what} {shown['incident']}: {done}")
        if what != "report":
            return
    print(f"{shown['incident']}  {shown['priority']}  {shown['status']}  found {shown['found']} times")
    print(f"  {shown['title']}")
    print(f"  account {shown['account']}, region {shown['region']}; item {shown['item'] or 'not made yet'}")
    affected = shown["affected"]
    print(f"  affected  {', '.join(affected['tenants']) or 'none known'}")
    if affected["unknown"]:
        print(f"            others unknown: {affected['unknown']}")
    for title, values in (("to do", shown["open"]), ("missed", shown["missed"])):
        for value in values:
            print(f"  {title:<9} {value}")
    for name, at in shown["deadlines"].items():
        print(f"  due       {at}  {name}")
    for at, happened in shown["timeline"]:
        print(f"  {at[:19]}  {happened}")


def _file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OpsError(
            f'--file {path}: cannot be read ({type(error).__name__}). "draft --of postmortem" prints one to begin with.'
        ) from None


def _client(region: str) -> Client:
    def make(service: str) -> Any:
        import boto3  # noqa: PLC0415 - half a second that --help should not wait for

        return boto3.client(service, region_name=region)

    return make


def _parser() -> argparse.ArgumentParser:
    assert __doc__
    parser = argparse.ArgumentParser(
        prog="palisade incident", description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n")[-1]
    )
    commands = parser.add_subparsers(dest="what", required=True, metavar="COMMAND")

    def command(name: str, text: str, *, incident: bool = True) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
        made.add_argument("--json", action="store_true", help="print JSON")
        if incident:
            made.add_argument("incident", metavar="INCIDENT", help='its name, as "list" prints it')
        return made

    command("list", "list what is open, gravest first", incident=False).add_argument(
        "--all", action="store_true", help="also what is closed"
    )
    command("show", "show everything there is to know of one incident")
    command("ack", "acknowledge it: you have it in hand, and nobody else is called")
    command("assign", "give it to somebody").add_argument("--to", required=True, metavar="PERSON")
    for name, text in (("note", "note something on the record"), ("resolve", "say that it is over, and what ended it")):
        command(name, text).add_argument("--text", required=True)
    told = command("told", "record who was told, or why they need not be")
    told.add_argument("--whom", required=True, choices=("customers", "regulator", "affected"))
    how = told.add_mutually_exclusive_group(required=True)
    how.add_argument("--text", metavar="HOW", help="how they were told")
    how.add_argument("--not-needed", metavar="WHY", help="why they need not be told")
    command("draft", "print a text to begin with, filled from the records").add_argument(
        "--of", required=True, choices=("postmortem", "customers", "regulator")
    )
    command("postmortem", "hand in the post-mortem").add_argument("--file", required=True, type=Path)
    command("close", "close it, once everything is done")
    report = command("report", "report an incident yourself", incident=False)
    report.add_argument("--title", required=True)
    report.add_argument("--priority", required=True, choices=("P0", "P1", "P2", "P3"))
    report.add_argument("--account", required=True, help="the account that it is about")
    report.add_argument("--tenant", action="append", default=[], help="a tenant whose data it concerns; repeat it")
    report.add_argument("--resource", action="append", default=[], help="what it concerns; repeat it")
    return parser
