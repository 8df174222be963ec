"""What people may do, through IAM Identity Center and in an emergency without it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from assembly import Resource
from gate.control import control
from gate.invariants.identity import everything
from gate.policies import Statement, access_level, documents, expand, limits_resources
from gate.world import World, as_list

_HOURS = re.compile(r"PT(\d+)H")
_STANDING_HOURS, _GRANTED_HOURS = 8, 1
_INLINE_CHARACTERS = 10_240

DATA = (
    "dynamodb:GetItem",
    "dynamodb:Query",
    "dynamodb:Scan",
    "rds-db:connect",
    "s3:GetObject",
    "secretsmanager:GetSecretValue",
    "sqs:ReceiveMessage",
    "ssm:StartSession",
)
"""Actions that answer with what customers wrote, or lead to it."""

_IDENTITIES = (
    "iam:AddUserToGroup",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreateOpenIDConnectProvider",
    "iam:CreatePolicyVersion",
    "iam:CreateSAMLProvider",
    "iam:CreateUser",
    "iam:DeleteRolePermissionsBoundary",
    "iam:PutUserPolicy",
    "iam:SetDefaultPolicyVersion",
    "organizations:LeaveOrganization",
    "sso:CreateAccountAssignment",
    "sso:PutInlinePolicyToPermissionSet",
)
"""What no person does by hand: make identities, lift limits, assign rights."""

_ROLES = ("iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePolicy")


_EMERGENCY = "-break-glass"


def _statements(resource: Resource, world: World) -> list[Statement]:
    """What a permission set says; of a policy of the emergency role, what all of the role's policies say together."""
    parts = [resource]
    if resource.type == "AWS::IAM::ManagedPolicy":
        for role in _emergency_roles(resource, world):
            parts += [
                one
                for one in world.pointing_at(role, "Roles", "AWS::IAM::ManagedPolicy")
                if one.logical_id != resource.logical_id
            ]
    return [one for part in parts for document in documents(part, world) for one in document.statements]


def _own(resource: Resource, world: World) -> list[Statement]:
    return [one for document in documents(resource, world) for one in document.statements]


def _emergency_roles(policy: Resource, world: World) -> list[Resource]:
    return [
        role
        for role in world.targets(policy.properties.get("Roles"), policy)
        if world.text(role.properties.get("RoleName"), role).endswith(_EMERGENCY)
    ]


def _of_people(resource: Resource, world: World) -> bool:
    return resource.type == "AWS::SSO::PermissionSet" or bool(_emergency_roles(resource, world))


def _allows(resource: Resource, world: World, action: str) -> bool:
    """Whether it allows the action on anything and refuses it not everywhere."""
    statements = _statements(resource, world)
    refused = any(
        one.covers(action) and "*" in one.resources and not one.conditions for one in statements if not one.allows
    )
    return not refused and any(one.allows and one.covers(action) for one in statements)


def _assignments(permission_set: Resource, world: World) -> list[Resource]:
    return list(world.pointing_at(permission_set, "PermissionSetArn", "AWS::SSO::Assignment"))


@control("identity.people.session", "AWS::SSO::PermissionSet")
def session(permission_set: Resource, world: World) -> Iterator[str]:
    """A person's session ends with the working day, and within the hour where the rights are granted for a while.

    Fix: set SessionDuration to PT8H or less; to PT1H where nobody has the permission set for good.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/howtosessionduration.html
    """
    found = _HOURS.fullmatch(str(permission_set.properties.get("SessionDuration", "")))
    most = _STANDING_HOURS if _assignments(permission_set, world) else _GRANTED_HOURS
    if found is None:
        yield "its session has no length in whole hours"
    elif int(found[1]) > most:
        yield f"its session lasts {found[1]} hours; {most} at most"


@control("identity.people.bounded", "AWS::SSO::PermissionSet")
def bounded(permission_set: Resource, world: World) -> Iterator[str]:
    """People make roles only with a permissions boundary, and neither users nor rights of their own.

    Fix: add StringEquals iam:PermissionsBoundary to the statement, or take the action away.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    for action in _IDENTITIES:
        if _allows(permission_set, world, action):
            yield f"it allows {action}"
    for statement in _statements(permission_set, world):
        covered = [action for action in _ROLES if statement.allows and statement.covers(action)]
        condition = statement.condition("iam:PermissionsBoundary")
        if covered and (
            condition is None
            or condition.operator not in {"StringEquals", "ArnEquals"}
            or any("*" in value for value in condition.values)
        ):
            yield f"{statement} allows {', '.join(covered)} without a permissions boundary"


@control("identity.people.managed", "AWS::SSO::PermissionSet")
def managed(permission_set: Resource, world: World) -> Iterator[str]:
    """Every right of a person is written here: no permission set takes a policy that AWS may widen, or one without a name.

    Fix: write the actions into the permission set, or name a customer-managed policy.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetcustom.html
    """
    for arn in as_list(permission_set.properties.get("ManagedPolicies")):
        yield f"it takes {world.text(arn, permission_set)}"
    if not (
        permission_set.properties.get("InlinePolicy")
        or permission_set.properties.get("CustomerManagedPolicyReferences")
    ):
        yield "it has no policy at all"


@control("identity.people.size", "AWS::SSO::PermissionSet")
def size(permission_set: Resource, world: World) -> Iterator[str]:
    """A permission set fits into the role that Identity Center makes of it in each account.

    Fix: shorten the policy or the name.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    policy = permission_set.properties.get("InlinePolicy", {})
    characters = len(policy if isinstance(policy, str) else json.dumps(policy, separators=(",", ":")))
    if characters > _INLINE_CHARACTERS:
        yield f"its policy has {characters} characters; a role holds {_INLINE_CHARACTERS}"
    name = world.text(permission_set.properties.get("Name"), permission_set)
    if len(name) > 32:
        yield f"its name {name} is longer than 32 characters"


@control("identity.people.standing", "AWS::SSO::Assignment")
def standing(assignment: Resource, world: World) -> Iterator[str]:
    """Where people look and do not touch, nobody has standing rights to customers' data; rights go to groups.

    Fix: take the assignment away; the right is granted for a while to whoever needs it.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/temporary-elevated-access.html
    """
    if assignment.properties.get("PrincipalType") != "GROUP":
        yield "it is a single person's"
    account = assignment.properties.get("TargetId")
    given = world.target(assignment.properties.get("PermissionSetArn"), assignment)
    if given is None:
        yield "its permission set is not of this deployment"
        return
    if account not in _guarded(world):
        return
    for action in DATA:
        if _allows(given, world, action):
            yield f"in account {account} it gives {action} for good"


def _guarded(world: World) -> set[str]:
    """Accounts in which people only look, and all in which no engineers work."""
    names: dict[str, set[str]] = {}
    for other in world.of_type("AWS::SSO::Assignment"):
        given = world.target(other.properties.get("PermissionSetArn"), other)
        if given is not None:
            account = str(other.properties.get("TargetId"))
            names.setdefault(account, set()).add(world.text(given.properties.get("Name"), given).rpartition("-")[2])
    return {account for account, found in names.items() if "only" in found or "engineer" not in found}


@control("identity.people.refusals", "AWS::SSO::PermissionSet", "AWS::IAM::ManagedPolicy")
def refusals(permission_set: Resource, world: World) -> Iterator[str]:
    """What people must never reach is refused, not merely left out, because another policy might hand it to them: customers'
    data to those who look at a whole account, recorded sessions to readers of logs, and other accounts to all who act.

    Fix: add the Deny statement, on every resource.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    """
    if not _of_people(permission_set, world):
        return
    statements = _statements(permission_set, world)
    refused = [one for one in statements if not one.allows]
    looking = {a.split(":")[0] for one in statements if one.allows and "*" in one.resources for a in one.actions}
    standing_in = {str(one.properties.get("TargetId")) for one in _assignments(permission_set, world)}
    if len(looking) > 1 and standing_in & _guarded(world):
        for action in DATA:
            if not any(one.covers(action) and "*" in one.resources and not one.conditions for one in refused):
                yield f"it looks at whole accounts and does not refuse {action}"
    for action in _LOG_READS:
        if any(one.allows and one.covers(action) for one in statements) and not any(
            one.covers(action) and (any("/access/" in name for name in one.resources) or "*" in one.resources)
            for one in refused
        ):
            yield f"it does not refuse {action} on recorded sessions"
    for action in _CROSSING:
        if any(one.allows and one.covers(action) for one in statements) and not any(
            one.covers(action)
            and "*" in one.resources
            and (not one.conditions or one.condition("aws:ResourceAccount") is not None)
            for one in refused
        ):
            yield f"it does not refuse {action} in other accounts"


_LOG_READS = ("logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartLiveTail", "logs:StartQuery")
_CROSSING = (
    "dynamodb:GetItem",
    "kms:Decrypt",
    "kms:DisableKey",
    "kms:GenerateDataKey",
    "lambda:PutFunctionConcurrency",
    "s3:GetObject",
    "s3:PutObject",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
    "sts:AssumeRole",
)
"""Actions that another account's resource policy can allow."""


@control("identity.people.reach", "AWS::SSO::PermissionSet", "AWS::IAM::ManagedPolicy")
def reach(permission_set: Resource, world: World) -> Iterator[str]:
    """People change, and read the contents of, what the policy names, never everything.

    Fix: name the resource's ARN.
    https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
    """
    data = {action.lower() for action in (*DATA, *_LOG_READS, "apigateway:GET", "s3:ListBucket")}
    for statement in _own(permission_set, world) if _of_people(permission_set, world) else ():
        if not statement.allows or not any(everything(name) for name in statement.resources):
            continue
        found = sorted(
            action
            for pattern in statement.actions
            for action in {pattern.lower(), *expand(pattern)}
            if action in data or (limits_resources(action) and access_level(action) not in {"List", "Read"})
        )
        if found:
            yield f"{statement} allows {', '.join(found[:3])}{' and more' if len(found) > 3 else ''} on everything"


@control("identity.people.machines", "AWS::SSO::PermissionSet", "AWS::IAM::ManagedPolicy")
def machines(permission_set: Resource, world: World) -> Iterator[str]:
    """People open sessions on machines of one name and by documents that are named, also where they name none.

    Fix: add ssm:resourceTag/Name beside instances, and BoolIfExists ssm:SessionDocumentAccessCheck true.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-sessiondocumentaccesscheck.html
    """
    for statement in _own(permission_set, world):
        if not statement.allows or not statement.covers("ssm:StartSession"):
            continue
        checked = statement.condition("ssm:SessionDocumentAccessCheck")
        if checked is None or checked.values != ("true",):
            yield f"{statement} lets sessions start without a document"
        if any(":instance/" in name for name in statement.resources) and not any(
            condition.key.lower().startswith("ssm:resourcetag/") for condition in statement.conditions
        ):
            yield f"{statement} starts sessions on any machine"
        if any(re.search(r":document/.*\*", name) or everything(name) for name in statement.resources):
            yield f"{statement} starts sessions by any document"


@control("identity.people.database", "AWS::SSO::PermissionSet", "AWS::IAM::ManagedPolicy")
def database(permission_set: Resource, world: World) -> Iterator[str]:
    """A person connects to a database as the user of the person's own name, or as the one for emergencies.

    Fix: end the resource with dbuser:.../${aws:PrincipalTag/username} or /break_glass.
    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
    """
    if not _of_people(permission_set, world):
        return
    for statement in _own(permission_set, world):
        if statement.allows and statement.covers("rds-db:connect"):
            for name in statement.resources:
                if not name.endswith(("/${aws:PrincipalTag/username}", "/break_glass")):
                    yield f"{statement} connects as anybody: {name}"


@control("identity.people.attributes", "AWS::SSO::InstanceAccessControlAttributeConfiguration")
def attributes(configuration: Resource, _world: World) -> Iterator[str]:
    """Sessions carry the person's user name from the directory, by which the database knows whom it lets in.

    Fix: map username to ${path:userName}, and every other tag to an attribute of the directory.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/attributesforaccesscontrol.html
    """
    tags = {
        tag.get("Key"): as_list(tag.get("Value", {}).get("Source"))
        for tag in as_list(configuration.properties.get("AccessControlAttributes"))
    }
    if tags.get("username") != ["${path:userName}"]:
        yield "the tag username is not the directory's user name"
    for key, sources in tags.items():
        if not sources or not all(str(source).startswith("${path:") for source in sources):
            yield f"the tag {key} comes from {sources}"


@control("identity.group.named", "AWS::IdentityStore::Group")
def group(resource: Resource, _world: World) -> Iterator[str]:
    """A group of people says what it is for, so that whoever adds a member knows what they give.

    Fix: set DisplayName and Description.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/users-groups-provisioning.html
    """
    for name in ("DisplayName", "Description"):
        if not resource.properties.get(name):
            yield f"it has no {name}"


@control("identity.role.emergency", "AWS::IAM::Role")
def emergency(role: Resource, world: World) -> Iterator[str]:
    """The emergency role is taken by named users, minutes after they proved themselves with MFA, where somebody is told of it,
    for an hour.

    Fix: use BreakGlassRole, and a notice of AssumeRole in each region that it may be taken through.
    https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_permissions_emergency_process.html
    """
    if not world.text(role.properties.get("RoleName", ""), role).endswith(_EMERGENCY):
        return
    if int(role.properties.get("MaxSessionDuration", 3600)) > 3600:
        yield "its sessions last more than an hour"
    for statement in _own(role, world):
        if not statement.allows or not statement.covers("sts:AssumeRole"):
            continue
        named = {condition.key.lower(): condition for condition in statement.conditions}
        who, mfa = named.get("aws:principalarn"), named.get("aws:multifactorauthpresent")
        age, regions = named.get("aws:multifactorauthage"), named.get("aws:requestedregion")
        if who is None or not all(":user/" in value and "*" not in value for value in who.values):
            yield f"{statement} names no users"
        if mfa is None or mfa.operator != "Bool" or mfa.values != ("true",):
            yield f"{statement} asks for no MFA"
        if age is None or age.operator != "NumericLessThan" or not all(int(value) <= 900 for value in age.values):
            yield f"{statement} takes an MFA of hours ago"
        if regions is None or regions.operator != "StringEquals":
            yield f"{statement} can be used in a region where nobody listens"
            continue
        for region in regions.values:
            if not _told(role, region, world):
                yield f"nobody is told when it is taken through {region}"


def _told(role: Resource, region: str, world: World) -> bool:
    return any(
        world.stack(rule).region == region
        and rule.properties.get("State") == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
        and rule.properties.get("Targets")
        and all(word in json.dumps(rule.properties.get("EventPattern")) for word in ('"AssumeRole"', "break-glass"))
        for rule in world.of_type("AWS::Events::Rule", near=role)
    )
