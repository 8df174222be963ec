"""Creates, updates and deletes stacks the way the CDK CLI does: assets to the bootstrap bucket, then change sets."""

from __future__ import annotations

import io
import json
import re
import secrets
import time
import zipfile
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from assembly import Stack
from ops.bootstrap.boundary import boundary
from rehearsal.server import EmbeddedAws

TEMPLATE_BODY_LIMIT = 51_200
"""Bytes; a larger template goes through the asset bucket.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""
CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
POLL_SECONDS = 0.05
STACK_SECONDS = 300
CONCURRENT_STACKS = 3
"""The embedded AWS is one process; more only wait for each other."""

BOOTSTRAP_VERSION = "30"
QUALIFIER = "hnb659fds"


@dataclass(kw_only=True)
class Outcome:
    """What became of one operation on one stack."""

    stack: Stack
    status: str
    seconds: float
    changes: int = 0
    failures: list[str] = field(default_factory=list)
    resources: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE", "NO_CHANGE")


PUBLIC_PARAMETERS = re.compile(r"/aws/service/[\w./-]+")
PLACEMENT = "Custom::AccountPlacement"
BOUNDARY = re.compile(r":policy/([\w+=,.@-]+)")


def publish(aws: EmbeddedAws, stacks: Iterable[Stack]) -> None:
    """Give every account what is there before anything: AWS's public parameters, the hosted zones in configuration, and
    the organization with all its accounts."""
    stacks = list(stacks)
    for stack in stacks:
        roots = {
            str(resource.properties["ParentId"])
            for resource in stack.resources.values()
            if resource.type == "AWS::Organizations::OrganizationalUnit"
        }
        for root in roots:
            members = sorted({other.account for other in stacks})
            placed = [str(r.properties["AccountId"]) for r in stack.resources.values() if r.type == PLACEMENT]
            aws.ask("organization", account=stack.account, root=root, members=[*members, *placed])
        for resource in stack.resources.values():
            zone, name = resource.properties.get("HostedZoneId"), resource.properties.get("Name")
            if resource.type == "AWS::Route53::RecordSet" and isinstance(zone, str) and isinstance(name, str):
                aws.ask("hosted-zone", account=stack.account, zone=zone, name=name.partition(".")[2])
        for name in sorted(set(PUBLIC_PARAMETERS.findall(json.dumps(stack.template)))):
            aws.ask("public-parameter", account=stack.account, region=stack.region, name=name)


_PUT_BY_PEOPLE = re.compile(r"\{\{resolve:secretsmanager:([^:}]+/google-client):")
"""Secrets that come from elsewhere: the how-to of users has people put them there before they deploy."""


def hand_over(aws: EmbeddedAws, stacks: Iterable[Stack]) -> None:
    """Put the secrets that no template makes where the templates look for them."""
    for account, region, name in sorted(
        {
            (stack.account, stack.region, name)
            for stack in stacks
            for name in _PUT_BY_PEOPLE.findall(str(stack.template))
        }
    ):
        aws.client("secretsmanager", account, region).create_secret(Name=name, SecretString=secrets.token_urlsafe(24))


def bootstrap(aws: EmbeddedAws, stacks: Iterable[Stack]) -> None:
    """Give every account and region what a bootstrap leaves: version, asset bucket, and the boundary the roles name."""
    stacks = list(stacks)
    for account, name in sorted({(stack.account, name) for stack in stacks for name in _boundaries(stack)}):
        region = next(stack.region for stack in stacks if stack.account == account)
        own = [stack for stack in stacks if stack.account == account]
        aws.client("iam", account, region).create_policy(PolicyName=name, PolicyDocument=json.dumps(boundary(own)))
    for account, region in sorted({(stack.account, stack.region) for stack in stacks}):
        aws.client("ssm", account, region).put_parameter(
            Name=f"/cdk-bootstrap/{QUALIFIER}/version", Value=BOOTSTRAP_VERSION, Type="String", Overwrite=True
        )
        _bucket(aws, account, region, f"cdk-{QUALIFIER}-assets-{account}-{region}")


def _boundaries(stack: Stack) -> set[str]:
    own = {str(item.properties.get("ManagedPolicyName")) for item in stack.resources.values()}
    named = {
        name
        for item in stack.resources.values()
        if item.type == "AWS::IAM::Role"
        for name in BOUNDARY.findall(json.dumps(item.properties.get("PermissionsBoundary", "")))
    }
    return named - own


def _bucket(aws: EmbeddedAws, account: str, region: str, name: str) -> None:
    s3 = aws.client("s3", account, region)
    try:
        s3.head_bucket(Bucket=name)
    except ClientError:
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, **where)


def upload(aws: EmbeddedAws, stack: Stack, done: set[tuple[str, str]]) -> None:
    """Put the file assets of a stack where its template expects them."""
    layers = {
        str(resource.properties.get("Content", {}).get("S3Key"))
        for resource in stack.resources.values()
        if resource.type == "AWS::Lambda::LayerVersion"
    }
    for asset in stack.assets:
        if (asset.bucket, asset.key) in done:
            continue
        done.add((asset.bucket, asset.key))
        if asset.key in layers:
            body = _zip_of({"python/README": b"Replaced by the packages of the rehearsal's own environment.\n"})
        elif asset.zipped:
            body = _zip_folder(asset.source)
        else:
            body = asset.source.read_bytes()
        aws.client("s3", stack.account, stack.region).put_object(Bucket=asset.bucket, Key=asset.key, Body=body)


def _zip_folder(folder: Path) -> bytes:
    files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return _zip_of(files)


def _zip_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def deploy(
    aws: EmbeddedAws, stack: Stack, uploaded: set[tuple[str, str]], *, update: bool, undo_all: bool = False
) -> Outcome:
    """Create or update one stack through a change set, and wait for the end.

    `undo_all` lets the rollback of a failed creation delete even what the template retains.
    """
    started = time.monotonic()
    cloudformation = aws.client("cloudformation", stack.account, stack.region)
    upload(aws, stack, uploaded)
    name, kind = f"rehearsal-{time.time_ns()}", "UPDATE" if update else "CREATE"
    try:
        cloudformation.create_change_set(
            StackName=stack.name,
            ChangeSetName=name,
            ChangeSetType=kind,
            Capabilities=CAPABILITIES,
            Tags=[{"Key": key, "Value": value} for key, value in stack.tags.items()],
            **_template(aws, stack),
        )
        change_set = _await_change_set(cloudformation, stack, name)
        if change_set["Status"] == "FAILED":
            reason = change_set.get("StatusReason", "")
            nothing = "didn't contain changes" in reason or "No updates" in reason
            return Outcome(
                stack=stack,
                status="NO_CHANGE" if nothing else "CHANGE_SET_FAILED",
                seconds=time.monotonic() - started,
                failures=[] if nothing else [reason],
            )
        cloudformation.execute_change_set(StackName=stack.name, ChangeSetName=name, RetainExceptOnCreate=undo_all)
        status = _await_stack(cloudformation, stack.name)
        if stack.termination_protection and status == "CREATE_COMPLETE":
            cloudformation.update_termination_protection(StackName=stack.name, EnableTerminationProtection=True)
    except (BotoCoreError, ClientError, OSError) as error:
        return Outcome(stack=stack, status="REFUSED", seconds=time.monotonic() - started, failures=[str(error)])
    return Outcome(
        stack=stack,
        status=status,
        seconds=time.monotonic() - started,
        changes=len(change_set.get("Changes", [])),
        failures=[] if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE") else events(cloudformation, stack.name),
        resources=physical_ids(cloudformation, stack.name),
    )


def _template(aws: EmbeddedAws, stack: Stack) -> dict[str, str]:
    body = json.dumps(stack.template, separators=(",", ":"))
    if len(body.encode()) <= TEMPLATE_BODY_LIMIT:
        return {"TemplateBody": body}
    bucket = f"cdk-{QUALIFIER}-assets-{stack.account}-{stack.region}"
    aws.client("s3", stack.account, stack.region).put_object(Bucket=bucket, Key=f"{stack.name}.json", Body=body)
    return {"TemplateURL": f"https://s3.{stack.region}.amazonaws.com/{bucket}/{stack.name}.json"}


def _await_change_set(cloudformation: Any, stack: Stack, name: str) -> dict[str, Any]:
    deadline = time.monotonic() + STACK_SECONDS
    while True:
        answer: dict[str, Any] = cloudformation.describe_change_set(StackName=stack.name, ChangeSetName=name)
        if answer["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS") or time.monotonic() > deadline:
            return answer
        time.sleep(POLL_SECONDS)


def _await_stack(cloudformation: Any, stack: str) -> str:
    deadline = time.monotonic() + STACK_SECONDS
    while True:
        try:
            status = str(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
        except ClientError as error:
            if "does not exist" in str(error):
                return "DELETE_COMPLETE"
            raise
        if not status.endswith("IN_PROGRESS"):
            return status
        if time.monotonic() > deadline:
            return f"TIMEOUT in {status}"
        time.sleep(POLL_SECONDS)


def events(cloudformation: Any, stack: str) -> list[str]:
    """Why an operation failed: every failed resource event, oldest first."""
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
    found = [event for page in pages for event in page["StackEvents"]]
    return [
        f"{event['LogicalResourceId']} ({event.get('ResourceType')}) {event['ResourceStatus']}: "
        f"{event.get('ResourceStatusReason', '')}"
        for event in reversed(found)
        if "FAILED" in event["ResourceStatus"]
    ]


def physical_ids(cloudformation: Any, stack: str) -> dict[str, str]:
    """Physical ids of a stack's finished resources by logical id."""
    answer = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    return {
        item["LogicalResourceId"]: str(item.get("PhysicalResourceId", ""))
        for item in answer
        if item["ResourceStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
    }


def look(aws: EmbeddedAws, stack: Stack, *, changes: int = 0) -> Outcome:
    """What became of a stack that somebody else deployed or destroyed."""
    cloudformation = aws.client("cloudformation", stack.account, stack.region)
    status = _await_stack(cloudformation, stack.name)
    there = status != "DELETE_COMPLETE"
    return Outcome(
        stack=stack,
        status=status,
        seconds=0.0,
        changes=changes,
        failures=events(cloudformation, stack.name) if there and "COMPLETE" not in status else [],
        resources=physical_ids(cloudformation, stack.name) if there else {},
    )


def delete(aws: EmbeddedAws, stack: Stack) -> Outcome:
    """Delete one stack and wait for the end."""
    started = time.monotonic()
    cloudformation = aws.client("cloudformation", stack.account, stack.region)
    try:
        identity = cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]["StackId"]
        cloudformation.delete_stack(StackName=stack.name)
    except (BotoCoreError, ClientError, OSError) as error:
        return Outcome(stack=stack, status="REFUSED", seconds=time.monotonic() - started, failures=[str(error)])
    status = _await_stack(cloudformation, identity)
    failures = [] if status == "DELETE_COMPLETE" else events(cloudformation, identity)
    return Outcome(stack=stack, status=status, seconds=time.monotonic() - started, failures=failures)


def refuses_deletion(aws: EmbeddedAws, stack: Stack) -> bool:
    """Whether the stack's termination protection refuses a deletion; it is lifted afterwards."""
    cloudformation = aws.client("cloudformation", stack.account, stack.region)
    try:
        cloudformation.delete_stack(StackName=stack.name)
    except ClientError as error:
        refused = "protect" in str(error).lower()
    else:
        refused = False
    cloudformation.update_termination_protection(StackName=stack.name, EnableTerminationProtection=False)
    return refused


def in_order(
    stacks: list[Stack], work: Callable[[Stack], Outcome], *, reverse: bool = False, keep_going: bool = False
) -> list[Outcome]:
    """Run `work` on every stack after all it depends on (or, in reverse, after all that depend on it).

    Stops at the first failure unless told to keep going; what depends on a failed stack is never begun.
    """
    names = {stack.name for stack in stacks}
    before = {stack.name: {name for name in stack.dependencies if name in names} for stack in stacks}
    if reverse:
        before = {name: {other for other, needs in before.items() if name in needs} for name in names}
    waiting = list(reversed(stacks)) if reverse else list(stacks)
    finished: set[str] = set()
    outcomes: list[Outcome] = []
    running: dict[Future[Outcome], Stack] = {}
    with ThreadPoolExecutor(CONCURRENT_STACKS) as pool:
        while waiting or running:
            failed = any(not outcome.ok for outcome in outcomes)
            ready = [stack for stack in waiting if before[stack.name] <= finished]
            if failed and not keep_going:
                ready = []
            for stack in ready[: CONCURRENT_STACKS - len(running)]:
                waiting.remove(stack)
                running[pool.submit(work, stack)] = stack
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                stack = running.pop(future)
                outcome = future.result()
                outcomes.append(outcome)
                if outcome.ok:
                    finished.add(stack.name)
    return outcomes
