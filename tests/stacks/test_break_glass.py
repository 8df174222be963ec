"""The emergency role: who can take it, how, and what it then may do."""

from __future__ import annotations

from typing import Any

import pytest

from assembly import Assembly
from proofs.model import Model
from proofs.model.policies import documents_of
from proofs.policy import PolicySet, Request, evaluate
from stacks.settings import EDGE_REGION
from tests.fixture_deployment import FIXTURE

HOME, ACCOUNT = FIXTURE.home.name, FIXTURE.stages[1].account
ROLE = f"arn:aws:iam::{ACCOUNT}:role/acme-break-glass"
ADA = FIXTURE.emergency_identities[0]
PROVEN = {
    "aws:MultiFactorAuthPresent": "true",
    "aws:MultiFactorAuthAge": "120",
    "aws:RequestedRegion": HOME,
}


@pytest.fixture(scope="module")
def role(assembly: Assembly) -> dict[str, Any]:
    """Trust policy and rights of the live stage's role."""
    model = Model(assembly)
    (node,) = (one for one in model.of("AWS::IAM::Role", account=ACCOUNT) if one.name == "acme-break-glass")
    return {"trust": node.get("AssumeRolePolicyDocument"), "rights": documents_of(model, node)}


def _takes(role: dict[str, Any], who: str, **changes: str | None) -> bool:
    context = {**PROVEN, **{f"aws:{key}": value for key, value in changes.items()}}
    own = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE}]}
    return evaluate(
        Request(
            principal=who,
            action="sts:AssumeRole",
            resource=ROLE,
            context={key: value for key, value in context.items() if value is not None},
        ),
        PolicySet.of(identity_policies=[own], resource_policy=role["trust"]),
    ).possibly_allowed


@pytest.mark.parametrize("who", FIXTURE.emergency_identities)
@pytest.mark.parametrize("region", [HOME, EDGE_REGION])
def test_each_emergency_identity_can_take_it_where_somebody_listens(
    role: dict[str, Any], who: str, region: str
) -> None:
    assert _takes(role, who, RequestedRegion=region)


@pytest.mark.parametrize(
    ("who", "changes"),
    [
        (ADA, {"MultiFactorAuthPresent": "false"}),
        (ADA, {"MultiFactorAuthPresent": None, "MultiFactorAuthAge": None}),
        (ADA, {"MultiFactorAuthAge": "900"}),
        (ADA, {"RequestedRegion": "eu-west-3"}),
        ("arn:aws:iam::100000000003:user/emergency/mallory", {}),
        ("arn:aws:iam::100000000003:user/ada", {}),
        (f"arn:aws:iam::{ACCOUNT}:user/emergency/ada", {}),
        ("arn:aws:sts::100000000003:assumed-role/AWSReservedSSO_acme-security_0123456789abcdef/ada", {}),
    ],
)
def test_nobody_else_and_no_other_way_takes_it(role: dict[str, Any], who: str, changes: dict[str, Any]) -> None:
    assert not _takes(role, who, **changes)


def _may(role: dict[str, Any], action: str, resource: str, **context: str) -> bool:
    return evaluate(
        Request(
            principal=f"arn:aws:sts::{ACCOUNT}:assumed-role/acme-break-glass/ada",
            action=action,
            resource=resource,
            resource_account=context.pop("owner", ACCOUNT),
            context={"aws:ResourceAccount": ACCOUNT, **context},
        ),
        PolicySet.of(
            identity_policies=role["rights"],
            # As bootstrap writes it: a CDK role trusts its whole account, whose policies say who may take it.
            resource_policy=_TRUSTS_ITS_ACCOUNT if action == "sts:AssumeRole" else None,
        ),
    ).possibly_allowed


_TRUSTS_ITS_ACCOUNT = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    ],
}


def test_it_can_do_what_an_emergency_takes(role: dict[str, Any]) -> None:
    place = f"{HOME}:{ACCOUNT}"
    for action, resource in (
        ("lambda:PutFunctionConcurrency", f"arn:aws:lambda:{place}:function:prod-documents-Api"),
        ("rds:FailoverDBCluster", f"arn:aws:rds:{place}:cluster:acme-prod"),
        ("sqs:StartMessageMoveTask", f"arn:aws:sqs:{place}:prod-documents-Dead"),
        ("dynamodb:GetItem", f"arn:aws:dynamodb:{place}:table/acme-documents"),
        ("s3:GetObject", f"arn:aws:s3:::acme-documents-{ACCOUNT}-{HOME}/tenant/one"),
        ("rds-db:connect", f"arn:aws:rds-db:{place}:dbuser:cluster-ABC/break_glass"),
        ("backup:StartRestoreJob", f"arn:aws:backup:{place}:recovery-point:abc"),
        ("cloudformation:ContinueUpdateRollback", f"arn:aws:cloudformation:{place}:stack/prod-edge/abc"),
        ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-deploy-role-{ACCOUNT}-{HOME}"),
    ):
        assert _may(role, action, resource), action


def test_it_changes_neither_identities_nor_evidence_nor_keys(role: dict[str, Any]) -> None:
    for action, resource in (
        ("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/lab/x"),
        ("iam:PutRolePolicy", ROLE),
        ("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/x"),
        ("cloudtrail:StopLogging", f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/x"),
        ("kms:ScheduleKeyDeletion", f"arn:aws:kms:{HOME}:{ACCOUNT}:key/x"),
        ("kms:PutKeyPolicy", f"arn:aws:kms:{HOME}:{ACCOUNT}:key/x"),
        ("logs:GetLogEvents", f"arn:aws:logs:{HOME}:{ACCOUNT}:log-group:/acme/access/sessions:*"),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{HOME}:{ACCOUNT}:secret:x"),
        ("rds-db:connect", f"arn:aws:rds-db:{HOME}:{ACCOUNT}:dbuser:cluster-ABC/postgres"),
        ("s3:DeleteObject", f"arn:aws:s3:::acme-documents-{ACCOUNT}-{HOME}/tenant/one"),
    ):
        assert not _may(role, action, resource), action


def test_it_stays_in_its_stage(role: dict[str, Any]) -> None:
    other = FIXTURE.stages[0].account
    assert not _may(
        role, "s3:GetObject", f"arn:aws:s3:::acme-documents-{ACCOUNT}-{HOME}/x", **{"aws:ResourceAccount": other}
    )
    assert not _may(
        role,
        "sts:AssumeRole",
        f"arn:aws:iam::{other}:role/cdk-hnb659fds-deploy-role-{other}-{HOME}",
        **{"aws:ResourceAccount": other},
    )


def test_every_stage_has_one(assembly: Assembly) -> None:
    assert {stack.name for stack in assembly.stacks if stack.name.endswith("-break-glass")} == {
        f"{stage.name}-break-glass" for stage in FIXTURE.stages
    }
