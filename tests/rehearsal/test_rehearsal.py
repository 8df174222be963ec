"""A small assembly from beginning to end on the embedded AWS: what passes, what fails, and what is left behind."""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-rehearsal" / "bin" / "python"
ACCOUNT = "123456789012"

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="make setup makes the environment of the rehearsal")

RESOURCES: dict[str, Any] = {
    "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/small/logs", "RetentionInDays": 30}},
    "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "small", "MessageRetentionPeriod": 3600}},
    "Kept": {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "Retain",
        "Properties": {"BucketName": "small-kept-123456789012", "VersioningConfiguration": {"Status": "Enabled"}},
    },
    "Place": {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Name": "/small/place", "Type": "String", "Value": {"Fn::GetAtt": ["Queue", "Arn"]}},
    },
    "Machine": {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "StateMachineName": "small",
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/small",
            "DefinitionString": '{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}',
            "TracingConfiguration": {"Enabled": True},
            "LoggingConfiguration": {
                "Level": "ALL",
                "IncludeExecutionData": False,
                "Destinations": [
                    {
                        "CloudWatchLogsLogGroup": {
                            "LogGroupArn": f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/small/logs:*"
                        }
                    }
                ],
            },
        },
    },
}


def _assembly(folder: Path, resources: dict[str, Any], *, protected: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "small.template.json").write_text(json.dumps({"Resources": resources}))
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://{ACCOUNT}/eu-west-1",
        "properties": {"templateFile": "small.template.json", "terminationProtection": protected},
    }
    (folder / "manifest.json").write_text(json.dumps({"version": "48.0.0", "artifacts": {"small": artifact}}))
    return folder


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """A folder for temporary files of the rehearsal, which must be empty afterwards."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []


def _command(first: Path, *rest: str, recorded: Path) -> list[str]:
    return [str(PYTHON), "-m", "rehearsal", "--assembly", str(first), "--recorded", str(recorded), *rest]


def _environment(scratch: Path) -> dict[str, str]:
    misleading = {"AWS_ENDPOINT_URL": "http://192.0.2.1", "AWS_PROFILE": "production", "AWS_ACCESS_KEY_ID": "AKIAREAL"}
    return {**os.environ, **misleading, "TMPDIR": str(scratch)}


def _rehearse(first: Path, *rest: str, scratch: Path, recorded: str = "") -> subprocess.CompletedProcess[str]:
    listed = first.parent / "recorded.yaml"
    listed.write_text(recorded or "types: {}\nproperties: {}\n")
    command = _command(first, *rest, recorded=listed)
    return subprocess.run(
        command, cwd=ROOT, env=_environment(scratch), capture_output=True, text=True, timeout=120, check=False
    )


def test_creates_verifies_updates_and_deletes_a_small_assembly(tmp_path: Path, scratch: Path) -> None:
    changed = copy.deepcopy(RESOURCES)
    changed["Logs"]["Properties"]["RetentionInDays"] = 60
    first = _assembly(tmp_path / "first", RESOURCES, protected=True)
    second = _assembly(tmp_path / "second", changed, protected=True)
    done = _rehearse(first, "--updated", str(second), "--fault", "update", scratch=scratch)
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith("rehearsal: 1/1 stacks, 5/5 resources (0 recorded only), ")
    assert last.endswith(" s")
    row = next(line for line in done.stdout.splitlines() if line.startswith("small "))
    assert row.split()[5:7] == ["1", "1"], "one resource changed and one is retained"


def test_a_failed_create_rolls_back(tmp_path: Path, scratch: Path) -> None:
    first = _assembly(tmp_path / "first", RESOURCES)
    done = _rehearse(first, "--fault", "create", scratch=scratch)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1/1 stacks, 5/5 resources" in done.stdout


def test_a_property_nobody_keeps_fails_with_what_to_do(tmp_path: Path, scratch: Path) -> None:
    resources = copy.deepcopy(RESOURCES)
    resources["Logs"]["Properties"]["DataProtectionPolicy"] = {"Name": "masked", "Version": "2021-06-01"}
    done = _rehearse(_assembly(tmp_path / "first", resources), scratch=scratch)
    assert done.returncode == 1
    assert "AWS::Logs::LogGroup DataProtectionPolicy in small" in done.stdout
    assert "list it with the reason" in done.stdout


def test_a_stale_entry_of_the_list_fails(tmp_path: Path, scratch: Path) -> None:
    stale = "types: {}\nproperties:\n  AWS::SQS::Queue:\n    QueueName: not kept once upon a time\n"
    done = _rehearse(_assembly(tmp_path / "first", RESOURCES), scratch=scratch, recorded=stale)
    assert done.returncode == 1
    assert "AWS::SQS::Queue QueueName" in done.stdout
    assert "Remove the entry" in done.stdout


def test_a_template_that_cannot_be_created_fails_and_names_the_resource(tmp_path: Path, scratch: Path) -> None:
    resources = copy.deepcopy(RESOURCES)
    resources["Rule"] = {
        "Type": "AWS::SNS::Subscription",
        "Properties": {"TopicArn": "arn:aws:sns:eu-west-1:123456789012:absent", "Protocol": "sqs", "Endpoint": "x"},
    }
    done = _rehearse(_assembly(tmp_path / "first", resources), scratch=scratch)
    assert done.returncode == 1
    assert "Rule (AWS::SNS::Subscription)" in done.stdout
    assert "rehearsal: 0/1 stacks" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_leaves_no_process_and_no_folder_behind(tmp_path: Path, number: signal.Signals) -> None:
    scratch = Path(tempfile.mkdtemp(dir=tmp_path))
    listed = tmp_path / "recorded.yaml"
    listed.write_text("types: {}\nproperties: {}\n")
    command = _command(_assembly(tmp_path / "first", RESOURCES), recorded=listed)
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=_environment(scratch),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Whatever a shell starts in the background is told to ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread runs here
    ) as running:
        assert running.stdout is not None
        assert "embedded AWS answers" in running.stdout.readline()
        running.send_signal(number)
        running.wait(30)
    assert running.returncode != 0
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and (_with(str(scratch)) + [path.name for path in scratch.iterdir()]):
        time.sleep(0.1)
    assert _with(str(scratch)) == []
    assert list(scratch.iterdir()) == []


def _with(text: str) -> list[str]:
    """Ids of processes with `text` in their environment, where the platform tells."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if text.encode() in (folder / "environ").read_bytes() and int(folder.name) != os.getpid():
                found.append(folder.name)
        except OSError:
            continue
    return found
