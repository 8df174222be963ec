"""The course of access reviews: the synthesized definition, run with the real handlers, killed after every step and begun again;
and what its roles, schedules and policies say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from review_access import handler as reviewing

from assembly import Assembly, Resource
from rehearsal.state_machine import Execution, Killed, StateMachine
from tests.fixture_deployment import FIXTURE
from tests.stacks.review_world import ACCOUNTS, ADA, BEN, World, failure, user, usual

ADMIN = "admin-2026-03"
DAY = 86400


@pytest.fixture(scope="module")
def definition(assembly: Assembly) -> Any:
    (machine,) = _of(assembly, "AWS::StepFunctions::StateMachine")
    parts = machine.properties["DefinitionString"]["Fn::Join"][1]
    return json.loads("".join(part if isinstance(part, str) else _said(part) for part in parts))


def _said(part: dict[str, Any]) -> str:
    return "aws" if part == {"Ref": "AWS::Partition"} else json.dumps(part).replace('"', "'")


def _of(assembly: Assembly, kind: str, stack: str = "security-reviews") -> Iterator[Resource]:
    return (one for one in assembly[stack].resources.values() if one.type == kind)


class Course:
    """A machine in a world; ``at`` has deeds of people, by the day after the beginning on which they do them."""

    def __init__(self, definition: Any, world: World, at: dict[float, Any] | None = None) -> None:
        self.world, self.at = world, dict(at or {})
        self.begun = world.clock()
        self.machine = StateMachine(definition, self._task, world.clock)

    def _task(self, resource: str, given: Any) -> Any:
        passed = (self.world.clock() - self.begun).total_seconds() / DAY
        for day in sorted(one for one in self.at if one <= passed):
            self.at.pop(day)()
        return self.world.task(resource, given)

    def run(self, kill_after: int | None = None) -> Execution:
        return self.machine.run({"period": ADMIN}, name=ADMIN, kill_after=kill_after)


def _sign(world: World, decision: str = "keep", people: tuple[str, ...] = (ADA, BEN)) -> None:
    findings = world.do("show", period=ADMIN)["document"]["findings"]
    for person in people:
        said = world.sign(ADMIN, person, {one["id"]: decision for one in findings}, number=person.split("@")[0])
        assert "refused" not in said, said


def _subjects(world: World) -> list[str]:
    return [subject.partition(":")[0] for _, subject in world.published]


def test_collects_tells_and_closes_when_two_have_signed(definition: Any) -> None:
    world = usual()
    world.busy = 2
    execution = Course(definition, world, {1: lambda: _sign(world)}).run()
    assert execution.status == "SUCCEEDED", execution.error
    assert _subjects(world) == ["Please sign"]
    assert world.do("status", period=ADMIN)["stands"] == "closed"
    assert execution.path.count("LetReportsBeMade") >= 2


def test_reminds_at_the_marks_then_escalates_every_week_until_signed(definition: Any) -> None:
    world = usual()
    execution = Course(definition, world, {29.5: lambda: _sign(world)}).run()
    assert execution.status == "SUCCEEDED", execution.error
    assert _subjects(world) == ["Please sign", "Not signed yet", "Not signed yet", "OVERDUE", "OVERDUE", "OVERDUE"]
    topics = [topic for topic, _ in world.published]
    assert len(set(topics[:3])) == 1
    assert len(set(topics[3:])) == 1
    assert topics[0] != topics[3]
    told = [one for one in execution.steps if one.state in {"Remind", "Escalate"}]
    begun = execution.steps[0].at
    assert [(one.at - begun).days for one in told] == [0, 3, 7, 14, 21, 28]


def test_one_signature_keeps_the_reminders_coming(definition: Any) -> None:
    world = usual()
    course = Course(definition, world, {1: lambda: _sign(world, people=(BEN,)), 8: lambda: _sign(world, people=(ADA,))})
    assert course.run().status == "SUCCEEDED"
    assert _subjects(world) == ["Please sign", "Not signed yet", "Not signed yet"]


def test_follows_what_was_revoked_until_a_collection_shows_it_gone(definition: Any) -> None:
    world = usual()
    world.users["prod"] = [user("eve")]
    course = Course(definition, world, {1: lambda: _sign(world, "revoke"), 45: world.users.clear})
    execution = course.run()
    assert execution.status == "SUCCEEDED", execution.error
    subjects = _subjects(world)
    assert subjects[0] == "Please sign"
    assert set(subjects[1:]) == {"Still there"}
    assert len(subjects) >= 6
    assert len({topic for topic, _ in world.published}) == 2, "whoever hears of escalations never heard"
    assert execution.steps[-1].at >= course.begun
    assert 45 <= (execution.steps[-1].at - course.begun).days <= 53
    assert world.do("status", period=ADMIN)["stands"] == "closed"


def test_an_account_that_never_answers_is_said_and_counted_and_the_others_go_on(definition: Any) -> None:
    world = usual()
    world.unreachable.add(ACCOUNTS["prod"])

    def decide() -> None:
        document = world.do("show", period=ADMIN)["document"]
        assert document["missing"] == {ACCOUNTS["prod"]: "ClientError"}
        assert [one["rule"] for one in document["findings"]] == ["account-not-seen"]
        _sign(world, "revoke")

    execution = Course(definition, world, {1: decide, 10: world.unreachable.clear}).run()
    assert execution.status == "SUCCEEDED", execution.error
    assert ("AccountsNotSeen", 1) in world.metrics
    assert world.do("status", period=ADMIN)["stands"] == "closed"


def test_an_account_that_answers_after_an_hour_is_not_missing(definition: Any) -> None:
    world = usual()
    world.unreachable.add(ACCOUNTS["prod"])
    calls = [0]
    client = world.client

    def later(*asked: Any) -> Any:
        calls[0] += asked[0] == ACCOUNTS["prod"]
        if calls[0] > 3:
            world.unreachable.clear()
        return client(*asked)

    world.client = later  # type: ignore[method-assign, assignment]
    world.__post_init__()
    execution = Course(definition, world, {1: lambda: _sign(world)}).run()
    assert execution.status == "SUCCEEDED", execution.error
    assert world.do("show", period=ADMIN)["document"]["missing"] == {}


def test_reports_that_never_come_make_the_account_missing(definition: Any) -> None:
    world = usual()
    world.busy = 10**6
    execution = Course(definition, world, {1: lambda: _sign(world, "keep")}).run()
    assert execution.status == "SUCCEEDED", execution.error
    missing = world.do("show", period=ADMIN)["document"]["missing"]
    assert missing == {ACCOUNTS["prod"]: "NotReadyError"}


def _eventful(world: World) -> dict[float, Any]:
    world.users["prod"] = [user("eve")]
    return {4: lambda: _sign(world, "revoke"), 12: world.users.clear}


def test_killed_after_every_step_and_begun_again_it_ends_the_same(definition: Any) -> None:
    whole = usual()
    course = Course(definition, whole, _eventful(whole))
    steps = len(course.run().steps)
    facts = sorted(one for one in whole.archive.kept if "/facts." not in one and "/told." not in one)
    document = whole.do("show", period=ADMIN)["digest"]
    for kill in range(1, steps, 2):
        world = usual()
        course = Course(definition, world, _eventful(world))
        with pytest.raises(Killed):
            course.run(kill_after=kill)
        ended = course.run()
        assert ended.status == "SUCCEEDED", (kill, ended.error)
        shown = world.do("show", period=ADMIN)
        assert {one["id"] for one in shown["document"]["findings"]} == {
            one["id"] for one in whole.do("show", period=ADMIN)["document"]["findings"]
        }
        assert sorted(one for one in world.archive.kept if "/facts." not in one and "/told." not in one) == facts, kill
        # A message may come twice where it was sent and the step that says so was killed; it is never left out.
        assert set(_subjects(world)) == set(_subjects(whole)), kill
        assert len(_subjects(world)) <= len(_subjects(whole)) + 1
        assert world.do("status", period=ADMIN)["stands"] == "closed"
    assert document


@pytest.mark.parametrize("act", ["open", "weigh", "look", "told", "gather", "begin"])
def test_a_step_that_fails_is_tried_again(definition: Any, act: str) -> None:
    world = usual()
    course = Course(definition, world, {1: lambda: _sign(world)})
    failed: list[str] = []
    answer = course.world.task

    def failing(resource: str, given: Any) -> Any:
        if given.get("do") == act and len(failed) < 3:
            failed.append(act)
            raise failure("ServiceUnavailable")
        return answer(resource, given)

    world.task = failing  # type: ignore[method-assign]
    execution = course.run()
    assert execution.status == "SUCCEEDED", execution.error
    assert len(failed) == 3
    assert world.do("show", period=ADMIN)["document"]["missing"] == {}


def test_two_executions_of_one_review_write_one_document_and_tell_once_each_mark(definition: Any) -> None:
    world = usual()
    first = Course(definition, world)
    with pytest.raises(Killed):
        first.run(kill_after=20)
    second = Course(definition, world, {1: lambda: _sign(world)})
    assert second.run().status == "SUCCEEDED"
    assert Course(definition, world).run().status == "SUCCEEDED"
    assert _subjects(world).count("Please sign") <= 2
    assert sum(key.endswith("/document.json") for key in world.archive.kept) == 1


# -------------------------------------------------------------------------------------------------------- the templates


def test_reviews_are_begun_monthly_and_quarterly_and_watched_over(assembly: Assembly) -> None:
    rules = {
        rule.properties["ScheduleExpression"]: json.loads(rule.properties["Targets"][0]["Input"])
        for rule in _of(assembly, "AWS::Events::Rule")
    }
    assert rules == {
        "cron(0 5 1 * ? *)": {"do": "begin", "kind": "admin"},
        "cron(0 5 1 1,4,7,10 ? *)": {"do": "begin", "kind": "access"},
        "rate(6 hours)": {"do": "watch"},
    }


def test_people_reach_the_door_alone_and_sign_as_themselves(assembly: Assembly) -> None:
    (signer,) = (
        one
        for one in _of(assembly, "AWS::IAM::ManagedPolicy")
        if one.properties.get("ManagedPolicyName") == "acme-review-signer"
    )
    doors = [
        one.logical_id
        for one in _of(assembly, "AWS::Lambda::Function")
        if one.properties["Environment"]["Variables"].get("ACTS") == "list status show sign run"
    ]
    text = json.dumps(signer.properties["PolicyDocument"])
    assert [one for one in doors if one in text] == doors
    assert len(doors) == 1
    assert "reviews-deeds/sign@*/${aws:userid}.json" in text
    for function in _of(assembly, "AWS::Lambda::Function"):
        assert function.logical_id in doors or function.logical_id not in text


@pytest.mark.parametrize("owner", FIXTURE.owners)
def test_the_reviewer_of_every_account_reads_identities_and_lets_the_collector_in_alone(
    assembly: Assembly, owner: str
) -> None:
    roles = list(_of(assembly, "AWS::IAM::Role", f"{owner}-account"))
    (role,) = (one for one in roles if one.properties.get("RoleName") == "acme-reviewer")
    (statement,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {
        "StringEquals": {"aws:PrincipalOrgID": "o-fixture1234", "sts:ExternalId": "acme-reviews"},
        "ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::100000000003:role/acme-recorder-reviews-collector"},
    }
    (policy,) = (
        one
        for one in _of(assembly, "AWS::IAM::ManagedPolicy", f"{owner}-account")
        if one.properties["Roles"] == [{"Ref": role.logical_id}]
    )
    said = policy.properties["PolicyDocument"]["Statement"]
    actions = {a for s in said for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])}
    verbs = {action.split(":")[1] for action in actions}
    assert all(verb.startswith(("Get", "List", "Describe", "Lookup", "Generate")) for verb in verbs)
    assert any(action.startswith("sso:") for action in actions) == (owner == "management")


def test_reviews_take_for_standing_exactly_what_the_templates_assign(
    assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    (steps,) = (
        one.properties["Environment"]["Variables"]
        for one in _of(assembly, "AWS::Lambda::Function")
        if "begin" in one.properties["Environment"]["Variables"].get("ACTS", "").split()
    )
    for name, value in steps.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    known = reviewing._services.__wrapped__(ACCOUNTS["security"]).store.rules.standing
    stack = assembly["management-identity"].resources
    owners = {account: owner for owner, account in FIXTURE.owners.items()}

    def name_of(value: Any) -> str:
        if isinstance(value, str):
            return value
        properties = stack[value["Fn::GetAtt"][0]].properties
        return str(properties.get("Name") or properties.get("DisplayName"))

    assert known == {
        f"{name_of(p['PrincipalId'])}:{name_of(p['PermissionSetArn'])}:{owners[p['TargetId']]}"
        for p in (one.properties for one in stack.values() if one.type == "AWS::SSO::Assignment")
    }
    assert sum(len(name) + len(value) for name, value in steps.items()) < 4096, "what a function's environment holds"
