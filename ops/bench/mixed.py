"""Requests of every role to every policy of an assembly, as lines for ``python -m proofs evaluate``.

usage: python -m ops.bench.mixed [--assembly cdk.out] [LINES] > FILE
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from assembly import Assembly, load
from proofs.model import Model, Node, as_list, unresolved_in
from proofs.model.policies import documents_of
from proofs.register.command import ELSEWHERE

_GUARDED = {
    "AWS::S3::BucketPolicy": ("Bucket", "PolicyDocument", ("s3:GetObject", "s3:PutObject", "s3:ListBucket")),
    "AWS::SNS::TopicPolicy": ("Topics", "PolicyDocument", ("sns:Publish", "sns:Subscribe")),
    "AWS::SQS::QueuePolicy": ("Queues", "PolicyDocument", ("sqs:SendMessage", "sqs:ReceiveMessage")),
    "AWS::KMS::Key": (None, "KeyPolicy", ("kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant")),
}
_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_ONLY_HERE = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "Everything", "Effect": "Allow", "Action": "*", "Resource": "*"},
        {
            "Sid": "OtherRegions",
            "Effect": "Deny",
            "NotAction": ["iam:*", "sts:*"],
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}},
        },
    ],
}


def mixed(assembly: Assembly, number: int) -> Iterator[str]:
    """``number`` lines, always the same for the same assembly; half have an organization's policies, some a session's."""
    model, chance = Model(assembly), random.Random(1)  # noqa: S311  (a repeatable choice, no secret)
    callers = [(role, documents_of(model, role)) for role in model.of("AWS::IAM::Role")]
    guarded = [(node, *target) for node in model.of(*_GUARDED) if (target := _target(model, node)) is not None]
    for _ in range(number):
        role, identity = chance.choice(callers)
        node, arn, account = chance.choice(guarded)
        entry = {
            "request": {
                "principal": f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{chance.randrange(100)}",
                "action": chance.choice(_GUARDED[node.type][2]),
                "resource": f"{arn}/tenant-{chance.randrange(50)}/file" if node.type.startswith("AWS::S3") else arn,
                "resource_account": account,
                "context": {
                    "aws:SecureTransport": chance.choice(["true", "false"]),
                    "aws:RequestedRegion": chance.choice(["eu-west-1", "us-east-1"]),
                    "aws:SourceIp": f"192.0.2.{chance.randrange(256)}",
                    "kms:ViaService": "s3.eu-west-1.amazonaws.com",
                },
            },
            "identity_policies": identity,
            "resource_policy": node.get(_GUARDED[node.type][1]),
        }
        if chance.random() < 0.5:
            entry["service_control_policies"] = [[_ALL], [_ONLY_HERE]]
        if chance.random() < 0.2:
            entry["session_policy"] = _ALL
        yield json.dumps(entry, default=str)


def _target(model: Model, node: Node) -> tuple[str, str] | None:
    named, policy, _ = _GUARDED[node.type]
    if any(True for _ in unresolved_in(node.get(policy))):
        return None
    found = node if named is None else model.find(next(iter(as_list(node.get(named))), None), near=node)
    return None if found is None else (found.arn, found.account)


def main(arguments: list[str] | None = None) -> int:
    """Print the lines."""
    parser = argparse.ArgumentParser(prog="python -m ops.bench.mixed", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--assembly", type=Path, default=Path("cdk.out"), help="folder of the assembly (cdk.out)")
    parser.add_argument("lines", nargs="?", type=int, default=20_000, help="how many (20000)")
    options = parser.parse_args(arguments)
    for line in mixed(load(options.assembly, elsewhere=ELSEWHERE), options.lines):
        sys.stdout.write(f"{line}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
