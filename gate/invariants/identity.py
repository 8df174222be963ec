"""Roles and policies: what may act, as whom, within which bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from assembly import Resource
from gate.control import control
from gate.policies import Statement, access_level, documents, expand, known_action, limits_resources
from gate.world import World, as_list, walk

_EVERY_SERVICE = re.compile(r"\*|[a-z0-9-]+:\*")
_HARMLESS_WILDCARDS = re.compile(
    r"(?i)kms:(GenerateDataKey|ReEncrypt|Describe|Get|List|Encrypt|Decrypt|GenerateDataKeyWithoutPlaintext)\*"
    r"|s3:(GetObject|GetBucket|List|Abort|Replicate)\*|[a-z0-9-]+:(Describe|List|Get|BatchGet)[A-Za-z]*\*"
)
_UNCONDITIONAL = {
    "apigateway.amazonaws.com",
    "backup.amazonaws.com",
    "drt.shield.amazonaws.com",
    "ec2.amazonaws.com",
    "edgelambda.amazonaws.com",
    "lambda.amazonaws.com",
    "s3.amazonaws.com",
}
"""Services that name no source when they assume a role for their customer; a condition would lock them out.
https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"""

ESCALATIONS: tuple[frozenset[str], ...] = (
    frozenset({"iam:CreatePolicyVersion"}),
    frozenset({"iam:SetDefaultPolicyVersion"}),
    frozenset({"iam:AttachRolePolicy"}),
    frozenset({"iam:AttachUserPolicy"}),
    frozenset({"iam:AttachGroupPolicy"}),
    frozenset({"iam:PutRolePolicy"}),
    frozenset({"iam:PutUserPolicy"}),
    frozenset({"iam:PutGroupPolicy"}),
    frozenset({"iam:AddUserToGroup"}),
    frozenset({"iam:UpdateAssumeRolePolicy"}),
    frozenset({"iam:CreateAccessKey"}),
    frozenset({"iam:CreateLoginProfile"}),
    frozenset({"iam:UpdateLoginProfile"}),
    frozenset({"iam:DeleteRolePermissionsBoundary"}),
    frozenset({"iam:PutRolePermissionsBoundary"}),
    frozenset({"iam:PassRole", "lambda:CreateFunction"}),
    frozenset({"iam:PassRole", "ec2:RunInstances"}),
    frozenset({"iam:PassRole", "cloudformation:CreateStack"}),
    frozenset({"iam:PassRole", "glue:CreateDevEndpoint"}),
    frozenset({"iam:PassRole", "states:CreateStateMachine"}),
    frozenset({"iam:PassRole", "codebuild:CreateProject"}),
    frozenset({"iam:PassRole", "ecs:RegisterTaskDefinition"}),
    frozenset({"iam:PassRole", "datapipeline:CreatePipeline"}),
    frozenset({"lambda:UpdateFunctionCode"}),
    frozenset({"glue:UpdateDevEndpoint"}),
)
"""Rights that, alone or together, let their holder become somebody else.
https://docs.aws.amazon.com/prescriptive-guidance/latest/privilege-escalation-iam/"""


def _allowed(resource: Resource, world: World, kind: str = "identity") -> Iterator[Statement]:
    for document in documents(resource, world):
        if document.kind == kind:
            for statement in document.statements:
                if statement.allows:
                    yield statement


@control(
    "identity.policy.actions",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::IAM::Group",
    "AWS::SSO::PermissionSet",
)
def actions(resource: Resource, world: World) -> Iterator[str]:
    """A policy allows actions by name: never a whole service, never all but a few.

    Fix: list the actions that the component calls.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege
    """
    for statement in _allowed(resource, world):
        if statement.not_actions:
            yield f"{statement} allows everything but a few actions"
        for action in statement.actions:
            if _EVERY_SERVICE.fullmatch(action):
                yield f"{statement} allows {action}"
            elif "*" in action and not _HARMLESS_WILDCARDS.fullmatch(action):
                yield f"{statement} allows {action}, which will grow with the service"


@control(
    "identity.policy.resources",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::IAM::Group",
)
def resources(resource: Resource, world: World) -> Iterator[str]:
    """A policy names resources wherever the action knows any; "*" stands only beside actions that know none.

    Fix: name the resource's ARN, or bound the statement by a condition on it.
    https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
    """
    for statement in _allowed(resource, world):
        if statement.not_resources:
            yield f"{statement} allows all resources but a few"
        if not any(everything(name) for name in statement.resources):
            continue
        limited = sorted(
            action
            for pattern in statement.actions
            for action in expand(pattern)
            if limits_resources(action) and access_level(action) != "List"
        )
        if not limited or _narrowed(statement):
            continue
        if set(limited) <= _interface_actions and _refused_to_code(resource, world):
            continue
        yield f"{statement} allows {', '.join(limited[:3])}{' and more' if len(limited) > 3 else ''} on everything"


_interface_actions = {
    "ec2:createnetworkinterface",
    "ec2:deletenetworkinterface",
    "ec2:assignprivateipaddresses",
    "ec2:unassignprivateipaddresses",
}
"""What the Lambda service needs to put a function into a network.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions"""


def everything(name: str) -> bool:
    """Whether a resource pattern covers all that there is."""
    return name in {"*", "arn:*", "arn:aws:*"} or re.fullmatch(r"arn:aws:[a-z0-9*-]+:\*(:\*)*", name) is not None


def _narrowed(statement: Statement) -> bool:
    return any(
        re.match(
            r"(?i)aws:ResourceTag/|aws:ResourceAccount|aws:ResourceOrgID|aws:RequestTag/|kms:ViaService|kms:EncryptionContext|"
            r"[a-z0-9-]+:(ResourceTag/|namespace|Vpc|Subnet)|cloudwatch:namespace|kms:ResourceAliases|aws:CalledVia|iam:PassedToService|s3:ResourceAccount|"
            r"secretsmanager:ResourceTag/|backup:.*",
            condition.key,
        )
        for condition in statement.conditions
        if "*" not in condition.values and not condition.operator.lower().endswith("ifexists")
    )


def _refused_to_code(resource: Resource, world: World) -> bool:
    return any(
        not statement.allows
        and statement.covers("ec2:CreateNetworkInterface")
        and statement.condition("lambda:SourceFunctionArn") is not None
        for document in documents(resource, world)
        for statement in document.statements
    )


_NARROWER_THAN_SAID = frozenset({"logs:describeloggroups"})
"""Actions that the packaged reference thinks know no resource, and that AWS matches against one."""


@control(
    "identity.policy.effective",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::SSO::PermissionSet",
)
def effective(resource: Resource, world: World) -> Iterator[str]:
    """A right that a policy means to give is given: an action that knows no resource is allowed on "*", for on an ARN it
    never matches.

    Fix: move the action into a statement whose Resource is "*".
    https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
    """
    statements = list(_allowed(resource, world))
    everywhere = [statement for statement in statements if "*" in statement.resources]
    for statement in statements:
        if "*" in statement.resources or statement.not_resources:
            continue
        for action in statement.actions:
            if "*" in action or action.lower() in _NARROWER_THAN_SAID:
                continue
            if (
                known_action(action)
                and not limits_resources(action)
                and not any(other.covers(action) for other in everywhere)
            ):
                yield f"{statement} allows {action} on ARNs that it never matches"


@control("identity.policy.interfaces", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::Role")
def interfaces(resource: Resource, world: World) -> Iterator[str]:
    """The Lambda service's rights over network interfaces are refused to the function's own code.

    Fix: add a Deny of the same actions where lambda:SourceFunctionArn is present.
    https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
    """
    granted = {
        action
        for statement in _allowed(resource, world)
        for action in (
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses",
        )
        if statement.covers(action) and not _narrowed(statement)
    }
    if "ec2:CreateNetworkInterface" not in granted:
        granted -= {"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"}
    for action in sorted(granted):
        refused = any(
            not statement.allows
            and statement.covers(action)
            and "*" in statement.resources
            and all(
                c.key == "lambda:SourceFunctionArn" and c.operator == "Null" and c.values == ("false",)
                for c in statement.conditions
            )
            for document in documents(resource, world)
            for statement in document.statements
        )
        if not refused:
            yield f"code may call {action} on anything"


@control("identity.policy.known-actions")
def known_actions(resource: Resource, world: World) -> Iterator[str]:
    """Every action that a policy names exists, so that no right or refusal is lost to a slip of the pen.

    Fix: correct the spelling by the service authorization reference.
    https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
    """
    for document in documents(resource, world):
        for statement in document.statements:
            for action in (*statement.actions, *statement.not_actions):
                if ":" not in action and action != "*":
                    yield f"{statement} names {action}, which is no action"
                elif "*" not in action and not known_action(action) and action.split(":")[0] in _KNOWN_SERVICES:
                    if action.lower() not in NEWER_ACTIONS:
                        yield f"{statement} names {action}, which {action.split(':')[0]} does not know"


_KNOWN_SERVICES = {
    "s3",
    "kms",
    "iam",
    "sts",
    "ec2",
    "logs",
    "sqs",
    "sns",
    "dynamodb",
    "lambda",
    "secretsmanager",
    "cloudtrail",
}
NEWER_ACTIONS: frozenset[str] = frozenset()
"""Actions that AWS added after the packaged reference was made."""


@control("identity.policy.pass-role")
def pass_role(resource: Resource, world: World) -> Iterator[str]:
    """A role is passed only by name and only to the service it is for.

    Fix: name the role's ARN and add a condition on iam:PassedToService.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """
    for statement in _allowed(resource, world):
        if not statement.covers("iam:PassRole"):
            continue
        if any("*" in name and name not in bounded_roles(resource, world) for name in statement.resources):
            yield f"{statement} passes any role"
        if statement.condition("iam:PassedToService") is None:
            yield f"{statement} passes the role to any service"


def bounded_roles(resource: Resource, world: World) -> set[str]:
    """Names of roles, such as those under a path, that a permission set can make only with a permissions boundary."""
    if resource.type != "AWS::SSO::PermissionSet":
        return set()
    makers = [statement for statement in _allowed(resource, world) if statement.covers("iam:CreateRole")]
    named = {name for statement in makers for name in statement.resources if re.search(r":role/[\w-]+/\*$", name)}
    return {
        name
        for name in named
        if all(one.condition("iam:PermissionsBoundary") for one in makers if name in one.resources)
    }


@control(
    "identity.policy.escalation",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::SSO::PermissionSet",
)
def escalation(resource: Resource, world: World) -> Iterator[str]:
    """Nothing can make itself more than it is.

    Fix: take one of the rights away, or name the resource and bound it by the permissions boundary.
    https://docs.aws.amazon.com/prescriptive-guidance/latest/privilege-escalation-iam/introduction.html
    """
    statements = list(_allowed(resource, world))
    bounded = bounded_roles(resource, world)
    for combination in ESCALATIONS:
        if all(
            any(
                statement.covers(action)
                and any("*" in name and name not in bounded for name in statement.resources)
                and statement.condition("iam:PermissionsBoundary") is None
                for statement in statements
            )
            for action in combination
        ):
            yield f"it allows {' with '.join(sorted(combination))} on any resource"


@control(
    "identity.policy.managed",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::IAM::Group",
    "AWS::IAM::User",
    "AWS::IAM::UserPolicy",
    "AWS::IAM::RolePolicy",
)
def managed(resource: Resource, world: World) -> Iterator[str]:
    """Rights stand in customer-managed policies, where they can be found, versioned and compared.

    Fix: use a ComponentRole, whose rights are one managed policy.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
    """
    if resource.type in {"AWS::IAM::Policy", "AWS::IAM::UserPolicy", "AWS::IAM::RolePolicy"}:
        yield "it is an inline policy"
    elif resource.properties.get("Policies"):
        yield "it has inline policies"


@control("identity.role.boundary", "AWS::IAM::Role", "AWS::IAM::User")
def boundary(role: Resource, world: World) -> Iterator[str]:
    """Every role carries the account's permissions boundary.

    Fix: make it in a PalisadeStack, which sets the boundary.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    text = world.text(role.properties.get("PermissionsBoundary", ""), role)
    if not text:
        yield "it has no permissions boundary"
    elif not text.endswith("-boundary") and world.target(role.properties["PermissionsBoundary"], role) is None:
        yield f"its boundary is {text}, which is none of this deployment's"


@control("identity.role.trust", "AWS::IAM::Role")
def trust(role: Resource, world: World) -> Iterator[str]:
    """A role is assumed by named callers of this deployment, and by services on its behalf alone.

    Fix: name the principal; add aws:SourceAccount or aws:SourceArn, an organization, or the token's sub and aud.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    for statement in _allowed(role, world, "trust"):
        if statement.anyone:
            # What anybody can say of themselves, as an external id, tells nobody apart.
            if not any(one.bounds and one.key.lower().startswith("aws:principal") for one in statement.conditions):
                yield f"{statement} lets anybody assume it"
            continue
        for service in statement.services:
            if service not in _UNCONDITIONAL and not statement.bounded:
                yield f"{statement} lets {service} assume it on behalf of any AWS customer"
        if any(kind == "Federated" for kind, _ in statement.principals):
            keys = {c.key.lower().rsplit(":", 1)[-1] for c in statement.conditions if "*" not in c.values}
            if not {"sub", "aud"} <= keys:
                yield f"{statement} does not say which subject and audience of the identity provider"
        for action in statement.actions:
            if action not in {
                "sts:AssumeRole",
                "sts:TagSession",
                "sts:SetSourceIdentity",
                "sts:AssumeRoleWithWebIdentity",
                "sts:AssumeRoleWithSAML",
            }:
                yield f"{statement} allows {action}"


@control("identity.role.own-account", "AWS::IAM::Role")
def trust_own_account(role: Resource, world: World) -> Iterator[str]:
    """No role trusts a whole account without a condition that says who of it.

    Fix: name the role that assumes it, or add a condition.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    for statement in _allowed(role, world, "trust"):
        for kind, value in statement.principals:
            if (
                kind == "AWS"
                and (value.endswith(":root") or re.fullmatch(r"\d{12}", value))
                and not any(one.bounds and one.key.lower().startswith(_WHO) for one in statement.conditions)
            ):
                yield f"{statement} trusts everybody in {value}"


_WHO = ("aws:principalarn", "aws:principaltag/", "aws:userid", "aws:username")
_ROLES = re.compile(r"(\w*Role(Arn|ARN)?|RoleArns?)")


@control("identity.role.known")
def roles_known(resource: Resource, world: World) -> Iterator[str]:
    """What acts for a resource is a role of this deployment, never one of somebody else's.

    Fix: reference the role where it is made.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """
    if resource.type.startswith("AWS::IAM::"):
        return
    for name, value in _named_values(resource.properties):
        if not _ROLES.fullmatch(name) or not isinstance(value, (str, Mapping)):
            continue
        text = world.text(value, resource)
        found = re.match(r"arn:[^:]*:iam::(\d{12}):role/", text)
        if text.startswith("arn:") and (found is None or found[1] not in world.scope.accounts):
            yield f"{name} is {text}, which is no role of this deployment"


def _named_values(value: Any) -> Iterator[tuple[str, Any]]:
    for node in walk(value):
        if isinstance(node, Mapping):
            yield from node.items()


@control("identity.user.none", "AWS::IAM::User", "AWS::IAM::AccessKey", "AWS::IAM::UserToGroupAddition")
def users(_resource: Resource, _world: World) -> Iterator[str]:
    """There are no IAM users and no long-lived keys.

    Fix: use IAM Identity Center for people and roles for programs.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#lock-away-credentials
    """
    yield "it is a long-lived identity"


@control("identity.role.aws-managed", "AWS::IAM::Role")
def aws_managed(role: Resource, world: World) -> Iterator[str]:
    """Roles take AWS's own managed policies only where they are made for one service, never broad ones.

    Fix: write the few rights into the component's policy.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
    """
    for policy in as_list(role.properties.get("ManagedPolicyArns")):
        text = world.text(policy, role)
        if re.search(
            r":aws:policy/(AdministratorAccess|PowerUserAccess|IAMFullAccess|[A-Za-z0-9]+FullAccess|ReadOnlyAccess)",
            text,
        ):
            yield f"it has {text.rsplit('/', 1)[-1]}"


@control("identity.role.session", "AWS::IAM::Role")
def session(role: Resource, _world: World) -> Iterator[str]:
    """A session of a role ends within four hours.

    Fix: set MaxSessionDuration to 14400 or less.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html
    """
    if int(role.properties.get("MaxSessionDuration", 3600)) > 14400:
        yield f"a session lasts {role.properties['MaxSessionDuration']} seconds"


@control("identity.policy.metrics", "AWS::IAM::ManagedPolicy")
def metrics(policy: Resource, world: World) -> Iterator[str]:
    """Metrics are written only under the writer's own namespace, because nothing else can bound that right.

    Fix: add StringEquals cloudwatch:namespace.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html
    """
    for statement in _allowed(policy, world):
        if statement.covers("cloudwatch:PutMetricData") and statement.condition("cloudwatch:namespace") is None:
            yield f"{statement} writes any metric, those of alarms included"


@control("identity.policy.decrypt", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::SSO::PermissionSet")
def decrypt(policy: Resource, world: World) -> Iterator[str]:
    """Keys are used by name, or those of one account through one service.

    Fix: name the key's ARN, or name the account's keys and bound the statement by kms:ResourceAliases or kms:ViaService.
    https://docs.aws.amazon.com/kms/latest/developerguide/iam-policies-best-practices.html
    """
    for statement in _allowed(policy, world):
        uses = statement.covers("kms:Decrypt") or statement.covers("kms:GenerateDataKey")
        if uses and any(everything(name) for name in statement.resources):
            yield f"{statement} uses every key"
        elif uses and any(name.endswith("key/*") for name in statement.resources) and not _narrowed(statement):
            yield f"{statement} decrypts with every key of an account"


@control("identity.policy.grants", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::SSO::PermissionSet")
def grants(policy: Resource, world: World) -> Iterator[str]:
    """A component hands a key on only to AWS services that act for it.

    Fix: add Bool kms:GrantIsForAWSResource true to the statement that allows kms:CreateGrant.
    https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
    """
    for statement in _allowed(policy, world):
        condition = statement.condition("kms:GrantIsForAWSResource")
        if statement.covers("kms:CreateGrant") and not (condition is not None and condition.values == ("true",)):
            yield f"{statement} hands keys on to anybody"


@control("identity.policy.for-all-values", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::SSO::PermissionSet")
def for_all_values(policy: Resource, world: World) -> Iterator[str]:
    """A right that holds "for all values" of a key holds only where the key is there: without any value it is true too.

    Fix: add Null with the same key and "false".
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    """
    for statement in _allowed(policy, world):
        present = {c.key for c in statement.conditions if c.operator == "Null" and c.values == ("false",)}
        for condition in statement.conditions:
            if condition.operator.startswith("ForAllValues:") and condition.key not in present:
                yield f"{statement} also holds for requests without {condition.key}"


_TENANT = "${aws:PrincipalTag/"


@control("workloads.tenant.isolation", "AWS::IAM::ManagedPolicy")
def tenant_isolation(policy: Resource, world: World) -> Iterator[str]:
    """A role that acts for one tenant at a time reaches that tenant's things alone, by every one of its rights.

    Fix: put the session's tenant tag into the statement's resource or condition, and an encryption context beside keys.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_iam-tags.html
    """
    statements = list(_allowed(policy, world))
    said = any(_TENANT in text for statement in statements for text in _texts(statement))
    if not said and not any(_of_one_tenant(role) for role in world.targets(policy.properties.get("Roles"), policy)):
        return
    for statement in statements:
        # A key is bound by what it encrypts, which the tenant's other rights then reach or do not.
        key = any(condition.key.startswith("kms:EncryptionContext:") for condition in statement.conditions)
        # What a key is called, if it is one of those meant, is nobody's data.
        named = any(condition.key == "kms:ResourceAliases" for condition in statement.conditions)
        found = set(statement.actions) == {"kms:DescribeKey"} and named
        if not key and not found and not any(_TENANT in text for text in _texts(statement)):
            yield f"{statement} reaches every tenant's"
        if any(everything(name) for name in statement.resources):
            yield f"{statement} names no resource"


def _of_one_tenant(role: Resource) -> bool:
    """Whether nobody can assume it without a tenant."""
    return "aws:RequestTag/tenant" in str(role.properties.get("AssumeRolePolicyDocument"))


def _texts(statement: Statement) -> Iterator[str]:
    yield from statement.resources
    for condition in statement.conditions:
        yield from condition.values


@control("workloads.tenant.session", "AWS::IAM::Role")
def tenant_session(role: Resource, world: World) -> Iterator[str]:
    """Whoever assumes a role with session tags says exactly which tags, and who is behind the session.

    Fix: give every statement of the trust policy its condition: aws:RequestTag, aws:TagKeys, sts:SourceIdentity.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
    """
    statements = list(_allowed(role, world, "trust"))
    if not any(statement.covers("sts:TagSession") for statement in statements):
        return
    for statement in statements:
        if not statement.conditions:
            yield f"{statement} lets the caller choose tags or identity freely"
        if statement.covers("sts:TagSession") or statement.covers("sts:AssumeRole"):
            keys = {condition.key for condition in statement.conditions}
            if "aws:TagKeys" not in keys:
                yield f"{statement} lets the caller add tags of other names"
            if not any(key.startswith("aws:RequestTag/") for key in keys):
                yield f"{statement} lets the caller leave the tag out, or give it any value"
            if "sts:TransitiveTagKeys" not in keys:
                yield f"{statement} lets the caller carry tags on into other roles"
