"""The picture: every stack drawn once, inside its account and region, with what flows between accounts."""

from __future__ import annotations

from assembly import Assembly
from ops.picture.diagram import diagram


def test_draws_every_stack_once(assembly: Assembly) -> None:
    source = diagram(assembly)
    for stack in assembly.stacks:
        assert source.count(f'    "{stack.name}": ') == 1, stack.name


def test_draws_logs_and_copies_flowing_out_of_each_stage(assembly: Assembly) -> None:
    lines = diagram(assembly).splitlines()
    for stage in ("dev", "prod"):
        assert f'"{stage}" -> "log-archive": logs' in lines
        assert f'"{stage}" -> "backup": copies' in lines
        assert f'"users" -> "{stage}": HTTPS' in lines


def test_nothing_flows_between_stages_or_out_of_the_archive(assembly: Assembly) -> None:
    arrows = [line for line in diagram(assembly).splitlines() if "->" in line]
    assert not [
        arrow for arrow in arrows if arrow.startswith('"log-archive"') or {"dev", "prod"} <= set(arrow.split('"'))
    ]
