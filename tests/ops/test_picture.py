"""The picture: every stack drawn once, inside its account and region, with what flows between accounts."""

from __future__ import annotations

from assembly import Assembly
from ops.picture.diagram import diagram


def test_draws_every_stack_once(assembly: Assembly) -> None:
    source = diagram(assembly)
    for stack in assembly.stacks:
        assert source.count(f'    "{stack.name}": ') == 1, stack.name


def test_draws_logs_flowing_from_each_stage_to_the_archive(assembly: Assembly) -> None:
    arrows = [line for line in diagram(assembly).splitlines() if "->" in line and line.endswith(": logs")]
    for stage in ("dev", "prod"):
        assert any(f'"{stage}-network" -> "log-archive"' in arrow for arrow in arrows), arrows
    assert not [arrow for arrow in arrows if arrow.startswith('"log-archive"')]
