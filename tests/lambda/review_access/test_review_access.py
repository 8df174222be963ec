"""Access reviews: what is found, who may sign for it, when it is complete, and what stays open until it is gone."""

from collections.abc import Callable
from typing import Any

import pytest
from review_access.periods import period
from review_access.report import markdown, page
from review_access.signing import Signature, problems, state

from rehearsal.state_machine import MovedClock
from tests.stacks.review_world import (
    ACCOUNTS,
    ADA,
    BEN,
    CLEO,
    DAN,
    World,
    failure,
    of_people,
    role,
    user,
    usual,
)

ACCESS, ADMIN, PROD = "access-2026-Q1", "admin-2026-03", ACCOUNTS["prod"]
OLD, RECENT = "2025-06-01T00:00:00+00:00", "2026-02-27T09:00:00+00:00"


def found(world: World, name: str = ACCESS) -> dict[str, list[str]]:
    """Rules with the rights that they object to."""
    world.review(name)
    rules: dict[str, list[str]] = {}
    for one in world.do("show", period=name)["document"]["findings"]:
        rules.setdefault(one["rule"], []).append(one["right"])
    return rules


# ------------------------------------------------------------------------------------------------------------- findings


def test_finds_nothing_where_people_work_with_what_stands() -> None:
    assert found(usual()) == {}


def _stale_person(world: World) -> None:
    world.members["acme-read-only"].append(DAN)


def _unused_assignment(world: World) -> None:
    world.sign_ins = {"prod": [(CLEO, "other", RECENT)]}


def _user(name: str, **row: str) -> Callable[[World], None]:
    return lambda world: world.users.update({"prod": [user(name, **row)]})


def _role(**how: Any) -> Callable[[World], None]:
    return lambda world: world.roles["prod"].append(role("byhand", **how))


def _assigned(kind: str, principal: str) -> Callable[[World], None]:
    return lambda world: world.assignments.append(("acme-database", PROD, kind, principal))


@pytest.mark.parametrize(
    ("plant", "rule", "right"),
    [
        (_stale_person, "person-stale", f"member/acme-read-only/{DAN}"),
        (_unused_assignment, "assignment-unused", f"assignment/{PROD}/acme-read-only/GROUP/acme-read-only"),
        (_unused_assignment, "permission-set-unused", "set/acme-read-only"),
        (_user("eve"), "user-unexplained", f"user/{PROD}/eve"),
        (_user("eve", created=OLD), "user-stale", f"user/{PROD}/eve"),
        (_user("eve", password_enabled="true"), "mfa-missing", f"password/{PROD}/eve"),
        (_user("emergency", password_enabled="true"), "mfa-missing", f"password/{PROD}/emergency"),
        (
            _user("eve", access_key_1_active="true", access_key_1_last_rotated=OLD, access_key_1_last_used_date=RECENT),
            "key-old",
            f"key/{PROD}/eve/{OLD}",
        ),
        (
            _user("eve", access_key_2_active="true", access_key_2_last_rotated="2026-02-01T00:00:00+00:00"),
            "key-unused",
            f"key/{PROD}/eve/2026-02-01T00:00:00+00:00",
        ),
        (_role(), "role-unused", f"role/{PROD}/byhand"),
        (_role(used=RECENT, actions=("iam:*",)), "admin-outside-grants", f"role/{PROD}/byhand"),
        (_assigned("USER", f"id-{DAN}"), "assignment-unexplained", f"assignment/{PROD}/acme-database/USER/{DAN}"),
        (_assigned("GROUP", "id-acme-read-only"), "assignment-unexplained", None),
        (lambda world: world.unreachable.add(PROD), "account-not-seen", f"unseen/{PROD}"),
    ],
)
def test_finds_what_was_planted(plant: Callable[[World], None], rule: str, right: str | None) -> None:
    world = usual()
    plant(world)
    rights = found(world).get(rule, [])
    assert rights
    assert right is None or rights == [right]


@pytest.mark.parametrize(
    "plant",
    [
        _user("emergency", created=OLD, password_enabled="true", mfa_active="true"),
        lambda world: world.roles["prod"].append(role("cdk-hnb659fds-cfn-exec-role-x", actions=("*",))),
        lambda world: world.roles["prod"].append(role("acme-old", template=True, actions=("iam:*",))),
        lambda world: world.roles["prod"].append(role("AWSServiceRoleForX", path="/aws-service-role/x/")),
        lambda world: world.roles["prod"].append(role("OrganizationAccountAccessRole", used=OLD, actions=("*",))),
        _role(used=RECENT, actions=("s3:ListBucket",)),
    ],
)
def test_lets_pass_what_is_meant(plant: Callable[[World], None]) -> None:
    world = usual()
    plant(world)
    assert found(world) == {}


def test_knows_a_group_that_was_in_the_directory_before_by_its_id() -> None:
    world = usual()
    world.members["finance"] = [CLEO]
    world.assignments.append(("acme-billing", PROD, "GROUP", "id-finance"))
    world.sign_ins["prod"].append((CLEO, "billing", RECENT))
    assert found(world) == {}


def test_finds_the_founding_role_at_work() -> None:
    world = usual()
    world.roles["prod"].append(role("OrganizationAccountAccessRole", used=RECENT, actions=("*",)))
    assert found(world) == {"founding-role-used": [f"role/{PROD}/OrganizationAccountAccessRole"]}


def test_a_review_of_administrators_has_their_findings_alone() -> None:
    world = usual()
    _stale_person(world)
    _role()(world)
    world.roles["prod"].append(role("boss", used=RECENT, actions=("*",)))
    assert found(world, ADMIN) == {"admin-outside-grants": [f"role/{PROD}/boss"]}
    assert "person-stale" in found(world, ACCESS)


def test_a_live_grant_explains_an_assignment_and_an_expired_one_does_not() -> None:
    world = usual()
    _assigned("USER", f"id-{DAN}")(world)
    live = world.grant("database", DAN, start="2026-03-02T08:30:00+00:00", end="2026-03-02T10:00:00+00:00")
    assert "assignment-unexplained" not in found(world)
    rights = {one["right"]: one for one in world.do("show", period=ACCESS)["document"]["rights"]}
    assert rights[f"assignment/{PROD}/acme-database/USER/{DAN}"]["why"] == f"grant {live}"
    world.clock.advance(2 * 3600)
    assert "assignment-unexplained" in found(world, ADMIN)


@pytest.mark.parametrize("event", ["closed", "revocation"])
def test_a_grant_that_ended_early_explains_nothing(event: str) -> None:
    world = usual()
    _assigned("USER", f"id-{DAN}")(world)
    world.grant("database", DAN, start="2026-03-02T08:30:00+00:00", end="2026-03-02T10:00:00+00:00", events=(event,))
    assert "assignment-unexplained" in found(world)


def test_lists_exactly_the_live_grants_and_the_unused_ones() -> None:
    world = usual()
    live = world.grant("database", DAN, start="2026-03-02T08:30:00+00:00", end="2026-03-02T10:00:00+00:00")
    unused = world.grant("database", CLEO, start="2026-02-20T08:00:00+00:00", end="2026-02-20T10:00:00+00:00")
    world.grant("operator", DAN, start="2026-02-21T08:00:00+00:00", end="2026-02-21T10:00:00+00:00")
    world.grant("operator", DAN, start="2025-11-02T08:00:00+00:00", end="2025-11-02T10:00:00+00:00")
    world.sign_ins["prod"].append((DAN, "operator", "2026-02-21T09:00:00Z"))
    world.review(ADMIN)
    listed = {one["grant"]: one["live"] for one in world.do("show", period=ADMIN)["document"]["grants"]}
    assert listed == {live: True, unused: False}


def test_says_what_changed_since_the_review_before() -> None:
    world = usual()
    world.roles["prod"].append(role("goes", used=RECENT))
    world.review(ADMIN)
    world.clock.advance(60)
    world.roles["prod"][-1] = role("comes", used=RECENT)
    world.review(ACCESS)
    document = world.do("show", period=ACCESS)["document"]
    assert (document["before"], document["new"], document["gone"]) == (
        ADMIN, [f"role/{PROD}/comes"], [f"role/{PROD}/goes"],
    )  # fmt: skip


def test_what_an_unseen_account_holds_is_not_said_to_be_gone() -> None:
    world = usual()
    world.roles["prod"].append(role("stays", used=RECENT))
    world.review(ADMIN)
    world.clock.advance(60)
    world.unreachable.add(PROD)
    world.review(ACCESS)
    document = world.do("show", period=ACCESS)["document"]
    assert document["missing"] == {PROD: "ClientError"}
    assert not [one for one in document["gone"] if one.startswith("role/")]
    assert ("AccountsNotSeen", 1) in world.metrics


# ------------------------------------------------------------------------------------------------------------ signatures


def _planted() -> World:
    world = usual()
    world.users["prod"] = [user("eve")]
    world.members["acme-read-only"] += [ADA]
    world.review(ACCESS)
    return world


def _ids(world: World, name: str = ACCESS) -> dict[str, str]:
    return {one["rule"]: one["id"] for one in world.do("show", period=name)["document"]["findings"]}


def test_is_complete_when_two_have_signed_and_everything_is_decided() -> None:
    world = _planted()
    ids = _ids(world)
    assert sorted(ids) == ["person-stale", "user-unexplained"]
    first = world.sign(ACCESS, ADA, {ids["user-unexplained"]: "keep"})
    assert (first["stands"], first["undecided"], first["signers"]) == ("to sign", 1, [ADA])
    second = world.sign(ACCESS, BEN, {ids["person-stale"]: "keep"})
    assert (second["stands"], second["signers"]) == ("closed", [ADA, BEN])


def test_one_person_alone_completes_nothing() -> None:
    world = _planted()
    said = world.sign(ACCESS, BEN, dict.fromkeys(_ids(world).values(), "keep"))
    assert (said["undecided"], said["stands"]) == (0, "to sign")


def test_nobody_decides_about_themselves() -> None:
    world = _planted()
    refused = world.sign(ACCESS, ADA, {_ids(world)["person-stale"]: "keep"})["refused"]
    assert "is about ada@acme.example: somebody else must decide it" in refused[0]
    assert world.do("status", period=ACCESS)["signers"] == []


def test_where_every_reviewer_is_meant_two_must_agree_and_revoke_wins() -> None:
    finding = {"id": "f", "people": [ADA, BEN]}
    document = {"findings": [finding]}

    def signed(person: str, decision: str) -> Signature:
        return Signature(person=person, digest="d", decisions={"f": decision}, reason="r", at="1")

    one = signed(ADA, "keep")
    assert not problems(one, document=document, digest="d", reviewers=[ADA, BEN], complete=False)
    assert state(document, [one], [ADA, BEN])["undecided"] == ["f"]
    assert state(document, [one, signed(BEN, "revoke")], [ADA, BEN])["decisions"] == {"f": "revoke"}
    assert problems(one, document=document, digest="d", reviewers=[ADA, BEN, CLEO], complete=False)


def test_refuses_strangers_other_documents_unknown_findings_and_no_reason() -> None:
    world = _planted()
    assert "is not a reviewer" in world.sign(ACCESS, DAN, {})["refused"][0]
    assert "over another document" in world.sign(ACCESS, BEN, {}, digest="0" * 64)["refused"][0]
    assert "is no finding" in world.sign(ACCESS, BEN, {"nothing": "keep"})["refused"][0]
    assert (
        "must be keep or revoke" in world.sign(ACCESS, BEN, {_ids(world)["user-unexplained"]: "perhaps"})["refused"][0]
    )
    world.store.records.say("sign", f"{ACCESS}.bare", f"AROA:{BEN}", {"digest": "x"})
    assert "a reason must be given" in world.do("sign", period=ACCESS, number="bare")["refused"]
    assert world.do("sign", period=ACCESS, number="none")["refused"] == [
        "nobody signed under this number: write the signature first"
    ]
    assert world.do("status", period=ACCESS)["signatures"] == []


def test_two_who_sign_at_once_are_both_counted_and_asking_again_changes_nothing() -> None:
    world = _planted()
    ids = _ids(world)
    digest = world.do("show", period=ACCESS)["digest"]
    for person, decisions in ((ADA, {ids["user-unexplained"]: "revoke"}), (BEN, dict.fromkeys(ids.values(), "keep"))):
        body = {"digest": digest, "decisions": decisions, "reason": "r"}
        world.store.records.say("sign", f"{ACCESS}.same", f"AROA:{person}", body)
    first = world.do("sign", period=ACCESS, number="same")
    kept = dict(world.archive.kept)
    assert world.do("sign", period=ACCESS, number="same") == first
    assert world.archive.kept == kept
    assert (first["stands"], first["open"]) == ("open rights", 1)


def test_after_completion_a_right_may_still_be_revoked_but_not_kept() -> None:
    world = _planted()
    ids = _ids(world)
    world.sign(ACCESS, BEN, dict.fromkeys(ids.values(), "keep"))
    assert world.sign(ACCESS, ADA, {})["stands"] == "closed"
    assert "complete" in world.sign(ACCESS, BEN, {ids["user-unexplained"]: "keep"})["refused"][0]
    assert world.sign(ACCESS, BEN, {ids["user-unexplained"]: "revoke"})["stands"] == "open rights"


def test_what_is_revoked_stays_open_until_a_later_collection_shows_it_gone() -> None:
    world = _planted()
    ids = _ids(world)
    world.sign(ACCESS, BEN, {ids["person-stale"]: "keep", ids["user-unexplained"]: "revoke"})
    assert world.sign(ACCESS, ADA, {})["stands"] == "open rights"
    course = {"period": ACCESS, "accounts": list(ACCOUNTS.values())}
    for number in (1, 2, 3):
        world.unreachable = {PROD} if number == 2 else set()
        if number > 1:
            world.users["prod"] = []
        for account in course["accounts"]:
            world.collect(ACCESS, str(account), number)
        world.do("weigh", round=number, **course)
        expected = "closed" if number == 3 else "open rights"
        assert world.do("status", period=ACCESS)["stands"] == expected, number


def test_a_right_that_comes_into_use_again_is_not_gone() -> None:
    """Only its end closes it: whoever was to lose a right does not keep it by using it."""
    world = _planted()
    ids = _ids(world)
    world.sign(ACCESS, BEN, {ids["person-stale"]: "revoke", ids["user-unexplained"]: "keep"})
    world.sign(ACCESS, ADA, {})
    world.sign_ins["prod"].append((ADA, "read-only", "2026-03-02T08:00:00Z"))
    course = {"period": ACCESS, "accounts": list(ACCOUNTS.values())}
    for account in course["accounts"]:
        world.collect(ACCESS, str(account), 1)
    world.do("weigh", round=1, **course)
    assert world.do("status", period=ACCESS)["open"] == 1


# ------------------------------------------------------------------------------------------------- begun and watched over


def test_duplicated_schedule_events_begin_one_review() -> None:
    world = usual()
    assert [world.do("begin", kind="access")["began"] for _ in range(3)] == [True, False, False]
    assert world.started == [ACCESS]


def test_names_reviews_by_month_and_quarter() -> None:
    clock = MovedClock()
    seen = []
    for _ in range(12):
        seen.append((period("admin", clock()), period("access", clock())))
        clock.advance(31 * 86400)
    assert seen[0] == (ADMIN, ACCESS)
    assert len({one for one, _ in seen}) == 12
    assert [one for _, one in seen[:5]] == [
        ACCESS,
        "access-2026-Q2",
        "access-2026-Q2",
        "access-2026-Q2",
        "access-2026-Q3",
    ]


def test_the_watch_begins_what_no_schedule_began_and_goes_on_with_what_stands_still() -> None:
    world = usual()
    assert world.do("watch") == {"overdue": []}
    assert sorted(world.started) == [f"{ACCESS}.20260302", f"{ADMIN}.20260302"]
    world.running = [f"{ACCESS}.20260302", ADMIN]
    world.clock.advance(86400)
    world.do("watch")
    assert len(world.started) == 2
    world.running = [ADMIN]
    world.do("watch")
    assert world.started[-1] == f"{ACCESS}.20260303"


def test_the_watch_counts_what_is_not_signed_in_time_or_has_not_come_about() -> None:
    world = usual()
    world.review(ACCESS)
    world.do("open", period=ADMIN)
    world.do("watch")
    world.clock.advance(3 * 86400)
    assert world.do("watch") == {"overdue": [ADMIN]}
    world.clock.advance(12 * 86400)
    assert world.do("watch") == {"overdue": [ACCESS, ADMIN]}
    world.sign(ACCESS, ADA, {})
    world.sign(ACCESS, BEN, {})
    assert world.do("watch") == {"overdue": [ADMIN]}
    assert [value for name, value in world.metrics if name == "ReviewsOverdue"] == [0, 1, 2, 1]


def test_runs_only_what_is_present_and_open() -> None:
    world = usual()
    assert "is not the present review" in world.do("run", period="admin-2025-01")["refused"][0]
    assert world.do("run", period=ADMIN)["began"] is True
    world.running = [world.started[-1]]
    assert world.do("run", period=ADMIN)["began"] is False
    world.review(ADMIN)
    for person in (ADA, BEN):
        world.sign(ADMIN, person, {})
    assert "is closed" in world.do("run", period=ADMIN)["refused"][0]


def test_people_ask_for_nothing_but_what_is_theirs() -> None:
    world = usual()
    assert "do must be one of" in world.do("delete", period=ADMIN)["refused"][0]
    assert "must look like" in world.do("show", period="../x")["refused"][0]
    assert world.do("show", period=ADMIN)["refused"] == [f"there is no review {ADMIN}; there are none yet"]
    world.do("open", period=ADMIN)
    assert "no document yet" in world.do("show", period=ADMIN)["refused"][0]
    assert world.do("list")["reviews"][0]["stands"] == "collecting"


def test_a_service_that_does_not_answer_is_no_refusal() -> None:
    world = usual()

    def broken(**_: object) -> None:
        raise failure("InternalServerError")

    world.start_execution = broken  # type: ignore[method-assign]
    with pytest.raises(Exception, match="InternalServerError"):
        world.do("begin", kind="admin")


# ---------------------------------------------------------------------------------------------------------- the report


def test_the_report_names_findings_people_accounts_and_what_is_missing() -> None:
    world = _planted()
    world.unreachable.add(ACCOUNTS["security"])
    world.review(ADMIN)
    shown = world.do("show", period=ACCESS)
    text = markdown(shown["document"], shown["digest"], shown["state"])
    for words in (
        "# Access review access-2026-Q1",
        shown["digest"],
        "user-unexplained",
        "| cleo@acme.example |",
        "read-only",
    ):
        assert words in text
    shown = world.do("show", period=ADMIN)
    assert "security 100000000003 | ClientError" in markdown(shown["document"], shown["digest"])


def test_the_report_says_of_each_person_what_they_used_themselves() -> None:
    world = _planted()
    shown = world.do("show", period=ACCESS)
    lines = [line for line in markdown(shown["document"], shown["digest"]).splitlines() if "| acme-read-only |" in line]
    assert any(line.startswith(f"| {ADA} |") and "| never seen |" in line for line in lines)
    assert any(line.startswith(f"| {CLEO} |") and "| 2026-02-27 |" in line for line in lines)


def test_the_page_says_what_was_named_without_running_it() -> None:
    world = usual()
    world.users["prod"] = [user("<script>alert(1)</script>")]
    world.review(ACCESS)
    shown = world.do("show", period=ACCESS)
    assert "<script>" not in page(shown["document"], shown["digest"])
    assert "<script>" not in markdown(shown["document"], shown["digest"])
    assert of_people("x")["RoleName"].startswith("AWSReservedSSO_")
