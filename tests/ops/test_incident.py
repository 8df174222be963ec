"""What people's commands for incidents do: deeds are written as oneself and then looked at; every refusal is one clear line."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from answer_responder.handler import answer
from botocore.exceptions import ClientError

from ops.__main__ import main as palisade
from ops.incident import main
from ops.oncall import main as oncall
from stacks.configured import deployment_named
from tests.incident_world import ACCOUNT, World, good_postmortem

SECURITY = deployment_named("reference", place="").accounts.security


class _Aws:
    """Clients of the security account, with the world's desk and archive behind them."""

    def __init__(self, world: World, *, account: str = SECURITY, person: str = "ada") -> None:
        self.world, self.account, self.person, self.fails = world, account, person, False

    def __call__(self, _service: str) -> _Aws:
        return self

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": self.account, "UserId": f"AROAEXAMPLE:{self.person}", "Arn": "arn"}

    def put_object(self, *, Key: str, **rest: Any) -> None:  # noqa: N803
        self.world.archive.put_object(Key=Key.replace(SECURITY, ACCOUNT), **rest)

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        if self.fails:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Invoke")
        assert FunctionName == "palisade-incident-desk"
        said = answer(json.loads(Payload), self.world.answering)
        return {"Payload": io.BytesIO(json.dumps(said).encode())}


@pytest.fixture
def aws() -> _Aws:
    return _Aws(World())


def test_goes_from_list_to_close(aws: _Aws, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    incident = aws.world.find("guardduty")
    assert main(["list"], aws) == 0
    assert incident in capsys.readouterr().out
    assert main(["close", incident], aws) == 1
    assert "it cannot be closed yet: write the post-mortem" in capsys.readouterr().err
    assert main(["draft", incident, "--of", "postmortem"], aws) == 0
    file = tmp_path / "pm.md"
    file.write_text(good_postmortem(capsys.readouterr().out), encoding="utf-8")
    for command in (
        ["ack", incident],
        ["assign", incident, "--to", "ben"],
        ["note", incident, "--text", "the role is api's"],
        ["resolve", incident, "--text", "the key was taken away"],
        ["told", incident, "--whom", "customers", "--text", "by letter"],
        ["told", incident, "--whom", "regulator", "--not-needed", "no personal data"],
        ["told", incident, "--whom", "affected", "--text", "by mail"],
        ["postmortem", incident, "--file", str(file)],
        ["close", incident],
    ):
        assert main(command, aws) == 0, command
    assert main(["show", incident], aws) == 0
    out = capsys.readouterr().out
    assert f"{incident}  P0  closed" in out
    assert "ada: regulator need not be told: no personal data" in out


def test_says_who_was_first(aws: _Aws, capsys: pytest.CaptureFixture[str]) -> None:
    incident = aws.world.find("guardduty")
    main(["ack", incident], aws)
    aws.person = "ben"
    assert main(["ack", incident], aws) == 0
    assert "ada had done so before" in capsys.readouterr().out


def test_reports(aws: _Aws, capsys: pytest.CaptureFixture[str]) -> None:
    report = ["report", "--title", "A laptop was stolen", "--priority", "P1", "--account", "777777777777", "--json"]
    assert main(report, aws) == 0
    assert json.loads(capsys.readouterr().out)["incident"]["priority"] == "P1"


def test_refuses_credentials_of_another_account(aws: _Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.account = "666666666666"
    assert main(["ack", "a" * 20 + "-1"], aws) == 2
    assert "are handled in the security account" in capsys.readouterr().err


def test_says_when_the_desk_does_not_answer(aws: _Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.fails = True
    assert main(["list"], aws) == 2
    assert "Sign in to the security account as a responder" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../x", "a b", ""])
def test_a_name_that_is_none_is_one_clear_error(aws: _Aws, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["ack", name], aws) in {1, 2}
    assert "incident" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_one_clear_error(aws: _Aws, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["postmortem", "a" * 20 + "-1", "--file", "/nowhere/pm.md"], aws) == 2
    assert "cannot be read (FileNotFoundError)" in capsys.readouterr().err


def test_shows_who_is_on_call_at_any_moment(capsys: pytest.CaptureFixture[str]) -> None:
    assert oncall(["--at", "2026-03-29T01:30", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {told["on_call"], told["next"]} < {"ada", "ben", "cem"}
    assert len(told["weeks"]) == 4
    assert oncall(["--at", "2026-01-05T09:00Z", "--weeks", "2"]) == 0
    assert "on call: ada   if ada does not answer: ben" in capsys.readouterr().out
    assert oncall(["--at", "soon"]) == 2


@pytest.mark.parametrize("command", ["incident", "oncall"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        palisade([command, "--help"])
    assert left.value.code == 0
    assert "palisade" in capsys.readouterr().out
