"""Every request of ``requests.md`` is answered as it says, and every part of every guardrail decides one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from assembly import Assembly, Resource
from assembly.change import GONE
from proofs.model import Model, changed
from proofs.model.organization import Organization
from proofs.policy import Decision, PolicyKind, PolicySet, Request, compile_policy
from proofs.policy.evaluation import ALLOWED, EXPLICITLY_DENIED, IMPLICITLY_DENIED
from tests.fixture_deployment import FIXTURE
from tests.guardrails.world import Line, World, guardrail_resources, lines

LINES = lines()
ANSWERS = {"allowed": ALLOWED, "denied": EXPLICITLY_DENIED, "not granted": IMPLICITLY_DENIED}
LEAST = 150


@pytest.fixture(scope="session")
def world(assembly: Assembly) -> World:
    return World(assembly, FIXTURE)


@pytest.fixture(scope="session")
def decisions(world: World) -> dict[Line, Decision]:
    return {line: world.decide(line) for line in LINES}


def deciders(decision: Decision) -> frozenset[str]:
    """Ids of the statements that deny."""
    if decision.decision != EXPLICITLY_DENIED:
        return frozenset()
    return frozenset(str(reason.sid) for reason in decision.decided_by)


@pytest.mark.parametrize("line", LINES, ids=str)
def test_is_answered_as_written(line: Line, decisions: dict[Line, Decision]) -> None:
    decision = decisions[line]
    said = [f"{reason.policy} {reason.sid or ''} of {reason.source}: {reason.reason}" for reason in decision.decided_by]
    assert decision.decision == ANSWERS[line.answer], (decision.decision, decision.depends_on, said)
    assert deciders(decision) == line.deciders, said


def test_there_are_enough_requests_of_both_kinds() -> None:
    answers = Counter(line.answer for line in LINES)
    assert (
        len({(line.who, line.place, line.details, line.action, line.target) for line in LINES}) == len(LINES) >= LEAST
    )
    assert answers["denied"] >= LEAST / 3
    assert answers["allowed"] >= LEAST / 3


# ------------------------------------------------------------------------------------------------------- nothing is idle


@pytest.fixture(scope="session")
def small(world: World) -> Assembly:
    return world.without_all_but_the_organization()


def statements(resource: Resource) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = resource.properties["Content"]["Statement"]
    return found


@dataclass(frozen=True)
class Asked:
    """A line ready to be asked again and again."""

    line: Line
    request: Request
    policies: PolicySet
    before: Decision

    def turns(self, organization: Organization) -> bool:
        """Whether it is answered otherwise, or by other statements, under other policies of the organization."""
        after = organization.evaluate(self.request, self.policies)
        return (after.decision, deciders(after)) != (self.before.decision, deciders(self.before))


@pytest.fixture(scope="session")
def asked(world: World, decisions: dict[Line, Decision]) -> list[Asked]:
    return [Asked(line, *world.asked(line), before) for line, before in decisions.items()]


TWICE = {"FromOtherStages": "OtherStages holds the same callers from their own side"}
"""Statements that never decide alone, and why they are there all the same."""


def test_each_statement_decides_some_request(small: Assembly, asked: list[Asked]) -> None:
    """Whoever takes a statement away turns at least one expected answer; whoever adds one must add a request."""
    idle: list[str] = []
    alone: set[str] = set()
    for resource in guardrail_resources(small):
        for index, statement in enumerate(statements(resource)):
            sid = statement["Sid"]
            rest = [one for number, one in enumerate(statements(resource)) if number != index]
            organization = Model(changed(small, resource, "Content", "Statement", to=rest)).organization
            found = [one for one in asked if sid in one.line.deciders]
            if any(one.turns(organization) for one in found if one.line.deciders == {sid}):
                alone.add(sid)
            elif sid not in TWICE or not any(one.turns(organization) for one in found):
                idle.append(f"{resource.path}: {sid}")
    assert not idle, "no request of requests.md turns when these statements go:\n" + "\n".join(idle)
    assert not alone & set(TWICE)


EACH_VALUE = {"aws:PrincipalArn", "aws:SourceIp", "aws:RequestedRegion", "kms:ReplicaRegion"}
"""Conditions of which every single value is somebody's exemption or limit."""
FEW = 3


def parts(statement: dict[str, Any]) -> Iterator[tuple[str | int, ...]]:
    """Paths of all that limits a statement: each key of its conditions, and each of the values that matter singly."""
    for operator, tests in statement.get("Condition", {}).items():
        for key, values in tests.items():
            if isinstance(values, list) and key in EACH_VALUE:
                for number in range(len(values)):
                    yield "Condition", operator, key, number
            yield "Condition", operator, key
    for element in ("Resource", "NotResource"):
        values = statement.get(element, [])
        if isinstance(values, list) and len(values) <= FEW:
            for number in range(len(values)):
                yield element, number


def test_each_exemption_and_each_limit_matters_to_some_request(small: Assembly, asked: list[Asked]) -> None:
    """Whoever takes a condition, one of its values or a resource away turns at least one expected answer."""
    idle: list[str] = []
    for resource in guardrail_resources(small):
        kind = PolicyKind.RESOURCE_CONTROL if "Principal" in statements(resource)[0] else PolicyKind.SERVICE_CONTROL
        compiled = compile_policy(resource.properties["Content"], kind, resource.path).document.statements
        for index, statement in enumerate(statements(resource)):
            about = [one for one in asked if compiled[index].concerns(one.request.action.lower())]
            for part in parts(statement):
                weakened = changed(small, resource, "Content", "Statement", index, *part, to=GONE)
                organization = Model(weakened).organization
                if not any(one.turns(organization) for one in about):
                    idle.append(f"{resource.path}: {statement['Sid']}: {'.'.join(map(str, part))}")
    assert not idle, "no request of requests.md turns when these go:\n" + "\n".join(idle)
