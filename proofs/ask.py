"""Answers questions about an assembly in plain words.

usage: python -m proofs ask [--assembly cdk.out] [--all] QUESTION

QUESTION   "can internet reach subnet data on 6432"
           "what can reach the database" / "who can reach sandbox database on 6432"
           "what can bastion reach"
           "who refers to sandbox-keys/Data"
           "who can decrypt sandbox-keys/Data", "who can read BUCKET", "who can assume ROLE"
--all      show every flow, not one of each kind

Places are construct paths, parts of them, types (database, balancer, function, endpoint), "internet", or "subnet NAME".
Exit status: 0 answered, 2 not understood.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from assembly import AssemblyError, load
from proofs import ask_policy
from proofs.finding import Case
from proofs.model import Node
from proofs.reachability import Flow, Place
from proofs.reachability.network import Hop
from proofs.reachability.sets import INTERNET, PORTS, Ranges, ports, spoken_ports

USAGE_ERROR = 2


class QuestionError(Exception):
    """The question was not understood, or names nothing that exists. The message says what would be."""


_TYPES = {
    "database": "DBCluster",
    "databases": "DBCluster",
    "balancer": "LoadBalancer",
    "balancers": "LoadBalancer",
    "function": "Lambda::Function",
    "functions": "Lambda::Function",
    "endpoint": "VPCEndpoint",
    "endpoints": "VPCEndpoint",
    "machine": "AutoScalingGroup",
}
_FILLING = re.compile(r"\b(the|a|an|of|in|my|our|load|any|anything|anyone)\b", re.IGNORECASE)


def run(arguments: Sequence[str]) -> int:
    """The command; the result is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m proofs ask", description=__doc__, add_help=True,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--assembly", default="cdk.out", type=Path)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("question", nargs="+")
    given = parser.parse_args(arguments)
    try:
        case = Case(load(given.assembly, elsewhere=("000000000000", "us-east-1")))
        lines = answer(case, " ".join(given.question), everything=given.all)
    except (AssemblyError, QuestionError) as error:
        sys.stderr.write(f"python -m proofs ask: {error}\n")
        return USAGE_ERROR
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def answer(case: Case, question: str, *, everything: bool = False) -> list[str]:
    """The answer, line by line.

    Raises:
        QuestionError: not understood, or nothing of that name.
    """
    text = " ".join(question.strip().rstrip("?").split())
    for pattern, reply in _QUESTIONS:
        match = re.fullmatch(pattern, text, re.IGNORECASE)
        if match:
            return reply(case, match, everything)
    raise QuestionError(
        f"{question!r} is not understood. Ask for example: " + "; ".join(f'"{example}"' for example in _EXAMPLES)
    )


_EXAMPLES = (
    "can internet reach subnet data on 6432",
    "what can reach the database",
    "what can bastion reach",
    "who refers to sandbox-keys/Data",
    "who can decrypt sandbox-keys/Data",
)


# -------------------------------------------------------------------------------------------------------- networks


def _places(case: Case, words: str) -> list[Place]:
    wanted = " ".join(_FILLING.sub(" ", words).split())
    if not wanted:
        return list(case.reach.places.values())
    if re.fullmatch(r"(internet|world|outside|everyone|anybody)", wanted, re.IGNORECASE):
        return [case.reach.places["the internet"]]
    subnet = re.fullmatch(r"(?:(.+) )?subnets? ?(.*)", wanted, re.IGNORECASE)
    if subnet:
        return _subnets(case, f"{subnet[1] or ''} {subnet[2]}".split())
    found = case.reach.named(" ".join(_TYPES.get(word.lower(), word) for word in wanted.split()))
    if not found:
        some = ", ".join(sorted(case.reach.places)[:12])
        raise QuestionError(f"no place is called {words!r}. There are {len(case.reach.places)}, such as {some}")
    return found


def _subnets(case: Case, words: Iterable[str]) -> list[Place]:
    """Supposed interfaces with a public address and no security group, in the subnets of that name or tier: what they
    cannot do, nothing there can."""
    made = []
    for subnet in case.reach.network.subnets.values():
        known = f"{subnet.path} {' '.join(value for _, value in subnet.tags)}".lower()
        if all(word.lower() in known for word in words):
            made.append(Place(f"any interface in {subnet.path}", "subnet", (subnet.id,), None, public=True))
    if not made:
        names = sorted({subnet.path for subnet in case.reach.network.subnets.values()})
        raise QuestionError(f"no subnet is called {' '.join(words)!r}. There are {', '.join(names) or 'none'}")
    return made


def _can_reach(case: Case, match: re.Match[str], everything: bool) -> list[str]:
    sources, targets = _places(case, match[1]), _places(case, match[2])
    wanted = ports(int(match[3])) if match[3] else None
    found = [
        flow
        for source in sources
        for target in targets
        for flow in _wanted(case.reach.flows(source, target), wanted, target)
    ]
    if not found:
        return [f"No. {_spoken(sources)} cannot reach {_spoken(targets)}{_port(wanted)}.", *_reasons(case, targets)]
    lines = ["Yes."] + _told(found, everything)
    if any(place.type == "subnet" for place in (*sources, *targets)):
        lines.append("That is what routes and network ACLs let through; security groups decide for each resource:")
        lines += _members(case, sources, targets, wanted)
    return lines


def _members(case: Case, sources: list[Place], targets: list[Place], wanted: Ranges | None) -> list[str]:
    def real(places: list[Place]) -> list[Place]:
        ids = {name for place in places for name in place.subnets}
        if not any(place.type == "subnet" for place in places):
            return places
        return [place for place in case.reach.places.values() if ids & set(place.subnets)]

    found = [
        flow
        for source in real(sources)
        for target in real(targets)
        for flow in _wanted(case.reach.flows(source, target), wanted, target)
    ]
    return _told(found, False) or ["  none of those that exist"]


def _reasons(case: Case, targets: list[Place]) -> list[str]:
    lines = [f"  {why}" for target in targets[:3] for why in _closed(case, target)]
    for target in targets[:3]:
        nearest = {flow.source.name for flow in case.reach.reaching(target)} if target.type != "subnet" else set()
        if nearest:
            lines.append(f"  {target} is reached by {len(nearest)} only: {', '.join(sorted(nearest)[:8])}")
    return lines


def _closed(case: Case, target: Place) -> list[str]:
    """What keeps the internet out of a subnet, whatever stands in it."""
    if target.type != "subnet":
        return []
    network = case.reach.network
    subnet = network.subnets[target.subnets[0]]
    found = []
    if not any(route.hop is Hop.INTERNET for _, route in network.ways(subnet)):
        found.append(f"{subnet.path}: no route leads to an internet gateway")
    if not network.open_to_internet(subnet, outbound=False):
        found.append(f"{subnet.path}: VPC block public access lets nobody in")
    if not any(addresses & INTERNET for addresses, _ in network.acl(subnet, outbound=False).parts):
        found.append(f"{subnet.path}: its network ACL lets no public address in")
    return found


def _what_can_reach(case: Case, match: re.Match[str], everything: bool) -> list[str]:
    wanted = ports(int(match[2])) if match[2] else None
    lines: list[str] = []
    for target in _places(case, match[1]):
        found = [
            flow
            for source in case.reach.places.values()
            if source.name != target.name
            for protocol in (6, 17)
            for flow in _wanted(case.reach.flows(source, target, protocol=protocol), wanted, target)
        ]
        lines.append(
            f"{target}{_port(wanted or target.listens)}: {len({flow.source.name for flow in found})} can reach it"
        )
        lines += _told(found, everything)
        relayed = case.reach.through_balancers(target)
        if relayed:
            lines.append("  through load balancers also:")
            lines += _told(relayed, everything)
    return lines


def _what_is_reachable(case: Case, match: re.Match[str], everything: bool) -> list[str]:
    lines: list[str] = []
    for source in _places(case, match[1]):
        found = case.reach.reachable_from(source)
        lines.append(f"{source}: can reach {len({flow.target.name for flow in found})}")
        lines += _told(found, everything)
    return lines


def _wanted(flows: list[Flow], wanted: Ranges | None, target: Place) -> list[Flow]:
    listens = PORTS if target.type == "subnet" else target.listens
    return [flow for flow in flows if flow.ports & (wanted or listens)]


def _told(flows: list[Flow], everything: bool) -> list[str]:
    """The flows; one of each kind and ``everything`` apart."""
    if everything:
        return [f"  {flow}" for flow in flows]
    kinds: dict[tuple[str, str, int, Ranges, str], Flow] = {}
    for flow in flows:
        key = (flow.source.name, flow.target.name, flow.protocol, flow.ports, flow.doubtful)
        seen = kinds.get(key)
        if seen is not None:
            passes = tuple(dict.fromkeys((*seen.passes, *flow.passes)))
            flow = dataclasses.replace(flow, sources=seen.sources | flow.sources, passes=passes)  # noqa: PLW2901
        kinds[key] = flow
    return [f"  {flow}" for flow in kinds.values()]


def _spoken(places: list[Place]) -> str:
    return str(places[0]) if len(places) == 1 else f"none of {len(places)} places" if not places else (
        f"{places[0]} and {len(places) - 1} more like it"
    )  # fmt: skip


def _port(wanted: Ranges | None) -> str:
    return f" on {spoken_ports(wanted)}" if wanted and wanted != PORTS else ""


# ------------------------------------------------------------------------------------------------------- references


def nodes(case: Case, words: str) -> list[Node]:
    """Resources by construct path, ARN, name, alias or part of the path.

    Raises:
        QuestionError: none.
    """
    found = case.model.find(words)
    if found is not None:
        return [found]
    whole = [node for node in case.model if node.path == words or node.path.startswith(f"{words}/")]
    if not whole:
        whole = [node for node in case.model if all(word.lower() in node.path.lower() for word in words.split())]
    if not whole:
        raise QuestionError(f"no resource is called {words!r}; give a construct path, a name or an ARN")
    return whole


def _refers(case: Case, match: re.Match[str], everything: bool) -> list[str]:
    found = nodes(case, match[1])
    lines: list[str] = []
    for node in found if everything else found[:20]:
        referrers = case.model.referrers(node)
        lines.append(f"{node}: {len(referrers)} refer to it")
        lines += [f"  {other}" for other in referrers]
    return lines


def _who_can(case: Case, match: re.Match[str], everything: bool) -> list[str]:
    return ask_policy.who_can(case, match[1].lower(), nodes(case, match[2]), everything=everything)


_VERBS = "decrypt|encrypt|read|write|delete|assume|administer"
_Reply = Callable[[Case, "re.Match[str]", bool], list[str]]
_QUESTIONS: tuple[tuple[str, _Reply], ...] = (
    (r"(?:what|who) can reach (.+?)(?: on (?:port )?(\d+))?", _what_can_reach),
    (r"what can (.+?) reach", _what_is_reachable),
    (r"can (.+?) reach (.+?)(?: on (?:port )?(\d+))?", _can_reach),
    (r"(?:what|who) (?:refers to|uses) (.+)", _refers),
    (rf"(?:what|who) can ({_VERBS}) (?:the )?(?:key |bucket |role |table |queue |secret )?(.+)", _who_can),
)
