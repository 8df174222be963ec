"""What ``./palisade review`` does for a reviewer, with the real function behind it."""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from ops import review
from ops.__main__ import COMMANDS
from ops.__main__ import main as palisade
from ops.configured import deployment_of
from ops.places import OpsError
from tests.stacks.review_world import ADA, BEN, DAN, World, user, usual

PERIOD = "access-2026-Q1"
Sit = Callable[[str], None]


@pytest.fixture
def world() -> World:
    """A review with a finding about Ada and one about nobody who signs."""
    world = usual()
    world.users["prod"] = [user("eve")]
    world.members["acme-read-only"].append(ADA)
    world.review(PERIOD)
    return world


@pytest.fixture
def sit(world: World, monkeypatch: pytest.MonkeyPatch) -> Sit:
    """Sit down as somebody."""

    def down(person: str) -> None:
        desk = review.Desk(
            user_id=f"AROAEXAMPLE:{person}",
            ask=lambda event: world.do(str(event["do"]), **{k: v for k, v in event.items() if k != "do"}),
            records=world.store.records,
        )
        monkeypatch.setattr(review, "_desk", lambda _name: desk)

    return down


def test_two_reviewers_sign_a_review_through(sit: Sit, capsys: pytest.CaptureFixture[str]) -> None:
    sit(ADA)
    sign = ["sign", PERIOD, "--decision", "keep", "--all", "--reason", "leaves in May"]
    assert review.main(sign) == 0
    said = capsys.readouterr()
    assert "is about you; somebody else must decide it" in said.err
    assert f"signed by {ADA}" in said.out
    assert "to sign; 1 of 2 findings undecided" in said.out
    sit(BEN)
    assert review.main(["sign", PERIOD, "--decision", "revoke", "--all", "--reason", "gone since June"]) == 0
    assert f"{PERIOD}: open rights; 0 of 2 findings undecided, 1 revoked" in capsys.readouterr().out
    assert review.main(["list"]) == 0
    assert "open rights" in capsys.readouterr().out
    assert review.main(["status", PERIOD, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["signatures"]) == 2


def test_the_same_command_again_signs_nothing_twice(sit: Sit, world: World) -> None:
    sit(BEN)
    for _ in range(2):
        assert review.main(["sign", PERIOD, "--reason", "read it"]) == 0
    assert len(world.do("status", period=PERIOD)["signatures"]) == 1


def test_a_refusal_is_one_clear_error(sit: Sit, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    own = next(one["id"] for one in world.do("show", period=PERIOD)["document"]["findings"] if ADA in one["people"])
    sit(ADA)
    assert review.main(["sign", PERIOD, "--decision", "keep", "--finding", own, "--reason", "it is mine"]) == 1
    assert "is about ada@acme.example: somebody else must decide it" in capsys.readouterr().err
    sit(DAN)
    assert review.main(["sign", PERIOD, "--reason", "hello"]) == 1
    assert "is not a reviewer of this review" in capsys.readouterr().err
    assert review.main(["show", "admin-2020-01"]) == 1
    assert "there is no review admin-2020-01" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--decision", "keep"], "--decision goes with --finding or --all"),
        (["--all"], "--decision goes with --finding or --all"),
        (["--decision", "keep", "--finding", "abc"], "--finding abc: not in this review"),
    ],
)
def test_says_what_is_wrong_with_a_command(
    sit: Sit, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    sit(BEN)
    assert review.main(["sign", PERIOD, "--reason", "r", *arguments]) == 2
    assert says in capsys.readouterr().err


def test_a_dry_run_signs_nothing(sit: Sit, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    sit(BEN)
    assert review.main(["sign", PERIOD, "--decision", "keep", "--all", "--reason", "r", "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == world.do("show", period=PERIOD)["digest"]
    assert world.do("status", period=PERIOD)["signatures"] == []


def test_shows_the_review_as_markdown_page_and_data(sit: Sit, capsys: pytest.CaptureFixture[str]) -> None:
    sit(BEN)
    for arguments, beginning in (([], "# Access review"), (["--html"], "<!doctype html>"), (["--json"], '{"document"')):
        assert review.main(["show", PERIOD, *arguments]) == 0
        assert capsys.readouterr().out.startswith(beginning)


def test_a_signature_that_the_archive_refuses_is_an_error(
    sit: Sit, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sit(BEN)

    def refuse(**_: object) -> None:
        raise PermissionError("AccessDenied")

    monkeypatch.setattr(world.archive, "put_object", refuse)
    assert review.main(["sign", PERIOD, "--reason", "r"]) == 2
    assert "the signature was not written" in capsys.readouterr().err


def test_the_command_is_one_of_palisades(capsys: pytest.CaptureFixture[str]) -> None:
    assert "review" in COMMANDS
    with pytest.raises(SystemExit):
        palisade(["review", "--help"])
    assert "sign" in capsys.readouterr().out


def test_without_an_organization_there_is_nothing_to_review(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "deployment_of", lambda _name: type("D", (), {"organization": None})())
    with pytest.raises(OpsError, match="has no organization"):
        review._desk("customer")


class _Aws:
    """The clients of a session of ``account``; the function answers ``answer``."""

    def __init__(self, account: str, answer: dict[str, object]) -> None:
        self.account, self.answer = account, answer

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": self.account, "UserId": f"AROAEXAMPLE:{BEN}"}

    def invoke(self, **_: object) -> dict[str, object]:
        return {"Payload": io.BytesIO(json.dumps({"errorType": "X"}).encode()), **self.answer}


def test_says_where_to_sign_in_and_when_the_function_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(boto3, "client", lambda *_args, **_more: _Aws("123456789012", {}))
    assert review.main(["list"]) == 2
    assert (
        "credentials are of account 123456789012, but reviews are kept by the security account"
        in capsys.readouterr().err
    )
    security = deployment_of("reference").accounts.security
    monkeypatch.setattr(boto3, "client", lambda *_args, **_more: _Aws(security, {"FunctionError": "Unhandled"}))
    assert review.main(["list"]) == 2
    assert "the function of reviews failed (X)" in capsys.readouterr().err


def test_every_command_of_the_guide_is_one() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "howto" / "reviews.md").read_text(encoding="utf-8")
    commands = [line.strip() for line in guide.splitlines() if line.startswith("    ./palisade review ")]
    assert len(commands) >= 6
    for command in commands:
        review._parser().parse_args(shlex.split(command.partition(">")[0])[2:])
