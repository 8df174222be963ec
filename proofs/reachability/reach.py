"""Who can open a connection to whom: as exact sets of addresses and ports, with the answers that must come back."""

from __future__ import annotations

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from proofs.model import Model, Node, as_list, at
from proofs.reachability.network import PROTOCOLS, TCP, UDP, Attachment, Hop, Network, Route, Subnet
from proofs.reachability.places import THE_INTERNET, Place, interfaces
from proofs.reachability.sets import (
    ANY_V6,
    ANYWHERE,
    CLIENT_PORTS,
    EVERYTHING,
    INTERNET,
    NOTHING,
    PORTS,
    Boxes,
    Ranges,
    spoken_addresses,
    spoken_ports,
)


@dataclass(frozen=True)
class Flow:
    """Connections that can be opened and are answered: every pair of ``sources`` and ``destinations`` on every port of
    ``ports``, from any of ``client_ports``."""

    source: Place
    target: Place
    protocol: int
    sources: Ranges
    destinations: Ranges
    ports: Ranges
    client_ports: Ranges
    passes: tuple[str, ...] = ()
    """Construct paths of the subnets on the way."""
    doubtful: str = ""
    """What the templates do not tell, if the flow hangs on it."""

    @property
    def complete(self) -> bool:
        """Whether answers reach every port that clients call from, so that no connection fails by chance."""
        return self.protocol not in {TCP, UDP} or self.client_ports >= CLIENT_PORTS

    def __str__(self) -> str:
        who = (
            f"{self.source}"
            if self.source.name == "the internet"
            else f"{self.source} ({spoken_addresses(self.sources)})"
        )
        what = PROTOCOLS.get(self.protocol, f"protocol {self.protocol}")
        port = f" {spoken_ports(self.ports)}" if self.protocol in {TCP, UDP} else ""
        by = f" by {' and '.join(self.passes)}" if self.passes else ""
        return f"{who} -> {self.target}, {what}{port}{by}" + (f" [{self.doubtful}]" if self.doubtful else "")


@dataclass(frozen=True)
class _Way:
    """How packets leave a subnet: which of the wanted addresses, through which subnets, by which exit."""

    addresses: Ranges
    through: tuple[Subnet, ...]
    translated_in: Subnet | None
    exit: Hop
    target: str
    last: Subnet
    path: str


@dataclass(frozen=True)
class _Attempt:
    """A connection that routes would carry, before any filter is asked."""

    source: Place
    target: Place
    protocol: int
    sources: Ranges
    destinations: Ranges
    doubt: str
    way: _Way | None
    back: _Way | None


class Reachability:
    """Answers over all networks of an assembly. What the templates leave open is taken for reachable, and said so."""

    def __init__(self, model: Model, *, lost_zone: str = "") -> None:
        """``lost_zone`` is an availability zone that is taken for gone, with everything in it."""
        self.model = model
        self.network = Network(model, lost_zone=lost_zone)
        self._cache: dict[tuple[Place, Place, int], list[Flow]] = {}
        self._known: dict[str, tuple[Place, Place]] = {}
        self._alike: dict[Place, Place] = {}
        self._way_cache: dict[tuple[str, Ranges, str], list[_Way]] = {}

    # --------------------------------------------------------------------------------------------------------- places

    @cached_property
    def places(self) -> dict[str, Place]:
        """Every place by name: resources with interfaces, the internet, AWS's prefix lists, networks behind gateways."""
        found = {place.name: place for place in interfaces(self.model, self.network)}
        for place in self._outside():
            found[place.name] = place
        return found

    def _outside(self) -> Iterator[Place]:
        yield THE_INTERNET
        for name in sorted(self.network.lists):
            yield Place(f"prefix list {name}", prefix_list=name)
        for gateway, (_, beyond) in self.network.attached_networks.items():
            yield Place(f"network behind {gateway}", addresses=beyond, behind=gateway)
        for attachment in self._attachments.values():
            if not attachment.vpc:
                yield Place(f"network behind {attachment.path}", addresses=attachment.beyond, behind=attachment.id)
        for node in self.model.of("AWS::EC2::VPCPeeringConnection"):
            for end in ("VpcId", "PeerVpcId"):
                if str(node.get(end)) not in self.network.vpcs:
                    yield Place(f"network behind {node.path}", addresses=ANYWHERE, behind=str(node.get(end)))

    @cached_property
    def _attachments(self) -> dict[str, Attachment]:
        return {
            attached: attachment
            if not attachment.vpc or attachment.vpc in self.network.vpcs
            else dataclasses.replace(attachment, vpc="", beyond=ANYWHERE)
            for attached, attachment in self.network.attachments.items()
        }

    def at_subnet(self, name: str, subnet: str, *groups: str) -> Place:
        """A supposed interface in a subnet with security groups (none: only the ACLs filter)."""
        return Place(name, subnets=(subnet,), groups=groups or None)

    def named(self, text: str) -> list[Place]:
        """Places whose construct path, or a part of it between slashes, is ``text``; else those that contain it."""
        words = text.lower().split()
        exact = [place for place in self.places.values() if text in {place.name, *place.name.split("/")}]
        return exact or [
            place
            for place in self.places.values()
            if all(word in f"{place.name} {place.type}".lower() for word in words)
        ]

    # ------------------------------------------------------------------------------------------------------ questions

    def flows(self, source: Place, target: Place, *, protocol: int = TCP) -> list[Flow]:
        """Every connection that ``source`` can open to ``target``."""
        if not self._may_join(source, target):
            return []
        key = (self._anonymous(source), self._anonymous(target), protocol)
        if key not in self._cache:
            self._cache[key] = list(self._flows(*key))
        return [dataclasses.replace(flow, source=source, target=target) for flow in self._cache[key]]

    def _anonymous(self, place: Place) -> Place:
        """The place as the network sees it."""
        if place.name not in self._known or self._known[place.name][0] is not place:
            plain = dataclasses.replace(place, name="", type="", listens=PORTS)
            self._known[place.name] = (place, self._alike.setdefault(plain, plain))
        return self._known[place.name][1]

    def _vpc(self, place: Place) -> str:
        return self.network.subnets[place.subnets[0]].vpc if place.subnets else ""

    def _may_join(self, source: Place, target: Place) -> bool:
        """Whether any route at all could join the two; most pairs are in networks without a way to each other."""
        here, there = self._vpc(source), self._vpc(target)
        return not here or not there or here == there or here in self._leading_elsewhere

    @cached_property
    def _leading_elsewhere(self) -> set[str]:
        """VPCs with a route that leads to another network than the internet."""
        inside = {Hop.LOCAL, Hop.INTERNET, Hop.EGRESS_ONLY, Hop.SERVICE, Hop.NOWHERE, Hop.NAT, Hop.MIDDLEBOX}
        return {
            subnet.vpc
            for subnet in self.network.subnets.values()
            for route in self.network.routes(subnet)
            if route.hop not in inside or (route.hop in {Hop.NAT, Hop.MIDDLEBOX} and self._unplaced(route))
        }

    def _unplaced(self, route: Route) -> bool:
        found = self.network.nat_subnet(route) if route.hop is Hop.NAT else self.network.middlebox(route)
        return found is None and not self.network.is_lost(route)

    def others(self, place: Place) -> list[Place]:
        """Every place that this one could call at all: those outside, and those of networks that routes may lead to."""
        if place.outside:
            return [other for other in self.places.values() if not other.outside]
        here = self._vpc(place)
        if here in self._leading_elsewhere:
            return list(self.places.values())
        return self._beside[""] + self._beside[here]

    @cached_property
    def _beside(self) -> dict[str, list[Place]]:
        found: dict[str, list[Place]] = defaultdict(list)
        for place in self.places.values():
            found[self._vpc(place)].append(place)
        return found

    def reaching(self, target: Place, port: int | None = None, *, protocols: Iterable[int] = (TCP, UDP)) -> list[Flow]:
        """Everything that can open a connection to ``target``: on ``port``, or on any port that it listens on."""
        wanted = Ranges(((port, port),)) if port is not None else target.listens
        return [
            flow
            for source in self.places.values()
            if source.name != target.name
            for protocol in protocols
            for flow in _on(wanted, self.flows(source, target, protocol=protocol))
        ]

    def reachable_from(
        self, source: Place, port: int | None = None, *, protocols: Iterable[int] = (TCP, UDP)
    ) -> list[Flow]:
        """Everything that ``source`` can open a connection to, on ports that anything listens on."""
        return [
            flow
            for target in self.others(source)
            if target.name != source.name
            for protocol in protocols
            for flow in _on(
                Ranges(((port, port),)) if port is not None else target.listens,
                self.flows(source, target, protocol=protocol),
            )
        ]

    def connects(self, source: Place, target: Place, port: int, *, protocol: int = TCP) -> bool:
        """Whether connections to ``port`` open and are answered on whatever port the client calls from."""
        return any(port in flow.ports and flow.complete for flow in self.flows(source, target, protocol=protocol))

    def permitted(self, source: Place, target: Place, *, protocol: int = TCP) -> Ranges:
        """The ports that the security groups of both sides let through, whatever routes and network ACLs say."""
        found = NOTHING
        if source.outside or target.outside:
            return found
        subnets = self.network.subnets
        if subnets[source.subnets[0]].vpc != subnets[target.subnets[0]].vpc:
            return found
        here = _union(subnets[name].addresses for name in source.subnets)
        there = _union(subnets[name].addresses for name in target.subnets)
        out = self._groups(source, target, there, protocol, outbound=True)
        inn = self._groups(target, source, here, protocol, outbound=False)
        for _, numbers in out.parts:
            for _, others in inn.parts:
                found = found | (numbers & others)
        return found

    @cached_property
    def relays(self) -> dict[str, set[str]]:
        """Which places each load balancer hands its requests to, by name."""
        members: dict[str, set[str]] = defaultdict(set)
        for node in self.model.of("AWS::ElasticLoadBalancingV2::TargetGroup"):
            for target in as_list(node.get("Targets")):
                found = self.model.find(at(target, "Id"))
                if found is not None:
                    members[node.id].add(found.path)
        for node in self.model.of("AWS::AutoScaling::AutoScalingGroup"):
            for group in as_list(node.get("TargetGroupARNs")):
                members[str(group)].add(node.path)
        for node in self.model.of("AWS::ECS::Service"):
            for item in as_list(node.get("LoadBalancers")):
                members[str(at(item, "TargetGroupArn"))].add(node.path)
        found_relays: dict[str, set[str]] = defaultdict(set)
        for node, listener in self._actions():
            balancer = self.model.find(listener.get("LoadBalancerArn"))
            if balancer is None:
                continue
            for name in ("DefaultActions", "Actions"):
                for action in as_list(node.get(name)):
                    groups = [at(action, "TargetGroupArn")] + [
                        at(item, "TargetGroupArn") for item in as_list(at(action, "ForwardConfig", "TargetGroups"))
                    ]
                    for group in groups:
                        found_relays[balancer.path] |= members.get(str(group), set())
        return found_relays

    def _actions(self) -> Iterator[tuple[Node, Node]]:
        for listener in self.model.of("AWS::ElasticLoadBalancingV2::Listener"):
            yield listener, listener
        for rule in self.model.of("AWS::ElasticLoadBalancingV2::ListenerRule"):
            found = self.model.find(rule.get("ListenerArn"), "AWS::ElasticLoadBalancingV2::Listener")
            if found is not None:
                yield rule, found

    def through_balancers(self, target: Place) -> list[Flow]:
        """Everything that can call a load balancer which hands requests on to ``target``."""
        return [
            flow
            for balancer, targets in self.relays.items()
            if target.name in targets and balancer in self.places
            for flow in self.reaching(self.places[balancer], protocols=(TCP,))
        ]

    def ways(self, subnet: str, wanted: Ranges, prefix_list: str = "") -> list[tuple[Subnet, ...]]:
        """The subnets that packets to ``wanted`` pass after leaving ``subnet``: of NAT gateways and of firewalls."""
        return [way.through for way in self._ways(self.network.subnets[subnet], wanted, prefix_list)]

    # -------------------------------------------------------------------------------------------------------- packets

    def _flows(self, source: Place, target: Place, protocol: int) -> Iterator[Flow]:
        if source.outside and target.outside:
            return
        if not source.outside and not target.outside:
            for here in source.subnets:
                for there in target.subnets:
                    yield from self._between(
                        source, target, self.network.subnets[here], self.network.subnets[there], protocol
                    )
        elif target.outside:
            for here in source.subnets:
                yield from self._outward(source, target, self.network.subnets[here], protocol)
        else:
            for there in target.subnets:
                yield from self._inward(source, target, self.network.subnets[there], protocol)

    def _ways(self, subnet: Subnet, wanted: Ranges, prefix_list: str = "") -> list[_Way]:
        key = (subnet.id, wanted, prefix_list)
        if key not in self._way_cache:
            self._way_cache[key] = list(self._walk(subnet, wanted, prefix_list, (), None))
        return self._way_cache[key]

    def _walk(
        self, subnet: Subnet, wanted: Ranges, prefix_list: str, passed: tuple[Subnet, ...], nat: Subnet | None
    ) -> Iterator[_Way]:
        if len(passed) > 5:
            return
        lists = [(wanted, route) for route in self.network.list_routes(subnet, prefix_list)] if prefix_list else []
        for addresses, route in lists or self.network.ways(subnet):
            part = addresses & wanted
            if not part or route.hop is Hop.NOWHERE:
                continue
            if route.hop in {Hop.NAT, Hop.MIDDLEBOX}:
                is_nat = route.hop is Hop.NAT
                after = self.network.nat_subnet(route) if is_nat else self.network.middlebox(route)
                if self.network.is_lost(route):
                    continue
                if after is not None:
                    yield from self._walk(after, part, prefix_list, (*passed, after), after if is_nat else nat)
                    continue
                yield _Way(part, passed, nat, Hop.UNKNOWN, route.target, subnet, route.path)
                continue
            yield _Way(part, passed, nat, route.hop, route.target, subnet, route.path)

    def _transit_leads(self, start: str, end: str, gateway: str) -> Ranges:
        """The addresses that the transit gateway carries from one attachment to the other, each named by VPC or id."""

        def ids(name: str) -> list[str]:
            return [
                attached
                for attached, item in self._attachments.items()
                if name in {item.vpc, attached} and item.gateway == gateway
            ]

        found = NOTHING
        ends = set(ids(end))
        for attached in ids(start):
            for addresses, behind in self.network.transit.get(attached, []):
                if behind in ends:
                    found = found | addresses
        return found

    def _led(self, way: _Way, vpc: str, end: str) -> tuple[Ranges, str]:  # noqa: PLR0911  (one return a kind of hop)
        """The addresses by which the way really leads from ``vpc`` to ``end`` (a VPC, or what a place is behind), and what
        is doubtful about it."""
        if way.exit is Hop.LOCAL:
            return (way.addresses if vpc == end else NOTHING), ""
        if way.exit is Hop.PEERING:
            peer = self.network.peer_of(next(r for r in self.network.routes(way.last) if r.path == way.path), vpc)
            if peer is None:
                return way.addresses, f"{way.path}: the peering connection is not in the templates"
            return (way.addresses if peer == end else NOTHING), ""
        if way.exit is Hop.TRANSIT:
            return way.addresses & self._transit_leads(vpc, end, way.target), ""
        if way.exit is Hop.VPN:
            return (way.addresses if end == way.target else NOTHING), ""
        if way.exit is Hop.UNKNOWN:
            return way.addresses, f"{way.path}: where the route leads is not told"
        return NOTHING, ""

    def _groups(
        self, place: Place, other: Place, seen: Ranges, protocol: int, *, outbound: bool, known: bool = True
    ) -> Boxes:
        """What the place's security groups let pass to or from the other, whose addresses are ``seen``."""
        if place.groups is None or place.outside:
            return EVERYTHING
        parts: list[tuple[Ranges, Ranges]] = []
        for group in place.groups:
            for rule in self.network.rules(group, outbound=outbound):
                if rule.protocol not in {-1, protocol}:
                    continue
                if rule.peer.addresses is not None:
                    parts.append((rule.peer.addresses & seen, rule.ports))
                elif rule.peer.group:
                    if known and not other.outside and rule.peer.group in (other.groups or ()):
                        parts.append((seen, rule.ports))
                elif rule.peer.prefix_list == other.prefix_list:
                    parts.append((seen, rule.ports))
        return Boxes.of(parts)

    def _between(self, source: Place, target: Place, here: Subnet, there: Subnet, protocol: int) -> Iterator[Flow]:
        wanted = there.addresses if source.only_to is None else there.addresses & source.only_to
        out = self._groups(source, target, wanted, protocol, outbound=True)
        if not out:
            return
        for way in self._ways(here, wanted):
            destinations, doubt = self._led(way, here.vpc, there.vpc)
            if not destinations:
                continue
            seen = way.translated_in.addresses if way.translated_in else here.addresses
            inn = self._groups(target, source, seen, protocol, outbound=False, known=way.translated_in is None)
            if not inn:
                continue
            home = way.translated_in or here
            for back in self._ways(there, seen):
                sources, more_doubt = self._led(back, there.vpc, home.vpc)
                if not sources:
                    continue
                same = here.id == there.id and way.exit is Hop.LOCAL and not way.through
                forth = [out] if same else [out, self._acl(here, protocol, outbound=True)]
                arriving = [inn] if same else [inn, self._acl(there, protocol, outbound=False)]
                back_out = [] if same else [self._acl(there, protocol, outbound=True)]
                back_in = [] if same else [self._acl(here, protocol, outbound=False)]
                attempt = _Attempt(source, target, protocol, sources, destinations, doubt or more_doubt, way, back)
                yield from self._answered(attempt, forth, arriving, back_out, back_in)

    def _outward(self, source: Place, target: Place, here: Subnet, protocol: int) -> Iterator[Flow]:
        wanted = target.addresses if source.only_to is None else target.addresses & source.only_to
        out = self._groups(source, target, wanted, protocol, outbound=True)
        if not out:
            return
        for way in self._ways(here, wanted, target.prefix_list):
            destinations, doubt = self._leaves(way, source, target, here)
            if destinations:
                attempt = _Attempt(source, target, protocol, here.addresses, destinations, doubt, way, None)
                forth = [out, self._acl(here, protocol, outbound=True)]
                yield from self._answered(attempt, forth, [], [], [self._acl(here, protocol, outbound=False)])

    def _leaves(  # noqa: PLR0911  (one return a kind of exit)
        self, way: _Way, source: Place, target: Place, here: Subnet
    ) -> tuple[Ranges, str]:
        if target.behind:
            return self._led(way, here.vpc, target.behind)
        if way.exit is Hop.SERVICE:
            return way.addresses, ""
        if way.exit is Hop.UNKNOWN:
            return way.addresses, f"{way.path}: where the route leads is not told"
        if way.exit not in {Hop.INTERNET, Hop.EGRESS_ONLY}:
            return NOTHING, ""
        if not self.network.open_to_internet(way.last, outbound=True):
            return NOTHING, ""
        addresses = way.addresses & INTERNET
        if way.exit is Hop.EGRESS_ONLY:
            return addresses & ANY_V6, ""
        if way.translated_in is None and not source.public:
            # Without a public address only IPv6 passes an internet gateway.
            return (addresses & ANY_V6 if here.addresses & ANY_V6 else NOTHING), ""
        return addresses, ""

    def _inward(self, source: Place, target: Place, there: Subnet, protocol: int) -> Iterator[Flow]:
        destinations = there.addresses
        doubt = ""
        if not source.behind:
            if not self.network.open_to_internet(there, outbound=False):
                return
            if not target.public:
                destinations = destinations & ANY_V6
        if not destinations:
            return
        inn = self._groups(target, source, source.addresses, protocol, outbound=False)
        if not inn:
            return
        for back in self._ways(there, source.addresses, source.prefix_list):
            if source.behind:
                sources, doubt = self._led(back, there.vpc, source.behind)
                if back.exit is Hop.TRANSIT:
                    destinations = destinations & self._transit_leads(source.behind, there.vpc, back.target)
            elif back.exit in {Hop.INTERNET, Hop.UNKNOWN} and back.translated_in is None:
                sources = back.addresses & INTERNET
                doubt = f"{back.path}: where the route leads is not told" if back.exit is Hop.UNKNOWN else ""
            else:
                continue
            if sources and destinations:
                attempt = _Attempt(source, target, protocol, sources, destinations, doubt, None, back)
                arriving = [inn, self._acl(there, protocol, outbound=False)]
                yield from self._answered(attempt, [], arriving, [self._acl(there, protocol, outbound=True)], [])

    def _acl(self, subnet: Subnet, protocol: int, *, outbound: bool) -> Boxes:
        return self.network.acl(subnet, outbound=outbound, protocol=protocol)

    def _answered(
        self,
        attempt: _Attempt,
        forth: list[Boxes],
        arriving: list[Boxes],
        back_out: list[Boxes],
        back_in: list[Boxes],
    ) -> Iterator[Flow]:
        """The connections that every filter on the way lets through, there and back.

        ``forth`` filters by destination and port, ``arriving`` by source and port; ``back_out`` filters answers by the
        caller and its port, ``back_in`` by the called and the caller's port.
        """
        protocol, target = attempt.protocol, attempt.target
        through = attempt.way.through if attempt.way else ()
        nat = attempt.way.translated_in if attempt.way else None
        # Until the NAT gateway a packet carries the caller's address, behind it the gateway's.
        before = through[: through.index(nat)] if nat else through
        if nat is None or target.outside:
            for hop in (*before, *((nat,) if nat else ())):
                arriving = [*arriving, self._acl(hop, protocol, outbound=False)]
                back_out = [*back_out, self._acl(hop, protocol, outbound=True)]
        forth = [*forth, *(self._acl(hop, protocol, outbound=True) for hop in through)]
        back_in = [*back_in, *(self._acl(hop, protocol, outbound=False) for hop in before)]
        behind_nat = _all(EVERYTHING, [self._acl(hop, protocol, outbound=False) for hop in through[len(before) :]])
        for hop in attempt.back.through if attempt.back and not through else ():
            back_out = [*back_out, self._acl(hop, protocol, outbound=True)]
            back_in = [*back_in, self._acl(hop, protocol, outbound=False)]
        there = _all(Boxes(((attempt.destinations, PORTS),)), forth)
        here = _all(Boxes(((attempt.sources, PORTS),)), arriving)
        home = _all(Boxes(((attempt.sources, PORTS),)), back_out)
        away = _all(Boxes(((attempt.destinations, PORTS),)), back_in)
        names = tuple(hop.path for hop in through)
        for (callers, called, numbers), answered in _joined(there, here, home, away).items():
            for outer, outer_ports in behind_nat.parts:
                reached, returning = called & outer, outer_ports & CLIENT_PORTS
                if reached and returning:
                    # Callers and NAT gateways choose their ports apart; either may choose one that no answer reaches.
                    safe = answered if returning >= CLIENT_PORTS else (answered & returning) or returning
                    yield Flow(attempt.source, target, protocol, callers, reached, numbers, safe, names, attempt.doubt)


def _joined(there: Boxes, here: Boxes, home: Boxes, away: Boxes) -> dict[tuple[Ranges, Ranges, Ranges], Ranges]:
    """Client ports by callers, called and ports: what passes both ways."""
    found: dict[tuple[Ranges, Ranges, Ranges], Ranges] = {}
    for (called, open_ports), (callers, open_to) in itertools.product(there.parts, here.parts):
        numbers = open_ports & open_to
        if not numbers:
            continue
        for (client, client_ports), (server, server_ports) in itertools.product(home.parts, away.parts):
            key = (callers & client, called & server, numbers)
            answered = client_ports & server_ports
            if answered and key[0] and key[1]:
                found[key] = found.get(key, NOTHING) | answered
    return found


def _union(items: Iterable[Ranges]) -> Ranges:
    return Ranges.of(span for item in items for span in item.spans)


def _all(start: Boxes, filters: list[Boxes]) -> Boxes:
    for item in filters:
        start = start & item
    return start


def _on(wanted: Ranges, flows: list[Flow]) -> Iterator[Flow]:
    for flow in flows:
        numbers = flow.ports & wanted
        if numbers:
            yield dataclasses.replace(flow, ports=numbers)
