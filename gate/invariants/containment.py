"""What must be in place before an incident: a group that lets nothing through."""

from __future__ import annotations

from collections.abc import Iterator

from assembly import Resource
from gate.control import control
from gate.world import World, as_list

_NOWHERE = frozenset({"255.255.255.255/32", "127.0.0.1/32"})


@control("containment.quarantine.closed", "AWS::Lambda::Function")
def quarantine(function: Resource, world: World) -> Iterator[str]:
    """The group into which containment puts machines exists, admits nothing and lets nothing out.

    Fix: give it no ingress, and an egress rule to 127.0.0.1/32 alone, without which AWS adds one to everywhere.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroup.html
    """
    if function.properties.get("Handler") != "contain.handler.handle":
        return
    settings = function.properties.get("Environment", {}).get("Variables", {})
    group = world.target(settings.get("QUARANTINE_GROUP"), function)
    if group is None or group.type != "AWS::EC2::SecurityGroup":
        yield "it knows no quarantine group"
        return
    inside = as_list(group.properties.get("SecurityGroupIngress"))
    outside = as_list(group.properties.get("SecurityGroupEgress"))
    for kind in ("Ingress", "Egress"):
        for rule in world.pointing_at(group, "GroupId", f"AWS::EC2::SecurityGroup{kind}"):
            (inside if kind == "Ingress" else outside).append(rule.properties)
    if inside:
        yield "its quarantine group admits somebody"
    if not outside or any(rule.get("CidrIp") not in _NOWHERE for rule in outside):
        yield "its quarantine group lets something out"
