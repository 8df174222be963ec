"""What the change ledger's commands do: deploy records before and after, verify finds what was tampered with."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from record_change.chain import canonical, digest, name

from assembly import Stack
from ops.__main__ import COMMANDS
from ops.__main__ import main as palisade
from ops.changes import Source, recorded
from ops.ledger import Archive, main, verify
from ops.places import OpsError

PREFIX = "100000000005/change-ledger/"


def _records(length: int) -> list[str]:
    texts: list[str] = []
    for sequence in range(1, length + 1):
        previous = digest(texts[-1]) if texts else "0" * 64
        body = {
            "at": "2026-03-02T00:00:00+00:00",
            "event": "authorised",
            "commit": "c" * 40,
            "authors": ["a@b.example"],
        }
        texts.append(
            canonical({**body, "sequence": sequence, "previous": previous, "chain": "live", "change": f"c{sequence}"})
        )
    return texts


class _Bucket:
    """The archive's bucket: versions as (key, text, locked), and delete markers."""

    def __init__(self, versions: list[tuple[str, str, bool]], hidden: tuple[str, ...] = ()) -> None:
        self.versions, self.hidden = versions, hidden

    def get_paginator(self, _name: str) -> _Bucket:
        return self

    def paginate(self, **_: object) -> list[dict[str, Any]]:
        at = datetime(2026, 3, 2, tzinfo=UTC)
        return [
            {
                "Versions": [
                    {"Key": key, "VersionId": str(n), "LastModified": at.replace(second=n)}
                    for n, (key, _, _) in enumerate(self.versions)
                ],
                "DeleteMarkers": [
                    {"Key": key, "VersionId": "d", "LastModified": at.replace(minute=1)} for key in self.hidden
                ],
            }
        ]

    def get_object(self, *, VersionId: str, **_kwargs: object) -> dict[str, Any]:  # noqa: N803
        _, text, locked = self.versions[int(VersionId)]
        answer: dict[str, Any] = {"Body": io.BytesIO(text.encode())}
        return {**answer, "ObjectLockMode": "COMPLIANCE"} if locked else answer


def _key(sequence: int) -> str:
    return f"{PREFIX}live/{name(sequence)}.json"


def _found(bucket: _Bucket) -> list[str]:
    return verify(Archive(bucket, "bucket", PREFIX).chains())["live"]


def test_verify_finds_nothing_in_a_whole_chain() -> None:
    assert _found(_Bucket([(_key(n), text, True) for n, text in enumerate(_records(4), start=1)])) == []


@pytest.mark.parametrize("tampered", ["gap", "altered", "rewritten", "hidden", "unlocked"])
def test_verify_finds(tampered: str) -> None:
    versions = [(_key(n), text, True) for n, text in enumerate(_records(4), start=1)]
    hidden: tuple[str, ...] = ()
    if tampered == "gap":
        del versions[1]
    elif tampered == "altered":
        versions[1] = (versions[1][0], versions[1][1].replace("a@b.example", "z@b.example"), True)
    elif tampered == "rewritten":
        versions.append((_key(2), "{}", True))
    elif tampered == "hidden":
        hidden = (_key(2),)
    else:
        versions[2] = (*versions[2][:2], False)
    says = {"gap": "missing before", "altered": "altered", "rewritten": "written more than once", "hidden": "hid it",
            "unlocked": "not locked"}  # fmt: skip
    assert any(says[tampered] in problem for problem in _found(_Bucket(versions, hidden)))


def test_a_copy_is_verified_and_shown_without_credentials(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "live"
    folder.mkdir()
    for sequence, text in enumerate(_records(3), start=1):
        (folder / f"{name(sequence)}.json").write_text(text)
    assert main(["verify", "--directory", str(tmp_path)]) == 0
    assert "live                  3 records   whole" in capsys.readouterr().out
    assert main(["show", "--directory", str(tmp_path), "--last", "1"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2026-03-02T00:00:00+00:00  live         authorised  cccccccccccc",
        "  authors    a@b.example",
    ]
    (folder / f"{name(2)}.json").unlink()
    assert main(["verify", "--directory", str(tmp_path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["live"]["faults"] == ["live/000000000003: 1 missing before it"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["verify", "--directory", "/nowhere"], "no such folder"),
        (["approve", "--owner", "live", "--commit", "abc"], "full commit id"),
        (["approve", "--owner", "nobody", "--commit", "a" * 40], "choose one of backup, deployment"),
        (
            ["approve", "--owner", "live", "--commit", "a" * 40, "--deployment", "nowhere"],
            "there is no config/nowhere.py",
        ),
    ],
)
def test_says_what_is_wrong_with_a_command(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert says in capsys.readouterr().err


def test_lists_the_commands_and_refuses_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert palisade([]) == 0
    listed = capsys.readouterr().out
    assert all(command in listed for command in COMMANDS)
    assert palisade(["nothing"]) == 2
    assert "there is no command 'nothing'" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------------- deploy


@pytest.fixture
def checkout(tmp_path: Path) -> Source:
    source = Source(tmp_path)
    for arguments in (
        ["init", "-q", "-b", "main"],
        ["config", "user.name", "Ada"],
        ["config", "user.email", "ada@example.com"],
    ):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    _commit(source, "first")
    return source


def _commit(source: Source, message: str) -> str:
    subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", message], cwd=source.root, check=True)
    return source.commit()


def _deploy(source: Source, answers: Mapping[str, Any], *, succeed: bool = True, tmp: Path) -> list[Mapping[str, Any]]:
    asked: list[Mapping[str, Any]] = []

    def ask(event: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append(event)
        answer: Mapping[str, Any] = answers.get(
            event["kind"], {"commit": "", "event": "authorised", "sequence": 1, "objections": []}
        )
        return answer

    template = tmp / "live-network.json"
    template.write_text("{}")
    stack = cast("Stack", SimpleNamespace(name="live-network", template_file=template))
    with recorded("live", [stack], ask=ask, source=source, reviewers=["Zoe@example.com"], moment="m") as outcome:
        outcome.succeeded = succeed
    return asked


def test_tells_who_changed_what_since_the_last_deployment(checkout: Source, tmp_path_factory: Any) -> None:
    last = checkout.commit()
    commit = _commit(checkout, "second\n\nCo-authored-by: Cy <CY@example.com>\nReviewed-by: Ben <ben@example.com>")
    tmp = tmp_path_factory.mktemp("out")
    asked = _deploy(checkout, {"last": {"commit": last}}, tmp=tmp)
    assert [event["kind"] for event in asked] == ["last", "begin", "end"]
    begin = asked[1]
    assert begin["commit"] == commit
    assert begin["authors"] == ["ada@example.com", "cy@example.com"]
    assert begin["reviewers"] == ["Zoe@example.com", "ben@example.com"]
    assert begin["templates"] == {"live-network": hashlib.sha256(b"{}").hexdigest()}
    assert asked[2] == {"kind": "end", "owner": "live", "change": begin["change"], "outcome": "succeeded"}


def test_a_failed_deployment_is_recorded_as_failed(checkout: Source, tmp_path_factory: Any) -> None:
    assert _deploy(checkout, {}, succeed=False, tmp=tmp_path_factory.mktemp("out"))[-1]["outcome"] == "failed"


def test_a_refused_change_is_not_deployed_and_every_objection_is_said(checkout: Source, tmp_path_factory: Any) -> None:
    refusal = {
        "event": "refused",
        "sequence": 2,
        "objections": ["nobody reviewed it", "no named approver"],
        "commit": "",
    }
    with pytest.raises(OpsError, match=r"(?s)nobody reviewed it.*no named approver.*palisade ledger approve"):
        _deploy(checkout, {"begin": refusal}, tmp=tmp_path_factory.mktemp("out"))


def test_what_was_not_committed_is_not_deployed(checkout: Source) -> None:
    (checkout.root / "file").write_text("x")
    subprocess.run(["git", "add", "file"], cwd=checkout.root, check=True)
    with pytest.raises(OpsError, match="Commit first"):
        checkout.commit()
