"""Ends a tenant's contract, holds its data, deletes it, and hands out the certificate of its deletion.

usage: ./palisade tenant status --stage live [--tenant TENANT]
       ./palisade tenant offboard --stage live --tenant TENANT (--contract-ends 2026-12-31 | --renewed) --reason "..."
       ./palisade tenant hold | release --stage live --tenant TENANT --case REFERENCE --reason "..."
       ./palisade tenant delete --now --stage live --tenant TENANT --reason "..."
       ./palisade tenant approve --stage live --tenant TENANT --request REQUEST
       ./palisade tenant certificate --stage live --tenant TENANT

What you do lies in the archive under your own name, which AWS fills in, and cannot be altered. Sign in to the stage's account
with the policy <prefix>-offboarding. Data is deleted thirty days after the contract's last day, or at once with
"delete --now", which another person approves where people may only look. A hold stops every deletion from the first word on; a
second person confirms it, and two release it. Whatever is refused says why, and exits 1. --json prints what the function
answered.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "lambda"))

from certify_deletion.certificate import digest, markdown  # noqa: E402
from palisade_runtime.records import Records  # noqa: E402

from ops.configured import deployment_of  # noqa: E402
from ops.places import OpsError  # noqa: E402
from stacks.names import Log, Names, Workflow  # noqa: E402
from stacks.settings import Deployment, Stage  # noqa: E402

_COLUMNS = ("tenant", "status", "contract_ends", "deleted_from", "holds", "request")


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where people say what is to become of a tenant: their own deeds in the archive, and the function that looks at them."""

    records: Records
    function: str
    invoke: Any
    user_id: str

    def do(self, deed: str, subject: str, reason: str, event: Mapping[str, object]) -> dict[str, Any]:
        """Write the deed under the caller's own id, then have it looked at."""
        self.records.say(deed, subject, self.user_id, {"reason": reason} if reason else {})
        return self.ask(event)

    def ask(self, event: Mapping[str, object]) -> dict[str, Any]:
        """What the function answers."""
        answer = self.invoke(FunctionName=self.function, Payload=json.dumps(event).encode())
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise OpsError(
                f"it failed ({said.get('errorType', 'unknown')}); nothing is lost. Do the same again in a minute, and if it "
                "fails again, read the log of offboard-tenant."
            )
        return said


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        stage, deployment = _stage(options)
        _confirm(options)
        answer = run(options, desk(deployment, stage))
    except OpsError as error:
        print(f"tenant: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(answer, indent=2, sort_keys=True))
    elif "certificates" in answer:
        print(
            "\n".join(map(_shown, answer["certificates"]))
            or f"{options.tenant} has no certificate: nothing was deleted"
        )
    else:
        print("\n".join(f"refused: {problem}" for problem in answer.get("refused", ())) or table(answer["tenants"]))
    if options.what == "delete" and not options.json:
        print(f"request {options.request}; if it waits for approval, another person runs: {_approval(options)}")
    return 1 if "refused" in answer or any(map(_false, answer.get("certificates", ()))) else 0


def run(options: argparse.Namespace, place: Desk) -> dict[str, Any]:
    """The function's answer to what the command line says.

    Raises:
        OpsError: AWS refuses, or does not answer.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - half a second that --help should not wait for

    what, tenant = options.what, options.tenant
    try:
        match what:
            case "status" | "certificate":
                return place.ask({"kind": what, "tenant": tenant})
            case "offboard":
                said, ends = _moment(), options.contract_ends
                event = {"kind": "contract", "tenant": tenant, "ends": ends, "said": said}
                return place.do("offboard", f"{tenant}:{ends or 'renewed'}:{said}", options.reason, event)
            case "hold" | "release":
                event = {"kind": what, "tenant": tenant, "case": options.case}
                return place.do(what, f"{tenant}:{options.case}", options.reason, event)
        event = {"kind": "delete", "tenant": tenant, "request": options.request}
        return place.do(what, f"{tenant}:{options.request}", options.reason, event)
    except ValueError as error:
        raise OpsError(f"{error}. Correct it.") from None
    except (BotoCoreError, ClientError) as error:
        raise OpsError(
            f"AWS says: {error}. Sign in to the stage's account with the policy that ends in -offboarding."
        ) from None


def table(tenants: Sequence[Mapping[str, Any]]) -> str:
    """Tenants, a line each."""
    rows = [
        [
            ", ".join(f"{case} ({how})" for case, how in one["holds"].items()) or "-"
            if column == "holds"
            else str(one.get(column) or "-")
            for column in _COLUMNS
        ]
        for one in tenants
    ]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in (_COLUMNS, *rows)]
    return "\n".join(lines) if rows else "nothing was ever said about any tenant"


def desk(deployment: Deployment, stage: Stage) -> Desk:
    """The desk of a stage, for whoever is signed in.

    Raises:
        OpsError: nobody is signed in to the stage's account.
    """
    import boto3  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    region, names = deployment.home.name, Names(deployment)
    try:
        identity = boto3.client("sts", region_name=region).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise OpsError(f"nobody is signed in: {error}. ./palisade credentials signs you in.") from None
    if identity["Account"] != stage.account:
        raise OpsError(
            f"the credentials are of account {identity['Account']}, but {stage.name} is account {stage.account}. Switch profile."
        )
    return Desk(
        records=Records(
            s3=boto3.client("s3", region_name=region),
            bucket=names.archive_bucket(stage.name, Log.DECISION),
            account=stage.account,
            workflow=Workflow.OFFBOARDING,
        ),
        function=names.offboarding,
        invoke=boto3.client("lambda", region_name=region).invoke,
        user_id=identity["UserId"],
    )


def _stage(options: argparse.Namespace) -> tuple[Stage, Deployment]:
    deployment = deployment_of(options.deployment)
    try:
        return deployment.stage(options.stage), deployment
    except KeyError:
        there = ", ".join(stage.name for stage in deployment.stages)
        raise OpsError(f"--stage {options.stage}: choose one of {there}.") from None


def _confirm(options: argparse.Namespace) -> None:
    """Have the tenant's name typed before its data is asked to be deleted.

    Raises:
        OpsError: it was not.
    """
    if options.what != "delete":
        return
    typed = options.confirm
    if typed is None:
        print(
            f"All data of {options.tenant} in {options.stage} will be deleted for good. Type its name to go on: ",
            end="",
        )
        sys.stdout.flush()
        typed = sys.stdin.readline().strip()
    if typed != options.tenant:
        raise OpsError(f"{typed or 'nothing'} is not {options.tenant}: nothing was asked for.")


def _shown(body: Mapping[str, Any]) -> str:
    text = markdown(body["certificate"])
    return f"{text}\nFALSE: the record's own digest is {body.get('digest')}" if _false(body) else text


def _false(body: Mapping[str, Any]) -> bool:
    return bool(digest(body["certificate"]) != body.get("digest"))


def _approval(options: argparse.Namespace) -> str:
    return f"./palisade tenant approve --stage {options.stage} --tenant {options.tenant} --request {options.request}"


def _moment() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def _parser() -> argparse.ArgumentParser:
    assert __doc__
    head, usage, text = __doc__.split("\n\n")
    parser = argparse.ArgumentParser(
        prog="palisade tenant",
        description=head,
        usage=usage.removeprefix("usage: "),
        epilog=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="what", required=True, metavar="COMMAND", prog="palisade tenant")

    def command(name: str, text: str, *, tenant: bool = True, reason: bool = False) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
        made.add_argument("--stage", required=True, help="the stage in which the tenant is")
        made.add_argument("--tenant", required=tenant, default="", help="the tenant's name")
        made.add_argument("--json", action="store_true", help="print JSON")
        made.add_argument("--reason", required=reason, default="", help="why, for the record")
        return made

    command("status", "print contracts, holds and deletions", tenant=False)
    ends = command("offboard", "say when a contract ends, or that it does not", reason=True)
    which = ends.add_mutually_exclusive_group(required=True)
    which.add_argument("--contract-ends", help="the contract's last day, such as 2026-12-31; not before today")
    which.add_argument("--renewed", action="store_true", help="it goes on: nothing is deleted")
    for name, text in (
        ("hold", "let nothing be deleted, from now on; or confirm another person's hold"),
        ("release", "let go of a hold; two people do"),
    ):
        command(name, text, reason=True).add_argument("--case", required=True, help="the matter's reference")
    delete = command("delete", "ask that a tenant is deleted now", reason=True)
    delete.add_argument("--now", action="store_true", required=True, help="without waiting for the contract's end")
    delete.add_argument("--confirm", metavar="TENANT", help="the tenant's name once more, instead of typing it")
    delete.set_defaults(request=_moment())
    approve = command("approve", "approve another person's request to delete")
    approve.add_argument("--request", required=True, help="the request, as its asker was told")
    command("certificate", "print and verify the certificate of a tenant's deletion")
    return parser
