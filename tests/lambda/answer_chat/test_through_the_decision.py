"""By chat from the question to the grant, with the function that decides: nobody gets further than on the command line."""

from typing import Any

import pytest
from answer_chat.approvers import Approvers
from answer_chat.handler import Services, answer
from answer_chat.replies import Replies
from palisade_runtime.logs import Logger

from tests.access_world import World

IDS = {"ada": "20260302-00000000aa", "ben": "20260302-00000000bb"}
PEOPLE = {"U-ADA": "ada@acme", "U-BEN": "Ben@acme", "U-EVE": "eve@acme", "U-GONE": "gone@acme"}


class _Chat:
    """The chat's worker in the world of access requests."""

    def __init__(self, world: World, output: Any) -> None:
        self.world = world
        world.store.groups["acme-approver"] = {"id-of-ada@acme", "id-of-ben@acme"}
        world.store.users["Ben@acme"] = world.store.users["ben@acme"]
        self.services = Services(
            records=world.records,
            decide=lambda event: world.decide(str(event["kind"]), str(event.get("id", ""))),
            approvers=Approvers(store=world.store, store_id="d-1", group="acme-approver"),
            replies=Replies(hosts=frozenset()),
            people=PEOPLE,
            levels=frozenset({"operator"}),
            logger=Logger(service="test", clock=world.clock, output=output),
        )

    def says(self, user: str, text: str, identity: str = IDS["ada"]) -> str:
        return answer({"id": identity, "user": user, "text": text, "answer": ""}, self.services)


@pytest.fixture
def chat(lines: Any) -> _Chat:
    return _Chat(World(), lines)


ASK = "request prod operator 198.51.100.17 2h the queue of uploads does not drain"


def test_asked_and_approved_by_chat_is_granted_and_every_record_says_how(chat: _Chat) -> None:
    assert "waiting" in chat.says("U-ADA", ASK)
    assert "approved" in chat.says("U-BEN", f"approve {IDS['ada']}")
    world = chat.world
    request, decision = (world.records.read(IDS["ada"], event) for event in ("request", "decision"))
    assert request is not None
    assert decision is not None
    assert (request["by"], request["through"]) == ("ada@acme", "chat")
    assert (decision["by"], decision["outcome"]) == ("ben@acme", "approved")
    assert [one.user_id for one in world.records.deeds("approve", IDS["ada"])] == ["chat:Ben@acme"]
    assert world.started == {IDS["ada"]: IDS["ada"]}


def test_said_twice_it_is_done_once(chat: _Chat) -> None:
    for _ in range(2):
        assert "waiting" in chat.says("U-ADA", ASK)
    first = dict(chat.world.archive.kept)
    chat.says("U-BEN", f"approve {IDS['ada']}")
    once = dict(chat.world.archive.kept)
    chat.says("U-BEN", f"approve {IDS['ada']}")
    assert chat.world.archive.kept == once
    assert len(once) == len(first) + 2


def test_whoever_asked_on_the_command_line_does_not_approve_by_chat(chat: _Chat) -> None:
    asked = chat.world.ask("ada@acme")
    assert "their own request" in chat.says("U-ADA", f"approve {asked['id']}")
    assert chat.world.started == {}


def test_whoever_asked_by_chat_does_not_approve_on_the_command_line(chat: _Chat) -> None:
    chat.says("U-ADA", ASK)
    chat.world.say("ada@acme", "approve", IDS["ada"])
    assert chat.world.decide("approve", IDS["ada"])["outcome"] == "refused"
    assert chat.world.started == {}


def test_levels_of_customers_data_wait_for_a_session_of_ones_own(chat: _Chat) -> None:
    chat.world.store.groups["acme-database"].add("id-of-ada@acme")
    said = chat.says("U-ADA", ASK.replace("operator", "database").replace(" 2h ", " 2h for=acme "))
    assert "waiting" in said
    assert "./palisade access approve" in chat.says("U-BEN", f"approve {IDS['ada']}")
    assert chat.world.started == {}


def test_whoever_left_the_directory_asks_and_approves_nothing(chat: _Chat) -> None:
    assert "not in the directory" in chat.says("U-GONE", ASK, IDS["ben"])
    chat.says("U-ADA", ASK)
    assert "not of the group" in chat.says("U-GONE", f"approve {IDS['ada']}")
    assert "not of the group" in chat.says("U-EVE", f"deny {IDS['ada']}")


def test_a_refusal_says_everything_that_stands_against_it(chat: _Chat) -> None:
    said = chat.says("U-ADA", "request nowhere operator 8.8.8.8 2h short of ideas here")
    assert "stage:" in said
    assert "address:" in said
    assert chat.world.started == {}
