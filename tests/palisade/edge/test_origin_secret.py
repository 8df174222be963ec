"""The origin secret: known to both regions, to nobody's template."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import assertions
from aws_cdk import aws_kms as kms
from palisade.edge import OriginSecret, origin_secret_elsewhere


def _secret(also_in: str | None) -> dict[str, Any]:
    stack = cdk.Stack(cdk.App(), "Test")
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-central-1:200000000001:key/1")
    OriginSecret(stack, "Secret", name="acme/dev/origin-verification-1", key=key, also_in=also_in)
    resources = assertions.Template.from_stack(stack).to_json()["Resources"]
    (secret,) = (r["Properties"] for r in resources.values() if r["Type"] == "AWS::SecretsManager::Secret")
    return dict(secret)


def test_aws_invents_the_value() -> None:
    secret = _secret("us-east-1")
    assert secret["GenerateSecretString"] == {"PasswordLength": 64, "ExcludePunctuation": True}
    assert "SecretString" not in secret


def test_is_copied_to_the_region_of_the_distribution() -> None:
    assert _secret("us-east-1")["ReplicaRegions"] == [{"Region": "us-east-1"}]


def test_is_not_copied_onto_itself() -> None:
    assert "ReplicaRegions" not in _secret(None)


def test_the_other_region_knows_it_by_name_only() -> None:
    reference = cdk.Stack(cdk.App(), "Test").resolve(origin_secret_elsewhere("acme/dev/origin-verification-1"))
    assert reference == "{{resolve:secretsmanager:acme/dev/origin-verification-1:SecretString:::}}"
