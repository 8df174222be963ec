"""Who lives in the networks: every resource with network interfaces, and everybody outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assembly.identity import ENGINE_PORTS
from proofs.model import Model, Node, Unresolved, as_list, at, truthy, walk
from proofs.reachability.network import Network
from proofs.reachability.sets import INTERNET, NOTHING, PORTS, Ranges, block, ports


@dataclass(frozen=True)
class Place:
    """Interfaces that are alike, or addresses outside every VPC."""

    name: str
    """The construct path, or "the internet", or what list or network it is."""
    type: str = ""
    subnets: tuple[str, ...] = ()
    """Ids of the subnets that it has or may have an interface in; empty: outside."""
    groups: tuple[str, ...] | None = None
    """Ids of its security groups. None: it has none, so that only network ACLs filter (a NAT gateway, for one)."""
    addresses: Ranges = INTERNET
    """Of a place outside: its addresses. Interfaces have those of their subnets."""
    listens: Ranges = PORTS
    """The ports that anything listens on, as far as the template tells."""
    public: bool = False
    """Whether an interface has, or may have, a public address."""
    prefix_list: str = ""
    """Of a place outside: the prefix list, kept by AWS, that its addresses are on."""
    behind: str = ""
    """Of a place outside: the VPN, transit gateway or peer that it is behind."""
    only_to: Ranges | None = None
    """The addresses that it may call at all; None: any."""

    @property
    def outside(self) -> bool:
        """Whether it is outside every VPC."""
        return not self.subnets

    def __str__(self) -> str:
        return self.name


THE_INTERNET = Place("the internet")


def interfaces(model: Model, network: Network) -> Iterator[Place]:
    """Every resource with network interfaces."""
    for node in model:
        if node.type in _NO_INTERFACE:
            continue
        reader = _READERS.get(node.type)
        found = reader(node, model) if reader else _generic(node)
        if found is None:
            continue
        subnets, groups, listens, public = found
        known = tuple(str(subnet) for subnet in subnets if str(subnet) in network.subnets)
        if not known:
            continue
        if node.type in _WITHOUT_GROUPS or (node.type == _BALANCER and node.get("Type") == "network" and not groups):
            held: tuple[str, ...] | None = None
        else:
            vpc = network.subnets[known[0]].vpc
            held = tuple(sorted({str(group) for group in groups})) or (f"{vpc[:-1]}.DefaultSecurityGroup>",)
        yield Place(
            name=node.path,
            type=node.type,
            subnets=tuple(sorted(set(known))),
            groups=held,
            listens=listens,
            public=public or _has_public_address(node, known, network, model),
            only_to=_authorized(node, model),
        )


_Found = tuple[list[Any], list[Any], Ranges, bool]
_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
_WITHOUT_GROUPS = frozenset({"AWS::EC2::NatGateway"})
_NO_INTERFACE = frozenset(
    {
        "AWS::DocDB::DBSubnetGroup",
        "AWS::EC2::LaunchTemplate",
        "AWS::EC2::TransitGatewayAttachment",
        "AWS::EC2::TransitGatewayVpcAttachment",
        "AWS::ElastiCache::SubnetGroup",
        "AWS::Neptune::DBSubnetGroup",
        "AWS::NetworkFirewall::Firewall",
        "AWS::RDS::DBSubnetGroup",
        "AWS::Redshift::ClusterSubnetGroup",
    }
)
_MAY_GET_ADDRESS = frozenset({"AWS::EC2::Instance", "AWS::AutoScaling::AutoScalingGroup", "AWS::EC2::NetworkInterface"})


def _authorized(node: Node, model: Model) -> Ranges | None:
    """What the rules of a client VPN let its users call."""
    if node.type != "AWS::EC2::ClientVpnEndpoint":
        return None
    found = NOTHING
    for rule in model.of("AWS::EC2::ClientVpnAuthorizationRule"):
        target = rule.get("TargetNetworkCidr")
        if str(rule.get("ClientVpnEndpointId")) == node.id and isinstance(target, str):
            found = found | block(target)
    return found


def _has_public_address(node: Node, subnets: tuple[str, ...], network: Network, model: Model) -> bool:
    if node.type in _MAY_GET_ADDRESS:
        own = node.get("NetworkInterfaces", 0, "AssociatePublicIpAddress")
        template = _template(node, model) if node.type != "AWS::EC2::NetworkInterface" else {}
        given = at(template, "NetworkInterfaces", 0, "AssociatePublicIpAddress", default=own)
        if given is None and any(network.subnets[subnet].gives_public_addresses for subnet in subnets):
            return True
        if isinstance(given, Unresolved) or truthy(given):
            return True
    return any(
        str(address.get(name)) == node.id
        for address in model.of("AWS::EC2::EIP", "AWS::EC2::EIPAssociation")
        for name in ("InstanceId", "NetworkInterfaceId")
    )


def _subnet_group(model: Model, node: Node, name: Any, kind: str) -> list[Any]:
    group = model.find(name, kind, near=node)
    return [] if group is None else as_list(group.get("SubnetIds"))


def _port(value: Any, default: int) -> Ranges:
    try:
        return ports(int(value))
    except (TypeError, ValueError):
        return ports(default) if value is None else PORTS


def _database(node: Node, model: Model) -> _Found | None:
    if node.type.endswith("::DBInstance") and node.get("DBClusterIdentifier") is not None:
        kind = node.type.removesuffix("DBInstance") + "DBCluster"
        cluster = model.find(node.get("DBClusterIdentifier"), kind, near=node)
        if cluster is None or not truthy(node.get("PubliclyAccessible")):
            return None  # the cluster stands for its instances
        found = _database(cluster, model)
        return None if found is None else (*found[:3], True)
    kind = node.type.rpartition("::")[0] + "::DBSubnetGroup"
    subnets = _subnet_group(model, node, node.get("DBSubnetGroupName"), kind)
    engine = str(node.get("Engine", default=""))
    default = next((port for name, port in ENGINE_PORTS.items() if name in engine), 3306)
    listens = _port(node.get("Port"), default)
    if "aurora" in engine and node.get("Port") is None:
        # What Aurora PostgreSQL falls back to differs between AWS's pages; either may be open.
        listens = listens | ports(3306)
    groups = as_list(node.get("VpcSecurityGroupIds", default=node.get("VPCSecurityGroups")))
    return subnets, groups, listens, _may(node.get("PubliclyAccessible"))


def _may(value: Any) -> bool:
    """True, or not known to be false."""
    return isinstance(value, Unresolved) or truthy(value)


def _balancer(node: Node, model: Model) -> _Found:
    subnets = as_list(node.get("Subnets")) or [
        at(mapping, "SubnetId") for mapping in as_list(node.get("SubnetMappings"))
    ]
    listens = NOTHING
    for listener in model.of("AWS::ElasticLoadBalancingV2::Listener"):
        if listener.get("LoadBalancerArn") == node.id:
            listens = listens | _port(listener.get("Port"), 443)
    for listener in as_list(node.get("Listeners")):
        listens = listens | _port(at(listener, "LoadBalancerPort"), 443)
    return subnets, as_list(node.get("SecurityGroups")), listens, node.get("Scheme") != "internal"


def _endpoint(node: Node, _: Model) -> _Found | None:
    if node.get("VpcEndpointType", default="Gateway") != "Interface":
        return None
    return as_list(node.get("SubnetIds")), as_list(node.get("SecurityGroupIds")), ports(443), False


def _nat(node: Node, _: Model) -> _Found:
    return [node.get("SubnetId")], [], NOTHING, node.get("ConnectivityType") != "private"


def _template(node: Node, model: Model) -> Mapping[str, Any]:
    given = node.get("LaunchTemplate") or node.get(
        "MixedInstancesPolicy", "LaunchTemplate", "LaunchTemplateSpecification"
    )
    template = model.find(at(given, "LaunchTemplateId", default=at(given, "LaunchTemplateName")), near=node)
    data: Mapping[str, Any] = {} if template is None else template.get("LaunchTemplateData", default={})
    return data


def _machines(node: Node, model: Model) -> _Found:
    template = _template(node, model)
    subnets = as_list(node.get("VPCZoneIdentifier", default=node.get("SubnetId")))
    groups: list[Any] = []
    for source in (node.properties, template):
        groups += as_list(source.get("SecurityGroupIds"))
        for interface in as_list(source.get("NetworkInterfaces")):
            groups += as_list(at(interface, "Groups", default=at(interface, "GroupSet")))
            subnets += as_list(at(interface, "SubnetId"))
    return subnets, groups, PORTS, False


def _one_interface(node: Node, _: Model) -> _Found:
    return [node.get("SubnetId")], as_list(node.get("GroupSet")), PORTS, False


def _mount_target(node: Node, _: Model) -> _Found:
    return [node.get("SubnetId")], as_list(node.get("SecurityGroups")), ports(2049), False


def _cache(node: Node, model: Model) -> _Found:
    subnets = as_list(node.get("SubnetIds")) or _subnet_group(
        model, node, node.get("CacheSubnetGroupName"), "AWS::ElastiCache::SubnetGroup"
    )
    groups = as_list(node.get("SecurityGroupIds", default=node.get("VpcSecurityGroupIds")))
    return subnets, groups, _port(node.get("Port"), 6379), False


def _warehouse(node: Node, model: Model) -> _Found:
    subnets = _subnet_group(model, node, node.get("ClusterSubnetGroupName"), "AWS::Redshift::ClusterSubnetGroup")
    groups = as_list(node.get("VpcSecurityGroupIds"))
    return subnets, groups, _port(node.get("Port"), 5439), _may(node.get("PubliclyAccessible"))


def _resolver(node: Node, _: Model) -> _Found:
    subnets = [at(item, "SubnetId") for item in as_list(node.get("IpAddresses"))]
    return subnets, as_list(node.get("SecurityGroupIds")), ports(53), False


def _client_vpn(node: Node, model: Model) -> _Found:
    subnets = [
        association.get("SubnetId")
        for association in model.of("AWS::EC2::ClientVpnTargetNetworkAssociation")
        if str(association.get("ClientVpnEndpointId")) == node.id
    ]
    return subnets, as_list(node.get("SecurityGroupIds")), NOTHING, False


_READERS: Mapping[str, Any] = {
    "AWS::AutoScaling::AutoScalingGroup": _machines,
    "AWS::DocDB::DBCluster": _database,
    "AWS::DocDB::DBInstance": _database,
    "AWS::EC2::ClientVpnEndpoint": _client_vpn,
    "AWS::EC2::Instance": _machines,
    "AWS::EC2::NatGateway": _nat,
    "AWS::EC2::NetworkInterface": _one_interface,
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::EFS::MountTarget": _mount_target,
    "AWS::ElastiCache::CacheCluster": _cache,
    "AWS::ElastiCache::ReplicationGroup": _cache,
    "AWS::ElastiCache::ServerlessCache": _cache,
    "AWS::ElasticLoadBalancing::LoadBalancer": _balancer,
    _BALANCER: _balancer,
    "AWS::Neptune::DBCluster": _database,
    "AWS::Neptune::DBInstance": _database,
    "AWS::RDS::DBCluster": _database,
    "AWS::RDS::DBInstance": _database,
    "AWS::Redshift::Cluster": _warehouse,
    "AWS::Route53Resolver::ResolverEndpoint": _resolver,
}

_SUBNETS = ("SubnetIds", "Subnets", "VpcSubnetIds", "ClientSubnets", "subnetIds")
_GROUPS = ("SecurityGroupIds", "SecurityGroups", "VpcSecurityGroupIds", "securityGroupIds")


def _generic(node: Node) -> _Found | None:
    """Any other type that names subnets and security groups side by side: functions, services, brokers, canaries, jobs."""
    for value in walk(node.properties):
        if not isinstance(value, Mapping):
            continue
        subnets = next((value[name] for name in _SUBNETS if name in value), None)
        groups = next((value[name] for name in _GROUPS if name in value), None)
        if subnets is not None and (groups is not None or value is not node.properties):
            public = value.get("AssignPublicIp") == "ENABLED" or truthy(value.get("EndpointPublicAccess"))
            listens = NOTHING if node.type in _ONLY_CALL else PORTS
            return as_list(subnets), as_list(groups), listens, public
    return None


_ONLY_CALL = frozenset({"AWS::Lambda::Function", "AWS::Synthetics::Canary", "AWS::CodeBuild::Project"})
"""Types whose interfaces accept no connection."""
