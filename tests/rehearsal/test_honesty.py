"""The list of what is only recorded bites in both directions."""

from __future__ import annotations

from rehearsal.honesty import LIST, Honesty


def _list(types: dict[str, str] | None = None, properties: dict[str, dict[str, str]] | None = None) -> Honesty:
    return Honesty(types=types or {}, properties=properties or {}, source="recorded.yaml")


def test_a_new_recorded_type_fails_and_says_what_to_do() -> None:
    (problem,) = _list().judge_recorded({"AWS::New::Thing": {"sandbox-data"}}, ["AWS::New::Thing"])
    assert "AWS::New::Thing in sandbox-data" in problem
    assert "list it with the reason" in problem


def test_a_listed_type_that_a_service_answers_for_is_stale() -> None:
    (problem,) = _list(types={"AWS::Old::Thing": "why"}).judge_recorded({}, ["AWS::Old::Thing"])
    assert "Remove the entry" in problem


def test_a_listed_type_that_a_deployment_does_not_have_is_no_problem() -> None:
    assert _list(types={"AWS::Old::Thing": "why"}).judge_recorded({}, []) == []


def test_an_unkept_property_fails_and_names_type_property_and_stack() -> None:
    (problem,) = _list().judge_properties({("AWS::A::B", "Deep.Key"): {"live-edge"}}, {})
    assert "AWS::A::B Deep.Key in live-edge" in problem


def test_an_entry_covers_everything_below_it() -> None:
    honesty = _list(properties={"AWS::A::B": {"Deep": "why"}})
    assert (
        honesty.judge_properties({("AWS::A::B", "Deep.Key"): {"live-edge"}}, {"AWS::A::B": [{"Deep": {"Key": 1}}]})
        == []
    )


def test_an_entry_whose_property_is_kept_is_stale() -> None:
    honesty = _list(properties={"AWS::A::B": {"Name": "why"}})
    (problem,) = honesty.judge_properties({}, {"AWS::A::B": [{"Name": "x"}]})
    assert "AWS::A::B Name" in problem
    assert "Remove the entry" in problem


def test_every_entry_of_the_committed_list_has_a_reason() -> None:
    honesty = Honesty.load(LIST)
    reasons = [*honesty.types.values(), *(text for paths in honesty.properties.values() for text in paths.values())]
    assert reasons
    assert all(len(str(text).split()) >= 3 for text in reasons)
