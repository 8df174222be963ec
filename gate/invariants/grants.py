"""Levels that people hold for a while: shut until somebody is granted one, and opened by one hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from assembly import Resource
from gate.control import control
from gate.policies import Statement, documents
from gate.world import World, as_list, at

HELD = {"Key": "palisade:held", "Value": "by-grant"}
"""The tag of permission sets that nobody holds for good."""
_REWRITES = "iam:createpolicyversion"
_ASSIGNS = "sso:createaccountassignment"
_HELD = f"aws:resourcetag/{HELD['Key']}"


def _statements(policy: Resource, world: World) -> list[Statement]:
    return [one for document in documents(policy, world) for one in document.statements]


def _gates(world: World) -> Iterator[tuple[Resource, str]]:
    """Each permission set that is held by grant, and the name of a policy that it attaches."""
    for permission_set in world.of_type("AWS::SSO::PermissionSet"):
        if HELD in as_list(permission_set.properties.get("Tags")):
            for reference in as_list(permission_set.properties.get("CustomerManagedPolicyReferences")):
                yield permission_set, world.text(at(reference, "Name"), permission_set)


@control("identity.gate.closed", "AWS::SSO::PermissionSet", "AWS::IAM::ManagedPolicy")
def closed(resource: Resource, world: World) -> Iterator[str]:
    """Before each level that is held by grant stands a policy that refuses everything until somebody is granted it.

    Fix: attach a Gate by name, and let its only statement deny everything.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/howtocmp.html
    """
    if resource.type == "AWS::SSO::PermissionSet":
        named = resource.properties.get("CustomerManagedPolicyReferences")
        if HELD in as_list(resource.properties.get("Tags")) and not named:
            yield "it is held by grant, and nothing stands before it"
        return
    name = world.text(resource.properties.get("ManagedPolicyName"), resource)
    if name not in {gate for _, gate in _gates(world)}:
        return
    statements = _statements(resource, world)
    if any(one.allows for one in statements):
        yield "it allows something"
    if not any(
        not one.allows and list(one.actions) == ["*"] and list(one.resources) == ["*"] and not one.conditions
        for one in statements
    ):
        yield "it does not refuse everything to everybody as long as nobody is granted anything"


@control("identity.gate.keeper", "AWS::IAM::ManagedPolicy")
def keeper(policy: Resource, world: World) -> Iterator[str]:
    """Whoever rewrites policies rewrites gates by their full names, which can only refuse, and no policy that grants.

    Fix: name the gates in the statement's resources.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html
    """
    gates = {name for _, name in _gates(world)}
    for statement in _statements(policy, world):
        if not statement.allows or not any(fnmatchcase(_REWRITES, action.lower()) for action in statement.actions):
            continue
        for arn in statement.resources:
            name = re.sub(r"^arn:aws:iam::\d{12}:policy/", "", arn)
            if name not in gates:
                yield f"{statement} rewrites {arn}, which is no gate"


@control("identity.gate.assigner", "AWS::IAM::ManagedPolicy")
def assigner(policy: Resource, world: World) -> Iterator[str]:
    """Whoever assigns levels assigns those that are held by grant, and none that somebody could keep.

    Fix: bound the permission sets by aws:ResourceTag/palisade:held.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiamidentitycenter.html
    """
    for statement in _statements(policy, world):
        if not statement.allows or not any(fnmatchcase(_ASSIGNS, action.lower()) for action in statement.actions):
            continue
        sets = [one for one in statement.resources if one == "*" or ":permissionSet/" in one]
        held = statement.condition(_HELD)
        tagged = held is not None and held.operator == "StringEquals" and held.values == (HELD["Value"],)
        if sets and not tagged:
            yield f"{statement} assigns any permission set"
        elif "*" in sets:
            yield f"{statement} assigns to any account"
