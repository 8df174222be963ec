"""Adds up the fixed prices of an assembly, per owner and account."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from assembly import Assembly, Resource, Stack
from ops.cost.prices import AREAS, BY_USE, DESCRIBED, PRICES, SHIELD_ADVANCED
from ops.places import OWNER_TAG


@dataclass(frozen=True, kw_only=True)
class Item:
    """All resources of one type of one owner: how many there are, and dollars a month for all of them."""

    type: str
    description: str
    count: int
    dollars: float
    source: str


@dataclass(frozen=True, kw_only=True)
class Bill:
    """One owner's fixed price a month, dearest item first."""

    owner: str
    accounts: tuple[str, ...]
    items: tuple[Item, ...]

    @property
    def dollars(self) -> float:
        """The sum."""
        return sum(item.dollars for item in self.items)


@dataclass(frozen=True, kw_only=True)
class Report:
    """Bills in the assembly's order, and what the table does not know."""

    bills: tuple[Bill, ...]
    unknown_types: tuple[str, ...]
    """Types with neither a price nor an entry among those billed by use: they count as zero, and are warned of."""
    foreign_regions: tuple[str, ...]
    """Regions without prices of their own, priced like Ireland."""
    shield_advanced: bool
    """Shield Advanced is billed once for the organization, so it is in no stage's bill."""

    @property
    def dollars(self) -> float:
        """Everything, the organization's Shield subscription included."""
        return sum(bill.dollars for bill in self.bills) + (SHIELD_ADVANCED if self.shield_advanced else 0.0)


def report(assembly: Assembly) -> Report:
    """Price every resource of ``assembly``."""
    owners: dict[str, list[Stack]] = defaultdict(list)
    for stack in assembly.stacks:
        owners[stack.tags.get(OWNER_TAG, stack.name)].append(stack)
    types = {resource.type for _, resource in assembly.resources()}
    return Report(
        bills=tuple(_bill(owner, stacks) for owner, stacks in owners.items()),
        unknown_types=tuple(
            sorted(t for t in types if t not in PRICES and t not in BY_USE and not t.startswith("Custom::"))
        ),
        foreign_regions=tuple(sorted({stack.region for stack in assembly.stacks} - AREAS.keys())),
        shield_advanced=any(assembly.resources("AWS::Shield::Protection")),
    )


def _bill(owner: str, stacks: Iterable[Stack]) -> Bill:
    count: Counter[str] = Counter()
    dollars: defaultdict[str, float] = defaultdict(float)
    accounts: dict[str, None] = {}
    for stack in stacks:
        accounts[stack.account] = None
        for resource in stack.resources.values():
            if resource.type in PRICES:
                price = _price(stack, resource)
                if price:
                    count[resource.type] += 1
                    dollars[resource.type] += price
    items = (
        Item(
            type=resource_type,
            description=DESCRIBED.get(resource_type, resource_type),
            count=count[resource_type],
            dollars=sum_,
            source=PRICES[resource_type][1],
        )
        for resource_type, sum_ in dollars.items()
    )
    return Bill(owner=owner, accounts=tuple(accounts), items=tuple(sorted(items, key=lambda item: -item.dollars)))


def _price(stack: Stack, resource: Resource) -> float:
    price, _ = PRICES[resource.type]
    properties = resource.properties
    if resource.type == "AWS::RDS::DBCluster":
        instances = sum(
            other.properties.get("DBClusterIdentifier") == {"Ref": resource.logical_id}
            for other in stack.resources.values()
        )
        properties = {**properties, "Instances": max(1, instances)}
    return price(properties, AREAS.get(stack.region, "ie"))
