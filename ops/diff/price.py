"""The change in the fixed monthly price, by owner and by what it is made of."""

from __future__ import annotations

from dataclasses import dataclass

from assembly import Assembly
from ops.cost.report import Report, report

_CENT = 0.01


@dataclass(frozen=True, kw_only=True)
class Item:
    """What one owner pays for one kind of resource, in USD a month."""

    owner: str
    description: str
    before: float
    after: float


@dataclass(frozen=True, kw_only=True)
class PriceChange:
    """USD a month in all, and the items that differ, the largest change first."""

    before: float
    after: float
    items: tuple[Item, ...]
    unknown: tuple[str, ...]
    """Types that came and have no price: they count as zero."""


def price_change(before: Assembly, after: Assembly) -> PriceChange:
    """Compare the fixed prices of two assemblies."""
    old, new = report(before), report(after)
    was, becomes = _items(old), _items(new)
    items = [
        Item(owner=key[0], description=key[1], before=was.get(key, 0.0), after=becomes.get(key, 0.0))
        for key in sorted(was.keys() | becomes.keys())
    ]
    return PriceChange(
        before=old.dollars,
        after=new.dollars,
        items=tuple(
            sorted(
                (item for item in items if abs(item.after - item.before) >= _CENT),
                key=lambda item: -abs(item.after - item.before),
            )
        ),
        unknown=tuple(name for name in new.unknown_types if name not in old.unknown_types),
    )


def _items(priced: Report) -> dict[tuple[str, str], float]:
    found = {(bill.owner, item.description): item.dollars for bill in priced.bills for item in bill.items}
    shield = priced.dollars - sum(bill.dollars for bill in priced.bills)
    return found | ({("organization", "Shield Advanced"): shield} if shield else {})
