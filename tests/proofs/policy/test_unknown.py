"""Values that are not known yet are tried both ways, and never rounded to an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from proofs.policy import UNKNOWN, Decision, PolicySet, Request, Unknown, evaluate, lines

A, B = "111122223333", "444455556666"
APP = f"arn:aws:iam::{A}:role/app"
SESSION = f"arn:aws:sts::{A}:assumed-role/app/one"
OBJECT = "arn:aws:s3:::data/x"
KEY = "aws:PrincipalOrgID"


def _statement(effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "*", "Resource": "*", **more}


def _document(*statements: dict[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": list(statements)}


FULL = _document(_statement())


def _decide(
    context: dict[str, Any] | None = None, *, resource: str = OBJECT, principal: str = APP, **policies: Any
) -> Decision:
    return evaluate(
        Request(principal=principal, action="s3:GetObject", resource=resource, context=context or {}),
        PolicySet.of(**policies),
    )


# fmt: off
OPEN: list[tuple[dict[str, Any], Any, str]] = [
    ({"StringEquals": {KEY: "o-1"}}, UNKNOWN, "Depends"),
    ({"StringNotEquals": {KEY: "o-1"}}, UNKNOWN, "Depends"),
    ({"StringEqualsIfExists": {KEY: "o-1"}}, UNKNOWN, "Depends"),
    ({"ForAllValues:StringEquals": {KEY: "o-1"}}, UNKNOWN, "Depends"),
    ({"ForAnyValue:StringEquals": {KEY: "o-1"}}, UNKNOWN, "Depends"),
    ({"NumericLessThan": {KEY: "1"}}, UNKNOWN, "Depends"),
    ({"Null": {KEY: "true"}}, UNKNOWN, "Depends"),
    ({"Null": {KEY: "false"}}, UNKNOWN, "Depends"),
    ({"Null": {KEY: ["true", "false"]}}, UNKNOWN, "Allowed"),
    ({"Null": {KEY: "false"}}, Unknown(present=True), "Allowed"),
    ({"Null": {KEY: "true"}}, Unknown(present=True), "ImplicitlyDenied"),
    ({"StringEquals": {KEY: "o-1"}}, Unknown(present=True), "Depends"),
    ({"StringEquals": {"aws:ResourceTag/x": "y"}}, UNKNOWN, "ImplicitlyDenied"),
    ({"StringEquals": {KEY: "o-1", "aws:ResourceTag/x": "y"}}, UNKNOWN, "ImplicitlyDenied"),
    ({"StringEquals": {"aws:ResourceTag/x": "${aws:PrincipalOrgID}"}}, UNKNOWN, "ImplicitlyDenied"),
    ({"StringNotEquals": {"aws:ResourceTag/x": "${aws:PrincipalOrgID}"}}, UNKNOWN, "Allowed"),
]
# fmt: on


@pytest.mark.parametrize(("condition", "value", "expected"), OPEN)
def test_a_permission_on_an_unknown_value(condition: dict[str, Any], value: Any, expected: str) -> None:
    decision = _decide({KEY: value}, identity_policies=[_document(_statement(Condition=condition))])
    assert decision.decision == expected
    assert decision.depends_on == (("aws:principalorgid",) if expected == "Depends" else ())
    assert decision.possibly_allowed is (expected != "ImplicitlyDenied")
    assert decision.certainly_allowed is (expected == "Allowed")


MAYBE_DENY = _document(_statement("Deny", Condition={"StringNotEquals": {KEY: "o-1"}}))
MAYBE_ALLOW = _document(_statement(Condition={"StringEquals": {KEY: "o-1"}}))


def test_a_denial_that_may_hold_leaves_it_open() -> None:
    decision = _decide({KEY: UNKNOWN}, identity_policies=[FULL, MAYBE_DENY])
    assert decision.decision == "Depends"
    assert [reason.reason for reason in decision.decided_by] == ["may deny the request", "allows the request"]


def test_a_denial_that_may_hold_changes_nothing_where_nothing_allows() -> None:
    assert _decide({KEY: UNKNOWN}, identity_policies=[MAYBE_DENY]).decision == "ImplicitlyDenied"


def test_a_certain_denial_is_certain() -> None:
    denied = _document(_statement("Deny"))
    assert _decide({KEY: UNKNOWN}, identity_policies=[MAYBE_ALLOW, denied]).decision == "ExplicitlyDenied"


def test_another_permission_makes_it_certain() -> None:
    assert _decide({KEY: UNKNOWN}, identity_policies=[MAYBE_ALLOW, FULL]).decision == "Allowed"


ELSEWHERE = {"Resource": "arn:aws:s3:::other/*"}


def test_what_is_about_something_else_stays_out_of_it() -> None:
    denial = _document(_statement("Deny", **ELSEWHERE))
    assert _decide({KEY: UNKNOWN}, identity_policies=[MAYBE_ALLOW, FULL, denial]).decision == "Allowed"
    permission = _document(_statement(**ELSEWHERE))
    assert (
        _decide({KEY: UNKNOWN}, identity_policies=[permission], permission_boundaries=[MAYBE_ALLOW]).decision
        == "ImplicitlyDenied"
    )


def test_a_limit_that_is_certainly_missing_makes_it_certain() -> None:
    nothing = _document(_statement(Action="ec2:*"))
    decision = _decide({KEY: UNKNOWN}, identity_policies=[MAYBE_ALLOW], permission_boundaries=[nothing])
    assert decision.decision == "ImplicitlyDenied"
    assert [reason.policy for reason in decision.decided_by] == ["permissions boundary"]


@pytest.mark.parametrize("layer", ["permission_boundaries", "endpoint_policies"])
def test_a_limit_that_may_allow_leaves_it_open(layer: str) -> None:
    maybe = _statement(Condition={"StringEquals": {KEY: "o-1"}})
    if layer == "endpoint_policies":
        maybe["Principal"] = "*"
    policies: dict[str, Any] = {layer: [_document(maybe)]}
    assert _decide({KEY: UNKNOWN}, identity_policies=[FULL], **policies).decision == "Depends"


def test_a_level_of_service_control_policies_that_may_allow_leaves_it_open() -> None:
    decision = _decide({KEY: UNKNOWN}, identity_policies=[FULL], service_control_policies=[[FULL], [MAYBE_ALLOW]])
    assert decision.decision == "Depends"


def test_a_session_policy_that_may_allow_leaves_it_open() -> None:
    assert _decide({KEY: UNKNOWN}, identity_policies=[FULL], session_policy=MAYBE_ALLOW).decision == "Depends"


def test_a_resource_policy_that_may_name_closer_leaves_it_open() -> None:
    # Certainly only the account is named; perhaps the session itself, which would need no identity policy.
    resource = _document(
        _statement(Principal={"AWS": A}),
        _statement(Principal={"AWS": SESSION}, Condition={"StringEquals": {KEY: "o-1"}}),
    )
    assert _decide({KEY: UNKNOWN}, principal=SESSION, resource_policy=resource).decision == "Depends"
    assert (
        _decide({KEY: UNKNOWN}, principal=SESSION, resource_policy=resource, identity_policies=[FULL]).decision
        == "Allowed"
    )


def test_a_resource_name_with_an_unknown_variable_is_open_only_where_it_could_fit() -> None:
    policy = _document(_statement(Resource="arn:aws:s3:::data/${aws:PrincipalTag/team}/*"))
    unknown = {"aws:PrincipalTag/team": UNKNOWN}
    assert _decide(unknown, resource="arn:aws:s3:::data/red/x", identity_policies=[policy]).decision == "Depends"
    assert (
        _decide(unknown, resource="arn:aws:s3:::other/red/x", identity_policies=[policy]).decision == "ImplicitlyDenied"
    )


def test_a_known_denial_is_not_hidden_by_notresource_with_an_unknown_variable() -> None:
    policy = {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::data/${aws:PrincipalTag/team}/*"}
    unknown = {"aws:PrincipalTag/team": UNKNOWN}
    both = [FULL, _document(policy)]
    assert _decide(unknown, resource="arn:aws:s3:::data/red/x", identity_policies=both).decision == "Depends"
    assert _decide(unknown, resource="arn:aws:s3:::other/red/x", identity_policies=both).decision == "ExplicitlyDenied"


def test_keys_that_do_not_matter_are_not_named() -> None:
    other = _document(
        _statement(Resource="arn:aws:s3:::other/*", Condition={"StringEquals": {"aws:ResourceTag/x": "y"}})
    )
    elsewhere = _document(_statement(Principal={"AWS": B}, Condition={"StringEquals": {"aws:ResourceTag/z": "y"}}))
    context = {KEY: UNKNOWN, "aws:ResourceTag/x": UNKNOWN, "aws:ResourceTag/z": UNKNOWN}
    decision = _decide(context, identity_policies=[MAYBE_ALLOW, other], resource_policy=elsewhere)
    assert decision.depends_on == ("aws:principalorgid",)


def test_a_grant_for_an_unknown_encryption_context_is_open() -> None:
    key = f"arn:aws:kms:eu-west-2:{A}:key/1"
    grant = {
        "GranteePrincipal": APP,
        "Operations": ["Decrypt"],
        "Constraints": {"EncryptionContextEquals": {"tenant": "acme"}},
    }
    policies = PolicySet.of(grants=[grant])

    def decide(context: dict[str, Any]) -> str:
        return evaluate(Request(principal=APP, action="kms:Decrypt", resource=key, context=context), policies).decision

    assert decide({"kms:EncryptionContext:tenant": UNKNOWN}) == "Depends"
    assert decide({"kms:EncryptionContext:tenant": "acme", "kms:EncryptionContextKeys": UNKNOWN}) == "Depends"
    assert decide({"kms:EncryptionContext:tenant": "acme"}) == "Allowed"


def test_a_grant_for_another_encryption_context_stays_out_of_it() -> None:
    key = f"arn:aws:kms:eu-west-2:{A}:key/1"
    grant = {
        "GranteePrincipal": APP,
        "Operations": ["Decrypt"],
        "Constraints": {"EncryptionContextSubset": {"tenant": "beta"}},
    }
    policies = PolicySet.of(grants=[grant], identity_policies=[MAYBE_DENY])
    context: dict[str, Any] = {KEY: UNKNOWN, "kms:EncryptionContext:tenant": "acme"}
    request = Request(principal=APP, action="kms:Decrypt", resource=key, context=context)
    assert evaluate(request, policies).decision == "ImplicitlyDenied"


def test_a_principal_certainly_named_stays_so_beside_doubts() -> None:
    resource = _document(_statement(Principal={"AWS": SESSION}))
    assert (
        _decide({KEY: UNKNOWN}, principal=SESSION, resource_policy=resource, identity_policies=[MAYBE_ALLOW]).decision
        == "Allowed"
    )
    maybe_denied = _decide({KEY: UNKNOWN}, principal=SESSION, resource_policy=resource, identity_policies=[MAYBE_DENY])
    assert maybe_denied.decision == "Depends"


@pytest.mark.parametrize("key", ["aws:ViaAWSService", "aws:CalledViaFirst", "aws:CalledViaLast"])
def test_what_follows_from_an_unknown_key_is_unknown(key: str) -> None:
    policy = _document(_statement(Condition={"StringEquals": {key: "x"}}))
    assert _decide({"aws:CalledVia": UNKNOWN}, identity_policies=[policy]).decision == "Depends"


def test_the_marker_in_json_lines() -> None:
    request = {"principal": APP, "action": "s3:GetObject", "resource": OBJECT, "context": {KEY: {"unknown": True}}}
    answer = lines.decide({"request": request, "identity_policies": [MAYBE_ALLOW]}).as_json()
    assert answer["decision"] == "Depends"
    assert answer["depends_on"] == ["aws:principalorgid"]
    request["context"] = {KEY: {"unknown": "present"}}
    null = _document(_statement(Condition={"Null": {KEY: "false"}}))
    assert lines.decide({"request": request, "identity_policies": [null]}).decision == "Allowed"


@dataclass(frozen=True)
class Undetermined:
    """As the model of an assembly leaves values that a template does not determine."""

    shape: str


class TestGapsInPolicies:
    """A part of a policy that a template leaves to the deployment is written ``<?>``."""

    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            ("<?>", "Depends"),
            ("arn:aws:s3:::<?>/*", "Depends"),
            ("arn:aws:s3:::other-<?>/*", "ImplicitlyDenied"),
            ("arn:aws:s3:::data/<?>", "Depends"),
            (["arn:aws:s3:::<?>/*", "arn:aws:s3:::data/*"], "Allowed"),
            ("arn:aws:s3:::<?>/${aws:username}", "ImplicitlyDenied"),
        ],
    )
    def test_in_a_resource(self, pattern: Any, expected: str) -> None:
        assert _decide(identity_policies=[_document(_statement(Resource=pattern))]).decision == expected

    def test_as_the_model_hands_it_over(self) -> None:
        policy = _document(_statement(Resource=Undetermined("arn:aws:s3:::<?>/*")))
        decision = _decide(identity_policies=[policy])
        assert (decision.decision, decision.depends_on) == ("Depends", ("arn:aws:s3:::<?>/*",))

    @pytest.mark.parametrize(
        ("operator", "wanted", "given", "expected"),
        [
            ("StringEquals", "<?>", "x", "Depends"),
            ("StringEquals", "a-<?>", "b-1", "ImplicitlyDenied"),
            ("StringEquals", "a-<?>", "a-1", "Depends"),
            ("StringEqualsIgnoreCase", "A-<?>", "a-1", "Depends"),
            ("StringNotEquals", "a-<?>", "b-1", "Allowed"),
            ("StringLike", "a-<?>-*", "a-1-x", "Depends"),
            ("ArnLike", "arn:aws:s3:::<?>", "arn:aws:s3:::x", "Depends"),
            ("ArnLike", "arn:aws:sns:::<?>", "arn:aws:s3:::x", "ImplicitlyDenied"),
            ("NumericLessThan", "<?>", "1", "Depends"),
            ("DateLessThan", "<?>", "2026", "Depends"),
            ("IpAddress", "<?>/24", "10.0.0.1", "Depends"),
            ("Bool", "<?>", "true", "Depends"),
            ("Null", "<?>", "true", "Depends"),
        ],
    )
    def test_in_a_condition(self, operator: str, wanted: str, given: str, expected: str) -> None:
        policy = _document(_statement(Condition={operator: {"aws:RequestTag/x": wanted}}))
        assert _decide({"aws:RequestTag/x": given}, identity_policies=[policy]).decision == expected

    def test_is_a_gap_in_the_old_version_too(self) -> None:
        policy = _document(_statement(Resource="arn:aws:s3:::<?>/*"), version="2008-10-17")
        assert _decide(identity_policies=[policy]).decision == "Depends"

    @pytest.mark.parametrize(
        ("element", "expected"),
        [
            ({"Principal": {"AWS": "<?>"}}, "Depends"),
            ({"Principal": {"AWS": "arn:aws:iam::<?>:root"}}, "Depends"),
            ({"Principal": {"AWS": f"arn:aws:iam::{A}:role/<?>"}}, "Depends"),
            ({"Principal": {"AWS": f"arn:aws:iam::{B}:role/<?>"}}, "ImplicitlyDenied"),
            ({"Principal": {"AWS": ["<?>", SESSION]}}, "Allowed"),
            ({"Principal": {"Service": "<?>.amazonaws.com"}}, "ImplicitlyDenied"),
            ({"NotPrincipal": {"AWS": "<?>"}}, "Depends"),
            ({"NotPrincipal": {"AWS": f"arn:aws:iam::{B}:role/<?>"}}, "Allowed"),
        ],
    )
    def test_in_a_principal(self, element: dict[str, Any], expected: str) -> None:
        decision = _decide(principal=SESSION, resource_policy=_document(_statement(**element)))
        assert decision.decision == expected

    def test_in_a_principal_of_a_denial(self) -> None:
        resource = _document(_statement("Deny", Principal={"AWS": "<?>"}))
        assert _decide(identity_policies=[FULL], resource_policy=resource).decision == "Depends"


def test_names_that_aws_invents_are_names_like_others() -> None:
    role = f"arn:aws:iam::{A}:role/<sandbox-app/Role>"
    session = f"arn:aws:sts::{A}:assumed-role/<sandbox-app/Role>/one"
    named = _document(_statement(Principal={"AWS": role}))
    assert _decide(principal=role, resource_policy=named).decision == "Allowed"
    assert _decide(principal=session, resource_policy=named).decision == "Allowed"
    assert (
        _decide(principal=f"arn:aws:iam::{A}:role/<sandbox-web/Role>", resource_policy=named).decision
        == "ImplicitlyDenied"
    )
