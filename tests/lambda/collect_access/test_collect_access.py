"""What is collected of an account: powers by the words of policies, identities, and nothing twice."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from collect_access import account
from collect_access.handler import MOST_TRIES, NotReadyError, collect
from collect_access.powers import powers

from tests.stacks.review_world import ACCOUNTS, CLEO, Pages, World, document, failure, role, user, usual

PERIOD, PROD = "access-2026-Q1", ACCOUNTS["prod"]
WHICH = {"period": PERIOD, "round": 0, "account": PROD}


def _deny(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Statement": {"Effect": "Deny", "Action": list(actions), "Resource": "*", **more}}


@pytest.mark.parametrize(
    ("documents", "boundary", "expected"),
    [
        ([document("ec2:DescribeInstances")], None, []),
        ([document("kms:*")], None, ["keys"]),
        ([document("KMS:PutKey*")], None, ["keys"]),
        ([document("*"), _deny("*")], None, []),
        ([document("kms:*"), _deny("kms:*", Condition={"Bool": {"x": "true"}})], None, ["keys"]),
        ([document("kms:*", "rds-db:connect")], document("rds-db:*"), ["database"]),
        ([document("rds-db:connect")], {"Statement": [_deny("rds-db:*")["Statement"]]}, []),
        ([{"Statement": [{"Effect": "Allow", "NotAction": ["iam:*", "sso:*", "identitystore:*"], "Resource": "*"}]}], None, None),
        ([], document("*"), []),
    ],
)  # fmt: skip
def test_names_powers_within_boundary_and_refusals(
    documents: list[dict[str, Any]], boundary: dict[str, Any] | None, expected: list[str] | None
) -> None:
    found = powers(documents, boundary)
    if expected is None:
        assert "identities" not in found
        assert {"keys", "data", "organization"} <= set(found)
    else:
        assert found == expected


def _collected(world: World) -> dict[str, Any]:
    world.collect(PERIOD, PROD, 0)
    found = world.store.records.read(PERIOD, f"facts.000.{PROD}")
    assert found is not None
    return found


def test_reads_users_keys_roles_and_sign_ins() -> None:
    world = usual()
    world.users["prod"] = [
        user("eve", password_enabled="true", mfa_active="true", access_key_1_active="true", password_last_used="no_information")
    ]  # fmt: skip
    world.roles["prod"].append(role("AWSServiceRoleForConfig", path="/aws-service-role/config.amazonaws.com/"))
    facts = _collected(world)
    assert facts["owner"] == "prod"
    (eve,) = facts["users"]
    assert (eve["password"], eve["mfa"], eve["password_used"], eve["powers"]) == (True, True, None, ["data"])
    assert eve["keys"] == [{"created": None, "used": None}]
    assert [one["name"] for one in facts["roles"]] == ["AWSReservedSSO_acme-read-only_0123456789abcdef", "acme-api"]
    assert facts["roles"][0]["services"] == {"granted": 2, "used": ["s3"]}
    assert facts["roles"][1]["services"] == {}, "what roles of templates use is a matter of code"
    assert facts["sessions"][0]["person"] == CLEO
    assert facts["root"] == {"password": False, "keys": False, "mfa": False, "used": None}


def test_counts_no_sign_in_that_failed() -> None:
    event = '{"errorCode": "AccessDenied", "eventTime": "x", "requestParameters": {"roleArn": "a/b"}}'
    trail = Pages({"lookup_events": {"Events": [{"CloudTrailEvent": event}, {}]}})
    assert account._sessions([trail], World().clock()) == ([], [])


def test_reads_policies_of_aws_where_they_are() -> None:
    attached = role("byhand")
    attached["AttachedManagedPolicies"] = [{"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}]
    world = usual()
    world.roles["prod"] = [attached]
    client = world.client

    def with_policies(asked: str, service: str, region: str | None) -> Any:
        found = client(asked, service, region)
        if service != "iam":
            return found
        version = {"PolicyVersion": {"Document": document("*")}}
        more = {"get_policy": {"Policy": {"DefaultVersionId": "v1"}}, "get_policy_version": version}
        return Pages({**found.answers, **more})

    world.client = with_policies  # type: ignore[method-assign, assignment]
    world.__post_init__()
    assert "identities" in _collected(world)["roles"][0]["powers"]


def test_asks_for_a_report_anew_that_is_not_there() -> None:
    asked: list[str] = []

    def get(_: Any) -> None:
        raise failure("ReportExpired")

    iam = Pages({"get_credential_report": get, "generate_credential_report": lambda _: asked.append("again")})
    assert not account.ready(iam, {})
    assert asked == ["again"]

    def refuse(_: Any) -> None:
        raise failure("AccessDenied")

    with pytest.raises(ClientError):
        account.ready(Pages({"get_credential_report": refuse}), {})


def test_gives_up_on_reports_that_never_come() -> None:
    world = usual()
    world.busy = 10**6
    begun = collect({"do": "begin", **WHICH}, world.collecting)
    for _ in range(MOST_TRIES - 1):
        begun = collect({"do": "gather", **WHICH, "begun": begun}, world.collecting)
    with pytest.raises(NotReadyError):
        collect({"do": "gather", **WHICH, "begun": begun}, world.collecting)


def test_collects_nothing_twice() -> None:
    world = usual()
    world.collect(PERIOD, PROD, 0)
    kept = dict(world.archive.kept)
    world.unreachable.add(PROD)
    for do in ("begin", "gather", "missing"):
        assert collect({"do": do, **WHICH, "begun": {}, "error": {"Error": "X"}}, world.collecting)["ready"]
    assert world.archive.kept == kept


def test_reads_the_directory_in_the_management_account_alone() -> None:
    world = usual()
    for owner, number in ACCOUNTS.items():
        world.collect(PERIOD, number, 0)
        facts = world.store.records.read(PERIOD, f"facts.000.{number}")
        assert facts is not None
        assert ("directory" in facts) == (owner == "management")
