"""Promises that one tenant never sees another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from proofs.finding import Case, Finding, note, proof
from proofs.model import Model, Node, as_list, at
from proofs.register.questions import facts, statements, texts

_TAG = "${aws:PrincipalTag/"
_REGISTER = "register"
"""What a table holds (``palisade:holds``) that tells of tenants and has nothing of theirs: the platform works on all of it."""


@proof("tenants.sessions-see-one-tenant")
def sessions_see_one_tenant(case: Case, finding: Finding) -> None:
    """Stores of tenants are reached only by roles whose sessions carry a tenant, and only where that tenant's data is.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/tutorial_attribute-based-access-control.html
    """
    known = facts(case)
    model = known.model
    for table in model.of("AWS::DynamoDB::Table"):
        grants = list(_granting(model, table, "dynamodb:"))
        if "tenant" not in _partition_key(table) and not any(_TAG in str(statement) for _, statement in grants):
            finding.assumptions.append(f"{table.path}, kept by {_partition_key(table)}, holds nothing of a tenant's.")
            continue
        for policy, statement in grants:
            leading = texts(at(statement, "Condition", "ForAllValues:StringEquals", "dynamodb:LeadingKeys"))
            if leading and all(_TAG in value for value in leading):
                finding.evidence.append(note(policy, f"reaches {table.path} by the session's tenant only"))
            elif table.tags.get("palisade:holds") == _REGISTER and _TAG not in str(policy.properties):
                finding.evidence.append(
                    note(policy, f"keeps the register {table.path}, which has nothing of a tenant's")
                )
            elif not _service_only(model, policy):
                finding.broken.append(note(policy, f"reaches {table.path} without naming a tenant"))
    for bucket in model.of("AWS::S3::Bucket"):
        # What sessions leave as evidence, in an account that is no stage's, is no tenant's store.
        if known.stages and bucket.account not in known.stages:
            continue
        grants = list(_granting(model, bucket, "s3:"))
        if not any(_TAG in str(statement) for _, statement in grants):
            continue
        for policy, statement in grants:
            if _TAG in str(statement.get("Resource")) or _TAG in str(statement.get("Condition")):
                finding.evidence.append(note(policy, f"reaches {bucket.path} under the session's tenant only"))
            elif not _service_only(model, policy):
                finding.broken.append(note(policy, f"reaches {bucket.path} without naming a tenant"))
    _sessions_carry_a_tenant(model, finding)


def _partition_key(table: Node) -> str:
    keys = (at(item, "AttributeName") for item in as_list(table.get("KeySchema")) if at(item, "KeyType") == "HASH")
    return str(next(keys, "nothing"))


def _sessions_carry_a_tenant(model: Model, finding: Finding) -> None:
    for role in model.of("AWS::IAM::Role"):
        if not any(
            _TAG in str(p.properties) for p in model.referrers(role, "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy")
        ):
            continue
        trust = [
            s for s in statements(role.get("AssumeRolePolicyDocument")) if "sts:TagSession" in texts(s.get("Action"))
        ]
        assume = [
            s for s in statements(role.get("AssumeRolePolicyDocument")) if "sts:AssumeRole" in texts(s.get("Action"))
        ]
        if not trust or not all("aws:RequestTag/" in str(s.get("Condition")) for s in [*trust, *assume]):
            finding.broken.append(note(role, "its session need not carry a tenant"))
        else:
            finding.evidence.append(note(role, "its session carries exactly one tenant"))


def _granting(model: Model, store: Node, prefix: str) -> Iterator[tuple[Node, Any]]:
    """Statements of workload roles that read or write what is in the store."""
    for policy in model.referrers(store, "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
        for statement in statements(policy.get("PolicyDocument")):
            named = any(store.arn in resource for resource in texts(statement.get("Resource")))
            data = [
                a for a in texts(statement.get("Action")) if a.startswith(prefix) and a.split(":")[1] not in _HARMLESS
            ]
            if statement.get("Effect") == "Allow" and named and data:
                yield policy, statement


_HARMLESS = frozenset({"DescribeTable", "GetBucketLocation", "GetBucketTagging"})


def _service_only(model: Model, policy: Node) -> bool:
    """Whether only AWS Backup or S3 itself may take the roles of the policy."""
    roles = [model.find(role, "AWS::IAM::Role", near=policy) for role in policy.get("Roles", default=[])]
    return bool(roles) and all(
        role is not None
        and all(
            set(texts(at(statement, "Principal", "Service"))) & {"backup.amazonaws.com", "s3.amazonaws.com"}
            for statement in statements(role.get("AssumeRolePolicyDocument"))
        )
        for role in roles
    )
