"""What counts as read, and what does not."""

from typing import Any

from rehearsal.emulator.tracker import Tracked, leaves, track, unread


def _read(properties: dict[str, Any], *reads: str) -> list[str]:
    seen: set[str] = set()
    tracked = track(properties, seen)
    for path in reads:
        value: Any = tracked
        for part in path.split("."):
            value = value[int(part)] if part.isdigit() else value[part]
    return unread(properties, seen)


def test_reports_what_nobody_read() -> None:
    assert _read({"Name": "a", "Key": "b"}, "Name") == ["Key"]


def test_counts_an_object_stored_whole_as_read() -> None:
    assert _read({"Policy": {"Statement": [{"Effect": "Allow"}]}}, "Policy") == []


def test_reports_the_rest_of_an_object_somebody_looked_into() -> None:
    assert _read({"Code": {"Bucket": "b", "Key": "k"}}, "Code.Bucket") == ["Code.Key"]


def test_looks_into_lists() -> None:
    properties = {"Rules": [{"Id": "1", "Days": 3}, {"Id": "2"}]}
    assert _read(properties, "Rules.0.Id") == ["Rules.Days"]


def test_counts_iteration_and_copies_as_reading_everything() -> None:
    for look in (dict, list, lambda value: value.items(), lambda value: {**value}, lambda value: value.copy()):
        seen: set[str] = set()
        look(Tracked({"A": {"B": 1}, "C": 2}, seen))
        assert unread({"A": {"B": 1}, "C": 2}, seen) == []


def test_asking_whether_a_property_is_there_does_not_count() -> None:
    seen: set[str] = set()
    assert "A" in Tracked({"A": 1}, seen)
    assert unread({"A": 1}, seen) == ["A"]


def test_a_key_with_dots_is_one_property() -> None:
    assert _read({"Parameters": {"rds.force_ssl": "1"}}) == ["Parameters"]
    assert leaves({"A": [{"B": 1}, {"C": 2}], "D": []}) == {"A.B", "A.C", "D"}
