"""Who of the organization's people may do what: permission sets, groups, assignments."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assembly import Assembly
from stacks.settings import ON_REQUEST, Job
from tests.fixture_deployment import FIXTURE

STACK = "management-identity"
STANDING = {
    Job.ENGINEER, Job.READ_ONLY, Job.LOG_READER, Job.EVIDENCE, Job.SECURITY, Job.BILLING, Job.REQUESTER, Job.APPROVER,
    Job.REVIEWER, Job.RESPONDER, Job.DRILLER,
}  # fmt: skip
SANDBOX, LIVE = (stage.account for stage in FIXTURE.stages)


@pytest.fixture(scope="module")
def sets(assembly: Assembly) -> dict[Job, dict[str, Any]]:
    """The properties of each job's permission set."""
    made = [
        resource.properties
        for resource in assembly[STACK].resources.values()
        if resource.type == "AWS::SSO::PermissionSet"
    ]
    return {Job(properties["Name"].removeprefix("acme-")): dict(properties) for properties in made}


@pytest.fixture(scope="module")
def assignments(assembly: Assembly) -> set[tuple[str, str, str]]:
    """Group, permission set and account of each assignment; what the template makes, by name."""
    stack = assembly[STACK]

    def name(value: Any) -> str:
        if isinstance(value, str):
            return value
        properties = stack.resources[value["Fn::GetAtt"][0]].properties
        return str(properties.get("Name") or properties.get("DisplayName"))

    return {
        (name(p["PrincipalId"]), name(p["PermissionSetArn"]), p["TargetId"])
        for p in (
            resource.properties for resource in stack.resources.values() if resource.type == "AWS::SSO::Assignment"
        )
    }


def test_makes_one_permission_set_for_each_job(sets: dict[Job, dict[str, Any]]) -> None:
    assert set(sets) == set(Job)


def test_sessions_above_standing_access_end_within_an_hour(sets: dict[Job, dict[str, Any]]) -> None:
    for job, properties in sets.items():
        hours = int(properties["SessionDuration"].removeprefix("PT").removesuffix("H"))
        assert hours <= (8 if job in STANDING else 1), job


def test_every_assignment_is_one_that_may_stand(assignments: set[tuple[str, str, str]]) -> None:
    owners = FIXTURE.owners
    billing = "9876543210-aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
    assert assignments == {
        ("acme-engineer", "acme-engineer", SANDBOX),
        ("acme-read-only", "acme-read-only", LIVE),
        ("acme-log-reader", "acme-log-reader", LIVE),
        ("acme-security", "acme-log-reader", LIVE),
        *(
            (f"acme-{group}", "acme-evidence", owners["log-archive"])
            for group in ("evidence", "log-reader", "security")
        ),
        *(("acme-security", "acme-security", account) for account in owners.values()),
        *(
            (f"acme-{group}", "acme-responder", account)
            for group in ("responder", "security")
            for account in (owners["security"], SANDBOX, LIVE)
        ),
        (billing, "acme-billing", owners["management"]),
        *((f"acme-{job.value}", "acme-requester", owners["security"]) for job in (Job.REQUESTER, *ON_REQUEST)),
        ("acme-approver", "acme-approver", owners["security"]),
        ("acme-reviewer", "acme-reviewer", owners["security"]),
        *((f"acme-{group}", "acme-driller", owners["security"]) for group in ("driller", "security")),
    }


def test_assigns_one_after_the_other(assembly: Assembly) -> None:
    made = {
        logical_id: resource.definition.get("DependsOn", [])
        for logical_id, resource in assembly[STACK].resources.items()
        if resource.type == "AWS::SSO::Assignment"
    }
    waits = [set(made) & set([needs] if isinstance(needs, str) else needs) for needs in made.values()]
    assert sorted(map(len, waits)) == [0, *[1] * (len(made) - 1)]
    assert len({name for found in waits for name in found}) == len(made) - 1


def test_takes_the_group_that_the_directory_brought(assembly: Assembly) -> None:
    names = {
        resource.properties["DisplayName"]
        for resource in assembly[STACK].resources.values()
        if resource.type == "AWS::IdentityStore::Group"
    }
    assert names == {f"acme-{job.value}" for job in Job if job is not Job.BILLING}


def test_tells_other_stacks_where_each_permission_set_is(assembly: Assembly) -> None:
    parameters = {
        resource.properties["Name"]
        for resource in assembly[STACK].resources.values()
        if resource.type == "AWS::SSM::Parameter"
    }
    assert parameters == {f"/acme/permission-set/{job.value}" for job in Job}


@pytest.mark.parametrize(
    ("job", "account", "stack"),
    [
        (Job.EVIDENCE, FIXTURE.accounts.log_archive, "log-archive-analysis"),
        (Job.RESPONDER, FIXTURE.accounts.security, "security-incidents"),
        (Job.RESPONDER, SANDBOX, "dev-containment"),
        (Job.RESPONDER, LIVE, "prod-containment"),
    ],
)
def test_an_account_holds_the_policy_that_a_permission_set_attaches_there(
    assembly: Assembly, sets: dict[Job, dict[str, Any]], job: Job, account: str, stack: str
) -> None:
    (named,) = sets[job]["CustomerManagedPolicyReferences"]
    policies = {
        resource.properties.get("ManagedPolicyName")
        for other in assembly.stacks
        if other.account == account
        for resource in other.resources.values()
        if resource.type == "AWS::IAM::ManagedPolicy"
    }
    assert named["Name"] in policies
    assert stack in assembly[STACK].dependencies


def test_before_every_level_that_is_granted_for_a_while_stands_a_gate(
    assembly: Assembly, sets: dict[Job, dict[str, Any]]
) -> None:
    gates = {
        resource.properties["ManagedPolicyName"]: resource.properties["PolicyDocument"]["Statement"]
        for resource in assembly["prod-gates"].resources.values()
        if resource.type == "AWS::IAM::ManagedPolicy" and "ManagedPolicyName" in resource.properties
    }
    for job, properties in sets.items():
        named = [reference["Name"] for reference in properties.get("CustomerManagedPolicyReferences", [])]
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        assert (tags.get("palisade:held") == "by-grant") is (job in ON_REQUEST), job
        if job in ON_REQUEST:
            (gate,) = named
            assert gates[gate] == [{"Sid": "NobodyIsGranted", "Effect": "Deny", "Action": "*", "Resource": "*"}]


def test_no_permission_set_takes_a_policy_that_somebody_else_writes(sets: dict[Job, dict[str, Any]]) -> None:
    assert not [job for job, properties in sets.items() if properties.get("ManagedPolicies")]


def test_every_policy_fits_into_a_role(sets: dict[Job, dict[str, Any]]) -> None:
    for job, properties in sets.items():
        assert len(json.dumps(properties.get("InlinePolicy", {}), separators=(",", ":"))) <= 10_240, job


def test_sessions_carry_who_the_person_is(assembly: Assembly) -> None:
    (tags,) = (
        resource.properties["AccessControlAttributes"]
        for resource in assembly[STACK].resources.values()
        if resource.type == "AWS::SSO::InstanceAccessControlAttributeConfiguration"
    )
    assert {tag["Key"]: tag["Value"]["Source"] for tag in tags} == {
        "username": ["${path:userName}"],
        "email": ["${path:emails[primary eq true].value}"],
        "team": ["${path:enterprise.department}"],
    }
