"""The reachability picture: for each network a matrix of who can open a connection to whom, and on which ports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proofs.model import Model
from proofs.reachability import PROTOCOLS, TCP, UDP, Flow, Place, Ranges, Reachability
from proofs.reachability.sets import spoken_ports

TOGETHER = {"AWS::EC2::NatGateway": "NAT gateways", "AWS::EC2::VPCEndpoint": "AWS endpoints"}
"""Places that are drawn as one: there are many, and they are alike."""
INTERNET = "the internet"


@dataclass(frozen=True)
class Matrix:
    """One network: ``cells[row, column]`` are the ports on which the row opens connections to the column."""

    network: str
    rows: Sequence[str]
    columns: Sequence[str]
    cells: dict[tuple[str, str], str]
    doubtful: bool
    """Whether a cell hangs on something that the templates do not tell; it ends in a question mark."""


def matrices(model: Model) -> list[Matrix]:
    """One matrix a network, of everything within it and of everything outside that reaches it or is reached.

    What outside is reached by all exactly as the internet is has no column of its own.
    """
    reach = Reachability(model)
    networks: dict[str, list[Place]] = defaultdict(list)
    for place in reach.places.values():
        if not place.outside:
            networks[reach.network.subnets[place.subnets[0]].vpc].append(place)
    flows = [
        flow
        for source in reach.places.values()
        for flow in reach.reachable_from(source, protocols=(TCP, UDP))
        if not (source.outside and flow.target.outside)
    ]
    return [_matrix(_title(model, vpc), places, flows) for vpc, places in networks.items()]


def _matrix(network: str, places: Sequence[Place], flows: Sequence[Flow]) -> Matrix:
    inside = {place.name for place in places}
    touching = [flow for flow in flows if {flow.source.name, flow.target.name} & inside]
    ports: dict[tuple[str, str], dict[int, Ranges]] = defaultdict(dict)
    doubts: set[tuple[str, str]] = set()
    for flow in touching:
        pair = (_label(flow.source), _label(flow.target))
        known = ports[pair].get(flow.protocol)
        ports[pair][flow.protocol] = flow.ports if known is None else known | flow.ports
        if flow.doubtful:
            doubts.add(pair)
    within = list(dict.fromkeys(_label(place) for place in sorted(places, key=_order)))
    listening = {_label(place) for place in places if place.listens.spans}
    sources = list(dict.fromkeys(pair[0] for pair in ports if pair[0] not in within))
    targets = list(dict.fromkeys(pair[1] for pair in ports if pair[1] not in within))
    targets = [target for target in targets if target == INTERNET or _row(ports, target) != _row(ports, INTERNET)]
    return Matrix(
        network=network,
        rows=[*sorted(sources, key=_internet_first), *within],
        columns=[*(label for label in within if label in listening), *sorted(targets, key=_internet_first)],
        cells={
            pair: ", ".join(_spoken(protocol, numbers) for protocol, numbers in sorted(known.items()))
            + ("?" if pair in doubts else "")
            for pair, known in ports.items()
            if pair[1] in targets or pair[1] in listening
        },
        doubtful=bool(doubts),
    )


def _row(ports: Mapping[tuple[str, str], object], target: str) -> dict[str, object]:
    return {source: known for (source, reached), known in ports.items() if reached == target}


def _spoken(protocol: int, numbers: Ranges) -> str:
    words = spoken_ports(numbers)
    return words if protocol == TCP else f"{PROTOCOLS.get(protocol, protocol)} {words}"


def _label(place: Place) -> str:
    if place.prefix_list:
        return f"AWS {place.prefix_list.split('.', 3)[-1]}"
    if place.type in TOGETHER:
        return TOGETHER[place.type]
    return place.name.removesuffix("/Resource").removesuffix("/Resource")


def _order(place: Place) -> tuple[int, str]:
    kinds = ("LoadBalancing", "Lambda", "AutoScaling", "RDS", "NatGateway", "VPCEndpoint")
    return next((n for n, kind in enumerate(kinds) if kind in place.type), len(kinds)), place.name


def _internet_first(label: str) -> tuple[bool, str]:
    return label != INTERNET, label


def _title(model: Model, vpc: str) -> str:
    found = model.find(vpc)
    return (found.path if found is not None else vpc).removesuffix("/Resource")
