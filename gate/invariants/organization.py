"""The organization: its policies refuse, hang somewhere, and bind every account."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from assembly import Resource
from gate.control import control
from gate.world import World, as_list, at

_POLICY = "AWS::Organizations::Policy"
_UNIT = "AWS::Organizations::OrganizationalUnit"

_KEPT = (
    "backup:DeleteRecoveryPoint",
    "cloudtrail:StopLogging",
    "config:StopConfigurationRecorder",
    "ec2:DeleteFlowLogs",
    "guardduty:DeleteDetector",
    "iam:CreateAccessKey",
    "iam:CreateUser",
    "iam:DeleteRolePermissionsBoundary",
    "kms:ScheduleKeyDeletion",
    "organizations:LeaveOrganization",
    "s3:PutAccountPublicAccessBlock",
    "securityhub:DisableSecurityHub",
)
"""What is refused in every account, whoever asks save those whom the guardrail exempts."""


@control("organization.policy.refuses", _POLICY)
def refuses(policy: Resource, _world: World) -> Iterator[str]:
    """Service control and resource control policies only refuse; rights are given elsewhere.

    Fix: write the statement as a Deny.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
    """
    for statement in as_list(at(policy.properties, "Content", "Statement")):
        if at(statement, "Effect") != "Deny":
            yield f"statement {at(statement, 'Sid', default='?')} does not refuse"


_DECLARED = {
    ("image_block_public_access", "state"): "block_new_sharing",
    ("instance_metadata_defaults", "http_tokens"): "required",
    ("instance_metadata_defaults", "http_tokens_enforced"): "enabled",
    ("serial_console_access", "status"): "disabled",
    ("snapshot_block_public_access", "state"): "block_all_sharing",
}


@control("organization.policy.declares", _POLICY)
def declares(policy: Resource, _world: World) -> Iterator[str]:
    """What is declared of machines, images and snapshots everywhere is the strictest that EC2 knows.

    Fix: declare the value named.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_declarative_syntax.html
    """
    declared = at(policy.properties, "Content", "ec2_attributes", default={})
    for (area, name), strictest in _DECLARED.items():
        if area in declared and at(declared, area, name, "@@assign") != strictest:
            yield f"{area}.{name} is not {strictest}"


@control("organization.policy.attached", _POLICY)
def attached(policy: Resource, _world: World) -> Iterator[str]:
    """Every policy of the organization is attached to the root or a unit.

    Fix: name the target.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_policies_attach.html
    """
    if not as_list(policy.properties.get("TargetIds")):
        yield "it is attached to nothing"


@control("organization.policy.kept", _UNIT)
def kept(unit: Resource, world: World) -> Iterator[str]:
    """Above every unit, leaving, users, keys and the undoing of evidence, backups and guards are refused.

    Fix: put the guardrail back.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    """
    above = unit.properties.get("ParentId")
    refused = [
        str(action)
        for policy in world.of_type(_POLICY, near=unit)
        if policy.properties.get("Type") == "SERVICE_CONTROL_POLICY"
        and above in as_list(policy.properties.get("TargetIds"))
        for statement in as_list(at(policy.properties, "Content", "Statement"))
        if at(statement, "Effect") == "Deny"
        for action in as_list(at(statement, "Action"))
        if action != "*"
    ]
    for action in _KEPT:
        if not any(fnmatchcase(action, pattern) for pattern in refused):
            yield f"nothing above it refuses {action}"


@control("organization.account.placed", _UNIT)
def placed(unit: Resource, world: World) -> Iterator[str]:
    """Every account of the deployment but the management account is moved into a unit.

    Fix: place the account.
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_MoveAccount.html
    """
    if at(unit.properties, "Name") != "suspended":
        return  # said once
    there = {
        str(placement.properties.get("AccountId")) for placement in world.of_type("Custom::AccountPlacement", near=unit)
    }
    management = world.stack(unit).account
    for account in sorted({stack.account for stack in world.assembly.stacks} - there - {management}):
        yield f"account {account} is moved into no unit"
