"""What is promised about networks."""

from __future__ import annotations

from collections import Counter

from proofs.finding import Case, Finding, Note, note, proof
from proofs.reachability.network import ICMP, TCP, UDP
from proofs.reachability.places import Place
from proofs.reachability.reach import Flow

STORES = (
    "AWS::DocDB::",
    "AWS::EFS::",
    "AWS::ElastiCache::",
    "AWS::MSK::",
    "AWS::Neptune::",
    "AWS::OpenSearchService::",
    "AWS::RDS::",
    "AWS::Redshift::",
)
"""Types that hold data behind a network interface."""
ENTRANCES = ("AWS::ElasticLoadBalancing", "AWS::EC2::NatGateway")
"""Types that may have a public address: what lets people in, and what lets answers back."""
EDGE_LISTS = ("com.amazonaws.global.cloudfront.origin-facing", "com.amazonaws.global.ipv6.cloudfront.origin-facing")


def _guilty(case: Case, flow: Flow, way_in: Place) -> Note:
    """Whom to blame for a flow: the rule of a group that lets it in, else the place itself."""
    for group in way_in.groups or ():
        for rule in case.reach.network.rules(group, outbound=False):
            peer = rule.peer
            matches = (
                bool(peer.addresses and peer.addresses & flow.sources)
                or (peer.group and peer.group in (flow.source.groups or ()))
                or bool(peer.prefix_list and peer.prefix_list == flow.source.prefix_list)
            )
            if matches and rule.protocol in {-1, flow.protocol} and rule.ports & flow.ports:
                return Note(rule.path, str(flow), "AWS::EC2::SecurityGroup")
    return Note(way_in.name, str(flow), way_in.type)


def _stores(case: Case) -> list[Place]:
    return [place for place in case.reach.places.values() if place.type.startswith(STORES)]


@proof("reachability.stores-are-private")
def stores_are_private(case: Case, finding: Finding) -> None:
    """No address outside the VPCs reaches a store, on any port, and no store reaches the internet.

    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html
    """
    outside = [place for place in case.reach.places.values() if place.outside]
    for store in _stores(case):
        callers: set[str] = set()
        for source in case.reach.places.values():
            for protocol in (TCP, UDP, ICMP):
                for flow in case.reach.flows(source, store, protocol=protocol):
                    callers.add(source.name)
                    if source.outside:
                        finding.broken.append(_guilty(case, flow, store))
        for other in outside:
            for flow in case.reach.flows(store, other):
                finding.broken.append(Note(store.name, f"calls out: {flow}", store.type))
        if store.public:
            finding.broken.append(Note(store.name, "may have a public address", store.type))
        finding.evidence.append(
            Note(store.name, f"only {', '.join(sorted(callers)) or 'nobody'} can open a connection to it", store.type)
        )
    finding.missing.extend(Note("network", doubt) for doubt in case.reach.network.doubts)


@proof("reachability.only-the-edge-is-open")
def only_the_edge_is_open(case: Case, finding: Finding) -> None:
    """From the internet only load balancers are reached, only on port 443, and only by the edge network's addresses.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/LocationsOfEdgeServers.html
    """
    balancers = list(case.model.of("AWS::ElasticLoadBalancingV2::LoadBalancer"))
    for source in case.reach.places.values():
        if not source.outside or source.behind:
            continue
        for target in case.reach.places.values():
            if target.outside:
                continue
            for protocol in (TCP, UDP, ICMP):
                for flow in case.reach.flows(source, target, protocol=protocol):
                    on_443 = flow.ports.spans == ((443, 443),)
                    entrance = target.type.startswith(ENTRANCES)
                    if entrance and on_443 and source.prefix_list in EDGE_LISTS and protocol == TCP:
                        finding.evidence.append(Note(target.name, str(flow), target.type))
                    elif target.type == "AWS::EC2::NatGateway":
                        continue  # a NAT gateway drops what nobody inside asked for
                    else:
                        finding.broken.append(_guilty(case, flow, target))
    reached = {item.where for item in finding.evidence}
    for node in balancers:
        if node.get("Scheme") != "internal" and node.path not in reached:
            finding.missing.append(note(node, "nobody outside reaches it, though it faces the internet"))


@proof("reachability.stages-are-apart")
def stages_are_apart(case: Case, finding: Finding) -> None:
    """No interface in one account's networks opens a connection to one in another account's, by no route whatever.

    https://docs.aws.amazon.com/whitepapers/latest/organizing-your-aws-environment/design-principles.html
    """
    owner = {place.name: _owner(case, place) for place in case.reach.places.values() if not place.outside}
    for name, account in owner.items():
        source = case.reach.places[name]
        for target in case.reach.others(source):
            if owner.get(target.name, account) == account:
                continue
            for protocol in (TCP, UDP, ICMP):
                for flow in case.reach.flows(source, target, protocol=protocol):
                    finding.broken.append(_guilty(case, flow, target))
    counted = Counter(owner.values())
    for account, count in sorted(counted.items()):
        finding.evidence.append(Note(f"account {account}", f"its {count} interfaces are reached by none of others"))
    for node in case.model.of("AWS::EC2::VPCPeeringConnection", "AWS::EC2::TransitGatewayPeeringAttachment"):
        ends = {str(node.get("VpcId")), str(node.get("PeerVpcId"))}
        accounts = {case.model.find(end).account for end in ends if case.model.find(end) is not None}  # type: ignore[union-attr]
        if len(accounts) != 1 or node.get("PeerOwnerId", default=node.account) != node.account:
            finding.broken.append(note(node, "joins networks of two accounts"))


def _owner(case: Case, place: Place) -> str:
    subnet = case.model.find(place.subnets[0])
    return "" if subnet is None else subnet.account


@proof("reachability.what-is-wanted-works")
def what_is_wanted_works(case: Case, finding: Finding) -> None:
    """Whatever security groups let through on both sides really connects, from every zone to every zone, with its answers.

    A rule that routes or network ACLs make useless, or that works from some client ports only, fails by chance in production.

    https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports
    """
    for source in case.reach.places.values():
        if source.outside or source.type == "AWS::EC2::NatGateway":
            continue
        for target in case.reach.others(source):
            if target.outside or target.name == source.name or not target.listens:
                continue
            subnets = {(here, there) for here in source.subnets for there in target.subnets}
            wanted = case.reach.permitted(source, target) & target.listens
            if not wanted:
                continue
            flows = case.reach.flows(source, target)
            for number in [low for low, _ in wanted.spans]:
                working = [flow for flow in flows if number in flow.ports]
                if any(not flow.complete for flow in working):
                    finding.broken.append(
                        Note(source.name, f"answers from {target.name}:{number} reach only some client ports")
                    )
                joined = {
                    (here, there)
                    for here, there in subnets
                    for flow in working
                    if case.reach.network.subnets[here].addresses <= flow.sources
                    and case.reach.network.subnets[there].addresses <= flow.destinations
                }
                for here, there in sorted(subnets - joined):
                    names = [case.reach.network.subnets[end].path for end in (here, there)]
                    finding.broken.append(
                        Note(names[0], f"{source.name} cannot reach {target.name}:{number} in {names[1]}")
                    )
                if joined == subnets:
                    finding.evidence.append(Note(source.name, f"reaches {target.name}:{number}", source.type))
