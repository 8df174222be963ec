"""People of the chat act under the one name that they are known by, decide nothing about themselves, and are answered."""

import http.client
import json
from collections.abc import Mapping
from typing import Any

import pytest
from answer_chat.approvers import Approvers
from answer_chat.commands import UnclearError, parse
from answer_chat.handler import Services, answer, process
from answer_chat.replies import Replies, UnansweredError
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records

from rehearsal.state_machine import MovedClock

ID = "20260302-0123456789"
ANSWER = "https://hooks.slack.com/commands/T0001/1/abc"
PEOPLE = {"U1": "ada@example.com", "U2": "ben@example.com", "U3": "cas@example.com"}


class _Archive:
    """Takes each key once."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.failing = False

    def put_object(self, **call: Any) -> None:
        if self.failing:
            raise ClientError({"Error": {"Code": "SlowDown", "Message": ""}}, "PutObject")
        if call["Key"] in self.kept:
            raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": ""}}, "PutObject")
        self.kept[call["Key"]] = json.loads(call["Body"])


class _Directory:
    """Identity Center's directory, with one group of approvers."""

    def __init__(self, *members: str) -> None:
        self.members = members

    def get_user_id(self, *, AlternateIdentifier: Any, **_: str) -> dict[str, str]:  # noqa: N803
        return {"UserId": AlternateIdentifier["UniqueAttribute"]["AttributeValue"]}

    def get_group_id(self, **_: Any) -> dict[str, str]:
        return {"GroupId": "approvers"}

    def is_member_in_groups(self, *, MemberId: Any, **_: Any) -> dict[str, Any]:  # noqa: N803
        if MemberId["UserId"] == "gone@example.com":
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "IsMemberInGroups")
        return {"Results": [{"MembershipExists": MemberId["UserId"] in self.members}]}


class _Host:
    """The chat's host: remembers what is posted."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, str, Any]] = []
        self.status = 200

    def connect(self, host: str) -> Any:
        outer = self

        class _Connection:
            def request(self, method: str, path: str, body: bytes, _headers: Any) -> None:
                assert method == "POST"
                outer.posted.append((host, path, json.loads(body)))

            def getresponse(self) -> Any:
                if outer.status == 0:
                    raise TimeoutError

                class _Response:
                    status = outer.status

                return _Response()

            def close(self) -> None:
                pass

        return _Connection()


class _Chat:
    """The function with its surroundings."""

    def __init__(self, output: Any) -> None:
        self.archive, self.host = _Archive(), _Host()
        self.asked: list[Mapping[str, object]] = []
        self.shown: dict[str, Any] = {
            "outcome": "shown",
            "state": "waiting",
            "by": "Ada@example.com",
            "level": "operator",
        }
        directory = _Directory("ben@example.com", "ada@example.com")
        self.services = Services(
            records=Records(s3=self.archive, bucket="acme-1", account="1", workflow="access"),
            decide=self.decide,
            approvers=Approvers(store=directory, store_id="d-1", group="acme-approver"),
            replies=Replies(hosts=frozenset({"hooks.slack.com"}), connect=self.host.connect),
            people=PEOPLE,
            levels=frozenset({"operator"}),
            logger=Logger(service="test", clock=MovedClock(), output=output),
        )

    def decide(self, event: Mapping[str, object]) -> Mapping[str, Any]:
        self.asked.append(event)
        if event["kind"] == "show":
            return self.shown
        if event["kind"] == "list":
            return {
                "outcome": "listed",
                "requests": [{"id": ID, "state": "open", "stage": "live", "level": "operator"}],
            }
        outcome = {"request": "waiting", "approve": "approved", "deny": "denied", "revoke": "revoked"}[
            str(event["kind"])
        ]
        return {"id": event["id"], "outcome": outcome, "problems": []}

    def says(self, user: str, text: str) -> str:
        return answer({"id": ID, "user": user, "text": text, "answer": ANSWER}, self.services)


@pytest.fixture
def chat(lines: Any) -> _Chat:
    return _Chat(lines)


def test_asks_in_the_persons_name_and_says_that_it_was_by_chat(chat: _Chat) -> None:
    said = chat.says("U1", "request live operator 203.0.113.4 90m for=acme,beta a queue is stuck")
    assert chat.archive.kept == {
        f"1/access/{ID}/asked.json": {
            "stage": "live",
            "level": "operator",
            "address": "203.0.113.4",
            "minutes": 90,
            "tenants": ["acme", "beta"],
            "reason": "a queue is stuck",
            "on_call": False,
            "by": "ada@example.com",
            "through": "chat",
        }
    }
    assert chat.asked == [{"kind": "request", "id": ID}]
    assert f"approve {ID}" in said


@pytest.mark.parametrize(("verb", "outcome"), [("approve", "approved"), ("deny", "denied"), ("revoke", "revoked")])
def test_another_person_decides_under_a_name_marked_as_the_chats(chat: _Chat, verb: str, outcome: str) -> None:
    assert outcome in chat.says("U2", f"{verb} {ID}")
    assert chat.archive.kept == {f"1/access-deeds/{verb}@{ID}/chat:ben@example.com.json": {"through": "chat"}}
    assert chat.asked[-1] == {"kind": verb, "id": ID}


@pytest.mark.parametrize("verb", ["approve", "deny"])
def test_nobody_decides_about_their_own_request_whatever_the_spelling(chat: _Chat, verb: str) -> None:
    assert "their own request" in chat.says("U1", f"{verb} {ID}")
    assert chat.archive.kept == {}
    assert [one["kind"] for one in chat.asked] == ["show"]


def test_whoever_asked_may_take_it_back(chat: _Chat) -> None:
    assert "revoked" in chat.says("U1", f"revoke {ID}")


@pytest.mark.parametrize("verb", ["approve", "deny", "revoke"])
def test_whoever_is_no_approver_decides_nothing(chat: _Chat, verb: str) -> None:
    assert "not of the group" in chat.says("U3", f"{verb} {ID}")
    assert chat.archive.kept == {}


def test_approves_no_level_that_is_not_of_the_list(chat: _Chat) -> None:
    chat.shown = {**chat.shown, "level": "database"}
    assert "./palisade access approve" in chat.says("U2", f"approve {ID}")
    assert chat.archive.kept == {}
    assert "denied" in chat.says("U2", f"deny {ID}")


def test_does_nothing_for_whom_it_does_not_know(chat: _Chat) -> None:
    assert "do not know who you are" in chat.says("U9", f"approve {ID}")
    assert (chat.asked, chat.archive.kept) == ([], {})


def test_does_nothing_to_a_request_that_is_not_there(chat: _Chat) -> None:
    chat.shown = {"outcome": "refused", "problems": ["there is no request"], "by": "", "level": ""}
    assert "no request" in chat.says("U2", f"approve {ID}")
    assert chat.archive.kept == {}


def test_lists_without_the_words_that_people_wrote(chat: _Chat) -> None:
    assert chat.says("U3", "list") == f"{ID}  open  live operator"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "help",
        "drop table",
        "list all",
        "approve",
        "approve x",
        f"approve {ID} {ID}",
        "request live operator",
        "request live operator 1.2.3.4 soon because of it",
        "request live operator 1.2.3.4 0h because of it",
    ],
)
def test_says_what_to_write_and_does_nothing(chat: _Chat, text: str) -> None:
    assert "`" in chat.says("U1", text)
    assert (chat.asked, chat.archive.kept) == ([], {})


@settings(max_examples=60)
@given(st.text(max_size=120))
def test_no_text_means_a_deed_to_anything_but_a_request(text: str) -> None:
    try:
        command = parse(text)
    except UnclearError:
        return
    assert command.verb in {"request", "list"} or command.request.startswith("20")


def _batch(**changed: str) -> dict[str, Any]:
    message = {"id": ID, "user": "U2", "text": f"approve {ID}", "answer": ANSWER, "at": "", **changed}
    return {"Records": [{"messageId": "m1", "body": json.dumps(message)}]}


def test_answers_at_the_address_that_came_with_the_command(chat: _Chat) -> None:
    assert process(_batch(), chat.services) == {"batchItemFailures": []}
    ((host, path, body),) = chat.host.posted
    assert (host, path, body["response_type"]) == ("hooks.slack.com", "/commands/T0001/1/abc", "ephemeral")


@pytest.mark.parametrize("status", [0, 429, 500])
def test_tries_again_to_answer_and_decides_only_once(chat: _Chat, status: int) -> None:
    chat.host.status = status
    assert process(_batch(), chat.services) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    kept = dict(chat.archive.kept)
    chat.host.status = 200
    assert process(_batch(), chat.services) == {"batchItemFailures": []}
    assert chat.archive.kept == kept


def test_a_message_that_fails_is_delivered_again(chat: _Chat) -> None:
    chat.archive.failing = True
    assert process(_batch(), chat.services) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert chat.host.posted == []
    assert process({"Records": [{"messageId": "m2", "body": "{"}]}, chat.services) == {
        "batchItemFailures": [{"itemIdentifier": "m2"}]
    }


@pytest.mark.parametrize("status", [301, 302, 307, 404, 410])
def test_follows_no_redirection_and_gives_up_on_an_answer_nobody_takes(chat: _Chat, status: int) -> None:
    chat.host.status = status
    assert process(_batch(), chat.services) == {"batchItemFailures": []}
    assert len(chat.host.posted) == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.slack.com/x",
        "https://hooks.slack.com.evil.example/x",
        "https://evil.example/hooks.slack.com",
        "https://hooks.slack.com@evil.example/x",
        "https://hooks.slack.com:8443/x",
        "https://hooks.slack.com\\@evil.example/x",
        "https://HOOKS.slack.com/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://hooks.slack.com/x\r\nHost: evil.example",
        "https://hooks.slack.com#@evil.example/",
        "https://hooks.slack.com",
        "https://[bad",
        "//hooks.slack.com/x",
        "file:///etc/passwd",
        "",
    ],
)
def test_posts_to_no_other_host(chat: _Chat, address: str) -> None:
    assert chat.services.replies.post(address, "text") is False
    assert chat.host.posted == []


@settings(max_examples=100)
@given(st.text(max_size=60))
def test_no_address_leads_elsewhere(tail: str) -> None:
    host = _Host()
    replies = Replies(hosts=frozenset({"hooks.slack.com"}), connect=host.connect)
    for address in (tail, f"https://{tail}", f"https://hooks.slack.com{tail}"):
        replies.post(address, "text")
    assert {one[0] for one in host.posted} <= {"hooks.slack.com"}


def test_a_host_that_speaks_nonsense_is_asked_again() -> None:
    class _Broken:
        def request(self, *_: object) -> None:
            raise http.client.BadStatusLine("?")

        def close(self) -> None:
            pass

    replies = Replies(hosts=frozenset({"hooks.slack.com"}), connect=lambda _host: _Broken())  # type: ignore[arg-type,return-value]
    with pytest.raises(UnansweredError):
        replies.post(ANSWER, "text")
