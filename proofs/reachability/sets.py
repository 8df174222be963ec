"""Exact sets of addresses and ports: unions of ranges, and of boxes of addresses and ports.

IPv4 and IPv6 share one line of numbers: IPv4 addresses as they are, IPv6 addresses behind them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network, summarize_address_range

_V6 = 1 << 32
_END = _V6 + (1 << 128) - 1


@dataclass(frozen=True)
class Ranges:
    """A set of whole numbers as sorted, disjoint, never adjoining ranges, both ends included."""

    spans: tuple[tuple[int, int], ...] = ()

    @staticmethod
    def of(spans: Iterable[tuple[int, int]]) -> Ranges:
        """The union of the spans."""
        merged: list[tuple[int, int]] = []
        for low, high in sorted(span for span in spans if span[0] <= span[1]):
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], high))
            else:
                merged.append((low, high))
        return Ranges(tuple(merged))

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __contains__(self, number: int) -> bool:
        return any(low <= number <= high for low, high in self.spans)

    def __and__(self, other: Ranges) -> Ranges:
        if self is other or self.spans == other.spans:
            return self
        found: list[tuple[int, int]] = []
        mine, theirs = self.spans, other.spans
        first = second = 0
        while first < len(mine) and second < len(theirs):
            low, high = max(mine[first][0], theirs[second][0]), min(mine[first][1], theirs[second][1])
            if low <= high:
                found.append((low, high))
            if mine[first][1] < theirs[second][1]:
                first += 1
            else:
                second += 1
        return Ranges(tuple(found))

    def __or__(self, other: Ranges) -> Ranges:
        return Ranges.of((*self.spans, *other.spans))

    def __sub__(self, other: Ranges) -> Ranges:
        found: list[tuple[int, int]] = []
        for span in self.spans:
            low, high = span
            for start, end in other.spans:
                if end < low or start > high:
                    continue
                if start > low:
                    found.append((low, start - 1))
                low = end + 1
            if low <= high:
                found.append((low, high))
        return Ranges(tuple(found))

    def __le__(self, other: Ranges) -> bool:
        return not self - other

    def __ge__(self, other: Ranges) -> bool:
        return not other - self

    def __len__(self) -> int:
        return sum(high - low + 1 for low, high in self.spans)


@lru_cache(maxsize=4096)
def block(cidr: str) -> Ranges:
    """The addresses of an IPv4 or IPv6 block.

    Raises:
        ValueError: not a block.
    """
    network = ip_network(cidr, strict=False)
    start = _V6 if network.version == 6 else 0
    return Ranges(((start + int(network.network_address), start + int(network.broadcast_address)),))


def address(text: str) -> int:
    """An IPv4 or IPv6 address as a number of the common line."""
    return block(text).spans[0][0]


def blocks_of(addresses: Ranges) -> Iterator[IPv4Network | IPv6Network]:
    """The addresses as the fewest blocks."""
    for low, high in addresses.spans:
        if low < _V6:
            yield from summarize_address_range(IPv4Address(low), IPv4Address(min(high, _V6 - 1)))
        if high >= _V6:
            yield from summarize_address_range(IPv6Address(max(low, _V6) - _V6), IPv6Address(high - _V6))


NOTHING = Ranges()
ANY_V4, ANY_V6 = block("0.0.0.0/0"), block("::/0")
ANYWHERE = ANY_V4 | ANY_V6
PORTS = Ranges(((0, 65535),))
CLIENT_PORTS = Ranges(((1024, 65535),))
"""Ports that clients, load balancers and NAT gateways call from.
https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports"""

_NOT_PUBLIC = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/3",
    "fc00::/7",
    "fe80::/10",
)
INTERNET = ANYWHERE
for _cidr in _NOT_PUBLIC:
    INTERNET = INTERNET - block(_cidr)


def ports(low: int, high: int | None = None) -> Ranges:
    """One port, or those from ``low`` to ``high``."""
    return Ranges(((low, low if high is None else high),))


def spoken_addresses(addresses: Ranges) -> str:
    """The addresses for people: blocks, or "the internet"."""
    if not INTERNET - addresses:
        return "anywhere" if addresses == ANYWHERE else "the internet"
    if addresses <= INTERNET and not (INTERNET & ANY_V4) - addresses:
        return "the internet (IPv4)"
    found = [str(part) for part in blocks_of(addresses)]
    return ", ".join(found[:6]) + (f" and {len(found) - 6} more blocks" if len(found) > 6 else "")


def spoken_ports(numbers: Ranges) -> str:
    """The ports for people."""
    if numbers == PORTS:
        return "all ports"
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in numbers.spans)


@dataclass(frozen=True)
class Boxes:
    """A set of pairs of address and port, as a union of products. The products may overlap."""

    parts: tuple[tuple[Ranges, Ranges], ...] = ()

    @staticmethod
    def of(parts: Iterable[tuple[Ranges, Ranges]]) -> Boxes:
        """The union of the products that are not empty; products of the same addresses become one."""
        merged: dict[Ranges, Ranges] = {}
        for addresses, numbers in parts:
            if addresses and numbers:
                merged[addresses] = merged[addresses] | numbers if addresses in merged else numbers
        return Boxes(tuple(merged.items()))

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __contains__(self, pair: tuple[int, int]) -> bool:
        return any(pair[0] in addresses and pair[1] in numbers for addresses, numbers in self.parts)

    def __and__(self, other: Boxes) -> Boxes:
        return Boxes.of((a & b, p & q) for a, p in self.parts for b, q in other.parts)

    def __or__(self, other: Boxes) -> Boxes:
        return Boxes.of((*self.parts, *other.parts))

    def __sub__(self, other: Boxes) -> Boxes:
        left = list(self.parts)
        for taken_addresses, taken_ports in other.parts:
            next_left: list[tuple[Ranges, Ranges]] = []
            for addresses, numbers in left:
                common = addresses & taken_addresses
                if not common or not numbers & taken_ports:
                    next_left.append((addresses, numbers))
                    continue
                next_left.append((addresses - common, numbers))
                next_left.append((common, numbers - taken_ports))
            left = [(addresses, numbers) for addresses, numbers in next_left if addresses and numbers]
        return Boxes.of(left)


EVERYTHING = Boxes(((ANYWHERE, PORTS),))
