"""A comparison in words: for the terminal and, as Markdown, for a comment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby

from ops.diff.comparison import Comparison
from ops.diff.grants import GrantChange, spoken_condition
from ops.diff.ways import WayChange

_LINES_A_PRINCIPAL = 12
_NAMES_A_LINE = 4
_LINES_A_SECTION = 120
COMMENT_SIZE = 60_000
"""Characters; GitHub refuses comments above 65,536."""

Section = tuple[str, list[str]]


def terminal(comparison: Comparison) -> str:
    """The summary, then what differs."""
    lines = [f"diff: {comparison.before} -> {comparison.after}", ""]
    lines += [f"  {name:<14}{text}" for name, text in _summary(comparison)]
    for title, body in _sections(comparison):
        lines += ["", title, *(f"  {line}" for line in body)]
    return "\n".join([*lines, "", f"diff: {verdict(comparison)}"]) + "\n"


def markdown(comparison: Comparison) -> str:
    """The same, short enough for a comment. What templates say stands in code blocks only."""
    text = f"### {_escaped(verdict(comparison).capitalize())}\n\n"
    text += f"`{_code(comparison.before)}` to `{_code(comparison.after)}`\n\n| | |\n| --- | --- |\n"
    text += "".join(f"| {name} | {_escaped(said)} |\n" for name, said in _summary(comparison))
    left_out = []
    for title, body in _sections(comparison):
        block = f"\n<details><summary>{_escaped(title)}</summary>\n\n```diff\n"
        block += "".join(f"{_code(line)}\n" for line in body) + "```\n\n</details>\n"
        if len(text) + len(block) > COMMENT_SIZE:
            left_out.append(title)
        else:
            text += block
    if left_out:
        text += f"\nToo long for a comment: {_escaped(', '.join(left_out))}. The JSON holds everything.\n"
    return text


def verdict(comparison: Comparison) -> str:
    """One sentence: whether to stop, and why."""
    if not comparison.stops:
        return "no promise is touched" if comparison.empty else "no promise breaks and no data would be lost"
    reasons = []
    if comparison.breaks:
        reasons.append(f"{comparison.breaks} promise{'s break' if comparison.breaks > 1 else ' breaks'}")
    if comparison.loses:
        reasons.append(f"{comparison.loses} store{'s' * (comparison.loses > 1)} would lose data or the way to it")
    return f"stop: {', and '.join(reasons)}"


def _summary(comparison: Comparison) -> Iterator[tuple[str, str]]:
    better = sum(change.better for change in comparison.claims)
    weaker = len(comparison.claims) - better - comparison.breaks
    yield "promises", f"{comparison.breaks} broken, {weaker} weaker, {better} stronger"
    gain, lose = ({change.principal for change in comparison.grants if change.gained is way} for way in (True, False))
    yield "permissions", f"gained by {len(gain)}, lost by {len(lose)} principals"
    opened = sum(change.opened for change in comparison.ways)
    yield "connections", f"{opened} opened, {len(comparison.ways) - opened} closed"
    yield "data", f"{comparison.loses} at risk, {len(comparison.stores) - comparison.loses} changed without risk"
    price = comparison.price
    yield "price", f"{price.after - price.before:+,.2f} USD a month ({price.before:,.2f} -> {price.after:,.2f})"
    if comparison.terms:
        yield "terms", f"{len(comparison.terms)} promised otherwise in the configuration"


def _sections(comparison: Comparison) -> Iterator[Section]:
    for title, lines in (
        ("Promises", list(_claims(comparison))),
        ("Data", [f"{'-' if c.loses else '!'} {c.path} ({c.type}): {c.fate}. {c.why}" for c in comparison.stores]),
        ("Permissions gained", list(_grants(comparison.grants, gained=True))),
        ("Connections", list(_ways(comparison.ways))),
        ("Permissions lost", list(_grants(comparison.grants, gained=False))),
        ("Price, USD a month", list(_price(comparison))),
        ("Terms in the configuration", [f"! {text}" for text in comparison.terms]),
    ):
        if lines:
            yield title, [*lines[:_LINES_A_SECTION], *_more(len(lines) - _LINES_A_SECTION)]


def _claims(comparison: Comparison) -> Iterator[str]:
    for change in comparison.claims:
        sign = "-" if change.breaks else "+" if change.better else "!"
        status = change.after if change.before == change.after else f"{change.before} -> {change.after}"
        yield f"{sign} {change.id}: {status}: {change.claim}"
        yield from (f"    {reason}" for reason in change.reasons[:_NAMES_A_LINE])
        yield from (f"    {line}" for line in _more(len(change.reasons) - _NAMES_A_LINE))


def _grants(changes: Iterable[GrantChange], *, gained: bool) -> Iterator[str]:
    chosen = sorted((change for change in changes if change.gained is gained), key=_nearness)
    for principal, grouped in groupby(chosen, key=lambda change: change.principal):
        yield principal
        lines = [
            f"{'+' if gained else '-'}   {change.by}: {_named(change.actions)} on {_named(change.resources)}"
            f"{spoken_condition(change.condition)}"
            for change in grouped
        ]
        yield from lines[:_LINES_A_PRINCIPAL]
        yield from (f"    {line}" for line in _more(len(lines) - _LINES_A_PRINCIPAL))


def _nearness(change: GrantChange) -> tuple[int, str]:
    """Whom a reviewer asks for first: everybody, people, accounts, what runs here, and AWS's services last."""
    kinds = ("everybody", "person ", "group ", "account ")
    rank = next((n for n, kind in enumerate(kinds) if change.principal.startswith(kind)), len(kinds))
    return rank + change.principal.startswith("service "), change.principal


def _ways(changes: Iterable[WayChange]) -> Iterator[str]:
    """One line for everything that one place opens or closes on the same ports."""
    targets: dict[tuple[bool, str, str], list[str]] = defaultdict(list)
    moved = 0
    for change in changes:
        if change.by_address_only:
            moved += 1
            continue
        ends = [change.target] if change.destinations in {"the internet", "anywhere"} else [
            f"{change.target} ({change.destinations})"
        ]  # fmt: skip
        source = change.source if change.source == "the internet" else f"{change.source} ({change.sources})"
        targets[change.opened, source, f"{change.protocol} {change.ports}"] += ends
    for (opened, source, ports), named in targets.items():
        yield f"{'+' if opened else '-'} {source} -> {_named(named)}, {ports}"
    if moved:
        yield f"! {moved} more between the same places on the same ports, by other addresses"


def _price(comparison: Comparison) -> Iterator[str]:
    for item in comparison.price.items:
        sign = "+" if item.after > item.before else "-"
        yield f"{sign} {item.owner}: {item.description}: {item.before:,.2f} -> {item.after:,.2f}"
    yield from (f"! {name} has no price and counts as zero" for name in comparison.price.unknown)


def _named(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_NAMES_A_LINE]) + "".join(f" {line}" for line in _more(len(listed) - _NAMES_A_LINE))


def _more(number: int) -> list[str]:
    return [f"and {number} more"] if number > 0 else []


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")


def _code(text: str) -> str:
    """The text as it may stand in a code block: it cannot end the block, so nothing in it is a link, image or mention."""
    return text.replace("`", "'").replace("\n", " ")
