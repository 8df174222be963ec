"""Guardrails are packed into few policies, and refused where AWS would refuse them."""

from __future__ import annotations

import pytest
from palisade.organization import QUOTAS, Guardrail, PolicyType, QuotaError, compose
from palisade.organization.guardrail import Statement, deny, guardrail


def _guardrail(number: int, *, characters: int, policy_type: PolicyType = PolicyType.SERVICE_CONTROL) -> Guardrail:
    statement = deny(f"S{number}", ("ec2:" + "x" * characters,))
    return Guardrail(
        name=f"g{number}",
        type=policy_type,
        stops="it",
        exempt="nobody",
        source="https://docs.aws.amazon.com/x",
        statements=(statement,),
    )


def test_packs_small_guardrails_into_one_document() -> None:
    (document,) = compose("root", [_guardrail(number, characters=100) for number in range(20)])
    assert len(document.content["Statement"]) == 20


def test_fills_gaps_before_it_begins_another_document() -> None:
    sizes = (6_000, 6_000, 3_000, 3_000)
    documents = compose("root", [_guardrail(n, characters=size) for n, size in enumerate(sizes)])
    assert [[g.name for g in document.guardrails] for document in documents] == [["g0", "g2"], ["g1", "g3"]]
    assert all(document.size <= QUOTAS[PolicyType.SERVICE_CONTROL].characters for document in documents)


def test_keeps_types_apart() -> None:
    documents = compose(
        "root",
        [
            _guardrail(1, characters=9),
            _guardrail(2, characters=9, policy_type=PolicyType.RESOURCE_CONTROL),
        ],
    )
    assert {document.type for document in documents} == {PolicyType.SERVICE_CONTROL, PolicyType.RESOURCE_CONTROL}


@pytest.mark.parametrize("policy_type", [PolicyType.SERVICE_CONTROL, PolicyType.RESOURCE_CONTROL])
def test_refuses_more_documents_than_a_target_takes(policy_type: PolicyType) -> None:
    quota = QUOTAS[policy_type]
    full = [_guardrail(n, characters=quota.characters - 200, policy_type=policy_type) for n in range(quota.free)]
    assert len(compose("root", full)) == quota.free
    with pytest.raises(QuotaError, match=f"live: {quota.free + 1} documents of type {policy_type.value}"):
        compose("live", [*full, _guardrail(99, characters=quota.characters - 200, policy_type=policy_type)])


def test_refuses_a_guardrail_that_no_document_holds_and_lists_every_problem() -> None:
    with pytest.raises(QuotaError) as raised:
        compose(
            "live", [_guardrail(1, characters=20_000), _guardrail(2, characters=20_000), _guardrail(2, characters=9)]
        )
    assert len(raised.value.problems) == 3
    assert "guardrail g1 has" in str(raised.value)
    assert "two statements are called S2" in str(raised.value)


def test_refuses_a_guardrail_that_does_not_say_who_is_exempt() -> None:
    def silent() -> list[Statement]:
        """Nobody does it. https://docs.aws.amazon.com/x"""
        return []

    with pytest.raises(ValueError, match="Exempt"):
        guardrail(PolicyType.SERVICE_CONTROL)(silent)
