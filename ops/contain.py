"""Contains an incident in a stage: plans, does, approves, undoes and lists.

usage: ./palisade contain plan    --stage STAGE ACTION TARGET
       ./palisade contain do      --stage STAGE ACTION TARGET --reason TEXT [--incident ID]
       ./palisade contain approve --stage STAGE ID
       ./palisade contain undo    --stage STAGE ID --reason TEXT [--force]
       ./palisade contain approve-undo --stage STAGE ID
       ./palisade contain list    --stage STAGE

"plan" says exactly what "do" would change, and changes nothing. What stops the product of a guarded stage waits until another
responder approves it. "undo" restores the state that was recorded before; if somebody changed it since, only --force does, and
what takes two people takes two again. Sign in to the stage's account as a responder. Killed anywhere, the same command goes on.
Exit status: 0 done, 1 waiting for another person, 2 refused or failed. docs/howto/containment.md says more.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "lambda"))

from palisade_runtime.records import Records  # noqa: E402

from ops.configured import deployment_of  # noqa: E402
from ops.places import OpsError  # noqa: E402
from stacks.names import Log, Names, Workflow  # noqa: E402
from stacks.settings import Deployment  # noqa: E402

ACTIONS = {
    "quarantine-instance": ("i-0123456789abcdef0", "snapshot a machine's volumes, then take it off the network"),
    "revoke-sessions": ("ROLE", "end the sessions of a role that began before now"),
    "disable-key": ("alias/palisade/data", "disable the key of data or of secrets"),
    "disable-access-key": ("USER/AKIA...", "deactivate a user's access key"),
    "block-address": ("198.51.100.7", "block an address or network at both web ACLs"),
    "isolate-function": ("FUNCTION", "let a function run no more, and read no queue or stream"),
    "block-user": ("USER", "disable a user of the product and end their sessions"),
}
"""What can be done, with an example of its target."""

DONE, WAITING, REFUSED = 0, 1, 2
_ID = re.compile(r"[0-9a-f]{12}-[0-9]{1,6}")


@dataclass(frozen=True, kw_only=True)
class Responder:
    """A person at one stage: says things under the session's id, then calls the function that listens."""

    records: Records
    functions: Any
    function: str
    user_id: str

    def plan(self, action: str, target: str) -> dict[str, Any]:
        """What would be done."""
        return self._call({"kind": "plan", "action": action, "target": target})

    def do(self, action: str, target: str, *, reason: str, incident: str = "") -> dict[str, Any]:
        """Ask for it, and have it done if it needs nobody else."""
        planned = self.plan(action, target)
        if planned["outcome"] != "planned":
            return planned
        said = {"action": action, "target": target, "reason": reason, "incident": incident}
        self.records.say("request", planned["id"], self.user_id, said)
        return self._call({"kind": "do", "id": planned["id"]})

    def approve(self, identity: str) -> dict[str, Any]:
        """Approve what somebody else asked for; it is done at once."""
        self.records.say("approve", identity, self.user_id, {})
        return self._call({"kind": "do", "id": identity})

    def undo(self, identity: str, *, reason: str, force: bool = False) -> dict[str, Any]:
        """Undo it."""
        self.records.say("force-undo" if force else "undo", identity, self.user_id, {"reason": reason})
        return self._call({"kind": "undo", "id": identity})

    def approve_undo(self, identity: str) -> dict[str, Any]:
        """Approve that somebody else undoes it by force; it is done at once."""
        self.records.say("approve-force-undo", identity, self.user_id, {})
        return self._call({"kind": "undo", "id": identity})

    def every(self) -> dict[str, Any]:
        """All containments of the stage."""
        return self._call({"kind": "list"})

    def _call(self, event: Mapping[str, str]) -> dict[str, Any]:
        answer = self.functions.invoke(FunctionName=self.function, Payload=json.dumps(event).encode())
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise OpsError(
                f"it stopped in the middle ({said.get('errorType')}: {said.get('errorMessage')}). Give the same command again: "
                "it goes on."
            )
        return said


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        _check(options)
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - --help should not wait for it

        try:
            said = _ask(_responder(deployment_of(options.deployment), options.stage), options)
        except (BotoCoreError, ClientError) as error:
            raise OpsError(f"AWS refused: {error}. Sign in to the stage's account as a responder.") from None
    except OpsError as error:
        print(f"contain: {error}", file=sys.stderr)
        return REFUSED
    print(json.dumps(said, indent=2) if options.json else "\n".join(told(said, options.stage)))
    return status(said)


def status(said: Mapping[str, Any]) -> int:
    """The exit status of an answer."""
    if said["outcome"] in {"refused", "lapsed", "unfinished", "undo unfinished"}:
        return REFUSED
    return WAITING if said["outcome"] in {"waits", "undo waits"} else DONE


def told(said: Mapping[str, Any], stage: str) -> list[str]:
    """An answer as lines for people."""
    if said["outcome"] == "listed":
        return _table(said["containments"])
    lines = [f"{said['outcome']}: {said.get('action', '')} {said.get('target', '')}".rstrip() + f"   {said['id']}"]
    lines += [f"  {one}" for one in (*said.get("problems", ()), *said.get("steps", ()))]
    lines += [f"  kept: {one}" for one in said.get("copies", ())]
    if said.get("warning"):
        lines.append(f"  know: {said['warning']}")
    if said.get("people", 1) > 1 and said["outcome"] == "planned":
        lines.append("  it stops the product, so a second responder must approve it")
    for outcome, command in (("waits", "approve"), ("undo waits", "approve-undo")):
        if said["outcome"] == outcome:
            lines.append(f"  another responder: ./palisade contain {command} --stage {stage} {said['id']}")
    return lines


def _table(containments: Sequence[Mapping[str, Any]]) -> list[str]:
    if not containments:
        return ["contain: nothing was ever contained here"]
    row = "{:<14} {:<12} {:<20} {:<32} {:<24} {}"
    lines = [row.format("id", "outcome", "action", "target", "asked by", "incident")]
    return [
        *lines,
        *(
            row.format(one["id"], one["outcome"], one["action"], one["target"], one["by"], one["incident"]).rstrip()
            for one in containments
        ),
    ]


def _check(options: argparse.Namespace) -> None:
    problems = []
    deployment = deployment_of(options.deployment)
    stages = [stage.name for stage in deployment.stages]
    if options.stage not in stages:
        problems.append(f"--stage {options.stage}: choose one of {', '.join(stages)}.")
    if hasattr(options, "id") and not _ID.fullmatch(options.id):
        problems.append(f'{options.id}: is no id of a containment, such as 0123456789ab-1. "list" prints them.')
    if hasattr(options, "reason") and not options.reason.strip():
        problems.append("--reason: is empty. Say why, for whoever reads the record.")
    if problems:
        raise OpsError("\n".join(problems))


def _responder(deployment: Deployment, name: str) -> Responder:
    import boto3  # noqa: PLC0415 - half a second that --help should not wait for
    from botocore.config import Config  # noqa: PLC0415

    names, home = Names(deployment), deployment.home.name
    identity = boto3.client("sts", region_name=home).get_caller_identity()
    account = deployment.stage(name).account
    if identity["Account"] != account:
        raise OpsError(
            f"the credentials are of account {identity['Account']}, but {name} is {account}. Switch profile."
        )
    return Responder(
        records=Records(
            s3=boto3.client("s3", region_name=home),
            bucket=names.archive_bucket(name, Log.DECISION),
            account=account,
            workflow=Workflow.CONTAINMENT,
        ),
        # The function may take minutes; a second call on top of it would only wait for the first.
        functions=boto3.client(
            "lambda", region_name=home, config=Config(read_timeout=310, retries={"max_attempts": 0})
        ),
        function=names.containment,
        user_id=identity["UserId"],
    )


def _ask(responder: Responder, options: argparse.Namespace) -> dict[str, Any]:
    if options.what == "plan":
        return responder.plan(options.action, options.target)
    if options.what == "do":
        return responder.do(options.action, options.target, reason=options.reason, incident=options.incident)
    if options.what == "approve":
        return responder.approve(options.id)
    if options.what == "undo":
        return responder.undo(options.id, reason=options.reason, force=options.force)
    if options.what == "approve-undo":
        return responder.approve_undo(options.id)
    return responder.every()


def _parser() -> argparse.ArgumentParser:
    assert __doc__
    what = "\n".join(f"  {name:<20} {text} ({example})" for name, (example, text) in ACTIONS.items())
    parser = argparse.ArgumentParser(
        prog="palisade contain",
        description=__doc__.split("\n\n")[0],
        epilog=f"actions and their targets:\n{what}\n\n{__doc__.split(chr(10) * 2)[-1]}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="what", required=True, metavar="COMMAND")
    for name, text in (
        ("plan", "say what would be done, and change nothing"),
        ("do", "do it, or ask for a second person"),
        ("approve", "approve what somebody else asked for"),
        ("undo", "restore what was before"),
        ("approve-undo", "approve that somebody else undoes by force"),
        ("list", "print what was contained, and what came of it"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
        command.add_argument("--stage", required=True, help="the stage")
        command.add_argument("--json", action="store_true", help="print JSON")
        if name in {"plan", "do"}:
            command.add_argument("action", choices=list(ACTIONS), metavar="ACTION", help=", ".join(ACTIONS))
            command.add_argument("target", metavar="TARGET", help='what it is done to; see "palisade contain --help"')
        elif name != "list":
            command.add_argument("id", metavar="ID", help="of the containment, as plan and list print it")
        if name in {"do", "undo"}:
            command.add_argument("--reason", required=True, help="why, for the record")
        if name == "do":
            command.add_argument("--incident", default="", help="the incident that it belongs to")
        if name == "undo":
            command.add_argument("--force", action="store_true", help="even if somebody changed it since")
    return parser
