"""Asks for a level of a live stage for a while, and decides about what others ask.

usage: ./palisade access request --stage live --level operator --reason "..." --ip 203.0.113.7 --hours 2 [--tenant TENANT ...]
       ./palisade access approve | deny | revoke | show ID
       ./palisade access list
       ./palisade access consent --tenant TENANT --until 2026-03-31 --evidence "..."
       ./palisade access withdraw --tenant TENANT

What you do lies in the archive under your own name, which AWS fills in, and cannot be altered. Sign in to the security account:
with the permission set "requester" to ask, with "approver" to decide. Whatever is refused says everything that stands against
it, and exits 1. --json prints what the function answered.
"""

from __future__ import annotations

import argparse
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
from stacks.names import ORGANIZATION, Log, Names, Workflow  # noqa: E402
from stacks.settings import ON_REQUEST, Deployment  # noqa: E402

_COLUMNS = ("id", "state", "stage", "level", "by", "address", "minutes")


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where requests are made: the caller's own deeds in the archive, and the function that decides."""

    records: Records
    function: str
    invoke: Any
    user_id: str

    def do(self, deed: str, subject: str, body: Mapping[str, object], event: Mapping[str, str]) -> dict[str, Any]:
        """Write the deed under the caller's own id, then have it looked at."""
        self.records.say(deed, subject, self.user_id, body)
        return self.ask({"kind": deed, **event})

    def ask(self, event: Mapping[str, str]) -> dict[str, Any]:
        """What the function answers."""
        answer = self.invoke(FunctionName=self.function, Payload=json.dumps(event).encode())
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise OpsError(
                f"deciding failed ({said.get('errorType', 'unknown')}); nothing is lost. Do the same again in a minute, and if "
                "it fails again, read the log of decide-access."
            )
        return said


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        deployment = deployment_of(options.deployment)
        answer = run(options, deployment, desk(deployment))
    except OpsError as error:
        print(f"access: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(answer, indent=2, sort_keys=True))
    else:
        print(table(answer["requests"]) if "requests" in answer else said(answer))
    refused = answer["outcome"] == "refused" or (options.what == "approve" and answer["outcome"] != "approved")
    return 1 if refused else 0


def run(options: argparse.Namespace, deployment: Deployment, place: Desk) -> dict[str, Any]:
    """The function's answer to what the command line says.

    Raises:
        OpsError: AWS refuses, or does not answer.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - half a second that --help should not wait for

    what = options.what
    try:
        if what == "list":
            return place.ask({"kind": "list"})
        if what == "show":
            return place.ask({"kind": "show", "id": options.id})
        if what in {"approve", "deny", "revoke"}:
            return place.do(what, options.id, {}, {"id": options.id})
        identity = f"{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(5)}"
        if what == "request":
            return place.do("request", identity, _wish(options), {"id": identity})
        body = {"until": options.until, "evidence": options.evidence} if what == "consent" else {}
        return place.do(what, f"{options.tenant}.{identity}", body, {"id": identity, "tenant": options.tenant})
    except ValueError as error:
        raise OpsError(f"{error}. Correct it.") from None
    except (BotoCoreError, ClientError) as error:
        raise OpsError(
            f"AWS says: {error}. Sign in to the security account {deployment.accounts.security}: as requester to ask, revoke or "
            "record a consent, as approver to decide."
        ) from None


def said(answer: Mapping[str, Any]) -> str:
    """One answer in words."""
    lines = [f"{answer.get('state') or answer['outcome']}: {answer.get('id') or '-'}"]
    if "stage" in answer:
        lines.append(f"  {answer['by']}, level {answer['level']} of {answer['stage']}, from {answer['address']}, ")
        lines[-1] += f"for {answer['minutes']} minutes"
        lines.append(f"  reason: {answer['reason']}")
    decision = answer.get("decision") or answer.get("events", {}).get("decision")
    if decision:
        lines.append(f"  {decision['outcome']} by {decision['by']}{' (on call)' if decision['on_call'] else ''}")
        if decision["outcome"] == "approved":
            lines[-1] += f", until {decision['expires'][:16]} UTC"
    lines += [f"  {problem}" for problem in answer.get("problems", ())]
    if answer["outcome"] == "waiting":
        lines.append(f"  another person approves it with: ./palisade access approve {answer['id']}")
    if answer.get("revoked"):
        lines.append(f"  put out: {', '.join(answer['revoked'])}")
    return "\n".join(lines)


def table(requests: Sequence[Mapping[str, Any]]) -> str:
    """Requests of the last days, a line each."""
    rows = [[str(request.get(column, "")) for column in _COLUMNS] for request in requests]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (_COLUMNS, *rows)
    ]
    return "\n".join(lines) if rows else "no requests in the last days"


def desk(deployment: Deployment, workflow: Workflow = Workflow.ACCESS, function: str = "") -> Desk:
    """The desk of a workflow of the security account, for whoever is signed in; ``function`` looks at what they do.

    Raises:
        OpsError: there is none, or nobody is signed in to the security account.
    """
    import boto3  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    if deployment.organization is None:
        raise OpsError(
            f"deployment {deployment.name} has no organization, so nobody signs in through it and there is nothing to grant."
        )
    region, names = deployment.home.name, Names(deployment)
    try:
        identity = boto3.client("sts", region_name=region).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise OpsError(f"nobody is signed in: {error}. ./palisade credentials signs you in.") from None
    if identity["Account"] != deployment.accounts.security:
        raise OpsError(
            f"the credentials are of account {identity['Account']}, but this is done in the security account "
            f"{deployment.accounts.security}. Switch profile."
        )
    return Desk(
        records=Records(
            s3=boto3.client("s3", region_name=region),
            bucket=names.archive_bucket(ORGANIZATION, Log.DECISION),
            account=identity["Account"],
            workflow=workflow,
        ),
        function=function or names.access_requests,
        invoke=boto3.client("lambda", region_name=region).invoke,
        user_id=identity["UserId"],
    )


def _wish(options: argparse.Namespace) -> dict[str, object]:
    return {
        "stage": options.stage,
        "level": options.level,
        "reason": options.reason,
        "address": options.ip,
        "minutes": round(options.hours * 60),
        "tenants": options.tenant,
        "on_call": options.on_call,
    }


def _parser() -> argparse.ArgumentParser:
    assert __doc__
    head, usage, text = __doc__.split("\n\n")
    parser = argparse.ArgumentParser(
        prog="palisade access",
        description=head,
        usage=usage.removeprefix("usage: "),
        epilog=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="what", required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
    common.add_argument("--json", action="store_true", help="print JSON")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[common])

    request = command("request", "ask for a level of a stage")
    request.add_argument("--stage", required=True, help="a stage that people may only look at without asking")
    request.add_argument("--level", required=True, choices=[level.value for level in ON_REQUEST], help="what for")
    request.add_argument("--reason", required=True, help="why, for whoever decides and for the record")
    request.add_argument("--ip", required=True, help="the public IPv4 address that you will work from")
    request.add_argument("--hours", required=True, type=float, help="for how long, such as 2 or 0.5")
    request.add_argument(
        "--tenant", action="append", default=[], help="a customer whose data you will see; again for each"
    )
    request.add_argument("--on-call", action="store_true", help="approve it yourself, being on call; the team is told")
    for name, text in (
        ("approve", "let another person in"),
        ("deny", "refuse another person's request"),
        ("revoke", "end a grant early, or take a request back"),
        ("show", "print everything recorded about a request"),
    ):
        command(name, text).add_argument("id", help="the request's id")
    command("list", "print the requests of the last days")
    for name, text in (
        ("consent", "record that a customer lets people into their data"),
        ("withdraw", "record that a customer no longer does, and put out who is inside by it"),
    ):
        customer = command(name, text)
        customer.add_argument("--tenant", required=True, help="the customer")
        if name == "consent":
            customer.add_argument("--until", required=True, help="the last day, such as 2026-03-31")
            customer.add_argument("--evidence", required=True, help="where the customer said so: a ticket, a letter")
    return parser
