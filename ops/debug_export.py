"""Exports a small, pseudonymised part of one tenant's data for debugging, for some hours.

usage: ./palisade debug-export request --stage STAGE --tenant TENANT --rows N --hours N --reason TEXT
       ./palisade debug-export approve --stage STAGE EXPORT
       ./palisade debug-export fetch   --stage STAGE EXPORT
       ./palisade debug-export list    --stage STAGE

Another person approves what you ask for; then it is made, and it is deleted when its hours are over. "fetch" prints a link that
is good for fifteen minutes at most, for whoever asked or approved. Sign in to the stage's account with the policy
<prefix>-debug-export. Exit status: 0 done, 1 refused, 2 failed. docs/howto/debug-export.md says more.
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

from palisade_runtime.identifiers import InvalidIdentifierError, tenant_id  # noqa: E402
from palisade_runtime.records import Records  # noqa: E402

from ops.configured import deployment_of  # noqa: E402
from ops.places import OpsError  # noqa: E402
from stacks.names import Log, Names, Workflow  # noqa: E402
from stacks.settings import Deployment, Stage  # noqa: E402

DONE, REFUSED, FAILED = 0, 1, 2
_COLUMNS = (
    "export",
    "state",
    "asked_by",
    "most_rows",
    "hours",
    "approved_by",
    "expires_at",
    "rows",
    "fetched",
    "reason",
)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A person at one stage: says things under the session's id, then calls the function that listens."""

    records: Records
    functions: Any
    function: str
    user_id: str

    def request(self, export: str, *, rows: int, hours: int, reason: str) -> dict[str, Any]:
        """Ask for an export."""
        self.records.say("request", export, self.user_id, {"rows": rows, "hours": hours, "reason": reason})
        return self._call({"kind": "request", "export": export})

    def approve(self, export: str) -> dict[str, Any]:
        """Approve what somebody else asked for; it is made at once."""
        self.records.say("approve", export, self.user_id, {})
        return self._call({"kind": "approve", "export": export})

    def fetch(self, export: str) -> dict[str, Any]:
        """A link to the export."""
        said = secrets.token_hex(16)
        self.records.say("fetch", f"{export}:{said}", self.user_id, {})
        return self._call({"kind": "fetch", "export": export, "said": said})

    def every(self) -> dict[str, Any]:
        """All exports of the stage."""
        return self._call({"kind": "list"})

    def _call(self, event: Mapping[str, str]) -> dict[str, Any]:
        answer = self.functions.invoke(FunctionName=self.function, Payload=json.dumps(event).encode())
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise OpsError(
                f"it failed ({said.get('errorType', 'unknown')}); nothing is lost. Do the same again in a minute, and if it "
                "fails again, read the log of export-debug-data."
            )
        return said


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        deployment = deployment_of(options.deployment)
        stage = _checked(options, deployment)
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - --help should not wait for it

        try:
            said = _ask(_desk(deployment, stage), options)
        except (BotoCoreError, ClientError) as error:
            raise OpsError(
                f"AWS says: {error}. Sign in to the stage's account with the policy that ends in -debug-export."
            ) from None
    except (OpsError, ValueError) as error:
        print(f"debug-export: {error}", file=sys.stderr)
        return FAILED
    print(json.dumps(said, indent=2, sort_keys=True) if options.json else told(said))
    return REFUSED if "refused" in said else DONE


def told(said: Mapping[str, Any]) -> str:
    """An answer for people."""
    if "refused" in said:
        return "\n".join(f"refused: {problem}" for problem in said["refused"])
    if "link" in said:
        return (
            f"{said['link']}\n"
            f"good for {said['seconds']} seconds; {said['rows']} rows, SHA-256 {said['sha256']}\n"
            f"delete your copy by {said['expires_at']}"
        )
    return _table(said["exports"])


def _table(exports: Sequence[Mapping[str, Any]]) -> str:
    rows = [["-" if one.get(c) in (None, "") else str(one[c]) for c in _COLUMNS] for one in exports]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in (_COLUMNS, *rows)]
    return "\n".join(lines) if rows else "nothing was ever exported here"


def _checked(options: argparse.Namespace, deployment: Deployment) -> Stage:
    problems, stages = [], {stage.name: stage for stage in deployment.stages}
    if options.stage not in stages:
        problems.append(f"--stage {options.stage}: choose one of {', '.join(stages)}.")
    if options.what == "request":
        try:
            tenant_id(options.tenant)
        except InvalidIdentifierError:
            problems.append(
                f"--tenant {options.tenant}: must be 1 to 63 small letters, digits and inner hyphens, such as acme."
            )
        for name, most in (("rows", 1000), ("hours", 24)):
            if not 1 <= getattr(options, name) <= most:
                problems.append(f"--{name} {getattr(options, name)}: must be from 1 to {most}.")
        if not options.reason.strip():
            problems.append("--reason: is empty. Say why, for whoever approves it and reads the record.")
    if problems:
        raise OpsError("\n".join(problems))
    return stages[options.stage]


def _desk(deployment: Deployment, stage: Stage) -> Desk:
    import boto3  # noqa: PLC0415 - half a second that --help should not wait for

    names, home = Names(deployment), deployment.home.name
    identity = boto3.client("sts", region_name=home).get_caller_identity()
    if identity["Account"] != stage.account:
        raise OpsError(
            f"the credentials are of account {identity['Account']}, but {stage.name} is {stage.account}. Switch profile."
        )
    return Desk(
        records=Records(
            s3=boto3.client("s3", region_name=home),
            bucket=names.archive_bucket(stage.name, Log.DECISION),
            account=stage.account,
            workflow=Workflow.DEBUG_EXPORT,
        ),
        functions=boto3.client("lambda", region_name=home),
        function=names.debug_export,
        user_id=identity["UserId"],
    )


def _ask(desk: Desk, options: argparse.Namespace) -> dict[str, Any]:
    match options.what:
        case "request":
            export = f"{options.tenant}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
            return desk.request(export, rows=options.rows, hours=options.hours, reason=options.reason)
        case "approve":
            return desk.approve(options.export)
        case "fetch":
            return desk.fetch(options.export)
    return desk.every()


def _parser() -> argparse.ArgumentParser:
    assert __doc__
    head, usage, text = __doc__.split("\n\n")
    parser = argparse.ArgumentParser(
        prog="palisade debug-export",
        description=head,
        usage=usage.removeprefix("usage: "),
        epilog=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="what", required=True, metavar="COMMAND", prog="palisade debug-export")
    for name, text in (
        ("request", "ask for an export"),
        ("approve", "approve what somebody else asked for"),
        ("fetch", "print a link to an export"),
        ("list", "print what was exported, and what came of it"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
        command.add_argument("--stage", required=True, help="the stage")
        command.add_argument("--json", action="store_true", help="print JSON")
        if name == "request":
            command.add_argument("--tenant", required=True, help="whose data")
            command.add_argument("--rows", required=True, type=int, help="at most so many items, 1 to 1000")
            command.add_argument("--hours", required=True, type=int, help="for so long once approved, 1 to 24")
            command.add_argument("--reason", required=True, help="why, for the record")
        elif name != "list":
            command.add_argument("export", metavar="EXPORT", help="its name, as request and list print it")
    return parser
