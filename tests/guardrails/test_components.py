"""Guardrails take nothing away that a template gave: to a component's role, or to people by their jobs.

Every action that a role's own policy names is asked for under the organization's policies, as the role, on the resources that
the policy names; conditions of guardrails on what only the request knows may turn out either way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from assembly import Assembly
from proofs.delivery.judge import plain
from proofs.model import Node, as_list
from proofs.model.organization import KNOWN_KEYS
from proofs.model.people import granted
from proofs.model.policies import documents_of, statements
from proofs.policy import UNKNOWN, PolicySet, Request
from proofs.policy.evaluation import EXPLICITLY_DENIED
from stacks.settings import Job
from tests.fixture_deployment import FIXTURE
from tests.guardrails.world import OPEN, World

LAB = "lab"
"""Begins the names of what engineers make by hand, which bears no mark of the templates."""


@pytest.fixture(scope="module")
def world(assembly: Assembly) -> World:
    return World(assembly, FIXTURE)


def rights(documents: Iterable[Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Each action, resource and condition that the documents allow, save actions with a wildcard."""
    for statement in statements(list(documents)):
        if statement.get("Effect") == "Allow":
            for action in as_list(statement.get("Action")):
                for resource in as_list(statement.get("Resource", "*")):
                    if "*" not in str(action):
                        yield str(action), plain(str(resource)), statement.get("Condition", {})


def concrete(resource: str, account: str) -> str:
    """A resource that the pattern means."""
    return resource if resource == "*" else resource.replace("::*:", f"::{account}:").replace("*", "x")


def wanted(conditions: Mapping[str, Any]) -> dict[str, str]:
    """What the statement's own conditions require of a request, where they say it plainly."""
    found: dict[str, str] = {}
    for operator, tests in conditions.items():
        if operator in {"StringEquals", "Bool", "StringLike", "ArnLike"}:
            found |= {key.lower(): str(as_list(value)[0]) for key, value in tests.items() if "*" not in str(value)}
    return found


def denied(world: World, who: Mapping[str, Any], account: str, documents: Iterable[Any], *, tagged: bool) -> list[str]:
    organization = world.model.organization
    found: list[str] = []
    for action, pattern, conditions in rights(documents):
        resource = concrete(pattern, account)
        node = world.model.find(resource)
        owner = resource.split(":")[4] if resource.count(":") >= 5 else ""
        tags = {} if node is None else node.tags
        if tagged and f"{LAB}-" not in pattern and f"/{LAB}/" not in pattern:
            tags = {"palisade:deployment": FIXTURE.name, **tags}
        context: dict[str, Any] = {
            **dict.fromkeys(organization.keys - KNOWN_KEYS, UNKNOWN),
            "aws:requestedregion": world.deployment.home.name,
            **{f"aws:resourcetag/{key}".lower(): value for key, value in tags.items()},
            **{key: value.replace("${aws:PrincipalAccount}", account) for key, value in wanted(conditions).items()},
            **who["context"],
        }
        request = Request(
            principal=who["principal"],
            session_issuer=who.get("issuer"),
            action=action,
            resource=resource,
            resource_account=owner if owner.isdigit() else account if node is None else node.account,
            context=context,
        )
        open_to_all = PolicySet(identity_policies=world.caller("administrator in prod").identity, resource_policy=OPEN)
        decision = organization.evaluate(request, open_to_all)
        if decision.decision == EXPLICITLY_DENIED:
            found.append(f"{action} on {pattern}: {', '.join(sorted({str(r.sid) for r in decision.decided_by}))}")
    return found


def test_components_keep_what_their_policies_allow(world: World) -> None:
    broken: list[str] = []
    roles: list[Node] = list(world.model.of("AWS::IAM::Role"))
    for role in roles:
        who = {
            "principal": plain(role.arn),
            "context": {f"aws:principaltag/{key}".lower(): value for key, value in role.tags.items()},
        }
        broken += [
            f"{role.path}: {one}"
            for one in denied(world, who, role.account, documents_of(world.model, role), tagged=False)
        ]
    assert len(roles) > 50
    assert not broken, "\n".join(broken)


def test_people_keep_what_their_jobs_allow(world: World) -> None:
    broken: list[str] = []
    for permission_set in world.model.of("AWS::SSO::PermissionSet"):
        name = str(permission_set.get("Name")).removeprefix(f"{world.names.prefix}-")
        where = {Job.ENGINEER.value: ["dev"], Job.BILLING.value: ["management"], Job.EVIDENCE.value: ["log-archive"]}
        for owner in where.get(name, ["prod"]):
            account = world.deployment.owners[owner]
            person = granted(world.model, permission_set, account)
            who = {"principal": person.session, "issuer": person.role, "context": {}}
            lost = denied(world, who, account, person.documents, tagged=True)
            broken += [f"{name}: {one}" for one in lost]
    assert not broken, "\n".join(dict.fromkeys(broken))
