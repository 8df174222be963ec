"""The canary's log group: the one that its function writes to, whatever the canary's name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from palisade.observability import Canary

from stacks.synthesis import new_app

KEY = "arn:aws:kms:eu-central-1:200000000001:key/1a2b3c4d-1111-2222-3333-444455556666"
FUNCTION_NAME = 64
"""Characters. https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"""


@pytest.mark.parametrize("name", ["acme-prod", "elevenchars-twelveletter"])
def test_the_log_group_is_that_of_the_function_which_synthetics_makes(tmp_path: Path, name: str) -> None:
    app = new_app(outdir=tmp_path / "cdk.out", context={"@aws-cdk/core:failSynthOnValidationErrors": False})
    stack = cdk.Stack(app, "Watch", env=cdk.Environment(account="200000000001", region="eu-central-1"))
    key = kms.Key.from_key_arn(stack, "Key", KEY)
    Canary(
        stack,
        "Canary",
        name=name,
        url="https://acme.example/status",
        every_minutes=5,
        bucket_name="acme-canary",
        key=key,
        log_key=key,
        log_days=7,
    )
    app.synth()
    resources: list[dict[str, Any]] = list(
        json.loads((tmp_path / "cdk.out" / "Watch.template.json").read_text(encoding="utf-8"))["Resources"].values()
    )
    (group,) = (r["Properties"]["LogGroupName"] for r in resources if r["Type"] == "AWS::Logs::LogGroup")
    (policy,) = (r["Properties"]["PolicyDocument"] for r in resources if r["Type"] == "AWS::IAM::ManagedPolicy")
    prefix = group["Fn::Join"][1][0]
    identity = "12345678-1234-1234-1234-123456789012"
    assert len(f"{prefix}{identity}".removeprefix("/aws/lambda/")) <= FUNCTION_NAME
    assert prefix.startswith(f"/aws/lambda/cwsyn-{name[:21]}")
    (writes,) = (s["Resource"] for s in policy["Statement"] if s["Sid"] == "WriteLogs")
    assert json.dumps(writes).endswith(f':log-group:{prefix}*"')
