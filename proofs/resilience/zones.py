"""The loss of one availability zone, tried for every zone: what still has capacity, ways, endpoints and targets.

Sources: https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/availability-zones.html,
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.AuroraHighAvailability.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import Node, as_list
from proofs.reachability import Flow, Network, Ranges, Reachability
from proofs.reachability.network import Hop

_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
_ONE_BY_ONE = frozenset(
    {"AWS::EC2::Instance", "AWS::EC2::NetworkInterface", "AWS::EC2::NatGateway", "AWS::EFS::MountTarget"}
)
"""Types whose loss takes nothing with it that others do not show: single machines, and what is only a way."""


@proof("resilience.zone-loss")
def zone_loss(case: Case, finding: Finding) -> None:
    """After the loss of any one zone every service still has capacity, targets, and every way that it had before.

    A database with a single instance is made anew in another zone by AWS; that takes minutes and is said.
    """
    for zone in sorted({subnet.zone for subnet in case.reach.network.subnets.values()} - {""}):
        after = Reachability(case.model, lost_zone=zone)
        faults = [*_capacity(case, after, zone), *_ways(case, after, zone)]
        for accepted, fault in faults:
            (finding.missing if accepted else finding.broken).append(fault)
        if not faults:
            finding.evidence.append(Note(zone, "every service keeps capacity, ways and targets without it"))
    for cluster in case.model.of("AWS::RDS::DBCluster"):
        instances = [
            node
            for node in case.model.of("AWS::RDS::DBInstance", account=cluster.account)
            if case.model.find(node.get("DBClusterIdentifier"), "AWS::RDS::DBCluster", near=node) is cluster
        ]
        if len(instances) == 1:
            text = "has one instance: if its zone is lost, AWS makes a new one in another zone, in ten minutes or so"
            (finding.missing if _accepts_one_zone(case, cluster) else finding.broken).append(note(cluster, text))
        elif instances:
            zones = {str(node.get("AvailabilityZone", default=node.path)) for node in instances}
            if len(zones) < 2:
                finding.broken.append(note(cluster, f"all its {len(instances)} instances are in {zones.pop()}"))
            else:
                finding.evidence.append(note(cluster, f"{len(instances)} instances in {len(zones)} zones"))
    finding.missing.extend(Note("network", doubt) for doubt in case.reach.network.doubts)
    finding.assumptions += [
        "S3, DynamoDB, SQS, SNS, KMS, Lambda and the API are spread over zones by AWS.",
        "Lambda, load balancers and Auto Scaling groups use whichever of their subnets are left.",
    ]


def _accepts_one_zone(case: Case, node: Node) -> bool:
    return node.account in case.terms.one_zone_accounts


def _capacity(case: Case, after: Reachability, zone: str) -> Iterator[tuple[bool, Note]]:
    for place in case.reach.places.values():
        if place.outside or place.type in _ONE_BY_ONE or place.name in after.places:
            continue
        node = case.model.at_path(place.name)
        if node is None:
            continue
        if node.type == "AWS::EC2::VPCEndpoint":
            yield _accepts_one_zone(case, node), note(node, f"loses its only zone {zone}")
        else:
            yield False, note(node, f"is in {zone} alone and is lost with it")
    for node in case.model.of(_BALANCER):
        listeners = [
            item
            for item in case.model.of("AWS::ElasticLoadBalancingV2::Listener", account=node.account)
            if item.get("LoadBalancerArn") == node.id
        ]
        targets = [name for name in case.reach.relays.get(node.path, ()) if name in case.reach.places]
        if listeners and targets and not any(name in after.places for name in targets):
            yield False, note(node, f"has no target left without {zone}")


def _ways(case: Case, after: Reachability, zone: str) -> Iterator[tuple[bool, Note]]:
    """What a place could call from a subnet that is left, and no longer can; one note for each subnet's way that is gone."""
    told: set[tuple[str, str]] = set()
    for place in after.places.values():
        if place.outside or place.type == "AWS::EC2::NatGateway":
            continue
        before = case.reach.places[place.name]
        for target in case.reach.others(before):
            if target.name == place.name or target.name not in after.places or not target.listens:
                continue
            had = case.reach.flows(before, target)
            if not had:
                continue
            have = after.flows(place, after.places[target.name])
            for subnet in place.subnets:
                addresses = after.network.subnets[subnet].addresses
                if _from(had, addresses) and not _from(have, addresses):
                    culprit = _culprit(case, after, subnet, zone)
                    key = (after.network.subnets[subnet].path, target.name)
                    if key in told:
                        continue
                    told.add(key)
                    account = _account(case, subnet)
                    text = f"without {zone} it has no way to {target.name}: {culprit}"
                    yield account in case.terms.one_zone_accounts, Note(key[0], text, "AWS::EC2::Subnet")


def _account(case: Case, subnet: str) -> str:
    node = case.model.find(subnet)
    return "" if node is None else node.account


def _from(flows: list[Flow], addresses: Ranges) -> bool:
    return any(flow.sources & addresses for flow in flows)


def _culprit(case: Case, after: Reachability, subnet: str, zone: str) -> str:
    network: Network = case.reach.network
    for _, route in network.ways(network.subnets[subnet]):
        if route.hop in {Hop.NAT, Hop.MIDDLEBOX} and after.network.is_lost(route):
            node = case.model.find(route.target)
            return f"{node.path if node else route.target} is in {zone} ({route.path})"
    return "its routes lead through that zone"


@proof("resilience.machines-return")
def machines_return(case: Case, finding: Finding) -> None:
    """Every machine belongs to an Auto Scaling group over at least two zones, so that a lost one comes back elsewhere.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/disaster-recovery-resiliency.html
    """
    zones: dict[str, set[str]] = defaultdict(set)
    for node in case.model.of("AWS::AutoScaling::AutoScalingGroup"):
        for subnet in as_list(node.get("VPCZoneIdentifier")):
            found = case.reach.network.subnets.get(str(subnet))
            if found is not None:
                zones[node.path].add(found.zone)
        if len(zones[node.path]) > 1:
            finding.evidence.append(note(node, f"over {len(zones[node.path])} zones"))
        else:
            finding.broken.append(note(node, f"only in {', '.join(zones[node.path]) or 'no known zone'}"))
    for node in case.model.of("AWS::EC2::Instance"):
        finding.broken.append(note(node, "a single machine: nothing brings it back"))
