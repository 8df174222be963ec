"""Verifies and reads the record of changes, and approves a change.

usage: ./palisade ledger verify [--owner OWNER] [--directory DIR] [--json]
       ./palisade ledger show --owner OWNER [--last N] [--directory DIR] [--json]
       ./palisade ledger approve --owner OWNER --commit COMMIT

"verify" and "show" read the locked archive (credentials of the log archive account, by the log reader's policy) or a copy
of it in DIR. "approve" writes, under your own identity, that COMMIT may be deployed to OWNER within a week (credentials of
the deployment account). verify exits 1 if a record is missing, altered, written over or not locked.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "lambda"))

from palisade_runtime.records import Records  # noqa: E402
from record_change.chain import faults  # noqa: E402

from ops.configured import deployment_of  # noqa: E402
from ops.places import OpsError  # noqa: E402
from stacks.names import ORGANIZATION, Log, Names, Workflow  # noqa: E402


@dataclass(frozen=True)
class Kept:
    """One chain as the archive keeps it: records by name, and what is wrong with the objects themselves."""

    records: list[tuple[str, str]] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Archive:
    """The locked bucket of the log archive account."""

    s3: Any
    bucket: str
    prefix: str

    def chains(self) -> dict[str, Kept]:
        """Every chain, each object with its versions and its lock looked at."""
        found: dict[str, Kept] = {}
        seen: set[str] = set()
        for version in self._versions():
            owner, _, name = version["Key"].removeprefix(self.prefix).removesuffix(".json").partition("/")
            kept = found.setdefault(owner, Kept())
            where = f"{owner}/{name}"
            if version["deleted"]:
                kept.objects.append(f"{where}: somebody hid it behind a delete marker")
            elif where in seen:
                kept.objects.append(
                    f"{where}: it was written more than once; version {version['VersionId']} is another"
                )
            else:
                seen.add(where)
                answer = self.s3.get_object(Bucket=self.bucket, Key=version["Key"], VersionId=version["VersionId"])
                kept.records.append((name, answer["Body"].read().decode("utf-8", errors="replace")))
                if answer.get("ObjectLockMode") is None:
                    kept.objects.append(f"{where}: it is not locked")
        return found

    def _versions(self) -> Iterator[dict[str, Any]]:
        """Oldest first for each key, because the first that was written is the record."""
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=self.prefix):
            both = [{**one, "deleted": False} for one in page.get("Versions", ())]
            both += [{**one, "deleted": True} for one in page.get("DeleteMarkers", ())]
            yield from sorted(both, key=lambda one: (one["Key"], one["LastModified"]))


@dataclass(frozen=True)
class Copy:
    """A copy of the archive in a folder: ``<owner>/<sequence>.json``, at any depth."""

    directory: Path

    def chains(self) -> dict[str, Kept]:
        """Every chain; a copy has neither versions nor locks."""
        found: dict[str, Kept] = {}
        for path in sorted(self.directory.rglob("*.json")):
            text = path.read_text(encoding="utf-8", errors="replace")
            found.setdefault(path.parent.name, Kept()).records.append((path.stem, text))
        return found


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        if options.what == "approve":
            return _approve(options)
        chains = _chains(options)
        if options.owner:
            if options.owner not in chains:
                raise OpsError(f"--owner {options.owner}: no change of it is recorded. There are {_list(chains)}.")
            chains = {options.owner: chains[options.owner]}
        return _verify(chains, options.json) if options.what == "verify" else _show(chains, options)
    except OpsError as error:
        print(f"ledger: {error}", file=sys.stderr)
        return 2


def verify(chains: Mapping[str, Kept]) -> dict[str, list[str]]:
    """What is wrong with each chain."""
    return {owner: [*kept.objects, *faults(kept.records, chain=owner)] for owner, kept in sorted(chains.items())}


def _verify(chains: Mapping[str, Kept], as_json: bool) -> int:
    found = verify(chains)
    if as_json:
        print(
            json.dumps({owner: {"records": len(chains[owner].records), "faults": one} for owner, one in found.items()})
        )
    else:
        for owner, problems in found.items():
            print(f"{owner:<16} {len(chains[owner].records):>6} records   {'whole' if not problems else 'BROKEN'}")
            for problem in problems:
                print(f"  {problem}")
        if not found:
            print("ledger: no change is recorded yet")
    return 1 if any(found.values()) else 0


def _show(chains: Mapping[str, Kept], options: argparse.Namespace) -> int:
    for owner, kept in sorted(chains.items()):
        for name, text in sorted(kept.records)[-options.last :]:
            if options.json:
                print(text)
                continue
            try:
                record = json.loads(text)
            except ValueError:
                print(f'{owner} {name} is not a record; "verify" says more')
                continue
            print(
                f"{record.get('at', '?'):<26} {owner:<12} {record.get('event', '?'):<11} {record.get('commit', '?')[:12]}"
            )
            for title in ("authors", "reviewers", "approvers", "objections"):
                if record.get(title):
                    print(f"  {title:<10} {', '.join(record[title])}")
    return 0


def _approve(options: argparse.Namespace) -> int:
    if not re.fullmatch(r"[0-9a-f]{40}([0-9a-f]{24})?", options.commit):
        raise OpsError(f'--commit {options.commit}: must be a full commit id. "git rev-parse HEAD" prints one.')
    deployment = deployment_of(options.deployment)
    if options.owner not in deployment.owners:
        raise OpsError(f"--owner {options.owner}: choose one of {_list(deployment.owners)}.")
    import boto3  # noqa: PLC0415 - half a second that --help should not wait for
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        identity = boto3.client("sts", region_name=deployment.home.name).get_caller_identity()
        if identity["Account"] != deployment.accounts.deployment:
            raise OpsError(
                f"the credentials are of account {identity['Account']}, but approvals are kept in the deployment account "
                f"{deployment.accounts.deployment}. Switch profile."
            )
        records = Records(
            s3=boto3.client("s3", region_name=deployment.home.name),
            bucket=Names(deployment).archive_bucket(ORGANIZATION, Log.DECISION),
            account=identity["Account"],
            workflow=Workflow.CHANGE_LEDGER,
        )
        said = {"owner": options.owner, "commit": options.commit, "approver": identity["Arn"]}
        today = datetime.now(UTC).date()
        records.say("approve", f"{options.owner}@{options.commit}@{today}", identity["UserId"], said)
    except (BotoCoreError, ClientError) as error:
        raise OpsError(f"the approval was not written: {error}. Only approvers may; sign in as one.") from None
    print(f"approved: {options.owner} may be deployed from {options.commit[:12]} for a week, says {identity['UserId']}")
    return 0


def _chains(options: argparse.Namespace) -> dict[str, Kept]:
    if options.directory is not None:
        if not options.directory.is_dir():
            raise OpsError(f"--directory {options.directory}: there is no such folder.")
        return Copy(options.directory).chains()
    import boto3  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    deployment = deployment_of(options.deployment)
    try:
        return Archive(
            boto3.client("s3", region_name=deployment.home.name),
            Names(deployment).archive_bucket(ORGANIZATION, Log.DECISION),
            f"{deployment.accounts.deployment}/{Workflow.CHANGE_LEDGER}/",
        ).chains()
    except (BotoCoreError, ClientError) as error:
        raise OpsError(
            f"the archive could not be read: {error}. Sign in to the log archive account as a log reader, or give a copy "
            "with --directory."
        ) from None


def _list(names: Mapping[str, object] | Sequence[str]) -> str:
    return ", ".join(sorted(names)) or "none yet"


def _parser() -> argparse.ArgumentParser:
    assert __doc__
    parser = argparse.ArgumentParser(
        prog="palisade ledger",
        description=__doc__.split("\n\n")[0],
        epilog=__doc__.split("\n\n")[-1],
    )
    commands = parser.add_subparsers(dest="what", required=True, metavar="verify | show | approve")
    for name, text in (
        ("verify", "say whether every record is there, unaltered and locked"),
        ("show", "print the newest records"),
        ("approve", "approve a commit for a stage or account role"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
        command.add_argument("--owner", required=name == "approve", default="", help="a stage or an account role")
        if name == "approve":
            command.add_argument("--commit", required=True, help="the full commit id")
            continue
        command.add_argument("--directory", type=Path, help="read a copy of the archive instead of the archive")
        command.add_argument("--json", action="store_true", help="print JSON")
        if name == "show":
            command.add_argument("--last", type=int, default=20, help="how many of each owner (default: 20)")
    return parser
