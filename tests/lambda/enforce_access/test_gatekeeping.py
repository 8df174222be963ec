"""The gate before a level, judged as AWS would: only the granted person, from the granted address, until the grant ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from palisade_runtime.gatekeeping import LONGEST, document, size
from palisade_runtime.grants import Grant, Passage, passages

from proofs.policy import PolicyKind, PolicySet, Request, compile_policy, evaluate
from tests.access_world import HOME, NOW, OPERATOR, PROD, VPN

_SET = f"arn:aws:iam::{PROD}:role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_acme-operator_0123456789abcdef"
_RIGHTS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}


def may(
    policy: dict[str, Any], user: str, address: str, *, issued: datetime, now: datetime, via_service: bool = False
) -> bool:
    """Whether a session may do something that its level allows."""
    request = Request(
        principal=f"arn:aws:sts::{PROD}:assumed-role/AWSReservedSSO_acme-operator_0123456789abcdef/{user}",
        session_issuer=_SET,
        action="sqs:ReceiveMessage",
        resource=f"arn:aws:sqs:eu-central-1:{PROD}:prod-uploads",
        context={
            "identitystore:UserId": user,
            "aws:SourceIp": address,
            "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "aws:TokenIssueTime": issued.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "aws:ViaAWSService": via_service,
        },
    )
    documents = (_RIGHTS, policy)
    policies = PolicySet(identity_policies=tuple(compile_policy(one, PolicyKind.IDENTITY, "p") for one in documents))
    return evaluate(request, policies).certainly_allowed


def passage(user: str = "ada", address: str = HOME, *, minutes: int = 60) -> Passage:
    return Passage(user=user, person=user, address=address, since=NOW, until=NOW + timedelta(minutes=minutes))


_LATER = NOW + timedelta(minutes=5)


def test_nobody_passes_a_closed_gate() -> None:
    assert not may(document([]), "ada", HOME, issued=NOW, now=_LATER)


def test_the_granted_person_passes_from_the_granted_address_until_the_end() -> None:
    gate = document([passage()])
    assert may(gate, "ada", HOME, issued=_LATER, now=_LATER)
    assert not may(gate, "ben", HOME, issued=_LATER, now=_LATER)
    assert not may(gate, "ada", VPN, issued=_LATER, now=_LATER)
    assert not may(gate, "ada", HOME, issued=_LATER, now=NOW + timedelta(minutes=60))
    assert may(gate, "ada", HOME, issued=_LATER, now=NOW + timedelta(minutes=59))


def test_a_session_that_began_before_the_grant_does_not_pass() -> None:
    assert not may(document([passage()]), "ada", HOME, issued=NOW - timedelta(seconds=1), now=_LATER)


def test_what_aws_does_for_the_session_passes_until_the_end() -> None:
    gate = document([passage()])
    assert may(gate, "ada", "192.0.2.99", issued=_LATER, now=_LATER, via_service=True)
    assert not may(gate, "ada", "192.0.2.99", issued=_LATER, now=NOW + timedelta(hours=1), via_service=True)
    assert not may(gate, "ben", "192.0.2.99", issued=_LATER, now=_LATER, via_service=True)


def test_each_address_of_a_person_has_its_own_end() -> None:
    gate = document([passage(minutes=30), passage(address=VPN)])
    now = NOW + timedelta(minutes=40)
    assert not may(gate, "ada", HOME, issued=NOW, now=now)
    assert may(gate, "ada", VPN, issued=NOW, now=now)


def test_six_people_fit_before_one_level() -> None:
    users = [f"{number:010x}-{number:08x}-0000-4000-8000-000000000000" for number in range(6)]
    assert size(document([passage(user) for user in users])) <= LONGEST


_minutes = st.integers(min_value=0, max_value=180)


@st.composite
def _grants(draw: st.DrawFn) -> list[Grant]:
    found = []
    for number in range(draw(st.integers(min_value=0, max_value=5))):
        start = NOW + timedelta(minutes=draw(_minutes))
        found.append(
            Grant(
                id=f"20260302-{number:010x}",
                place=OPERATOR,
                user=draw(st.sampled_from(["ada", "ben"])),
                person="somebody",
                address=draw(st.sampled_from([HOME, VPN])),
                start=start,
                end=start + timedelta(minutes=draw(st.integers(min_value=15, max_value=90))),
                tenants=(),
                revoked=draw(st.sampled_from([False, False, True])),
                closed=False,
            )
        )
    return found


@settings(max_examples=60, deadline=None)
@given(
    found=_grants(),
    at=_minutes,
    ago=_minutes,
    user=st.sampled_from(["ada", "ben"]),
    address=st.sampled_from([HOME, VPN]),
)
def test_a_session_passes_exactly_while_a_grant_lives_that_reaches_back_to_its_beginning(
    found: list[Grant], at: int, ago: int, user: str, address: str
) -> None:
    now = NOW + timedelta(minutes=at)
    issued = now - timedelta(minutes=min(ago, at))
    mine = [one for one in found if one.user == user and one.address == address and not one.revoked]
    lives = any(one.live(now) for one in mine)
    moments = [issued + timedelta(minutes=step) for step in range(int((now - issued).total_seconds() // 60) + 1)]
    # Two grants that only touch are one: the first ends in the very moment in which the second begins.
    covered = all(any(one.start <= moment <= one.end for one in mine) for moment in moments)
    gate = document(passages(found, OPERATOR, now))
    assert may(gate, user, address, issued=issued, now=now) is (lives and covered)


@settings(max_examples=40, deadline=None)
@given(found=_grants(), at=_minutes)
def test_the_end_of_one_grant_never_ends_another(found: list[Grant], at: int) -> None:
    now = NOW + timedelta(minutes=at)
    inside = {(one.user, one.address) for one in passages(found, OPERATOR, now)}
    assert inside == {(one.user, one.address) for one in found if one.live(now)}
