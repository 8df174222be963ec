"""Controls against templates of others: they find the fault, name the resource, and never crash."""

from __future__ import annotations

from typing import Any

import pytest

from assembly import Assembly
from gate.judge import judge_all
from gate.world import Scope, World
from tests.gate.conftest import Write

_SCOPE = Scope(accounts=frozenset({"111111111111"}), regions=frozenset({"eu-central-1", "eu-west-1"}))


def _found(assembly: Assembly) -> dict[str, str]:
    return {finding.control: finding.message for finding in judge_all(World(assembly, _SCOPE))}


_FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "a bare bucket": ("storage.bucket.private", {"Type": "AWS::S3::Bucket"}),
    "an open database port": (
        "exposure.group.ingress",
        {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {
                "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "CidrIp": "0.0.0.0/0"}]
            },
        },
    ),
    "a user": ("identity.user.none", {"Type": "AWS::IAM::User"}),
    "a log group kept for ever": ("logs.group.retention", {"Type": "AWS::Logs::LogGroup"}),
    "an open function address": (
        "exposure.function.url",
        {"Type": "AWS::Lambda::Url", "Properties": {"AuthType": "NONE"}},
    ),
    "a type nobody foresaw, with a key to name": (
        "encryption.any.customer-key",
        {"Type": "AWS::Timestream::Database", "Properties": {}},
    ),
    "another region": (
        "placement.region.residency",
        {"Type": "AWS::SSM::Parameter", "Properties": {"Value": "arn:aws:s3:ap-southeast-1:111111111111:x"}},
    ),
    "another account": (
        "placement.account.own",
        {"Type": "AWS::SSM::Parameter", "Properties": {"Value": "arn:aws:iam::999999999999:role/x"}},
    ),
    "an output of another stack": (
        "placement.reference.strong",
        {"Type": "AWS::SSM::Parameter", "Properties": {"Value": {"Fn::GetStackOutput": {"StackName": "other"}}}},
    ),
    "a level that nothing stands before": (
        "identity.gate.closed",
        {"Type": "AWS::SSO::PermissionSet", "Properties": {"Tags": [{"Key": "palisade:held", "Value": "by-grant"}]}},
    ),
    "a hand that rewrites any policy": (
        "identity.gate.keeper",
        {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "PolicyDocument": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "iam:CreatePolicy*",
                            "Resource": "arn:aws:iam::111111111111:policy/*",
                        }
                    ]
                }
            },
        },
    ),
    "an account trusted for a word that all of it may know": (
        "identity.role.own-account",
        {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "sts:AssumeRole",
                            "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
                            "Condition": {"StringEquals": {"sts:ExternalId": "word"}},
                        }
                    ]
                }
            },
        },
    ),
    "a password in a template": (
        "secrets.template.none",
        {"Type": "AWS::RDS::DBCluster", "Properties": {"MasterUserPassword": "horse-battery"}},
    ),
}


@pytest.mark.parametrize(("control", "resource"), _FAULTS.values(), ids=_FAULTS.keys())
def test_finds(write: Write, control: str, resource: dict[str, Any]) -> None:
    assert control in _found(write({"Thing": resource}))


@pytest.mark.parametrize(
    "properties",
    [
        {"KeyPolicy": "x"},
        {"Rules": "x"},
        {"BucketEncryption": []},
        {"SecurityGroupIngress": {"Ref": "X"}},
        {"Tags": 3},
    ],
)
@pytest.mark.parametrize(
    "kind",
    ["AWS::S3::Bucket", "AWS::WAFv2::WebACL", "AWS::EC2::SecurityGroup", "AWS::RDS::DBCluster", "AWS::KMS::Key"],
)
def test_judges_malformed_properties_without_crashing(write: Write, kind: str, properties: dict[str, Any]) -> None:
    assert _found(write({"Thing": {"Type": kind, "Properties": properties}}))


def test_a_refusal_of_plaintext_with_a_second_condition_does_not_count(write: Write) -> None:
    statement: dict[str, Any] = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [{"Fn::GetAtt": ["Thing", "Arn"]}, {"Fn::Join": ["", [{"Fn::GetAtt": ["Thing", "Arn"]}, "/*"]]}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }

    def bucket_with(statement: dict[str, Any]) -> dict[str, str]:
        policy = {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": "Thing"}, "PolicyDocument": {"Statement": [statement]}},
        }
        return _found(write({"Thing": {"Type": "AWS::S3::Bucket"}, "Policy": policy}))

    assert "storage.bucket.tls-only" not in bucket_with(statement)
    narrowed = {**statement, "Condition": {**statement["Condition"], "StringEquals": {"aws:PrincipalAccount": "1"}}}
    assert "storage.bucket.tls-only" in bucket_with(narrowed)
    assert "storage.bucket.tls-only" in bucket_with({**statement, "Resource": {"Fn::GetAtt": ["Thing", "Arn"]}})
