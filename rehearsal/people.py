"""People who signed in by IAM Identity Center, which makes a role of each permission set in each account."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import boto3

from rehearsal.checks import Resource, View

_PATH = "/aws-reserved/sso.amazonaws.com/"


@dataclass(frozen=True, kw_only=True)
class Person:
    """A session: clients with its rights and no others, and the id that IAM knows it by."""

    user_id: str
    client: Callable[[str], Any]


@contextlib.contextmanager
def signed_in(view: View, at: Resource, *, names: Sequence[str], policies: Sequence[str]) -> Iterator[list[Person]]:
    """Sessions of ``names`` in the account and region of ``at``, under a role with the managed ``policies``, by their names."""
    iam = view.client("iam", at)
    role = f"AWSReservedSSO_{'-'.join(policies)[:40]}_0123456789abcdef"
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{at.account}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    made = iam.create_role(Path=_PATH, RoleName=role, AssumeRolePolicyDocument=document)["Role"]
    arns = [f"arn:aws:iam::{at.account}:policy/{policy}" for policy in policies]
    for arn in arns:
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    try:
        yield [_session(view, at, made["Arn"], name) for name in names]
    finally:
        for arn in arns:
            iam.detach_role_policy(RoleName=role, PolicyArn=arn)
        iam.delete_role(RoleName=role)


def _session(view: View, at: Resource, role: str, name: str) -> Person:
    opened = view.client("sts", at).assume_role(RoleArn=role, RoleSessionName=name)

    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=view.aws.tls_endpoint,
            verify=str(view.aws.authority.bundle),
            region_name=at.region,
            aws_access_key_id=opened["Credentials"]["AccessKeyId"],
            aws_secret_access_key=opened["Credentials"]["SecretAccessKey"],
            aws_session_token=opened["Credentials"]["SessionToken"],
        )

    return Person(user_id=opened["AssumedRoleUser"]["AssumedRoleId"], client=client)
