"""What the command says, asks and prints; every refusal shows in the exit status."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from ops.debug_export import main
from stacks.configured import deployment_named

LIVE = deployment_named("reference", place="").stage("live").account
EXPORT = "acme-20260302T090000Z"
SHOWN = {"export": EXPORT, "state": "waits", "asked_by": "ada", "reason": "stuck", "fetched": 0}
REQUEST = ["request", "--stage", "live", "--tenant", "acme", "--rows", "5", "--hours", "2", "--reason", "stuck"]


class Aws:
    """Clients of the stage's account; ``answer`` is the function's."""

    def __init__(self) -> None:
        self.account: str = LIVE
        self.answer: dict[str, Any] = {"exports": [SHOWN]}
        self.asked: list[dict[str, Any]] = []
        self.said: list[str] = []

    def __call__(self, _service: str, **_: Any) -> Aws:
        return self

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": self.account, "UserId": "AROAEXAMPLE:ada"}

    def put_object(self, *, Key: str, **_: Any) -> None:  # noqa: N803
        self.said.append(Key)

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == "palisade-debug-export"
        self.asked.append(json.loads(Payload))
        failed = {"FunctionError": "Unhandled"} if "errorType" in self.answer else {}
        return {"Payload": io.BytesIO(json.dumps(self.answer).encode()), **failed}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    found = Aws()
    monkeypatch.setattr("boto3.client", found)
    return found


def test_asks_under_the_callers_own_id(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(REQUEST) == 0
    (said,) = aws.said
    (asked,) = aws.asked
    assert said == f"{LIVE}/debug-export-deeds/request@{asked['export']}/AROAEXAMPLE:ada.json"
    assert "waits" in capsys.readouterr().out


def test_fetches_by_a_name_that_nobody_guesses(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answer = {
        "link": "https://link",
        "seconds": 900,
        "rows": 5,
        "sha256": "0a",
        "expires_at": "2026-03-02T13:00:00Z",
    }
    assert main(["fetch", "--stage", "live", EXPORT]) == 0
    assert main(["fetch", "--stage", "live", EXPORT]) == 0
    assert len({one["said"] for one in aws.asked}) == 2
    assert all(one["said"] in key for one, key in zip(aws.asked, aws.said, strict=True))
    assert "https://link\ngood for 900 seconds" in capsys.readouterr().out


def test_says_why_it_was_refused(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answer = {"refused": ["another person than ada approves it"]}
    assert main(["approve", "--stage", "live", EXPORT]) == 1
    assert "refused: another person" in capsys.readouterr().out


def test_lists_every_problem_at_once(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = ["--tenant", "ACME", "--rows", "5000", "--hours", "0", "--reason", " "]
    assert main(["request", "--stage", "moon", *wrong]) == 2
    problems = capsys.readouterr().err
    for name in ("--stage moon", "--tenant ACME", "--rows 5000", "--hours 0", "--reason"):
        assert name in problems
    assert not aws.asked


@pytest.mark.parametrize("answer", [{"errorType": "ClientError"}, None])
def test_failures_and_foreign_accounts_end_without_a_traceback(
    aws: Aws, capsys: pytest.CaptureFixture[str], answer: Any
) -> None:
    if answer:
        aws.answer = answer
    else:
        aws.account = "111111111111"
    assert main(["list", "--stage", "live", "--json"]) == 2
    assert capsys.readouterr().err.startswith("debug-export: ")
