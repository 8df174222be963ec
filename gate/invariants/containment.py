"""What must be in place before an incident: a group that lets nothing through."""

from __future__ import annotations

from collections.abc import Iterator

from assembly import Resource
from gate.control import control
from gate.policies import documents
from gate.world import World, as_list

_ROLE = "-recorder-containment"
"""Ends the name of the role that contains incidents, in every stage."""
_BOUNDED = frozenset(
    {
        "autoscaling:setinstanceprotection",
        "ec2:createtags",
        "ec2:modifynetworkinterfaceattribute",
        "iam:deleterolepolicy",
        "iam:putrolepolicy",
        "kms:disablekey",
        "kms:enablekey",
        "lambda:updateeventsourcemapping",
    }
)
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


@control("containment.role.bounded", "AWS::IAM::ManagedPolicy")
def bounded(policy: Resource, world: World) -> Iterator[str]:
    """Where what contains incidents acts on names that nobody knows beforehand, a condition bounds which of them.

    Fix: add the condition: ec2:Vpc, ec2:CreateAction, aws:ResourceAccount, kms:ResourceAliases, lambda:FunctionArn.
    https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
    """
    roles = (world.target(role, policy) for role in as_list(policy.properties.get("Roles")))
    names = [world.text(role.properties.get("RoleName"), role) for role in roles if role is not None]
    if not any(name.endswith(_ROLE) for name in names):
        return
    for document in documents(policy, world):
        for statement in document.statements:
            acts = [one for one in statement.actions if one.lower() in _BOUNDED]
            if statement.allows and acts and not statement.conditions:
                yield f"{statement} does {', '.join(acts)} to every {statement.resources[0]}"
