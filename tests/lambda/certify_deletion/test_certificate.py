"""The certificate: it says nothing that was not counted, and its digest is of all that it says."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from certify_deletion.certificate import Kept, certificate, digest, markdown

FACTS: dict[str, Any] = {
    "where": {"deployment": "reference", "stage": "live", "account": "777777777777"},
    "tenant": "acme",
    "request": "contract-20260331",
    "basis": {"because": "the contract ended on 2026-03-31"},
    "closed_at": datetime(2026, 4, 30, 2, 15, tzinfo=UTC),
    "at": datetime(2026, 4, 30, 2, 40, tzinfo=UTC),
    "found": {"users": 2, "rows": 10},
    "left": {"rows": 0, "users": 0},
    "backups": [Kept(what="database", days=35, why="recovery points cannot be changed")],
    "logs": [Kept(what="server logs", days=7, why="log groups cannot lose single events")],
}


def test_lists_stores_backups_and_logs_with_their_last_days() -> None:
    made = certificate(**FACTS)
    assert made["stores"] == [
        {"store": "rows", "deleted": 10, "left": 0},
        {"store": "users", "deleted": 2, "left": 0},
    ]
    assert (made["backups"][0]["until"], made["logs"][0]["until"]) == ("2026-06-05", "2026-05-08")


@pytest.mark.parametrize("left", [{"rows": 1, "users": 0}, {"rows": 0}, {}])
def test_certifies_nothing_while_anything_is_left_or_uncounted(left: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="not deleted"):
        certificate(**{**FACTS, "left": left})


def test_its_digest_notices_every_change() -> None:
    made = certificate(**FACTS)
    for name in made:
        changed = copy.deepcopy(made)
        changed[name] = "another"
        assert digest(changed) != digest(made), name


def test_people_read_the_same() -> None:
    made = certificate(**FACTS)
    text = markdown(made)
    for said in (
        "acme",
        "| rows | 10 | 0 |",
        "| database | 2026-06-05 |",
        "| server logs | 2026-05-08 |",
        digest(made),
    ):
        assert said in text
