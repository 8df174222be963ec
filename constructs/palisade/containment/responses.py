"""What the function that contains may do, one right for each kind of act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from palisade.acknowledge import acknowledge
from palisade.edge.web_acl import BLOCKED
from palisade.identity import ComponentRole


@dataclass(frozen=True, kw_only=True)
class Responses:
    """The rights of containment in one stage.

    ``functions`` begins the names of the stage's functions; ``blocked`` begins the names of the sets of blocked addresses, by
    place (``eu-west-1:{account}:regional``); only keys named by ``keys`` can be switched off; ``boundary`` is the managed
    policy that every role of templates carries, so that no other role's sessions can be ended.
    """

    vpc_id: str
    boundary: str
    functions: str
    keys: Sequence[str]
    blocked: Mapping[str, str]
    user_pool: str | None

    def allow(self, component: ComponentRole) -> None:
        """Give ``component`` every right, and refuse it to act on itself.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
        https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-resource-aliases
        https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
        """
        stack = cdk.Stack.of(component)
        place = f"{stack.region}:{stack.account}"
        statements = [
            *_machines(place, self.vpc_id),
            *_sessions(stack.account, self.boundary, component.role.role_arn),
            *_access_keys(stack.account),
            *self._keys(place),
            *_functions(place, self.functions),
            *self._addresses(stack.account),
        ]
        if self.user_pool is not None:
            statements.append(
                iam.PolicyStatement(
                    sid="Users",
                    actions=[
                        "cognito-idp:AdminDisableUser",
                        "cognito-idp:AdminEnableUser",
                        "cognito-idp:AdminGetUser",
                        "cognito-idp:AdminUserGlobalSignOut",
                    ],
                    resources=[self.user_pool],
                )
            )
        component.allow(*statements)
        open_names = {
            resource
            for statement in statements
            if statement.effect is iam.Effect.ALLOW
            for resource in statement.resources
            if "*" in resource and resource != "*"
        }
        acknowledge(
            component.policy,
            f"{component.node.path}: what an intruder has got hold of is known only when it happens; each act is bounded to the "
            "stage's network, to roles with the boundary, to named keys, to the stage's functions and to its own address sets.",
            *(f"AwsSolutions-IAM5[Resource::{resource}]" for resource in sorted(open_names)),
        )

    def _keys(self, place: str) -> list[iam.PolicyStatement]:
        return [
            iam.PolicyStatement(
                sid="Keys",
                actions=["kms:DisableKey", "kms:EnableKey"],
                resources=[f"arn:aws:kms:{place}:key/*"],
                conditions={"ForAnyValue:StringEquals": {"kms:ResourceAliases": list(self.keys)}},
            ),
            # A key may have several names, and one of them may be that of evidence.
            iam.PolicyStatement(
                sid="KeysOfNothingElse",
                effect=iam.Effect.DENY,
                actions=["kms:DisableKey"],
                resources=["*"],
                conditions={"ForAnyValue:StringNotEquals": {"kms:ResourceAliases": list(self.keys)}},
            ),
            iam.PolicyStatement(sid="SeeKeys", actions=["kms:DescribeKey"], resources=[f"arn:aws:kms:{place}:key/*"]),
            iam.PolicyStatement(sid="SeeNames", actions=["kms:ListAliases"], resources=["*"]),
        ]

    def _addresses(self, account: str) -> list[iam.PolicyStatement]:
        sets = [
            f"arn:aws:wafv2:{where.format(account=account)}/ipset/{name}-{version}/*"
            for where, name in self.blocked.items()
            for version in BLOCKED
        ]
        return [
            iam.PolicyStatement(sid="Addresses", actions=["wafv2:GetIPSet", "wafv2:UpdateIPSet"], resources=sets),
            iam.PolicyStatement(sid="FindAddresses", actions=["wafv2:ListIPSets"], resources=["*"]),
        ]


def _machines(place: str, vpc_id: str) -> list[iam.PolicyStatement]:
    account = place.partition(":")[2]
    return [
        iam.PolicyStatement(
            sid="Machines",
            actions=["ec2:ModifyNetworkInterfaceAttribute"],
            resources=[f"arn:aws:ec2:{place}:{kind}/*" for kind in ("network-interface", "security-group")],
            conditions={"ArnEquals": {"ec2:Vpc": f"arn:aws:ec2:{place}:vpc/{vpc_id}"}},
        ),
        iam.PolicyStatement(
            sid="Copies",
            actions=["ec2:CreateSnapshots"],
            resources=[
                *(f"arn:aws:ec2:{place}:{kind}/*" for kind in ("instance", "volume")),
                f"arn:aws:ec2:{place.partition(':')[0]}::snapshot/*",
            ],
        ),
        iam.PolicyStatement(
            sid="MarkCopies",
            actions=["ec2:CreateTags"],
            resources=[f"arn:aws:ec2:{place.partition(':')[0]}::snapshot/*"],
            conditions={"StringEquals": {"ec2:CreateAction": "CreateSnapshots"}},
        ),
        iam.PolicyStatement(
            sid="KeepMachines",
            actions=["autoscaling:SetInstanceProtection"],
            resources=[f"arn:aws:autoscaling:{place}:autoScalingGroup:*:autoScalingGroupName/*"],
            conditions={"StringEquals": {"aws:ResourceAccount": account}},
        ),
        iam.PolicyStatement(
            sid="SeeMachines",
            actions=["autoscaling:DescribeAutoScalingInstances", "ec2:DescribeInstances", "ec2:DescribeSnapshots"],
            resources=["*"],
        ),
    ]


def _sessions(account: str, boundary: str, own_role: str) -> list[iam.PolicyStatement]:
    roles = f"arn:aws:iam::{account}:role/*"
    policies = ["iam:DeleteRolePolicy", "iam:PutRolePolicy"]
    return [
        iam.PolicyStatement(
            sid="Sessions",
            actions=policies,
            resources=[roles],
            conditions={"StringEquals": {"iam:PermissionsBoundary": f"arn:aws:iam::{account}:policy/{boundary}"}},
        ),
        iam.PolicyStatement(sid="NeverOwnRights", effect=iam.Effect.DENY, actions=policies, resources=[own_role]),
        iam.PolicyStatement(sid="SeeRoles", actions=["iam:GetRole", "iam:GetRolePolicy"], resources=[roles]),
    ]


def _access_keys(account: str) -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(
            sid="AccessKeys",
            actions=["iam:ListAccessKeys", "iam:UpdateAccessKey"],
            resources=[f"arn:aws:iam::{account}:user/*"],
        )
    ]


def _functions(place: str, beginning: str) -> list[iam.PolicyStatement]:
    functions = f"arn:aws:lambda:{place}:function:{beginning}*"
    return [
        iam.PolicyStatement(
            sid="Functions",
            actions=[
                "lambda:DeleteFunctionConcurrency",
                "lambda:GetFunctionConcurrency",
                "lambda:GetFunctionConfiguration",
                "lambda:PutFunctionConcurrency",
            ],
            resources=[functions],
        ),
        iam.PolicyStatement(
            sid="Sources",
            actions=["lambda:UpdateEventSourceMapping"],
            resources=[f"arn:aws:lambda:{place}:event-source-mapping:*"],
            conditions={"ArnLike": {"lambda:FunctionArn": functions}},
        ),
        iam.PolicyStatement(sid="FindSources", actions=["lambda:ListEventSourceMappings"], resources=["*"]),
    ]
