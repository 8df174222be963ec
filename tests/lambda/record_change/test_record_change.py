"""The change ledger: refuses what its own author let pass, and its chain shows every gap and every alteration."""

import io
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
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
END = {"kind": "end", "owner": "live", "change": "live-change-1", "outcome": "succeeded"}


NOW = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass
class Archive:
    """The archive as the function meets it: it takes each key once. ``before_put`` happens between look and write."""

    kept: dict[str, str]
    written: dict[str, datetime]
    before_put: list[Callable[[], object]]

    def put_object(self, *, Key: str, Body: bytes, IfNoneMatch: str, **_: object) -> None:  # noqa: N803
        assert IfNoneMatch == "*"
        if self.before_put:
            self.before_put.pop()()
        if Key in self.kept:
            raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": ""}}, "PutObject")
        self.kept[Key] = Body.decode()

    def get_object(self, *, Key: str, **_: object) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(self.kept[Key].encode())}

    def get_paginator(self, _operation: str) -> "Archive":
        return self

    def paginate(self, *, Prefix: str, Delimiter: str = "", **_: object) -> Iterator[dict[str, Any]]:  # noqa: N803
        keys = sorted(key for key in self.kept if key.startswith(Prefix))
        if Delimiter:
            folders = {Prefix + key.removeprefix(Prefix).split("/")[0] + "/" for key in keys}
            yield {"CommonPrefixes": [{"Prefix": folder} for folder in sorted(folders)]}
            return
        for page in itertools.batched(keys, 2) if hasattr(itertools, "batched") else [keys]:
            yield {"Contents": [{"Key": key, "LastModified": self.written.get(key, NOW)} for key in page]}
        yield {}

    def chain(self, owner: str) -> list[tuple[str, str]]:
        prefix = f"100000000005/change-ledger/{owner}/"
        return [(k.removeprefix(prefix).removesuffix(".json"), v) for k, v in self.kept.items() if k.startswith(prefix)]


@pytest.fixture
def services() -> Services:
    archive = Archive({}, {}, [])
    ledger = Ledger(
        records=Records(s3=archive, bucket=BUCKET, account="100000000005", workflow="change-ledger"), clock=lambda: NOW
    )
    return Services(
        ledger=ledger,
        owners=frozenset({"live", "sandbox", "log-archive"}),
        guarded=frozenset({"live"}),
        logger=Logger(service="test"),
    )


def _archive(services: Services) -> Archive:
    archive: Archive = services.ledger.records.s3
    return archive


def _approve(services: Services, who: str, *, commit: str = COMMIT, owner: str = "live", days_ago: float = 1) -> None:
    key = f"100000000005/change-ledger-deeds/approve@{owner}@{commit}@2026-03-01/AROAEXAMPLE:{who}.json"
    _archive(services).kept[key] = "{}"
    _archive(services).written[key] = NOW - timedelta(days=days_ago)


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


@pytest.mark.parametrize("approval", [{"commit": "b" * 40}, {"owner": "sandbox"}, {"days_ago": 8}])
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
    assert not _archive(services).chain("live")


def test_says_everything_that_is_wrong_at_once(services: Services) -> None:
    with pytest.raises(RefusedChangeError) as refused:
        record({"kind": "begin"}, services)
    assert len(refused.value.problems) == 6


def test_what_was_not_authorised_cannot_have_succeeded(services: Services) -> None:
    record(CHANGE, services)
    with pytest.raises(RefusedChangeError, match="never authorised"):
        record(END, services)


def test_the_same_change_is_recorded_once_however_often_it_is_told(services: Services) -> None:
    _approve(services, "cleo@example.com")
    first = record(CHANGE, services)
    _approve(services, "ada@example.com")
    assert record(CHANGE, services) == first
    assert record(END, services) == record(END, services)
    assert [json.loads(text)["event"] for _, text in _archive(services).chain("live")] == ["authorised", "succeeded"]
    assert list(faults(_archive(services).chain("live"), chain="live")) == []


def test_tells_which_commit_was_deployed_last(services: Services) -> None:
    last = {"kind": "last", "owner": "sandbox"}
    assert record(last, services)["commit"] == ""
    record({**CHANGE, "owner": "sandbox"}, services)
    assert record(last, services)["commit"] == ""
    record({**END, "owner": "sandbox"}, services)
    record({**CHANGE, "owner": "sandbox", "change": "sandbox-change-2", "commit": "b" * 40}, services)
    assert record(last, services)["commit"] == COMMIT


def test_a_change_does_not_become_another_after_it_was_begun(services: Services) -> None:
    record(CHANGE, services)
    with pytest.raises(RefusedChangeError, match="another commit or other templates"):
        record({**CHANGE, "templates": {"live-network": "2" * 64}}, services)


@pytest.mark.parametrize("took_effect", [False, True])
@pytest.mark.parametrize("step", range(2))
def test_killed_at_any_write_it_goes_on_where_it_was(
    services: Services, step: int, took_effect: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _approve(services, "cleo@example.com")
    put, counter = _archive(services).put_object, itertools.count()

    def failing(**kwargs: Any) -> None:
        number = next(counter)
        if number == step and not took_effect:
            raise ConnectionError("before")
        put(**kwargs)
        if number == step:
            raise ConnectionError("after")

    monkeypatch.setattr(_archive(services), "put_object", failing)
    for event in (CHANGE, END):
        try:
            record(event, services)
        except ConnectionError:
            record(event, services)
    chain = _archive(services).chain("live")
    assert [json.loads(text)["event"] for _, text in sorted(chain)] == ["authorised", "succeeded"]
    assert list(faults(chain, chain="live")) == []


def test_two_at_once_take_turns(services: Services) -> None:
    other = {**CHANGE, "owner": "sandbox", "change": "other-change"}
    _archive(services).before_put.append(lambda: record(other, services))
    assert record({**CHANGE, "owner": "sandbox"}, services)["sequence"] == 2
    chain = _archive(services).chain("sandbox")
    assert [json.loads(text)["change"] for _, text in sorted(chain)] == ["other-change", CHANGE["change"]]
    assert list(faults(chain, chain="sandbox")) == []


def test_gives_up_when_no_turn_comes(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(**_: object) -> None:
        raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": ""}}, "PutObject")

    monkeypatch.setattr(_archive(services), "put_object", taken)
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
