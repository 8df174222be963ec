"""Who is held by which policy of the organization, and that nobody whose place is unknown is taken for held, or for free."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from assembly import Assembly, Stack, of_templates
from proofs.ask import answer
from proofs.delivery import findings
from proofs.finding import Case
from proofs.model import Model
from proofs.model.organization import PLACEMENT
from proofs.model.people import people, unassigned
from proofs.policy import UNKNOWN, Decision, PolicySet, Request

MANAGEMENT, LIVE, SANDBOX, LOST = "100000000000", "200000000000", "300000000000", "400000000000"
ALL = PolicySet.of(identity_policies=[{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}])


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def unit(name: str, parent: Any) -> dict[str, Any]:
    return resource("AWS::Organizations::OrganizationalUnit", Name=name, ParentId=parent)


def guardrail(target: Any, kind: str = "SERVICE", **statement: Any) -> dict[str, Any]:
    content = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Resource": "*", **statement}]}
    return resource(
        "AWS::Organizations::Policy", Type=f"{kind}_CONTROL_POLICY", Content=content, TargetIds=[target], Name="x"
    )


def placement(account: str, parent: Any) -> dict[str, Any]:
    return resource(PLACEMENT, AccountId=account, ParentId=parent)


ORGANIZATION: dict[str, Any] = {
    "Workloads": unit("workloads", "r-ab12"),
    "Live": unit("live", {"Ref": "Workloads"}),
    "Sandbox": unit("sandbox", {"Fn::GetAtt": ["Workloads", "Id"]}),
    "NobodyLeaves": guardrail("r-ab12", Sid="Leave", Action="organizations:LeaveOrganization"),
    "NoUsers": guardrail({"Ref": "Workloads"}, Sid="Users", Action="iam:CreateUser"),
    "NoDeletion": guardrail(
        {"Ref": "Live"},
        Sid="Deletion",
        Action="s3:DeleteBucket",
        Condition={"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/deployer"}},
    ),
    "OnlyOurs": guardrail(
        {"Ref": "Live"},
        kind="RESOURCE",
        Sid="Ours",
        Principal="*",
        Action="s3:*",
        Condition={
            "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-ours123456"},
            "Bool": {"aws:PrincipalIsAWSService": "false"},
        },
    ),
    "LiveIn": placement(LIVE, {"Ref": "Live"}),
    "SandboxIn": placement(SANDBOX, {"Ref": "Sandbox"}),
}


def assembly_of(organization: dict[str, Any], **others: dict[str, Any]) -> Assembly:
    """The organization in the management account, and a stack in each of the other accounts."""
    stacks: list[Stack] = []
    for account in (MANAGEMENT, LIVE, SANDBOX, LOST):
        resources = organization if account == MANAGEMENT else others.get(f"in_{account}", {})
        made = of_templates({f"stack-{account}": {"Resources": resources}}, account=account, region="eu-west-1")
        stacks += made.stacks
    return Assembly(directory=Path(), stacks=tuple(stacks))


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(assembly_of(ORGANIZATION))


def units_of(model: Model, account: str) -> list[str]:
    return [unit.get("Name") for unit in model.organization.units_of(account) or ()]


def asked(model: Model, who: str, action: str, resource: str = "*", **more: Any) -> Decision:
    principal = who if ":" in who or not who.isdigit() else f"arn:aws:iam::{who}:role/administrator"
    return model.organization.evaluate(Request(principal=principal, action=action, resource=resource, **more), ALL)


@pytest.mark.parametrize(
    ("account", "action", "decided_by"),
    [
        (LIVE, "organizations:LeaveOrganization", "Leave"),
        (LIVE, "iam:CreateUser", "Users"),
        (LIVE, "s3:DeleteBucket", "Deletion"),
        (SANDBOX, "organizations:LeaveOrganization", "Leave"),
        (SANDBOX, "iam:CreateUser", "Users"),
    ],
)
def test_policies_are_inherited_from_every_level(model: Model, account: str, action: str, decided_by: str) -> None:
    decision = asked(model, account, action)
    assert decision.decision == "ExplicitlyDenied"
    assert [reason.sid for reason in decision.decided_by] == [decided_by]
    assert str(decision.decided_by[0].source).startswith(f"stack-{MANAGEMENT}/")


def test_units_are_told_by_name(model: Model) -> None:
    assert units_of(model, LIVE) == ["workloads", "live"]
    assert model.organization.units_of(LOST) is None


def test_policies_of_one_unit_leave_another_alone(model: Model) -> None:
    assert asked(model, SANDBOX, "s3:DeleteBucket").certainly_allowed
    assert asked(model, LIVE, "s3:GetObject").certainly_allowed


def test_management_account_service_linked_roles_and_services_are_exempt(model: Model) -> None:
    assert asked(model, MANAGEMENT, "organizations:LeaveOrganization").certainly_allowed
    linked = f"arn:aws:iam::{LIVE}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    assert asked(model, linked, "s3:DeleteBucket").certainly_allowed
    bucket = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
    request = Request(principal="cloudtrail.amazonaws.com", action="s3:PutObject", resource="arn:aws:s3:::logs/1",
                      resource_account=LIVE)  # fmt: skip
    assert model.organization.evaluate(request, PolicySet.of(resource_policy=bucket)).certainly_allowed


def test_resource_control_policies_hold_whoever_asks_for_the_resource(model: Model) -> None:
    bucket = PolicySet.of(
        resource_policy={"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
    )
    stranger = "arn:aws:iam::999999999999:role/stranger"
    for owner, organization, expected in (
        (LIVE, "o-theirs1234", "ExplicitlyDenied"),
        (LIVE, "o-ours123456", "ImplicitlyDenied"),
        (SANDBOX, "o-theirs1234", "ImplicitlyDenied"),
    ):
        request = Request(
            principal=stranger,
            action="s3:GetObject",
            resource="arn:aws:s3:::data/1",
            resource_account=owner,
            context={"aws:PrincipalOrgID": organization},
        )
        assert model.organization.evaluate(request, bucket).decision == expected


def test_spared_roles_are_spared_by_name_alone(model: Model) -> None:
    assert asked(model, f"arn:aws:iam::{LIVE}:role/deployer", "s3:DeleteBucket").certainly_allowed
    assert not asked(model, f"arn:aws:iam::{LIVE}:role/deployer2", "s3:DeleteBucket").possibly_allowed


def test_an_account_in_no_known_unit_is_taken_neither_for_held_nor_for_free(model: Model) -> None:
    decision = asked(model, LOST, "s3:DeleteBucket")
    assert decision.decision == "Depends"
    assert f"the place of account {LOST} in the organization" in decision.depends_on
    assert asked(model, LOST, "sqs:SendMessage").certainly_allowed


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"LiveIn": placement(LIVE, {"Ref": "Unit"})}, id="placement by a parameter"),
        pytest.param({"LiveIn": placement(LIVE, "ou-ab12-elsewhere")}, id="a unit that is not in the templates"),
        pytest.param({"Second": placement(LIVE, {"Ref": "Sandbox"})}, id="two places"),
        pytest.param({"Live": unit("live", {"Ref": "Unit"})}, id="a unit below an unknown one"),
        pytest.param({"Live": unit("live", {"Ref": "Live"})}, id="a unit below itself"),
        pytest.param({"NoDeletion": guardrail({"Ref": "Unit"}, Sid="D", Action="s3:DeleteBucket")}, id="target"),
        pytest.param(
            {"NoDeletion": guardrail({"Ref": "Live"}, Action="s3:DeleteBucket", Resource={"Ref": "Unit"})}, id="content"
        ),
        pytest.param({"NoDeletion": {**ORGANIZATION["NoDeletion"], "Condition": "Perhaps"}}, id="existence"),
        pytest.param({"NoDeletion": guardrail({"Ref": "Live"}, Sid="D", Action="nonsense")}, id="refused by AWS"),
    ],
)
def test_what_does_not_resolve_is_never_taken_for_safe(change: dict[str, Any]) -> None:
    assembly = assembly_of({**ORGANIZATION, **change})
    management = assembly.stacks[0]
    template = {
        **management.template,
        "Parameters": {"Unit": {"Type": "String"}},
        "Conditions": {"Perhaps": {"Fn::Equals": [{"Ref": "Unit"}, "x"]}},
    }
    stacks = (dataclasses.replace(management, template=template), *assembly.stacks[1:])
    decision = asked(Model(Assembly(directory=Path(), stacks=stacks)), LIVE, "s3:DeleteBucket")
    assert decision.decision == "Depends", decision


def test_units_may_be_made_in_a_unit_that_is_there_already() -> None:
    inside = "ou-ab12-setaside"
    within = {
        **ORGANIZATION,
        "Workloads": unit("workloads", inside),
        "NobodyLeaves": guardrail(inside, Sid="Leave", Action="organizations:LeaveOrganization"),
    }
    model = Model(assembly_of(within))
    assert units_of(model, LIVE) == ["workloads", "live"]
    assert asked(model, LIVE, "organizations:LeaveOrganization").decision == "ExplicitlyDenied"
    assert asked(model, SANDBOX, "s3:DeleteBucket").certainly_allowed


def test_without_an_organization_nothing_is_held() -> None:
    model = Model(assembly_of({}))
    assert not model.organization
    assert asked(model, LIVE, "s3:DeleteBucket").certainly_allowed


# ------------------------------------------------------------------------------------------------------------- people


def people_of(permission_set: dict[str, Any], **more: Any) -> Assembly:
    assignment = resource(
        "AWS::SSO::Assignment",
        PermissionSetArn={"Fn::GetAtt": ["Set", "PermissionSetArn"]},
        PrincipalId="group-1",
        PrincipalType="GROUP",
        TargetId=LIVE,
        TargetType="AWS_ACCOUNT",
    )
    made = {"Set": resource("AWS::SSO::PermissionSet", Name="Reader", **permission_set), "Assignment": assignment}
    bucket = {"Bucket": resource("AWS::S3::Bucket", BucketName="data"), **more}
    return assembly_of({**ORGANIZATION, **made}, **{f"in_{LIVE}": bucket})


READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}


def test_people_are_roles_of_their_permission_sets() -> None:
    (person,) = people(Model(people_of({"InlinePolicy": READ})))
    path = "aws-reserved/sso.amazonaws.com/eu-west-1"
    assert person.role == f"arn:aws:iam::{LIVE}:role/{path}/AWSReservedSSO_Reader_0123456789abcdef"
    assert [node.get("PrincipalId") for node in person.assignments] == ["group-1"]


@pytest.mark.parametrize(
    ("permission_set", "answered"),
    [
        ({"InlinePolicy": READ}, "1 roles can"),
        ({"CustomerManagedPolicyReferences": [{"Name": "reading"}]}, "1 roles can"),
        ({"ManagedPolicies": ["arn:aws:iam::aws:policy/PowerUserAccess"]}, "1 roles can"),
        ({"ManagedPolicies": ["arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"]}, "0 roles can, 1 perhaps"),
        ({"CustomerManagedPolicyReferences": [{"Name": "made elsewhere"}]}, "0 roles can, 1 perhaps"),
        ({}, "0 roles can, 0 perhaps"),
        (
            {
                "InlinePolicy": READ,
                "PermissionsBoundary": {"CustomerManagedPolicyReference": {"Name": "nothing", "Path": "/"}},
            },
            "0 roles can, 0 perhaps",
        ),
        (
            {
                "InlinePolicy": READ,
                "PermissionsBoundary": {"ManagedPolicyArn": "arn:aws:iam::aws:policy/ViewOnlyAccess"},
            },
            "0 roles can, 1 perhaps",
        ),
    ],
)
def test_people_are_asked_with_all_policies_of_their_permission_set(
    permission_set: dict[str, Any], answered: str
) -> None:
    nothing = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
    case = Case(
        people_of(
            permission_set,
            Policy=resource("AWS::IAM::ManagedPolicy", ManagedPolicyName="reading", PolicyDocument=READ),
            Boundary=resource("AWS::IAM::ManagedPolicy", ManagedPolicyName="nothing", PolicyDocument=nothing),
        )
    )
    assert answered in "\n".join(answer(case, "who can read data"))


def test_people_are_held_by_the_guardrails_of_the_account_they_sign_in_to() -> None:
    everything = {"ManagedPolicies": ["arn:aws:iam::aws:policy/AdministratorAccess"]}
    assembly = people_of(everything)
    assert "1 roles can" in answer(Case(assembly), "who can write data")[0]
    denied = guardrail(LIVE, Sid="NoWriting", Action="s3:PutObject")
    management = assembly.stacks[0]
    resources = {**management.template["Resources"], "Denied": denied}
    held = dataclasses.replace(management, template={"Resources": resources})
    case = Case(Assembly(directory=Path(), stacks=(held, *assembly.stacks[1:])))
    assert "0 roles can, 0 perhaps" in answer(case, "who can write data")[0]


def test_assignments_of_unknown_sets_are_told() -> None:
    lost = resource("AWS::SSO::Assignment", PermissionSetArn="arn:aws:sso:::permissionSet/x", TargetId=LIVE)
    model = Model(assembly_of({"Lost": lost}))
    assert list(people(model)) == []
    assert [node.resource.logical_id for node in unassigned(model)] == ["Lost"]


# --------------------------------------------------------------------------------------------------------- deliveries


def test_a_delivery_that_a_guardrail_denies_does_not_arrive() -> None:
    bucket = resource("AWS::S3::Bucket", BucketName="logs")
    policy = resource(
        "AWS::S3::BucketPolicy",
        Bucket={"Ref": "Bucket"},
        PolicyDocument={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "delivery.logs.amazonaws.com"},
                    "Action": "s3:PutObject",
                    "Resource": "arn:aws:s3:::logs/*",
                },
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "delivery.logs.amazonaws.com"},
                    "Action": "s3:GetBucketAcl",
                    "Resource": "arn:aws:s3:::logs",
                },
            ],
        },
    )
    log = resource(
        "AWS::EC2::FlowLog", LogDestinationType="s3", LogDestination={"Fn::GetAtt": ["Bucket", "Arn"]},
        ResourceId="vpc-1", ResourceType="VPC", TrafficType="ALL",
    )  # fmt: skip
    stack = {"Bucket": bucket, "Policy": policy, "Log": log}
    free = Model(assembly_of(ORGANIZATION, **{f"in_{LIVE}": stack}))
    assert [str(found) for found in findings(free) if "flow log" in str(found)] == []
    for sid, condition in (
        ("Sure", {"StringEquals": {"aws:PrincipalServiceName": "delivery.logs.amazonaws.com"}}),
        ("Perhaps", {"StringNotEquals": {"aws:SourceOrgID": "o-ours123456"}}),
    ):
        refusing = guardrail(
            {"Ref": "Live"}, kind="RESOURCE", Sid=sid, Principal="*", Action="s3:PutObject", Condition=condition
        )
        held = Model(assembly_of({**ORGANIZATION, "Refusing": refusing}, **{f"in_{LIVE}": stack}))
        assert any("flow log" in str(found) for found in findings(held)), sid


def test_unknown_keys_of_a_guardrail_leave_the_answer_open() -> None:
    held = {**ORGANIZATION, "Network": guardrail(LIVE, Sid="Network", Action="sqs:*",
            Condition={"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}})}  # fmt: skip
    asking = Model(assembly_of(held))
    assert "aws:sourceip" in asking.organization.keys
    assert asked(asking, LIVE, "sqs:SendMessage", context={"aws:SourceIp": UNKNOWN}).decision == "Depends"
