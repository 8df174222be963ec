"""Tells the change ledger what is about to be deployed and how it went, and stops what it refuses."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assembly import Stack
from ops.places import ROOT, OpsError

Ask = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Sends an event to the ledger's function and returns its answer; raises OpsError."""

_ADDRESS = re.compile(r"[^<>\s]+@[^<>\s]+")


@dataclass
class Outcome:
    """How a deployment went; whoever deploys says so."""

    succeeded: bool = False


@dataclass(frozen=True)
class Source:
    """The commit at hand and what git knows of those who had a part in it since ``since``, a commit or nothing."""

    root: Path = field(default=ROOT)

    def commit(self) -> str:
        """The commit that is checked out.

        Raises:
            OpsError: there is none, or files were changed since: nobody could say later what was deployed.
        """
        if self._git("status", "--porcelain", "--untracked-files=no"):
            raise OpsError(
                "files were changed since the last commit, so no record could say what is deployed. Commit first."
            )
        return self._git("rev-parse", "HEAD")

    def people(self, since: str) -> tuple[list[str], list[str]]:
        """Authors (and co-authors) and reviewers (``Reviewed-by`` trailers) of everything after ``since``.

        Without ``since``, or where it is not known here, those of the last commit.
        """
        known = since and not self._fails("merge-base", "--is-ancestor", since, "HEAD")
        commits = [f"{since}..HEAD"] if known and self._git("rev-list", "-1", f"{since}..HEAD") else ["-1", "HEAD"]
        trailers = "%(trailers:key={},valueonly,separator=%x0A)"
        authors = self._git("log", "--no-merges", f"--format=%ae%n{trailers.format('Co-authored-by')}", *commits)
        if not authors:
            authors = self._git("log", f"--format=%ae%n{trailers.format('Co-authored-by')}", *commits)
        reviewers = self._git("log", f"--format={trailers.format('Reviewed-by')}", *commits)
        return _addresses(authors), _addresses(reviewers)

    def _git(self, *arguments: str) -> str:
        result = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True, check=False)
        if result.returncode:
            raise OpsError(f"git could not say who changed what: {result.stderr.strip()}")
        return result.stdout.strip()

    def _fails(self, *arguments: str) -> bool:
        return subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, check=False).returncode != 0


@contextmanager
def recorded(
    owner: str, stacks: Sequence[Stack], *, ask: Ask, source: Source, reviewers: Sequence[str], moment: str
) -> Iterator[Outcome]:
    """Have the change authorised before the block, and its outcome recorded after it, whatever happens inside.

    Raises:
        OpsError: the ledger refused, with every objection; nothing was deployed.
    """
    commit = source.commit()
    authors, found = source.people(str(ask({"kind": "last", "owner": owner})["commit"]))
    change = f"{owner}-{commit[:12]}-{moment}"
    answer = ask(
        {
            "kind": "begin",
            "change": change,
            "owner": owner,
            "commit": commit,
            "authors": authors,
            "reviewers": sorted({*found, *reviewers}),
            "templates": {stack.name: hashlib.sha256(stack.template_file.read_bytes()).hexdigest() for stack in stacks},
        }
    )
    if answer["event"] != "authorised":
        lines = "\n".join(f"  - {objection}" for objection in answer["objections"])
        raise OpsError(
            f"the change was refused, and the refusal recorded:\n{lines}\nReviews are Reviewed-by lines of the commits or "
            f'REVIEWER=; approvals: "./palisade ledger approve --owner {owner} --commit {commit}".'
        )
    print(f"change {change} is record {answer['sequence']} of {owner}")
    outcome = Outcome()
    try:
        yield outcome
    finally:
        said = "succeeded" if outcome.succeeded else "failed"
        ask({"kind": "end", "owner": owner, "change": change, "outcome": said})


def ask_function(arn: str, client: Any) -> Ask:
    """Asks the function ``arn`` through the Lambda ``client``."""

    def ask(event: Mapping[str, Any]) -> Mapping[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            answer = client.invoke(FunctionName=arn, Payload=json.dumps(event).encode())
            said: dict[str, Any] = json.loads(answer["Payload"].read())
        except (BotoCoreError, ClientError, ValueError) as error:
            raise OpsError(
                f"the change ledger did not answer: {error}. Deploy the deployment account first; before it is there, or "
                'when it is broken, UNRECORDED="why" deploys without a record.'
            ) from None
        if "FunctionError" in answer:
            raise OpsError(f"the change ledger refused: {said.get('errorMessage', said.get('errorType', 'no reason'))}")
        return said

    return ask


def _addresses(text: str) -> list[str]:
    return sorted({found.group().casefold() for line in text.splitlines() if (found := _ADDRESS.search(line))})
