"""kubectl gets tokens that hold for minutes and for one cluster; a kube config keeps all that is not ours, and no token."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
import yaml

from ops.__main__ import main as palisade
from ops.kubeconfig import credential, main, token

PEM = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"
SERVER = "https://0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com"
ARN = "arn:aws:eks:eu-west-1:777777777777:cluster/app"
OTHERS = {
    "apiVersion": "v1",
    "kind": "Config",
    "preferences": {"colors": True},
    "clusters": [{"name": "home", "cluster": {"server": "https://home.example.com"}}],
    "contexts": [{"name": "home", "context": {"cluster": "home", "user": "me", "namespace": "mine"}}],
    "users": [{"name": "me", "user": {"client-certificate": "/home/me/cert.pem"}}],
    "current-context": "home",
    "extensions": [{"name": "x", "extension": {"a": 1}}],
}


def _session(**changed: str) -> Any:
    keys = {"aws_access_key_id": "ASIAEXAMPLE", "aws_secret_access_key": "secret", "aws_session_token": "session"}
    return boto3.Session(**{**keys, **changed})


def _url(made: str) -> str:
    text = made.removeprefix("k8s-aws-v1.")
    assert text != made
    assert "=" not in text
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


def test_a_token_asks_sts_who_signed_it_for_this_cluster_and_for_a_minute() -> None:
    url = urlsplit(_url(token("app", "eu-west-1", _session())))
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert (url.scheme, url.netloc, url.path) == ("https", "sts.eu-west-1.amazonaws.com", "/")
    assert (query["Action"], query["Version"]) == ("GetCallerIdentity", "2011-06-15")
    assert query["X-Amz-SignedHeaders"] == "host;x-k8s-aws-id"
    assert query["X-Amz-Expires"] == "60"
    assert query["X-Amz-Credential"].endswith("/eu-west-1/sts/aws4_request")
    assert query["X-Amz-Security-Token"] == "session"
    assert "secret" not in url.query


def test_a_token_for_one_cluster_is_none_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: datetime(2026, 3, 2, tzinfo=UTC))
    one, same, other = (_url(token(cluster, "eu-west-1", _session())) for cluster in ("app", "app", "else"))
    assert one == same
    assert parse_qs(one)["X-Amz-Signature"] != parse_qs(other)["X-Amz-Signature"]


def test_the_credential_ends_before_the_cluster_refuses_it() -> None:
    said = json.loads(credential("k8s-aws-v1.x", datetime(2026, 3, 2, 9, 0, 30, tzinfo=UTC)))
    assert (said["kind"], said["apiVersion"]) == ("ExecCredential", "client.authentication.k8s.io/v1")
    assert said["status"] == {"expirationTimestamp": "2026-03-02T09:14:30Z", "token": "k8s-aws-v1.x"}


def test_the_token_command_prints_what_kubectl_reads(capsys: pytest.CaptureFixture[str]) -> None:
    assert palisade(["kubeconfig", "token", "--cluster", "app", "--region", "eu-west-1"]) == 0
    assert json.loads(capsys.readouterr().out)["status"]["token"].startswith("k8s-aws-v1.")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "kube" / "config"


def _write(config: Path, *more: str, server: str = SERVER) -> int:
    config.parent.mkdir(exist_ok=True)
    authority = config.parent / "ca.pem"
    authority.write_text(PEM, encoding="utf-8")
    given = ["--kubeconfig", str(config), "--server", server, "--certificate-authority", str(authority)]
    return main(["write", "--stage", "live", "--cluster", "app", *given, *more])


def _kept(config: Path) -> Any:
    return yaml.safe_load(config.read_text(encoding="utf-8"))


def test_keeps_everything_else_in_the_file(config: Path) -> None:
    config.parent.mkdir()
    config.write_text(yaml.safe_dump(OTHERS), encoding="utf-8")
    config.chmod(0o644)
    assert _write(config) == 0
    assert _write(config) == 0  # A second time changes nothing.
    kept = _kept(config)
    for kind, added in (("clusters", ARN), ("contexts", "app@live"), ("users", ARN)):
        assert kept[kind][0] == OTHERS[kind][0]  # type: ignore[index]
        assert [one["name"] for one in kept[kind][1:]] == [added]
    assert {name: kept[name] for name in ("preferences", "extensions", "current-context")} == {
        name: OTHERS[name] for name in ("preferences", "extensions", "current-context")
    }
    assert config.stat().st_mode & 0o777 == 0o600
    assert sorted(one.name for one in config.parent.iterdir()) == ["ca.pem", "config"]


def test_stores_no_token_and_no_key(config: Path) -> None:
    assert _write(config, "--profile", "live") == 0
    (user,) = _kept(config)["users"]
    assert set(user["user"]) == {"exec"}
    plugin = user["user"]["exec"]
    assert Path(plugin["command"]).name == "palisade"
    assert plugin["args"] == ["kubeconfig", "token", "--cluster", "app", "--region", "eu-west-1"]
    assert plugin["env"] == [{"name": "AWS_PROFILE", "value": "live"}]
    assert plugin["interactiveMode"] == "IfAvailable"


def test_checks_the_cluster_by_its_own_authority(config: Path) -> None:
    assert _write(config) == 0
    (cluster,) = _kept(config)["clusters"]
    assert cluster["cluster"] == {
        "server": SERVER,
        "certificate-authority-data": base64.b64encode(PEM.encode()).decode(),
    }


def test_changes_the_current_context_only_when_asked_or_when_there_is_none(config: Path) -> None:
    assert _write(config) == 0
    assert _kept(config)["current-context"] == "app@live"
    assert _write(config, "--context", "second") == 0
    assert _kept(config)["current-context"] == "app@live"
    assert _write(config, "--context", "second", "--use") == 0
    assert _kept(config)["current-context"] == "second"


def test_keeps_the_namespace_of_a_context_that_it_writes_anew(config: Path) -> None:
    assert _write(config) == 0
    changed = _kept(config)
    changed["contexts"][0]["context"]["namespace"] = "team"
    config.write_text(yaml.safe_dump(changed), encoding="utf-8")
    assert _write(config) == 0
    assert _kept(config)["contexts"][0]["context"]["namespace"] == "team"


def test_a_dry_run_shows_the_entries_and_writes_nothing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _write(config, "--dry-run") == 0
    shown = yaml.safe_load(capsys.readouterr().out)
    assert [one["name"] for one in shown["contexts"]] == ["app@live"]
    assert not config.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("apiVersion: v1\nkind: Config\nclusters: [{name: a", "is not whole"),
        ("apiVersion: v1\nclusters: []\n", "kind Config"),
        ("- a\n", "kind Config"),
        ("apiVersion: v1\nkind: Config\nclusters:\n- name: a\n", r"clusters\[0\] lacks"),
        ("apiVersion: v1\nkind: Config\nusers: x\n", "users is no list"),
        (
            "apiVersion: v1\nkind: Config\nusers: [{name: a, user: {}}, {name: a, user: {}}]\n",
            "users has a twice",
        ),
        ("apiVersion: v1\nkind: !!python/object:os.system Config\n", "is not whole"),
    ],
)
def test_refuses_to_write_over_what_is_not_whole(
    config: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config.parent.mkdir()
    config.write_text(text, encoding="utf-8")
    assert _write(config) == 1
    assert re.search(message, capsys.readouterr().err)
    assert config.read_text(encoding="utf-8") == text


def test_takes_no_context_from_another_cluster(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.parent.mkdir()
    config.write_text(yaml.safe_dump(OTHERS), encoding="utf-8")
    assert _write(config, "--context", "home") == 1
    assert "--context" in capsys.readouterr().err
    assert _kept(config) == OTHERS


def test_waits_for_no_other_writer(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.parent.mkdir()
    lock = config.with_name("config.lock")
    lock.touch()
    assert _write(config) == 1
    assert "another tool is writing" in capsys.readouterr().err
    assert lock.exists()
    assert not config.exists()


@pytest.mark.parametrize(
    "server", ["http://a.example.com", "https://a.example.com/x", "file:///etc/passwd", "https://a@b.example.com"]
)
def test_refuses_an_address_that_is_not_a_clusters(
    config: Path, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _write(config, server=server) == 1
    assert "must be https://" in capsys.readouterr().err


class _Eks:
    """EKS, which knows one cluster."""

    def __init__(self, **changed: Any) -> None:
        found = {"arn": ARN, "status": "ACTIVE", "endpoint": SERVER}
        authority = {"certificateAuthority": {"data": base64.b64encode(PEM.encode()).decode()}}
        self.found = {**found, **authority, **changed}

    def describe_cluster(self, name: str) -> dict[str, Any]:
        assert name == "app"
        return {"cluster": self.found}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({}, ""),
        ({"arn": ARN.replace("777777777777", "666666666666")}, "Switch profile"),
        ({"status": "CREATING"}, "CREATING"),
    ],
)
def test_asks_eks_for_the_cluster_of_that_stage(
    config: Path,
    changed: dict[str, str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("boto3.Session.client", lambda *_args, **_kept: _Eks(**changed))
    status = main(["write", "--stage", "live", "--cluster", "app", "--kubeconfig", str(config)])
    assert (status, message in capsys.readouterr().err) == (1 if message else 0, True)
    assert config.exists() is (not message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["write", "--stage", "nowhere", "--cluster", "app"], "--stage nowhere"),
        (["write", "--stage", "live", "--cluster", "a b"], "--cluster a b"),
        (["write", "--stage", "live", "--cluster", "app", "--region", "us-west-2"], "--region us-west-2"),
        (["write", "--stage", "live", "--cluster", "app", "--server", SERVER], "--certificate-authority"),
    ],
)
def test_says_what_was_asked_wrongly(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    assert message in capsys.readouterr().err
