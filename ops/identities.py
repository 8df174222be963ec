"""Writes docs/identities.md: what each job of people may do, evaluated from the templates of cdk.out.

usage: python -m ops.identities [--assembly cdk.out] [--deployment NAME] [--print]       (make identities)
"""

from __future__ import annotations

import app  # noqa: F401 - puts constructs/ on the path

# isort: split

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from assembly import AssemblyError, load
from ops.configured import deployment_of
from ops.places import ROOT, OpsError
from proofs.finding import Case
from proofs.model import Node
from proofs.register.levels import DEEDS, matrix, staff
from proofs.terms import Terms
from stacks.settings import Job

FILE = ROOT / "docs" / "identities.md"

_TEXT = """\
# Who may do what

Written by `make identities` from the templates, by evaluating every permission set against the resources of the account that it
is for. A test fails when this page is no longer true.

## Jobs

Each job has a permission set `<prefix>-<job>` and a group of the same name. *For good* is where the group has it without
asking; a job without a place there is granted for a while, and its group says who may ask
([how](howto/access-requests.md)).

{jobs}

## Deeds

`x`: may do it in an account that the job is for (engineers: a sandbox; billing: the management account; evidence: the log
archive; requester, approver, reviewer and driller: the security account; everybody else: a stage with customers). What the
organization's guardrails still ask for, such as an allowed address, is taken as met.

{deeds}

Nobody has the rights of the last rows: they belong to the deployment, which goes through review. Roles under the path `/lab/` are
made with the account's permissions boundary or not at all. The four levels of staff (settings, billing, user data, messaging)
are apart: outside sandboxes no job but the emergency's has two. Log readers and the security team hold *evidence*, and the
security team *log-reader*, beside their own.
"""


def main(arguments: list[str] | None = None) -> int:
    """Write the page and return the exit status."""
    parser = argparse.ArgumentParser(prog="make identities", description=__doc__.split("\n\n")[0])
    parser.add_argument("--assembly", type=Path, default=ROOT / "cdk.out", help="folder of the assembly (cdk.out)")
    parser.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
    parser.add_argument("--print", action="store_true", help="print the page and write nothing")
    options = parser.parse_args(arguments)
    try:
        text = page(Case(load(options.assembly), Terms.of(deployment_of(options.deployment))))
    except (AssemblyError, OpsError) as error:
        print(f"identities: {error}", file=sys.stderr)
        return 1
    if options.print:
        print(text, end="")
    else:
        FILE.write_text(text, encoding="utf-8")
        print(f"identities: {FILE.relative_to(ROOT)} is written")
    return 0


def page(case: Case) -> str:
    """The page."""
    may = matrix(case)
    jobs = [job for job in Job if job in may]
    head = ["level", "deed", *(job.value for job in jobs)]
    rows = [[deed.level, deed.says, *("x" if may[job][deed.says] else "" for job in jobs)] for deed in DEEDS]
    return _TEXT.format(
        jobs=_table(["job", "what for", "session", "for good"], _jobs(case, jobs)), deeds=_table(head, rows)
    )


def _jobs(case: Case, jobs: list[Job]) -> Iterator[list[str]]:
    sets: dict[Job, Node] = {}
    for node in case.model.of("AWS::SSO::PermissionSet"):
        for job in jobs:
            if str(node.get("Name")).endswith(f"-{job.value}"):
                sets[job] = node
    for job in jobs:
        node = sets[job]
        hours = str(node.get("SessionDuration")).removeprefix("PT").removesuffix("H")
        accounts = {person.account for person in staff(case) if person.assignments and person.permission_set is node}
        everywhere = accounts == {stack.account for stack in case.assembly.stacks}
        places = {"every account"} if everywhere else {_kind(case, account) for account in accounts}
        yield [job.value, str(node.get("Description")), f"{hours} h", ", ".join(sorted(places)) or "-"]


def _kind(case: Case, account: str) -> str:
    if account in case.terms.workshops:
        return "sandboxes"
    if account in case.terms.guarded:
        return "stages with customers"
    owners = {stack.tags.get("palisade:owner", "") for stack in case.assembly.stacks if stack.account == account}
    return f"{min(owners, default=account)} account"


def _table(head: list[str], rows: Iterator[list[str]] | list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
