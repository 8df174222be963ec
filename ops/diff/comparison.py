"""Everything that differs between two assemblies, as one value."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from assembly import Assembly
from ops.diff.claims import ClaimChange, claim_changes, term_changes
from ops.diff.data import StoreChange, store_changes
from ops.diff.grants import GrantChange, grant_changes, paths_for_ids
from ops.diff.price import PriceChange, price_change
from ops.diff.ways import WayChange, way_changes
from proofs.finding import Case
from proofs.terms import Terms


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a change does: to promises, permissions, connections, stores and the price."""

    before: str
    after: str
    terms: tuple[str, ...]
    claims: tuple[ClaimChange, ...]
    grants: tuple[GrantChange, ...]
    ways: tuple[WayChange, ...]
    stores: tuple[StoreChange, ...]
    price: PriceChange

    @property
    def breaks(self) -> int:
        """How many promises break."""
        return sum(change.breaks for change in self.claims)

    @property
    def loses(self) -> int:
        """How many stores would lose their data."""
        return sum(change.loses for change in self.stores)

    @property
    def stops(self) -> bool:
        """Whether the change should not be deployed as it is."""
        return bool(self.breaks or self.loses)

    @property
    def empty(self) -> bool:
        """Whether nothing differs that anybody was promised."""
        return not (self.terms or self.claims or self.grants or self.ways or self.stores or self.price.items)

    def as_json(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {"stops": self.stops, "breaks": self.breaks, "loses": self.loses, **asdict(self)}


def compare(
    before: Assembly,
    after: Assembly,
    *,
    names: tuple[str, str] = ("before", "after"),
    terms: tuple[Terms, Terms] | None = None,
) -> Comparison:
    """Compare two assemblies as promises, each under its own terms."""
    old_terms, new_terms = terms or (Terms(), Terms())
    old, new = Case(before, old_terms), Case(after, new_terms)
    in_words = [paths_for_ids(case.model) for case in (old, new)]
    return Comparison(
        before=names[0],
        after=names[1],
        terms=tuple(term_changes(old_terms, new_terms)),
        claims=tuple(claim_changes(old, new)),
        grants=tuple(
            GrantChange(
                principal=change.principal,
                gained=change.gained,
                by=change.by,
                actions=change.actions,
                resources=tuple(in_words[0](in_words[1](resource)) for resource in change.resources),
                condition=in_words[0](in_words[1](change.condition)),
            )
            for change in grant_changes(old.model, new.model)
        ),
        ways=tuple(way_changes(old.reach, new.reach)),
        stores=tuple(store_changes(old.model, new.model)),
        price=price_change(before, after),
    )
