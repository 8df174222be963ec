"""Reads access reviews, and signs them.

usage: ./palisade review list [--json]
       ./palisade review show PERIOD [--html] [--json]
       ./palisade review status PERIOD [--json]
       ./palisade review sign PERIOD --decision keep|revoke (--finding ID ... | --all) --reason TEXT [--dry-run]
       ./palisade review sign PERIOD --reason TEXT
       ./palisade review run PERIOD

PERIOD is admin-2026-11 or access-2026-Q4. Sign in to the security account as a reviewer. "sign" writes your decisions, over the
digest of what "show" shows, under your own session's id; nobody decides about themselves, and two people sign each review.
Without a decision it signs that you have read it all. "run" begins the present review of a kind, or goes on with one that
stands still. Exit status 1: it was refused.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "lambda"))

from palisade_runtime.records import Records  # noqa: E402
from review_access.report import markdown, page  # noqa: E402
from review_access.signing import KEEP, REVOKE, may_decide  # noqa: E402

from ops.configured import deployment_of  # noqa: E402
from ops.places import OpsError  # noqa: E402
from stacks.names import ORGANIZATION, Log, Names, Workflow  # noqa: E402

Answer = Mapping[str, Any]


class RefusedError(Exception):
    """The function refused; the message says why, a line each."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where a reviewer sits: whom they are, how they ask, and where their word is kept."""

    user_id: str
    ask: Callable[[Mapping[str, object]], Answer]
    records: Records

    @property
    def person(self) -> str:
        """The name of the session."""
        return self.user_id.partition(":")[2].casefold()


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return _ACTS[options.what](_desk(options.deployment), options)
    except RefusedError as error:
        print(f"review: {error}", file=sys.stderr)
        return 1
    except OpsError as error:
        print(f"review: {error}", file=sys.stderr)
        return 2


def _list(desk: Desk, options: argparse.Namespace) -> int:
    found = _ask(desk, do="list")["reviews"]
    if options.json:
        print(json.dumps(found))
        return 0
    rows = [
        (one["period"], one["stands"], (one["due"] or "-")[:10], str(one["findings"]), str(one["undecided"]),
         str(one["open"]), ", ".join(one["signers"]) or "-")
        for one in found
    ]  # fmt: skip
    _print_table(("review", "stands", "due", "findings", "undecided", "still there", "signed by"), rows)
    return 0


def _status(desk: Desk, options: argparse.Namespace) -> int:
    return _said(_ask(desk, do="status", period=options.period), options)


def _run(desk: Desk, options: argparse.Namespace) -> int:
    answer = _ask(desk, do="run", period=options.period)
    print(f"{answer['period']}: {'begun' if answer['began'] else 'it is under way'}")
    return 0


def _show(desk: Desk, options: argparse.Namespace) -> int:
    found = _ask(desk, do="show", period=options.period)
    if options.json:
        print(json.dumps(found))
    else:
        write = page if options.html else markdown
        print(write(found["document"], found["digest"], found["state"]), end="")
    return 0


def _sign(desk: Desk, options: argparse.Namespace) -> int:
    if (options.decision is None) != (not options.finding and not options.all):
        raise OpsError(
            "--decision goes with --finding or --all. Give both, or neither to sign that you have read it all."
        )
    found = _ask(desk, do="show", period=options.period)
    decisions = dict.fromkeys(_meant(desk, found, options), options.decision)
    body = {"digest": found["digest"], "decisions": decisions, "reason": options.reason}
    if options.dry_run:
        print(json.dumps(body, indent=2))
        return 0
    text = json.dumps(body, sort_keys=True)
    # The same words again have the same name, so a command that was cut off is simply given again.
    number = hashlib.sha256(text.encode()).hexdigest()[:20]
    try:
        desk.records.say("sign", f"{options.period}.{number}", desk.user_id, body)
    except Exception as error:
        raise OpsError(f"the signature was not written: {error}. Only reviewers may; sign in as one.") from None
    answer = _ask(desk, do="sign", period=options.period, number=number)
    if not options.json:
        print(f"signed by {desk.person} over {found['digest'][:12]}: {len(decisions)} decided")
    return _said(answer, options)


def _meant(desk: Desk, found: Answer, options: argparse.Namespace) -> list[str]:
    """The findings that are decided: those named, or all that are undecided and that this person may decide."""
    findings = {one["id"]: one for one in found["document"]["findings"]}
    unknown = [name for name in options.finding if name not in findings]
    if unknown:
        raise OpsError(f"--finding {' '.join(unknown)}: not in this review. There are {', '.join(findings) or 'none'}.")
    if not options.all:
        return list(options.finding)
    reviewers, undecided = found["document"]["reviewers"], set(found["state"]["undecided"])
    own = [name for name in findings if name in undecided and not may_decide(desk.person, findings[name], reviewers)]
    for name in own:
        print(f"review: {name} is about you; somebody else must decide it", file=sys.stderr)
    return [name for name in findings if name in undecided and name not in own]


def _said(answer: Answer, options: argparse.Namespace) -> int:
    if options.json:
        print(json.dumps(answer))
        return 0
    print(
        f"{answer['period']}: {answer['stands']}; {answer['undecided']} of {answer['findings']} findings undecided, "
        f"{answer['open']} revoked and still there, due {(answer['due'] or '-')[:10]}"
    )
    for one in answer["signatures"]:
        print(f"  {one['at'][:16]}  {one['person']:<32} {one['decisions']:>3} decided   {one['reason']}")
    if answer["told"]:
        print(f"  told: {', '.join(answer['told'])}")
    return 0


def _ask(desk: Desk, **event: object) -> Answer:
    answer = desk.ask(event)
    if answer.get("refused"):
        raise RefusedError("\n  ".join(["refused:", *answer["refused"]]))
    return answer


def _print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        print("review: there is none yet")
        return
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _desk(name: str) -> Desk:
    """The desk of whoever is signed in.

    Raises:
        OpsError: nobody is, or to another account than the security account's.
    """
    deployment = deployment_of(name)
    if deployment.organization is None:
        raise OpsError(f"config/{name}.py has no organization, and so no directory of people whose access is reviewed.")
    import boto3  # noqa: PLC0415 - half a second that --help should not wait for
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    region, names = deployment.home.name, Names(deployment)
    try:
        identity = boto3.client("sts", region_name=region).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise OpsError(f"nobody is signed in: {error}. Sign in to the security account as a reviewer.") from None
    if identity["Account"] != deployment.accounts.security:
        raise OpsError(
            f"the credentials are of account {identity['Account']}, but reviews are kept by the security account "
            f"{deployment.accounts.security}. Switch profile."
        )
    client = boto3.client("lambda", region_name=region)

    def ask(event: Mapping[str, object]) -> Answer:
        try:
            answer = client.invoke(FunctionName=names.reviews, Payload=json.dumps(event).encode())
        except (BotoCoreError, ClientError) as error:
            raise OpsError(
                f"the function of reviews was not reached: {error}. Only reviewers may; sign in as one."
            ) from None
        said: Answer = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise OpsError(
                f"the function of reviews failed ({said.get('errorType')}); try again, its alarm has sounded."
            )
        return said

    return Desk(
        user_id=identity["UserId"],
        ask=ask,
        records=Records(
            s3=boto3.client("s3", region_name=region),
            bucket=names.archive_bucket(ORGANIZATION, Log.DECISION),
            account=identity["Account"],
            workflow=Workflow.REVIEWS,
        ),
    )


_ACTS: Mapping[str, Callable[[Desk, argparse.Namespace], int]] = {
    "list": _list,
    "show": _show,
    "status": _status,
    "sign": _sign,
    "run": _run,
}


def _parser() -> argparse.ArgumentParser:
    assert __doc__
    parser = argparse.ArgumentParser(
        prog="palisade review", description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n")[-1]
    )
    commands = parser.add_subparsers(dest="what", required=True, metavar="list | show | status | sign | run")
    for name, text in (
        ("list", "list every review and how it stands"),
        ("show", "print what a review found, as Markdown"),
        ("status", "say who has signed, what is undecided and what is still there"),
        ("sign", "sign a review, and decide what it found"),
        ("run", "begin the present review, or go on with one that stands still"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
        if name != "list":
            command.add_argument("period", metavar="PERIOD", help="admin-2026-11 or access-2026-Q4")
        if name != "run":
            command.add_argument("--json", action="store_true", help="print JSON")
        if name == "show":
            command.add_argument("--html", action="store_true", help="print one HTML page")
        if name == "sign":
            command.add_argument("--decision", choices=(KEEP, REVOKE), help="what becomes of the rights")
            command.add_argument("--finding", nargs="+", default=[], metavar="ID", help="the findings that are decided")
            command.add_argument("--all", action="store_true", help="all that are undecided and not about you")
            command.add_argument("--reason", required=True, help="why, for whoever reads it in a year")
            command.add_argument("--dry-run", action="store_true", help="print what would be signed, and sign nothing")
    return parser
