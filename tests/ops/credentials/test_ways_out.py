"""Temporary credentials leave as JSON, as commands of a shell, or into a private file, and in no other way."""

from __future__ import annotations

import configparser
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from ops.credentials.ways_out import Credentials, exported, processed, write_profile
from ops.places import OpsError


def test_prints_what_credential_process_must_print(credentials: Credentials) -> None:
    assert json.loads(processed(credentials)) == {
        "Version": 1,
        "AccessKeyId": credentials.key,
        "SecretAccessKey": credentials.secret,
        "SessionToken": credentials.token,
        "Expiration": "2026-03-03T09:30:00Z",
    }


def test_shows_no_secret_in_a_representation(credentials: Credentials) -> None:
    assert credentials.secret not in repr(credentials)
    assert credentials.token not in repr(credentials)


def test_bash_evaluates_the_export_to_the_same_values(credentials: Credentials) -> None:
    script = (
        exported(credentials, "bash")
        + '\nprintf "%s\\n" "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "$AWS_SESSION_TOKEN"'
    )
    bash = shutil.which("bash")
    assert bash is not None
    got = subprocess.run([bash, "-c", script], capture_output=True, text=True, check=True)
    assert got.stdout.split() == [credentials.key, credentials.secret, credentials.token]


@pytest.mark.parametrize(
    ("shell", "line"),
    [("fish", "set -gx AWS_ACCESS_KEY_ID '{}'"), ("powershell", "$Env:AWS_ACCESS_KEY_ID = '{}'")],
)
def test_speaks_the_shell_that_was_asked_for(credentials: Credentials, shell: str, line: str) -> None:
    assert line.format(credentials.key) in exported(credentials, shell).splitlines()


def test_refuses_a_value_that_a_shell_would_run(credentials: Credentials) -> None:
    hostile = Credentials(key="A'; touch /tmp/x; '", secret="s", token="t", expires=credentials.expires)
    with pytest.raises(OpsError, match="AWS_ACCESS_KEY_ID"):
        exported(hostile, "bash")


def test_writes_a_private_profile_and_keeps_the_others(tmp_path: Path, credentials: Credentials) -> None:
    path = tmp_path / "aws" / "credentials"
    path.parent.mkdir()
    path.write_text("# mine\n[default]\naws_access_key_id = AKIA1\naws_secret_access_key = lasting\n", encoding="utf-8")
    path.chmod(0o600)
    for _ in range(2):  # A second session replaces the first.
        write_profile(path, "mfa", credentials)
    text = path.read_text(encoding="utf-8")
    read = configparser.ConfigParser()
    read.read_string(text)
    assert path.stat().st_mode & 0o777 == 0o600
    assert text.startswith("# mine\n[default]\naws_access_key_id = AKIA1\naws_secret_access_key = lasting\n")
    assert text.count("[mfa]") == 1
    assert read["mfa"]["aws_session_token"] == credentials.token
    assert list(path.parent.iterdir()) == [path]


def test_makes_the_file_private_where_there_is_none(tmp_path: Path, credentials: Credentials) -> None:
    path = tmp_path / ".aws" / "credentials"
    write_profile(path, "mfa", credentials)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_refuses_a_file_that_others_can_read(tmp_path: Path, credentials: Credentials) -> None:
    path = tmp_path / "credentials"
    path.write_text("", encoding="utf-8")
    path.chmod(0o644)
    with pytest.raises(OpsError, match=r"0644.*chmod 600"):
        write_profile(path, "mfa", credentials)
    assert path.read_text(encoding="utf-8") == ""


def test_never_writes_over_a_lasting_key(tmp_path: Path, credentials: Credentials) -> None:
    path = tmp_path / "credentials"
    before = "[mine]\naws_access_key_id = AKIA1\naws_secret_access_key = lasting\n[other]\naws_session_token = x\n"
    path.write_text(before, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(OpsError, match="lasting access key"):
        write_profile(path, "mine", credentials)
    assert path.read_text(encoding="utf-8") == before


def test_refuses_a_profile_name_that_would_break_the_file(tmp_path: Path, credentials: Credentials) -> None:
    with pytest.raises(OpsError, match="--write-profile"):
        write_profile(tmp_path / "credentials", "a]\nb", credentials)
