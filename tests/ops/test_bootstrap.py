"""Bootstrap: the least rights to deploy, and a boundary that no role can leave."""

from __future__ import annotations

import dataclasses
import fnmatch
import json
from typing import Any

import pytest

from assembly import Assembly, Stack
from ops.bootstrap.__main__ import bootstrap_command
from ops.bootstrap.boundary import boundary
from ops.bootstrap.execution import POLICIES_A_ROLE, POLICY_SIZE, ExecutionPolicyError, execution_policies
from ops.bootstrap.template import boundary_name, template
from ops.places import OWNER_TAG, OpsError, stacks_of

OWNERS = ("dev", "prod", "log-archive", "management")


def _statements(documents: list[dict[str, Any]], effect: str) -> list[dict[str, Any]]:
    return [statement for document in documents for statement in document["Statement"] if statement["Effect"] == effect]


def _actions(statement: dict[str, Any]) -> list[str]:
    found = statement.get("Action", [])
    return [found] if isinstance(found, str) else found


@pytest.mark.parametrize("owner", OWNERS)
def test_every_policy_fits_its_quota(assembly: Assembly, owner: str) -> None:
    documents = execution_policies(stacks_of(assembly, owner), boundary="acme-boundary")
    assert len(documents) <= POLICIES_A_ROLE
    for document in [*documents, boundary(stacks_of(assembly, owner))]:
        assert len(json.dumps(document, separators=(",", ":"))) <= POLICY_SIZE
    assert len(json.dumps(template(assembly, stacks_of(assembly, owner)))) <= 51_200


def test_allows_what_the_templates_need_and_nothing_of_other_services(assembly: Assembly) -> None:
    allowed = {
        action
        for statement in _statements(execution_policies(stacks_of(assembly, "dev"), boundary="b"), "Allow")
        for action in _actions(statement)
    }
    assert {"ec2:CreateVpc", "kms:CreateKey", "rds:CreateDBCluster", "sns:CreateTopic"} <= allowed
    assert not [action for action in allowed if action.startswith(("sagemaker:", "redshift:", "organizations:Leave"))]
    assert not {"*", "iam:*", "kms:*", "s3:*"} & allowed


def test_roles_are_made_only_with_the_boundary_on_them(assembly: Assembly) -> None:
    documents = execution_policies(stacks_of(assembly, "dev"), boundary="acme-boundary")
    for statement in _statements(documents, "Allow"):
        if "iam:CreateRole" in _actions(statement):
            arn = "arn:aws:iam::200000000001:policy/acme-boundary"
            assert statement["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": arn}}


def test_identity_center_may_make_its_own_roles_in_the_management_account_and_nowhere_else(assembly: Assembly) -> None:
    made = {
        owner: {
            statement["Resource"]
            for statement in _statements(execution_policies(stacks_of(assembly, owner), boundary="b"), "Allow")
            if "iam:CreateRole" in _actions(statement) and "Condition" not in statement
        }
        for owner in OWNERS
    }
    own = "arn:aws:iam::100000000001:role/aws-reserved/sso.amazonaws.com/*"
    assert made == {"dev": set(), "prod": set(), "log-archive": set(), "management": {own}}


def test_nobody_takes_the_boundary_off_or_edits_it(assembly: Assembly) -> None:
    denied = _statements(execution_policies(stacks_of(assembly, "dev"), boundary="acme-boundary"), "Deny")
    everywhere = {action for statement in denied if statement["Resource"] == "*" for action in _actions(statement)}
    assert "iam:DeleteRolePermissionsBoundary" in everywhere
    own = [s for s in denied if "arn:aws:iam::200000000001:policy/acme-boundary" in s["Resource"]]
    assert any("iam:CreatePolicyVersion" in _actions(statement) for statement in own)


@pytest.mark.parametrize("owner", OWNERS)
def test_boundary_lets_every_role_do_its_work(assembly: Assembly, owner: str) -> None:
    document = boundary(stacks_of(assembly, owner))
    allowed = _actions(document["Statement"][0])
    for stack in stacks_of(assembly, owner):
        for resource in stack.resources.values():
            if resource.type == "AWS::IAM::ManagedPolicy":
                for statement in resource.properties["PolicyDocument"]["Statement"]:
                    if statement["Effect"] == "Allow":
                        for action in _actions(statement):
                            assert any(fnmatch.fnmatch(action.lower(), pattern) for pattern in allowed), (
                                resource,
                                action,
                            )


def _with_role_of(stack: Stack, policy: object) -> Stack:
    role = {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": [policy]}}
    return dataclasses.replace(stack, template={"Resources": {"Response": role}}, paths={})


def test_boundary_reaches_what_policies_of_aws_allow(assembly: Assembly) -> None:
    arn = {
        "Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::aws:policy/service-role/AWSShieldDRTAccessPolicy"]]
    }
    document = boundary([_with_role_of(assembly.stacks[0], arn)])
    assert {"shield:*", "wafv2:*"} <= set(_actions(document["Statement"][0]))
    with pytest.raises(ValueError, match=r"Response.*PowerUserAccess"):
        boundary([_with_role_of(assembly.stacks[0], "arn:aws:iam::aws:policy/PowerUserAccess")])


@pytest.mark.parametrize(
    "action", ["iam:CreateUser", "iam:PutRolePolicy", "organizations:LeaveOrganization", "cloudtrail:StopLogging"]
)
def test_boundary_never_lets_a_role_change_identities_or_evidence(assembly: Assembly, action: str) -> None:
    denied = _statements([boundary(stacks_of(assembly, "dev"))], "Deny")
    assert any(fnmatch.fnmatch(action, pattern) for statement in denied for pattern in _actions(statement))


def test_boundary_leaves_governing_roles_what_governs_and_nothing_that_undoes(assembly: Assembly) -> None:
    denied = _statements([boundary(stacks_of(assembly, "management"))], "Deny")
    never, even = (next(s for s in denied if s["Sid"] == sid) for sid in ("NeverIdentities", "NeverEvenToGovern"))
    governors = [
        f"arn:aws:iam::100000000001:role/acme-governor-{task}" for task in ("delegation", "features", "placement")
    ]
    assert never["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": governors}}
    assert "Condition" not in even
    for action, refused in (
        ("organizations:EnableAWSServiceAccess", False),
        ("organizations:RegisterDelegatedAdministrator", False),
        ("iam:CreateServiceLinkedRole", False),
        ("organizations:DisableAWSServiceAccess", True),
        ("organizations:DeregisterDelegatedAdministrator", True),
        ("organizations:LeaveOrganization", True),
        ("iam:CreateRole", True),
        ("iam:CreateAccessKey", True),
        ("iam:PutRolePolicy", True),
        ("iam:UpdateAssumeRolePolicy", True),
    ):
        assert any(fnmatch.fnmatch(action, pattern) for pattern in _actions(even)) is refused, action


def test_boundary_knows_no_governor_where_none_is(assembly: Assembly) -> None:
    denied = _statements([boundary(stacks_of(assembly, "log-archive"))], "Deny")
    assert ["Condition" in statement for statement in denied if statement["Sid"] == "NeverIdentities"] == [False]


def test_boundary_leaves_containment_what_ends_sessions_and_switches_keys_off_and_nothing_else(
    assembly: Assembly,
) -> None:
    account = str(assembly["dev-containment"].account)
    contains = [f"arn:aws:iam::{account}:role/acme-recorder-containment"]
    denied = {s["Sid"]: s for s in _statements([boundary(stacks_of(assembly, "dev"))], "Deny")}
    for sid in ("NeverIdentities", "NeverKeys"):
        assert denied[sid]["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": contains}}
    only = denied["NeverButContainment"]
    assert only["Condition"] == {"ArnEquals": {"aws:PrincipalArn": contains}}
    left = [action for action in only["NotAction"] if action.startswith(("iam:", "organizations:", "sso:"))]
    assert left == ["iam:DeleteRolePolicy", "iam:Get*", "iam:List*", "iam:PutRolePolicy", "iam:UpdateAccessKey"]


def test_every_role_carries_the_boundary_that_bootstrap_makes(assembly: Assembly) -> None:
    name = boundary_name(assembly)
    assert name == "acme-boundary"
    for stack, role in assembly.resources("AWS::IAM::Role"):
        assert name in json.dumps(role.properties.get("PermissionsBoundary")), f"{role} of {stack.tags[OWNER_TAG]}"


def test_lets_cloudfront_logs_be_delivered(assembly: Assembly) -> None:
    assert [stack for stack, _ in assembly.resources("AWS::Logs::DeliverySource") if stack.tags[OWNER_TAG] == "dev"]
    allowed = _statements(execution_policies(stacks_of(assembly, "dev"), boundary="b"), "Allow")
    assert any("cloudfront:AllowVendedLogDeliveryForResource" in _actions(statement) for statement in allowed)


def test_roles_reach_services_that_hand_them_on(assembly: Assembly) -> None:
    (passing,) = (
        statement
        for statement in _statements(execution_policies(stacks_of(assembly, "dev"), boundary="b"), "Allow")
        if _actions(statement) == ["iam:PassRole"]
    )
    receivers = set(passing["Condition"]["StringEquals"]["iam:PassedToService"])
    assert {"restore-testing.backup.amazonaws.com", "synthetics.amazonaws.com", "lambda.amazonaws.com"} <= receivers


def test_keys_are_used_through_services_and_granted_to_services_only(assembly: Assembly) -> None:
    for statement in _statements(execution_policies(stacks_of(assembly, "dev"), boundary="b"), "Allow"):
        uses = [
            a for a in _actions(statement) if a.startswith(("kms:Decrypt", "kms:Encrypt", "kms:Generate", "kms:Re"))
        ]
        if set(uses) - {"kms:RetireGrant", "kms:RevokeGrant"}:
            assert statement["Condition"] == {"StringLike": {"kms:ViaService": "*.amazonaws.com"}}
        if "kms:CreateGrant" in _actions(statement):
            assert statement["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def test_the_boundary_never_bounds_the_role_that_makes_bounded_roles(assembly: Assembly) -> None:
    stacks = stacks_of(assembly, "dev")
    command = bootstrap_command(stacks, policies="arn:aws:iam::200000000001:policy/acme-execution-1")
    assert not [argument for argument in command if "permissions-boundary" in argument]
    assert {f"aws://{stack.account}/{stack.region}" for stack in stacks} <= set(command)


def test_names_types_whose_rights_are_not_published(assembly: Assembly) -> None:
    stack = next(iter(assembly.stacks))
    template_ = {"Resources": {"Odd": {"Type": "AWS::Nothing::Here", "Properties": {}}}}
    odd = type(stack)(**{**{f: getattr(stack, f) for f in stack.__dataclass_fields__}, "template": template_})
    with pytest.raises(ExecutionPolicyError, match="AWS::Nothing::Here"):
        execution_policies([odd], boundary="b")


def test_lists_the_owners_when_one_is_unknown(assembly: Assembly) -> None:
    with pytest.raises(OpsError, match=r"STAGE=staging.*dev.*prod"):
        stacks_of(assembly, "staging")


def test_only_the_boundary_outlives_its_stack(assembly: Assembly) -> None:
    resources = template(assembly, stacks_of(assembly, "dev"))["Resources"]
    assert [key for key, resource in resources.items() if resource.get("DeletionPolicy") == "Retain"] == ["Boundary"]
