"""The vault's command: the value comes from no argument, one's word goes first, and what was interrupted goes on."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from ops.places import OpsError
from ops.vault import Desk, _parser, main, run

STAGE = ["--stage", "dev"]
PLACE = [*STAGE, "--tenant", "acme", "--purpose", "payments-api"]


@dataclass
class Functions:
    """Answers in turn, and remembers what happened."""

    answers: list[dict[str, Any]]
    happened: list[Any] = field(default_factory=list)

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        self.happened.append((FunctionName, json.loads(Payload)))
        answer = self.answers.pop(0)
        failed = {"FunctionError": "Unhandled"} if "errorType" in answer else {}
        return {"Payload": io.BytesIO(json.dumps(answer).encode()), **failed}

    def say(self, deed: str, request: str, user_id: str, what: dict[str, str]) -> None:
        self.happened.append((deed, request, user_id, what))


def _run(functions: Functions, *arguments: str) -> int:
    tasks = {"keep": "acme-keep", "check": "acme-check", "reencrypt": "acme-reencrypt"}
    desk = Desk(functions=functions, records=functions, names=tasks, user_id="AROA:ada")
    return run(_parser().parse_args(list(arguments)), desk)


def _entry(state: str, version: str = "v", key: str = "k") -> dict[str, str]:
    at = "2026-01-01T00:00:00+00:00"
    return {
        "tenant": "acme",
        "purpose": "payments-api",
        "version": version,
        "state": state,
        "made_at": at,
        "key": key,
        "sealed_at": at,
    }


def test_reads_the_value_from_standard_input_and_says_it_nowhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("the-value\n"))
    functions = Functions([{"state": "staged"}])
    assert _run(functions, "put", *PLACE) == 0
    (deed, request, user_id, what), (name, event) = functions.happened
    assert (deed, user_id, name) == ("put", "AROA:ada", "acme-keep")
    assert event == {"kind": "put", "request": request, **what, "value": "the-value"}
    assert "value" not in what
    assert "the-value" not in "".join(capsys.readouterr())
    with pytest.raises(SystemExit):
        _parser().parse_args(["put", *PLACE, "--value", "x"])


def test_rotates_the_staged_version_and_takes_the_previous_one_back() -> None:
    entries = {"entries": [_entry("current", "one"), _entry("staged", "two"), _entry("previous", "zero")], "key": "k"}
    for arguments, kind, version in ((["rotate"], "rotate", "two"), (["rotate", "--back"], "take-back", "zero")):
        functions = Functions([entries, {"state": "current"}])
        assert _run(functions, *arguments, *PLACE) == 0
        assert [one[0] for one in functions.happened] == ["acme-keep", kind, "acme-keep"]
        assert functions.happened[2][1]["version"] == version
    with pytest.raises(OpsError, match="no staged version"):
        _run(Functions([{"entries": [], "key": "k"}]), "rotate", *PLACE)


def test_status_fails_if_something_in_use_does_not_open(capsys: pytest.CaptureFixture[str]) -> None:
    listed = {"entries": [_entry("current"), _entry("previous", key="former")], "key": "k"}
    assert _run(Functions([listed, {"version": "v"}]), "status", *STAGE) == 0
    assert "under former keys  1" in capsys.readouterr().out
    assert _run(Functions([listed, {"refused": "not opened"}]), "status", *STAGE, "--json") == 1
    assert json.loads(capsys.readouterr().out)["broken"] == ["acme payments-api: refused: not opened"]


def test_seals_anew_until_all_is_done_and_goes_on_with_a_request() -> None:
    functions = Functions([{"done": False, "moved": 2, "after": "a"}, {"done": True, "moved": 1, "after": "b"}])
    assert _run(functions, "reencrypt", *STAGE) == 0
    (deed, request, *_), first, second = functions.happened
    assert deed == "reencrypt"
    assert [one[1] for one in (first, second)] == [
        {"request": request, "after": None},
        {"request": request, "after": "a"},
    ]
    again = Functions([{"done": True, "moved": 0, "after": ""}])
    assert _run(again, "reencrypt", *STAGE, "--request", request) == 0
    assert len(again.happened) == 1, "it was said once already"


def test_a_failure_says_that_nothing_is_lost_and_not_what_it_was_given() -> None:
    with pytest.raises(OpsError, match=r"Nothing is lost") as caught:
        _run(Functions([{"errorType": "ClientError", "errorMessage": "the-value"}]), "list", *STAGE)
    assert "the-value" not in str(caught.value)


def test_an_unknown_stage_is_one_clear_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--stage", "moon"]) == 2
    assert "--stage moon: there is no such stage. Choose one of" in capsys.readouterr().err
