"""Lets kubectl sign in to a cluster of a stage with temporary credentials; no token is ever stored.

usage: ./palisade kubeconfig write --stage STAGE --cluster NAME [--profile NAME] [--context NAME] [--use] [--dry-run]
       ./palisade kubeconfig token --cluster NAME --region REGION

"write" asks EKS for the cluster's address and certificate and merges them into the kube config; kubectl then calls "token"
for each command. A cluster whose description you may not read takes --server and --certificate-authority instead.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import yaml

from ops.configured import deployment_of
from ops.places import ROOT, OpsError
from ops.private_files import write_private

_Answer = TypeVar("_Answer")
API = "client.authentication.k8s.io/v1"
_LISTS = ("clusters", "contexts", "users")
_CLUSTER = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}")
_SIGNED_FOR = 60
_VALID = timedelta(minutes=14)
"""EKS takes a token for fifteen minutes from its signature on, whatever it was signed for; one minute is kept in hand.
https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html"""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster, and how kubectl reaches it. ``authority`` is its certificate authority in base64."""

    arn: str
    server: str
    authority: str

    @property
    def name(self) -> str:
        """As EKS knows it."""
        return self.arn.rpartition("/")[2]

    @property
    def region(self) -> str:
        """Where it stands."""
        return self.arn.split(":")[3]


def main(arguments: list[str] | None = None) -> int:
    """Write the kube config, or print a token, and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        if not _CLUSTER.fullmatch(options.cluster):
            raise OpsError(
                f"--cluster {options.cluster}: must be letters, digits, - and _ only, as EKS names clusters."
            )
        return _token(options) if options.what == "token" else _write(options)
    except OpsError as error:
        print(f"kubeconfig: {error}", file=sys.stderr)
        return 1


def token(cluster: str, region: str, session: Any) -> str:
    """A token that says to ``cluster`` alone who ``session`` is: a signed question to STS, which the cluster asks.

    The cluster's name is signed with it, so that another cluster cannot pass it on.
    https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster
    """
    from botocore.signers import RequestSigner  # noqa: PLC0415 - half a second that --help should not wait for

    sts = session.client("sts", region_name=region)
    signer = RequestSigner(
        sts.meta.service_model.service_id, region, "sts", "v4", session.get_credentials(), session.events
    )
    url = signer.generate_presigned_url(
        {
            "method": "GET",
            "url": f"https://sts.{region}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": cluster},
            "context": {},
        },
        region_name=region,
        expires_in=_SIGNED_FOR,
        operation_name="",
    )
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def credential(made: str, now: datetime) -> str:
    """What kubectl reads from an exec plugin: https://kubernetes.io/docs/reference/config-api/client-authentication.v1/"""
    until = (now + _VALID).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps(
        {
            "kind": "ExecCredential",
            "apiVersion": API,
            "spec": {},
            "status": {"expirationTimestamp": until, "token": made},
        }
    )


def entries(cluster: Cluster, context: str, profile: str | None) -> dict[str, dict[str, Any]]:
    """The entries of a kube config for ``cluster``, by the list they belong to."""
    plugin: dict[str, Any] = {
        "apiVersion": API,
        "command": str(ROOT / "palisade"),
        "args": ["kubeconfig", "token", "--cluster", cluster.name, "--region", cluster.region],
        "interactiveMode": "IfAvailable",
        "provideClusterInfo": False,
    }
    if profile:
        plugin["env"] = [{"name": "AWS_PROFILE", "value": profile}]
    return {
        "clusters": {
            "name": cluster.arn,
            "cluster": {"server": cluster.server, "certificate-authority-data": cluster.authority},
        },
        "contexts": {"name": context, "context": {"cluster": cluster.arn, "user": cluster.arn}},
        "users": {"name": cluster.arn, "user": {"exec": plugin}},
    }


def merged(config: Mapping[str, Any], added: Mapping[str, dict[str, Any]], *, use: bool) -> dict[str, Any]:
    """``config`` with the entries ``added``; all others stay, and so does the namespace of a context that is written anew.

    Raises:
        OpsError: the context's name is taken by another cluster's.
    """
    result = {"apiVersion": "v1", "kind": "Config", **config}
    for kind in _LISTS:
        entry = added[kind]
        before = next((one for one in result.get(kind) or () if one["name"] == entry["name"]), None)
        if kind == "contexts" and before is not None:
            if before["context"].get("cluster") != entry["context"]["cluster"]:
                raise OpsError(
                    f"context {entry['name']} is there already, for {before['context'].get('cluster')}. "
                    "Choose another name with --context."
                )
            entry = {"name": entry["name"], "context": {**before["context"], **entry["context"]}}
        kept = list(result.get(kind) or ())
        result[kind] = [entry if one is before else one for one in kept] if before is not None else [*kept, entry]
    if use or not result.get("current-context"):
        result["current-context"] = added["contexts"]["name"]
    return result


def read(path: Path) -> dict[str, Any]:
    """The kube config in ``path``; empty if there is none.

    Raises:
        OpsError: the file is no whole kube config, so nothing may be written over it.
    """
    if not path.exists() or not path.read_text(encoding="utf-8").strip():
        return {}
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise OpsError(f"{path} is not whole: {' '.join(str(error).split())}. {_MEND}") from None
    problems = list(_problems(config))
    if problems:
        raise OpsError(f"{path} is no whole kube config: {'; '.join(problems)}. {_MEND}")
    return dict(config)


_MEND = "Mend it or move it away; nothing was written."


def _problems(config: Any) -> Iterator[str]:
    if not isinstance(config, dict) or (config.get("apiVersion"), config.get("kind")) != ("v1", "Config"):
        yield "it lacks apiVersion v1 and kind Config"
        return
    for kind in _LISTS:
        found = config.get(kind) or []
        if not isinstance(found, list):
            yield f"{kind} is no list"
            continue
        names = []
        for number, one in enumerate(found):
            if (
                not isinstance(one, dict)
                or not isinstance(one.get("name"), str)
                or not isinstance(one.get(kind[:-1]), dict)
            ):
                yield f"{kind}[{number}] lacks its name or its {kind[:-1]}"
            else:
                names.append(one["name"])
        yield from (f"{kind} has {name} twice" for name in sorted({one for one in names if names.count(one) > 1}))


def _write(options: argparse.Namespace) -> int:
    deployment = deployment_of(options.deployment)
    if options.stage not in {stage.name for stage in deployment.stages}:
        names = ", ".join(sorted(stage.name for stage in deployment.stages))
        raise OpsError(f"--stage {options.stage}: choose one of {names}.")
    region = options.region or deployment.home.name
    if region not in deployment.regions:
        raise OpsError(f"--region {region}: choose one of {', '.join(deployment.regions)}.")
    account = deployment.stage(options.stage).account
    arn = f"arn:aws:eks:{region}:{account}:cluster/{options.cluster}"
    cluster = _given(arn, options) if options.server else _described(arn, options)
    added = entries(cluster, options.context or f"{options.cluster}@{options.stage}", options.profile)
    path = Path(options.kubeconfig or _usual()).expanduser().resolve()
    if options.dry_run:
        merged(read(path), added, use=options.use)
        print(f"# would be merged into {path}")
        print(_text({kind: [entry] for kind, entry in added.items()}), end="")
        return 0
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(path):
        config = merged(read(path), added, use=options.use)
        write_private(path, _text(config))
    print(f"context {added['contexts']['name']} is in {path}; the current one is {config['current-context']}")
    return 0


def _text(config: Mapping[str, Any]) -> str:
    return str(yaml.safe_dump(dict(config), sort_keys=False))


def _usual() -> str:
    """Where kubectl writes: the first file of its variable, or its own."""
    return next((one for one in os.environ.get("KUBECONFIG", "").split(os.pathsep) if one), "~/.kube/config")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock that kubectl takes too.

    https://pkg.go.dev/k8s.io/client-go/tools/clientcmd#ModifyConfig
    """
    lock = path.with_name(f"{path.name}.lock")
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise OpsError(f"{lock} is there: another tool is writing. Try again, or remove it if none is.") from None
    try:
        yield
    finally:
        lock.unlink()


def _given(arn: str, options: argparse.Namespace) -> Cluster:
    if options.certificate_authority is None:
        raise OpsError("--server also needs --certificate-authority FILE, or kubectl could not tell who answers.")
    try:
        pem = options.certificate_authority.read_bytes()
    except OSError as error:
        raise OpsError(f"--certificate-authority {options.certificate_authority}: {error.strerror}.") from None
    return _checked(Cluster(arn=arn, server=options.server, authority=base64.b64encode(pem).decode()))


def _described(arn: str, options: argparse.Namespace) -> Cluster:
    def ask(session: Any) -> Cluster:
        found = session.client("eks", region_name=arn.split(":")[3]).describe_cluster(name=options.cluster)["cluster"]
        if found["arn"] != arn:
            raise OpsError(f"the credentials found {found['arn']}, not {arn}. Switch profile, or name another stage.")
        if found.get("status") != "ACTIVE":
            raise OpsError(
                f"cluster {options.cluster} is {found.get('status')}, so it has no address yet. Wait until it is ACTIVE."
            )
        return Cluster(arn=arn, server=found["endpoint"], authority=found["certificateAuthority"]["data"])

    return _checked(_with_session(options.profile, ask))


def _checked(cluster: Cluster) -> Cluster:
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:\d{1,5})?", cluster.server):
        raise OpsError(f"the cluster's address {cluster.server} must be https:// and a host name.")
    try:
        authority = base64.b64decode(cluster.authority, validate=True)
    except ValueError:
        authority = b""
    if not authority.lstrip().startswith(b"-----BEGIN CERTIFICATE-----"):
        raise OpsError("the cluster's certificate authority is no certificate in PEM form.")
    return cluster


def _token(options: argparse.Namespace) -> int:
    made = _with_session(options.profile, lambda session: token(options.cluster, options.region, session))
    print(credential(made, datetime.now(UTC)))
    return 0


def _with_session(profile: str | None, ask: Callable[[Any], _Answer]) -> _Answer:
    import boto3  # noqa: PLC0415 - half a second that --help should not wait for
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError  # noqa: PLC0415

    try:
        session = boto3.Session(profile_name=profile)
        if session.get_credentials() is None:
            raise NoCredentialsError
        return ask(session)
    except (BotoCoreError, ClientError) as error:
        raise OpsError(
            f'AWS did not answer: {error}. Sign in first: "./palisade credentials --help" says how.'
        ) from None


def _parser() -> argparse.ArgumentParser:
    assert __doc__
    head, _, tail = __doc__.split("\n\n")
    parser = argparse.ArgumentParser(prog="palisade kubeconfig", description=head, epilog=tail)
    commands = parser.add_subparsers(dest="what", required=True, metavar="write | token")
    write = commands.add_parser("write", help="merge a cluster into the kube config", description="Merge a cluster.")
    write.add_argument("--stage", required=True, help="the stage that the cluster belongs to")
    write.add_argument("--context", default="", help="the context's name (default: CLUSTER@STAGE)")
    write.add_argument("--kubeconfig", default="", metavar="FILE", help="default: as kubectl finds it")
    write.add_argument("--use", action="store_true", help="make it the current context")
    write.add_argument("--dry-run", action="store_true", help="print the entries and write nothing")
    write.add_argument("--server", default="", metavar="URL", help="the cluster's address, instead of asking EKS")
    write.add_argument("--certificate-authority", type=Path, metavar="FILE", help="its certificate authority, PEM")
    write.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
    write.add_argument("--region", default="", help="default: the home region")
    made = commands.add_parser("token", help="print a token, for kubectl", description="Print a token for kubectl.")
    made.add_argument("--region", required=True, help="the cluster's region")
    for command in (write, made):
        command.add_argument("--cluster", required=True, help="the cluster's name")
        command.add_argument("--profile", help="the AWS profile (default: as the AWS CLI finds it)")
    return parser
