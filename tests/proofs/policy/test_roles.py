"""Chains of roles, session tags and source identities."""

from __future__ import annotations

from typing import Any

from proofs.policy import UNKNOWN, Hop, PolicySet, assume_chain

A, B = "111122223333", "444455556666"
ANA = f"arn:aws:iam::{A}:user/ana"
HUB = f"arn:aws:iam::{A}:role/paths/hub"
SPOKE = f"arn:aws:iam::{B}:role/spoke"
HUB_SESSION = f"arn:aws:sts::{A}:assumed-role/hub/session"
MAY_ASSUME = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}


def _trust(name: str, *actions: str, **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": name}, "Action": ["sts:AssumeRole", *actions], **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _hop(role: str, trust: dict[str, Any], **more: Any) -> Hop:
    return Hop(role=role, policies=PolicySet.of(identity_policies=[MAY_ASSUME], resource_policy=trust), **more)


def _decisions(*hops: Hop, **more: Any) -> list[str]:
    return [step.decision.decision for step in assume_chain(ANA, hops, **more)]


def test_a_chain_asks_each_trust_policy_about_the_session_before() -> None:
    steps = assume_chain(ANA, [_hop(HUB, _trust(A)), _hop(SPOKE, _trust(f"arn:aws:iam::{A}:role/hub"))])
    assert [step.decision.decision for step in steps] == ["Allowed", "Allowed"]
    assert [step.session for step in steps] == [HUB_SESSION, f"arn:aws:sts::{B}:assumed-role/spoke/session"]


def test_a_chain_ends_where_it_is_denied() -> None:
    assert _decisions(_hop(HUB, _trust(B)), _hop(SPOKE, _trust(A))) == ["ImplicitlyDenied"]


def test_trust_in_the_first_caller_is_no_trust_in_its_session() -> None:
    assert _decisions(_hop(HUB, _trust(A)), _hop(SPOKE, _trust(ANA))) == ["Allowed", "ImplicitlyDenied"]


def test_trust_can_name_the_session() -> None:
    trust = _trust(f"arn:aws:sts::{A}:assumed-role/hub/deploy")
    assert _decisions(_hop(HUB, _trust(A), session_name="deploy"), _hop(SPOKE, trust)) == ["Allowed", "Allowed"]
    assert _decisions(_hop(HUB, _trust(A), session_name="other"), _hop(SPOKE, trust)) == ["Allowed", "ImplicitlyDenied"]


def test_tags_need_their_own_trust() -> None:
    tagged = {"tags": {"team": "red"}}
    assert _decisions(_hop(HUB, _trust(A), **tagged)) == ["ImplicitlyDenied"]
    assert _decisions(_hop(HUB, _trust(A, "sts:TagSession"), **tagged)) == ["Allowed"]


def test_a_session_carries_its_tags() -> None:
    condition = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    first = _hop(HUB, _trust(A, "sts:TagSession"), tags={"team": "red"})
    assert _decisions(first, _hop(SPOKE, _trust(A, Condition=condition))) == ["Allowed", "Allowed"]
    blue = _hop(HUB, _trust(A, "sts:TagSession"), tags={"team": "blue"})
    assert _decisions(blue, _hop(SPOKE, _trust(A, Condition=condition))) == ["Allowed", "ImplicitlyDenied"]


def test_transitive_tags_are_inherited_and_need_trust_again() -> None:
    first = _hop(HUB, _trust(A, "sts:TagSession"), tags={"team": "red", "own": "x"}, transitive=frozenset({"team"}))
    assert _decisions(first, _hop(SPOKE, _trust(A))) == ["Allowed", "ImplicitlyDenied"]
    second = assume_chain(ANA, [first, _hop(SPOKE, _trust(A, "sts:TagSession"), tags={"team": "blue"})])[1]
    assert second.decision.decision == "Allowed"
    assert second.keys == {"aws:PrincipalTag/team": "red"}


def test_trust_may_limit_which_tags_are_passed() -> None:
    condition = {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}, "StringLike": {"aws:RequestTag/team": "r*"}}
    trust = _trust(A, "sts:TagSession", Condition=condition)
    assert _decisions(_hop(HUB, trust, tags={"team": "red"})) == ["Allowed"]
    assert _decisions(_hop(HUB, trust, tags={"team": "blue"})) == ["ImplicitlyDenied"]
    assert _decisions(_hop(HUB, trust, tags={"team": "red", "admin": "yes"})) == ["ImplicitlyDenied"]


def test_trust_may_limit_which_tags_are_transitive() -> None:
    trust = _trust(A, "sts:TagSession", Condition={"ForAllValues:StringEquals": {"sts:TransitiveTagKeys": ["team"]}})
    tags = {"team": "red", "own": "x"}
    assert _decisions(_hop(HUB, trust, tags=tags, transitive=frozenset({"team"}))) == ["Allowed"]
    assert _decisions(_hop(HUB, trust, tags=tags, transitive=frozenset(tags))) == ["ImplicitlyDenied"]


def test_a_source_identity_stays_through_the_chain_and_needs_trust_each_time() -> None:
    first = _hop(HUB, _trust(A, "sts:SetSourceIdentity"), source_identity="ana")
    assert _decisions(first, _hop(SPOKE, _trust(A))) == ["Allowed", "ImplicitlyDenied"]
    condition = {"StringEquals": {"aws:SourceIdentity": "ana", "sts:SourceIdentity": "ana"}}
    second = _hop(SPOKE, _trust(A, "sts:SetSourceIdentity", Condition=condition), source_identity="bo")
    steps = assume_chain(ANA, [first, second])
    assert [step.decision.decision for step in steps] == ["Allowed", "Allowed"]
    assert steps[1].keys == {"aws:SourceIdentity": "ana"}


def test_external_ids_and_session_names_reach_the_trust_policy() -> None:
    condition = {"StringEquals": {"sts:ExternalId": "42", "sts:RoleSessionName": "deploy"}}
    trust = _trust(A, Condition=condition)
    assert _decisions(_hop(HUB, trust, external_id="42", session_name="deploy")) == ["Allowed"]
    assert _decisions(_hop(HUB, trust, session_name="deploy")) == ["ImplicitlyDenied"]


def test_what_else_is_known_of_the_call_counts() -> None:
    trust = _trust(A, Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    assert _decisions(_hop(HUB, trust, context={"aws:MultiFactorAuthPresent": "true"})) == ["Allowed"]
    assert _decisions(_hop(HUB, trust), keys={"aws:MultiFactorAuthPresent": True}) == ["Allowed"]
    assert _decisions(_hop(HUB, trust)) == ["ImplicitlyDenied"]


def test_an_unknown_value_leaves_the_chain_open() -> None:
    trust = _trust(A, Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    assert _decisions(_hop(HUB, trust, context={"aws:MultiFactorAuthPresent": UNKNOWN}), _hop(SPOKE, _trust(A))) == [
        "Depends",
        "Allowed",
    ]


def test_the_weakest_of_the_permissions_needed_decides() -> None:
    maybe = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
    trust = _trust(A)
    trust["Statement"].append({**_trust(A)["Statement"][0], "Action": "sts:TagSession", "Condition": maybe})
    more: dict[str, Any] = {"tags": {"team": "red"}, "context": {"aws:PrincipalOrgID": UNKNOWN}}
    assert _decisions(_hop(HUB, trust, **more)) == ["Depends"]
    assert _decisions(_hop(HUB, trust, **more, source_identity="ana")) == ["ImplicitlyDenied"]
