"""The page in a real browser: it works by keyboard, asks nobody for anything, and everyone can read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

SAMPLE = Path(__file__).with_name("sample.json")
CLAIMS = [claim["id"] for claim in json.loads(SAMPLE.read_text(encoding="utf-8"))["claims"]]
VIEWS = ("light", "dark", "phone")


def test_makes_no_request(seen: Any) -> None:
    assert seen["requests"] == []


def test_says_nothing_on_the_console(seen: Any) -> None:
    assert seen["console"] == []


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_no_violation(seen: Any, view: str) -> None:
    assert seen["axe"][view]["violations"] == []


@pytest.mark.parametrize("view", ["light", "dark"])
def test_contrast_was_judged_and_passes(seen: Any, view: str) -> None:
    assert "color-contrast" in seen["axe"][view]["passed"]
    assert [found for found in seen["axe"][view]["undecided"] if found.startswith("color-contrast")] == []


@pytest.mark.parametrize("view", VIEWS)
def test_fits_the_screen(seen: Any, view: str) -> None:
    assert not seen["axe"][view]["wide"]


def test_first_stop_of_the_keyboard_skips_to_the_promises(seen: Any) -> None:
    keyboard = seen["keyboard"]
    assert (keyboard["first"], keyboard["skipVisible"], keyboard["skipped"]) == ("skip", True, "#promises")


def test_every_stop_of_the_keyboard_is_marked(seen: Any) -> None:
    assert seen["keyboard"]["unmarked"] == []
    assert {"theme", "search", "source", "topic", "open", *(f"#{claim}" for claim in CLAIMS)} <= set(
        seen["keyboard"]["stops"]
    )


def test_search_works_by_keyboard(seen: Any) -> None:
    keyboard = seen["keyboard"]
    assert keyboard["slash"] == "search"
    assert keyboard["typed"] == ["parim-09"]
    assert keyboard["escaped"] == len(CLAIMS)


def test_filters_and_evidence_work_by_keyboard(seen: Any) -> None:
    keyboard = seen["keyboard"]
    assert keyboard["source"] == ["parim-06", "parim-09"]
    assert keyboard["status"] == ["parim-06"]
    assert keyboard["unfolded"]
    assert keyboard["allUnfolded"]


def test_shows_every_promise_at_first(seen: Any) -> None:
    assert sorted(seen["find"]["all"]) == sorted(CLAIMS)
    assert seen["find"]["allSaid"] == f"All {len(CLAIMS)} promises"


def test_search_finds_folded_resources_and_hides_empty_groups(seen: Any) -> None:
    find = seen["find"]
    assert find["byType"] == ["paragon-01"]
    assert find["said"] == f"1 of {len(CLAIMS)} promises"
    assert find["groups"] == ["source-paragon"]


def test_search_without_a_find_says_so_and_can_be_cleared(seen: Any) -> None:
    assert seen["find"]["nothing"] == {"shown": [], "said": True}
    assert seen["find"]["cleared"] == len(CLAIMS)


def test_statuses_add_up_and_topic_narrows(seen: Any) -> None:
    assert sorted(seen["find"]["twoStatuses"]) == [
        "paragon-01",
        "paragon-03",
        "paragon-22",
        "paralegent-11",
        "parim-09",
    ]
    assert seen["find"]["andTopic"] == ["paragon-03", "paragon-22"]


def test_a_link_to_a_promise_arrives_even_where_it_is_filtered_away(seen: Any) -> None:
    assert seen["find"]["linkShowsAll"] == len(CLAIMS)
    assert seen["find"]["deep"]


def test_summary_figures_lead_to_their_promises(seen: Any) -> None:
    assert seen["find"]["tile"] == ["paragon-13", "paralegent-10"]
    assert seen["find"]["cell"] == ["paragon-01", "paragon-03"]


def test_theme_follows_the_system_until_toggled_and_is_kept(seen: Any) -> None:
    theme = seen["theme"]
    assert theme["dark"] != theme["light"]
    assert theme["toggled"] == theme["kept"] == theme["light"]


def test_reads_without_script(seen: Any) -> None:
    assert seen["scriptless"] == {"claims": len(CLAIMS), "form": 0}


def test_prints_on_white_without_its_controls(seen: Any) -> None:
    assert seen["print"]["background"] == "rgb(255, 255, 255)"
    assert seen["print"]["hidden"]
    assert seen["print"]["claims"] == len(CLAIMS)
    assert seen["print"]["bytes"] > 10_000


def test_shows_its_pictures(seen: Any) -> None:
    assert seen["pictures"] == [True]
