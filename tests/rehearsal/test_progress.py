"""What the person at the terminal reads."""

from __future__ import annotations

import io

from rehearsal.progress import Progress, Tried


def test_each_scenario_is_a_line_and_those_with_nothing_to_try_are_counted() -> None:
    stream = io.StringIO()
    Progress(stream).scenarios(
        {
            "a stranger is refused": Tried(times=2, seconds=1.25),
            "a guest is let in": Tried(times=1, broken=True, seconds=0.5),
            "a cluster is asked": Tried(),
        }
    )
    assert stream.getvalue().splitlines() == [
        "",
        "lived through",
        "  ok       1.2 s  a stranger is refused",
        "  BROKEN   0.5 s  a guest is let in",
        "  1 more found nothing deployed that they are about",
    ]


def test_says_nothing_where_nothing_was_tried() -> None:
    stream = io.StringIO()
    Progress(stream).scenarios({})
    assert not stream.getvalue()
