"""Which connections can be opened that could not be before, and the other way round: exact sets of addresses and ports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from proofs.reachability import PROTOCOLS, TCP, UDP, Place, Ranges, Reachability
from proofs.reachability.sets import spoken_addresses, spoken_ports

Box = tuple[Ranges, Ranges, Ranges]
"""Source addresses, destination addresses, ports."""
_Key = tuple[str, str, int]


@dataclass(frozen=True, kw_only=True)
class WayChange:
    """Connections from one place to another that were opened or closed."""

    opened: bool
    source: str
    target: str
    protocol: str
    ports: str
    sources: str
    destinations: str
    by_address_only: bool
    """Whether the same ports open and close between the two, so that only their addresses move."""


def way_changes(before: Reachability, after: Reachability) -> list[WayChange]:
    """Every change of who reaches whom, the opened first."""
    old, new = _boxes(before), _boxes(after)
    inside = {name for reach in (before, after) for name, place in reach.places.items() if not place.outside}
    changes = []
    for key in sorted(old.keys() | new.keys()):
        was, becomes = old.get(key, []), new.get(key, [])
        opened, closed = _minus(becomes, was), _minus(was, becomes)
        moved = bool({*key[:2]} & inside) and _ports(becomes) == _ports(was)
        for boxes, is_open in ((opened, True), (closed, False)):
            if boxes:
                changes.append(_change(key, boxes, is_open, moved=moved and bool(opened) and bool(closed)))
    return sorted(changes, key=lambda change: (not change.opened, change.by_address_only, change.source, change.target))


def _change(key: _Key, boxes: list[Box], is_open: bool, *, moved: bool) -> WayChange:
    return WayChange(
        opened=is_open,
        source=key[0],
        target=key[1],
        protocol=PROTOCOLS.get(key[2], f"protocol {key[2]}"),
        ports=spoken_ports(_ports(boxes)),
        sources=spoken_addresses(_union(box[0] for box in boxes)),
        destinations=spoken_addresses(_union(box[1] for box in boxes)),
        by_address_only=moved,
    )


def _boxes(reach: Reachability) -> dict[_Key, list[Box]]:
    found: dict[_Key, list[Box]] = defaultdict(list)
    for source in reach.places.values():
        for flow in reach.reachable_from(source, protocols=(TCP, UDP)):
            if not (source.outside and flow.target.outside):
                key = (_name(source), _name(flow.target), flow.protocol)
                found[key].append((flow.sources, flow.destinations, flow.ports))
    return found


def _name(place: Place) -> str:
    return f"AWS's list {place.prefix_list}" if place.prefix_list else place.name


def _minus(boxes: Iterable[Box], others: Iterable[Box]) -> list[Box]:
    """The boxes without what the others hold, as boxes."""
    left = list(dict.fromkeys(boxes))
    for taken in dict.fromkeys(others):
        left = [part for box in left for part in _without(box, taken)]
    return left


def _without(box: Box, taken: Box) -> list[Box]:
    sources, destinations, ports = box
    common, reached = sources & taken[0], destinations & taken[1]
    if not (common and reached and ports & taken[2]):
        return [box]
    parts = [
        (sources - taken[0], destinations, ports),
        (common, destinations - taken[1], ports),
        (common, reached, ports - taken[2]),
    ]
    return [part for part in parts if all(part)]


def _ports(boxes: Iterable[Box]) -> Ranges:
    return _union(box[2] for box in boxes)


def _union(parts: Iterable[Ranges]) -> Ranges:
    return Ranges.of(span for part in parts for span in part.spans)
