"""Blocks an address at both web ACLs of the stage."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from contain.action import Action, RefusedError, State

_LARGEST = {4: 16, 6: 32}
"""Shortest prefix of a network that may be blocked: more would shut out whole providers and countries."""
_ATTEMPTS = 5


@dataclass(frozen=True, kw_only=True)
class Firewall:
    """A web ACL's sets of blocked addresses: ``scope`` as WAF calls it; ``sets`` are their names by IP version."""

    waf: Any
    scope: str
    sets: Mapping[int, str]


@dataclass(frozen=True, kw_only=True)
class BlockAddress(Action):
    """Puts an address or network into the sets that the stage's web ACLs block; what else is in them stays.

    https://docs.aws.amazon.com/waf/latest/developerguide/waf-ip-set-managing.html
    """

    name: str = "block-address"
    warning: str = "Everybody behind the address is shut out; many may share it. It takes effect within minutes."
    firewalls: Mapping[str, Firewall]

    def check(self, target: str) -> None:
        try:
            network = ip_network(target, strict=True)
        except ValueError as error:
            raise RefusedError(f"{target} is no address or network: {error}.") from None
        shortest = _LARGEST[network.version]
        if network.prefixlen < shortest:
            raise RefusedError(f"{target} is larger than a /{shortest}. Block the parts that attack.")
        if not network.is_global:
            raise RefusedError(f"{target} is not an address of the internet, so no request bears it.")

    def look(self, target: str) -> dict[str, Any]:
        return {name: ip_network(target) in map(ip_network, self._read(name, target)[1]) for name in self.firewalls}

    def wanted(self, before: State, at: datetime) -> dict[str, Any]:
        return dict.fromkeys(before, True)

    def apply(self, target: str, part: str, value: Any) -> None:
        firewall, network = self.firewalls[part], ip_network(target)
        for attempt in range(1, _ATTEMPTS + 1):
            place, addresses, token = self._read(part, target)
            others = [one for one in addresses if ip_network(one) != network]
            if (len(others) < len(addresses)) == value:
                return
            changed = [*others, network.exploded] if value else others
            try:
                firewall.waf.update_ip_set(**place, Addresses=changed, LockToken=token)
            except firewall.waf.exceptions.WAFOptimisticLockException:
                if attempt == _ATTEMPTS:
                    raise
            else:
                return

    def _read(self, part: str, target: str) -> tuple[dict[str, str], list[str], str]:
        firewall = self.firewalls[part]
        name = firewall.sets[ip_network(target).version]
        marker: dict[str, str] = {}
        while True:
            page = firewall.waf.list_ip_sets(Scope=firewall.scope, Limit=100, **marker)
            for one in page["IPSets"]:
                if one["Name"] == name:
                    place = {"Name": name, "Scope": firewall.scope, "Id": one["Id"]}
                    answer = firewall.waf.get_ip_set(**place)
                    return place, list(answer["IPSet"]["Addresses"]), answer["LockToken"]
            if not page.get("NextMarker"):
                raise RefusedError(f"the {part} web ACL's set {name} is missing. Deploy the stage.")
            marker = {"NextMarker": page["NextMarker"]}
