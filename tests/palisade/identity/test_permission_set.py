"""Permission sets fit into the roles that Identity Center makes of them, or are refused."""

from __future__ import annotations

import json
from collections.abc import Sequence

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from palisade.identity import Ground, PermissionSet, sight, work
from palisade.identity.permission_set import INLINE_CHARACTERS

from stacks.settings import MOST_STAGES, Standing


def _make(*, name: str = "acme-job", statements: Sequence[iam.PolicyStatement] = ()) -> None:
    PermissionSet(
        cdk.Stack(cdk.App(), "identity"),
        "Job",
        name=name,
        description="A job",
        instance_arn="arn:aws:sso:::instance/ssoins-0123456789abcdef",
        hours=1,
        statements=statements,
    )


def _ground(standing: Standing) -> Ground:
    stages = {f"stagename{n:03d}": f"{n:012d}" for n in range(MOST_STAGES[standing])}
    return Ground(prefix="p" * 11, region="ap-southeast-2", stages=stages)


def _size(statements: Sequence[iam.PolicyStatement]) -> int:
    document = cdk.Stack(cdk.App(), "identity").resolve(iam.PolicyDocument(statements=list(statements)))
    return len(json.dumps(document, separators=(",", ":")))


def test_as_many_stages_as_configuration_takes_fit_with_the_longest_names() -> None:
    live, sandboxes = _ground(Standing.READ_ONLY), _ground(Standing.ENGINEER)
    engineer = [
        *sight.configuration(),
        *sight.server_logs(sandboxes),
        *work.deployment(sandboxes),
        *work.lab(sandboxes),
        *work.database(sandboxes),
        sandboxes.never_elsewhere(),
    ]
    assert _size(work.in_an_emergency(live)) <= INLINE_CHARACTERS
    assert _size([*sight.configuration(), *work.settings(live), live.never_elsewhere()]) <= INLINE_CHARACTERS
    assert _size(engineer) <= INLINE_CHARACTERS


def test_refuses_a_policy_that_no_role_holds() -> None:
    wide = iam.PolicyStatement(actions=["s3:GetObject"], resources=[f"arn:aws:s3:::bucket-{n}/*" for n in range(500)])
    with pytest.raises(ValueError, match=r"acme-job: its policy has \d+ characters, and a role holds 10240"):
        _make(statements=[wide])


def test_refuses_a_name_that_identity_center_refuses() -> None:
    with pytest.raises(ValueError, match="has 33 characters; 32 fit"):
        _make(name="a" * 33)
