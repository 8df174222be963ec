"""The change ledger: refuses what its own author let pass, and its chain shows every gap and every alteration."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records

from record_change.chain import canonical, digest, faults, name
from record_change.handler import Services, record
from record_change.ledger import CrowdedError, Ledger
from record_change.rules import RefusedChangeError

BUCKET = "acme-organization-decision-100000000002"
COMMIT = "a" * 40
CHANGE = {
    "kind": "begin",
    "change": "live-change-1",
    "owner": "live",
    "commit": COMMIT,
    "authors": ["Ada@example.com"],
    "reviewers": ["ben@example.com"],
    "templates": {"live-network": "1" * 64},
}


@dataclass
class Archive:
    """The archive as a recorder meets it: it takes each key once. ``broken`` calls fail from now on."""

    kept: dict[str, str]
    broken: int = 0

    def put_object(self, *, Key: str, Body: bytes, **_: object) -> None:  # noqa: N803
        if self.broken:
            self.broken -= 1
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "PutObject")
        if Key in self.kept:
            raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": ""}}, "PutObject")
        self.kept[Key] = Body.decode()

    def chain(self, owner: str) -> list[tuple[str, str]]:
        return [(k.split("/")[-1].removesuffix(".json"), v) for k, v in self.kept.items() if k.split("/")[2] == owner]


@pytest.fixture
def services() -> Iterator[Services]:
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name="eu-west-1")
        for table, keys in (("changes", ("chain", "sequence")), ("approvals", ("approver", "what"))):
            dynamodb.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[
                    {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=True)
                ],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            )
        ticks = itertools.count()
        ledger = Ledger(
            dynamodb=dynamodb,
            table="changes",
            records=Records(s3=Archive({}), bucket=BUCKET, account="100000000005", workflow="change-ledger"),
            clock=lambda: datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=next(ticks)),
        )
        yield Services(
            ledger=ledger,
            dynamodb=dynamodb,
            approvals="approvals",
            owners=frozenset({"live", "sandbox", "log-archive"}),
            guarded=frozenset({"live"}),
            logger=Logger(service="test"),
        )


def _archive(services: Services) -> Archive:
    archive: Archive = services.ledger.records.s3
    return archive


def _approve(services: Services, who: str, *, commit: str = COMMIT, owner: str = "live", hours: float = 24) -> None:
    expires = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=hours)
    services.dynamodb.put_item(
        TableName="approvals",
        Item={
            "approver": {"S": f"AROAEXAMPLE:{who}"},
            "what": {"S": f"{owner}@{commit}"},
            "expires_at": {"N": str(int(expires.timestamp()))},
        },
    )


def test_authorises_what_others_reviewed_and_approved(services: Services) -> None:
    _approve(services, "Cleo@example.com")
    answer = record(CHANGE, services)
    assert (answer["event"], answer["sequence"], answer["objections"]) == ("authorised", 1, [])
    kept = json.loads(_archive(services).kept["100000000005/change-ledger/live/000000000001.json"])
    assert kept["authors"] == ["ada@example.com"]
    assert kept["reviewers"] == ["ben@example.com"]
    assert kept["approvers"] == ["cleo@example.com"]
    assert kept["templates"] == {"live-network": "1" * 64}
    assert kept["commit"] == COMMIT
    assert kept["at"].startswith("2026-03-02T")


@pytest.mark.parametrize(
    ("reviewers", "approvers", "reason"),
    [
        ([], ["cleo@example.com"], "nobody reviewed it"),
        (["ADA@example.com"], ["cleo@example.com"], "only its authors reviewed it"),
        (
            ["ada@example.com", "ben@example.com"],
            ["cleo@example.com"],
            "its author ada@example.com is named as its reviewer",
        ),
        (["ben@example.com"], [], "no named approver"),
        (["ben@example.com"], ["Ada@example.com"], "its author ada@example.com approved it"),
        (["ben@example.com"], ["ada@example.com", "cleo@example.com"], "its author ada@example.com approved it"),
    ],
)
def test_refuses_and_records_the_refusal(
    services: Services, reviewers: list[str], approvers: list[str], reason: str
) -> None:
    for who in approvers:
        _approve(services, who)
    answer = record({**CHANGE, "reviewers": reviewers}, services)
    assert answer["event"] == "refused"
    assert any(reason in objection for objection in answer["objections"])
    assert json.loads(_archive(services).chain("live")[0][1])["event"] == "refused"


@pytest.mark.parametrize("approval", [{"commit": "b" * 40}, {"owner": "sandbox"}, {"hours": -1}])
def test_an_approval_of_something_else_or_of_long_ago_is_none(services: Services, approval: dict[str, Any]) -> None:
    _approve(services, "cleo@example.com", **approval)
    assert record(CHANGE, services)["event"] == "refused"


def test_only_guarded_stages_need_an_approval(services: Services) -> None:
    assert record({**CHANGE, "owner": "sandbox"}, services)["event"] == "authorised"


@pytest.mark.parametrize(
    "change",
    [
        {"commit": "abc"}, {"authors": []}, {"authors": "ada@example.com"}, {"reviewers": ["ben"]}, {"templates": {}},
        {"templates": {"x": "short"}}, {"owner": "elsewhere"}, {"owner": None}, {"change": "../x"}, {"kind": "other"},
    ],
)  # fmt: skip
def test_records_nothing_that_is_malformed(services: Services, change: dict[str, Any]) -> None:
    with pytest.raises(RefusedChangeError):
        record({**CHANGE, **change}, services)
    assert not _archive(services).kept


def test_says_everything_that_is_wrong_at_once(services: Services) -> None:
    with pytest.raises(RefusedChangeError) as refused:
        record({"kind": "begin"}, services)
    assert len(refused.value.problems) == 6


def test_what_was_not_authorised_cannot_have_succeeded(services: Services) -> None:
    record(CHANGE, services)
    with pytest.raises(RefusedChangeError, match="never authorised"):
        record({"kind": "end", "change": CHANGE["change"], "outcome": "succeeded"}, services)


def test_the_same_change_is_recorded_once_however_often_it_is_told(services: Services) -> None:
    _approve(services, "cleo@example.com")
    first = record(CHANGE, services)
    _approve(services, "ada@example.com")
    assert record(CHANGE, services) == first
    end = {"kind": "end", "change": CHANGE["change"], "outcome": "succeeded"}
    assert record(end, services) == record(end, services)
    assert len(_archive(services).kept) == 2
    assert list(faults(_archive(services).chain("live"), chain="live")) == []


def test_a_change_does_not_become_another_after_it_was_begun(services: Services) -> None:
    record(CHANGE, services)
    with pytest.raises(RefusedChangeError, match="another commit or other templates"):
        record({**CHANGE, "templates": {"live-network": "2" * 64}}, services)


@pytest.mark.parametrize("step", range(6))
def test_killed_at_any_step_it_goes_on_where_it_was(
    services: Services, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call that changes anything fails once, before and after it took effect; the same call again ends the same way."""
    _approve(services, "cleo@example.com")
    counter = itertools.count()

    def failing(call: Any) -> Any:
        def wrapped(**kwargs: Any) -> Any:
            number = next(counter)
            if number == step and step % 2 == 0:
                raise ConnectionError("before")
            answer = call(**kwargs)
            if number == step:
                raise ConnectionError("after")
            return answer

        return wrapped

    monkeypatch.setattr(
        services.ledger.dynamodb, "transact_write_items", failing(services.dynamodb.transact_write_items)
    )
    monkeypatch.setattr(_archive(services), "put_object", failing(_archive(services).put_object))
    end = {"kind": "end", "change": CHANGE["change"], "outcome": "succeeded"}
    for event in (CHANGE, end):
        try:
            record(event, services)
        except ConnectionError:
            record(event, services)
    chain = _archive(services).chain("live")
    assert [json.loads(text)["event"] for _, text in sorted(chain)] == ["authorised", "succeeded"]
    assert list(faults(chain, chain="live")) == []


def test_a_sweep_archives_what_a_lost_call_left_in_the_table(services: Services) -> None:
    _archive(services).broken = 1
    with pytest.raises(ClientError):
        record({**CHANGE, "owner": "sandbox"}, services)
    assert not _archive(services).kept
    assert record({"kind": "sweep"}, services) == {"event": "swept", "missing": 1}
    assert record({"kind": "sweep"}, services) == {"event": "swept", "missing": 0}
    assert len(_archive(services).chain("sandbox")) == 1


def test_two_at_once_take_turns(services: Services) -> None:
    """Another writer appends between this one's look at the chain and its write."""
    raced: list[bool] = []
    newest = Ledger._newest

    def look(ledger: Ledger, chain: str, count: int) -> list[dict[str, Any]]:
        found = newest(ledger, chain, count)
        if not raced:
            raced.append(True)
            replace(services.ledger).append("sandbox", "authorised", "other-change", {})
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "_newest", look)
        answer = record({**CHANGE, "owner": "sandbox"}, services)
    assert answer["sequence"] == 2
    assert list(faults(_archive(services).chain("sandbox"), chain="sandbox")) == []


def test_gives_up_when_no_turn_comes(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(**_: object) -> None:
        raise ClientError({"Error": {"Code": "TransactionCanceledException", "Message": ""}}, "TransactWriteItems")

    monkeypatch.setattr(services.ledger.dynamodb, "transact_write_items", taken)
    with pytest.raises(CrowdedError):
        services.ledger.append("sandbox", "authorised", "some-change", {})


def _chain(length: int) -> list[tuple[str, str]]:
    texts: list[tuple[str, str]] = []
    for sequence in range(1, length + 1):
        previous = digest(texts[-1][1]) if texts else "0" * 64
        texts.append(
            (name(sequence), canonical({"sequence": sequence, "previous": previous, "chain": "c", "n": sequence}))
        )
    return texts


@given(st.integers(2, 8), st.data())
@settings(max_examples=60, deadline=None)
def test_a_chain_shows_each_gap_and_each_alteration(length: int, data: st.DataObject) -> None:
    texts = _chain(length)
    assert list(faults(data.draw(st.permutations(texts)), chain="c")) == []
    where = data.draw(st.integers(0, length - 2))
    key, text = texts[where]
    altered = canonical({**json.loads(text), "n": 99})
    assert list(faults([*texts[:where], (key, altered), *texts[where + 1 :]], chain="c"))
    if where:
        assert list(faults([*texts[:where], *texts[where + 1 :]], chain="c"))
    swapped = [(name(n), text) for n, (_, text) in enumerate(reversed(texts), start=1)]
    assert list(faults(swapped, chain="c"))


def test_a_chain_whose_oldest_records_are_over_is_whole() -> None:
    assert list(faults(_chain(5)[2:], chain="c")) == []


@pytest.mark.parametrize("text", ["", "[]", '{"sequence": "x"}', '{ "sequence": 1 }'])
def test_what_is_no_record_is_said_to_be_none(text: str) -> None:
    assert list(faults([(name(1), text)], chain="c"))
