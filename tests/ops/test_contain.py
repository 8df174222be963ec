"""What responders' commands do: one question, one deed, one answer; every refusal is told and shows in the exit status."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from contain.containment import DEEDS

from ops import contain
from ops.contain import ACTIONS, main, told
from stacks.configured import deployment_named

REFERENCE = deployment_named("reference", place="")
LIVE = REFERENCE.stage("live").account
ID = "0123456789ab-1"


class Aws:
    """Clients of the stage's account; ``answers`` are the function's, in order."""

    def __init__(self, *answers: dict[str, Any], account: str = LIVE) -> None:
        self.answers, self.account = list(answers), account
        self.asked: list[dict[str, Any]] = []
        self.said: list[str] = []

    def __call__(self, _service: str, **_: Any) -> Aws:
        return self

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": self.account, "UserId": "AROAEXAMPLE:ada"}

    def put_object(self, *, Key: str, **_: Any) -> None:  # noqa: N803
        self.said.append(Key)

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == "palisade-containment"
        self.asked.append(json.loads(Payload))
        answer = self.answers.pop(0)
        failed = {"FunctionError": "Unhandled"} if "errorType" in answer else {}
        return {"Payload": io.BytesIO(json.dumps(answer).encode()), **failed}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    found = Aws()
    monkeypatch.setattr("boto3.client", found)
    return found


def test_plans_without_saying_anything(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    planned = {"outcome": "planned", "id": ID, "action": "block-address", "target": "9.9.9.9", "people": 2}
    aws.answers = [{**planned, "steps": ["edge: no becomes yes"], "warning": "Many may share it."}]
    assert main(["plan", "--stage", "live", "block-address", "9.9.9.9"]) == 0
    assert not aws.said
    out = capsys.readouterr().out
    assert "edge: no becomes yes" in out
    assert "a second responder must approve" in out


def test_asks_in_ones_own_name_and_waits_for_another(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers = [{"outcome": "planned", "id": ID}, {"outcome": "waits", "id": ID}]
    command = ["do", "--stage", "live", "isolate-function", "live-x", "--reason", "it leaks", "--incident", "i"]
    assert main(command) == 1
    assert aws.said == [f"{LIVE}/containment-deeds/request@{ID}/AROAEXAMPLE:ada.json"]
    assert aws.asked[1] == {"kind": "do", "id": ID}
    assert f"contain approve --stage live {ID}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "deed", "kind"),
    [
        (["approve", "--stage", "live", ID], "approve", "do"),
        (["undo", "--stage", "live", ID, "--reason", "over"], "undo", "undo"),
        (["undo", "--stage", "live", ID, "--reason", "over", "--force"], "force-undo", "undo"),
        (["approve-undo", "--stage", "live", ID], "approve-force-undo", "undo"),
    ],
)
def test_each_command_says_one_deed(aws: Aws, command: list[str], deed: str, kind: str) -> None:
    aws.answers = [{"outcome": "contained", "id": ID}]
    assert main(command) == 0
    assert aws.said == [f"{LIVE}/containment-deeds/{deed}@{ID}/AROAEXAMPLE:ada.json"]
    assert deed in DEEDS
    assert aws.asked == [{"kind": kind, "id": ID}]


def test_a_refusal_is_told_and_no_deed_is_left_behind(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers = [{"outcome": "refused", "id": "x", "problems": ["there is no key."]}]
    assert main(["do", "--stage", "live", "disable-key", "alias/x", "--reason", "stolen"]) == 2
    assert "there is no key." in capsys.readouterr().out
    assert not aws.said


def test_lists_as_a_table_and_as_json(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    one = {
        "id": ID,
        "outcome": "contained",
        "action": "block-address",
        "target": "9.9.9.9",
        "by": "ada",
        "incident": "",
    }
    aws.answers = [{"outcome": "listed", "containments": [one]}, {"outcome": "listed", "containments": [one]}]
    assert main(["list", "--stage", "live"]) == 0
    assert ID in capsys.readouterr().out
    assert main(["list", "--stage", "live", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["containments"] == [one]
    assert told({"outcome": "listed", "containments": []}, "live") == ["contain: nothing was ever contained here"]


def test_says_what_to_do_when_it_stopped_in_the_middle(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers = [{"errorType": "ClientError", "errorMessage": "slow down"}]
    assert main(["approve", "--stage", "live", ID]) == 2
    assert "Give the same command again" in capsys.readouterr().err


def test_every_mistake_in_the_command_is_said_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["undo", "--stage", "nowhere", "an id", "--reason", " "]) == 2
    said = capsys.readouterr().err
    for word in ("--stage nowhere", "an id: is no id", "--reason: is empty"):
        assert word in said


def test_refuses_credentials_of_another_account(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.account = "999999999999"
    assert main(["list", "--stage", "live"]) == 2
    assert "Switch profile" in capsys.readouterr().err


def test_help_names_every_action(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        contain.main(["--help"])
    said = capsys.readouterr().out
    assert all(action in said for action in ACTIONS)
