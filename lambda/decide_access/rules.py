"""What may be asked for, and what stands against it. Everything at once."""

import ipaddress
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from palisade_runtime.identifiers import InvalidIdentifierError, tenant_id

SHORTEST_REASON = 10
LONGEST_REASON = 1000


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What one deployment allows. ``levels`` enter ``stages``; those of ``customer_data`` need the customers' consent."""

    stages: frozenset[str]
    levels: frozenset[str]
    customer_data: frozenset[str]
    networks: tuple[ipaddress.IPv4Network, ...]
    shortest_minutes: int
    longest_minutes: int
    waiting_hours: int
    consent_days: int


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody asks for."""

    stage: str
    level: str
    reason: str
    address: str
    minutes: int
    tenants: tuple[str, ...]
    on_call: bool


def read_wish(said: Mapping[str, Any], rules: Rules) -> tuple[Wish | None, list[str]]:
    """The wish in ``said``, or everything that is wrong with it."""
    problems = list(_problems(said, rules))
    if problems:
        return None, problems
    return (
        Wish(
            stage=said["stage"],
            level=said["level"],
            reason=said["reason"].strip(),
            address=str(ipaddress.IPv4Address(said["address"])),
            minutes=said["minutes"],
            tenants=tuple(sorted(set(said.get("tenants", ())))),
            on_call=said.get("on_call", False),
        ),
        [],
    )


def read_consent(said: Mapping[str, Any], rules: Rules, today: date) -> list[str]:
    """What is wrong with a recorded consent."""
    problems = []
    evidence = said.get("evidence")
    if not isinstance(evidence, str) or not SHORTEST_REASON <= len(evidence.strip()) <= LONGEST_REASON:
        problems.append(f"evidence: say in {SHORTEST_REASON} to {LONGEST_REASON} characters where the customer said so")
    try:
        left = (date.fromisoformat(said["until"]) - today).days
    except (KeyError, TypeError, ValueError):
        problems.append("until: a date such as 2026-03-31")
    else:
        if not 0 <= left <= rules.consent_days:
            problems.append(f"until: {said['until']} is not within {rules.consent_days} days from today")
    return problems


def consenting(consents: Sequence[Mapping[str, Any]], withdrawn: datetime | None, *, asker: str, end: datetime) -> bool:
    """Whether one of ``consents`` lasts until ``end``, was recorded by another than ``asker``, and was not withdrawn since."""
    return any(
        date.fromisoformat(one["until"]) >= end.date()
        and one["by"] != asker
        and (withdrawn is None or datetime.fromisoformat(one["at"]) > withdrawn)
        for one in consents
    )


def _problems(said: Mapping[str, Any], rules: Rules) -> Iterator[str]:
    if said.get("stage") not in rules.stages:
        yield f"stage: choose one of {_listed(rules.stages)}; engineers work in the others without asking"
    if said.get("level") not in rules.levels:
        yield f"level: choose one of {_listed(rules.levels)}"
    reason = said.get("reason")
    if not isinstance(reason, str) or not SHORTEST_REASON <= len(reason.strip()) <= LONGEST_REASON:
        yield f"reason: say why, in {SHORTEST_REASON} to {LONGEST_REASON} characters"
    yield from _address(said.get("address"), rules)
    minutes = said.get("minutes")
    if (
        not isinstance(minutes, int)
        or isinstance(minutes, bool)
        or not rules.shortest_minutes <= minutes <= rules.longest_minutes
    ):
        yield (
            f"minutes: {rules.shortest_minutes} to {rules.longest_minutes} "
            f"({rules.shortest_minutes / 60:g} to {math.floor(rules.longest_minutes / 60)} hours)"
        )
    yield from _tenants(said.get("tenants", []), said.get("level"), rules)
    if not isinstance(said.get("on_call", False), bool):
        yield "on_call: true or false"


def _address(value: object, rules: Rules) -> Iterator[str]:
    try:
        address = ipaddress.IPv4Address(value) if isinstance(value, str) else None
    except ValueError:
        address = None
    if address is None:
        yield "address: one IPv4 address, the one from which you will work"
    elif not any(address in network for network in rules.networks):
        yield f"address: {address} is not of the allowed networks; connect through the office or the VPN"


def _tenants(value: object, level: object, rules: Rules) -> Iterator[str]:
    if not isinstance(value, list) or len(value) > 20:
        yield "tenants: a list of at most twenty"
        return
    for one in value:
        try:
            tenant_id(one)
        except InvalidIdentifierError:
            yield "tenants: each of small letters, digits and inner hyphens"
    if level in rules.customer_data and not value:
        yield f"tenants: level {level} enters customers' data; name the customers whose data it is for"


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
