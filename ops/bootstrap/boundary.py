"""The permissions boundary of every role that a template makes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from assembly import Stack

_CHANGES = (
    "Accept",
    "Associate",
    "Attach",
    "Cancel",
    "Close",
    "Create",
    "Decline",
    "Delete",
    "Deregister",
    "Detach",
    "Disable",
    "Disassociate",
    "Enable",
    "Import",
    "Invite",
    "Leave",
    "Move",
    "Provision",
    "Put",
    "Register",
    "Remove",
    "Start",
    "Tag",
    "Untag",
    "Update",
)
"""Verbs of whatever changes an organization or its sign-in; looking is left."""

_NEVER = (
    "aws-portal:*",
    "billing:*",
    "iam:AddUserToGroup",
    "iam:Attach*",
    "iam:Create*",
    "iam:Delete*",
    "iam:Detach*",
    "iam:Put*",
    "iam:Set*",
    "iam:Tag*",
    "iam:Untag*",
    "iam:UpdateAccess*",
    "iam:UpdateAssume*",
    "iam:UpdateGroup",
    "iam:UpdateLogin*",
    "iam:UpdateOpenID*",
    "iam:UpdateRole*",
    "iam:UpdateS*",
    "iam:UpdateUser",
    "iam:Upload*",
    *(f"organizations:{verb}*" for verb in _CHANGES),
    *(f"sso:{verb}*" for verb in _CHANGES),
)
"""What no component may ever do: change identities or the organization."""

_ACCOUNT = ("account:*", "iam:UpdateAccount*")
"""What only the component that sets up the account may do."""

_SETTINGS_ROLE = "-account-settings"
"""How that component's role ends; a role of this name, like all others, is made by CloudFormation only."""

_NEVER_EVEN_TO_GOVERN = (
    "aws-portal:*",
    "billing:*",
    "iam:AddUserToGroup",
    "iam:Attach*",
    "iam:CreateAccessKey",
    "iam:CreateGroup",
    "iam:CreateInstanceProfile",
    "iam:CreateLoginProfile",
    "iam:CreateOpenIDConnectProvider",
    "iam:CreatePolicy*",
    "iam:CreateRole",
    "iam:CreateSAMLProvider",
    "iam:CreateUser",
    "iam:Delete*",
    "iam:Detach*",
    "iam:Put*",
    "iam:Set*",
    "iam:Tag*",
    "iam:Untag*",
    "iam:UpdateAccessKey",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateLoginProfile",
    "iam:UpdateRole*",
    "iam:Upload*",
    "organizations:Close*",
    "organizations:Delete*",
    "organizations:Deregister*",
    "organizations:Detach*",
    "organizations:Disable*",
    "organizations:Leave*",
    "organizations:Remove*",
    "organizations:Update*",
    *(f"sso:{verb}*" for verb in _CHANGES),
)
"""What is left of that for a role whose task is to govern: it may turn settings of account and organization on, and let a
service make its own role, as far as its own policy says; never undo them, nor make identities."""

_GOVERNOR = "-governor-"
"""In the name of such a role (``Names.governor``)."""

_GATEKEEPERS = ("-gatekeeper", "-recorder-access-enforcer")
"""How the names of the roles end that let people into a level for a while (``Names.gatekeeper``, ``Names.access_enforcer``)."""

_TO_KEEP_GATES = (
    "iam:CreatePolicyVersion",
    "iam:DeletePolicyVersion",
    "iam:GetPolicy*",
    "iam:ListPolicyVersions",
    "sso:CreateAccountAssignment",
    "sso:DeleteAccountAssignment",
    "sso:DescribePermissionSet",
    "sso:List*",
)
"""All that they may do to identities, as far as their own policies say."""

_CONTAINING = "-recorder-containment"
"""How the name of the role ends that contains incidents (``Names.recorder``)."""

_TO_CONTAIN = (
    "iam:DeleteRolePolicy",
    "iam:Get*",
    "iam:List*",
    "iam:PutRolePolicy",
    "iam:UpdateAccessKey",
)
"""All that it may do to identities: refuse a role's sessions by an inline policy, and switch an access key off."""

_SWITCH_OFF = "kms:DisableKey"
"""What nobody else may do to a key."""

_EVIDENCE = (
    "cloudtrail:Delete*",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateTrail",
    "config:DeleteConfigurationRecorder",
    "config:DeleteDeliveryChannel",
    "config:StopConfigurationRecorder",
    "ec2:DeleteFlowLogs",
    "guardduty:Delete*",
    "guardduty:Disassociate*",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "s3:BypassGovernanceRetention",
    "s3:PutBucketObjectLockConfiguration",
    "securityhub:Disable*",
)
"""What no component may do to the evidence and the keys."""


_MANAGED_BY_AWS: Mapping[str, frozenset[str]] = {
    "AmazonAPIGatewayPushToCloudWatchLogs": frozenset({"logs"}),
    "AWSShieldDRTAccessPolicy": frozenset(
        {
            "apigateway",
            "cloudfront",
            "cloudwatch",
            "ec2",
            "elasticloadbalancing",
            "globalaccelerator",
            "route53",
            "shield",
            "waf",
            "waf-regional",
            "wafv2",
        }
    ),
}
"""Services of AWS's own policies that roles here carry; templates name these policies but do not contain them.
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/about-managed-policy-reference.html"""


def boundary(stacks: Sequence[Stack]) -> dict[str, Any]:
    """A policy document that allows the services which the roles of ``stacks`` use, and never the acts above.

    A role's own policy decides what it may do within them. Roles of ``stacks`` whose names say that they govern are left
    more, by exact name.

    Raises:
        ValueError: a role carries a policy of AWS whose services are not known here.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    granted = {action.partition(":")[0].lower() for stack in stacks for action in _granted(stack)}
    services = sorted(granted.union(*(_of_aws(stack) for stack in stacks)))
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ServicesThatComponentsUse",
                "Effect": "Allow",
                # An account whose templates make no role still needs a valid document.
                "Action": [f"{service}:*" for service in services] or ["sts:GetCallerIdentity"],
                "Resource": "*",
            },
            _deny("NeverTheAccount", {"Action": list(_ACCOUNT)}, but=_roles(stacks, ending=_SETTINGS_ROLE)),
            *_never_identities(stacks, services),
            {"Sid": "NeverEvidence", "Effect": "Deny", "Action": list(_EVIDENCE), "Resource": "*"},
            _deny("NeverKeys", {"Action": _SWITCH_OFF}, but=_roles(stacks, ending=_CONTAINING)),
        ],
    }


def _roles(stacks: Sequence[Stack], *, ending: str = "", holding: str = "") -> list[str]:
    """ARNs of the roles in ``stacks`` whose names say so."""
    return sorted(
        f"arn:aws:iam::{stack.account}:role/{name}"
        for stack in stacks
        for resource in stack.resources.values()
        if resource.type == "AWS::IAM::Role"
        and (name := str(resource.properties.get("RoleName", ""))).endswith(ending)
        and holding in name
    )


def _deny(sid: str, what: dict[str, Any], *, but: Sequence[str] = (), only: Sequence[str] = ()) -> dict[str, Any]:
    """A refusal for everybody ``but`` some roles, or for some ``only``."""
    test = {"ArnNotEquals": {"aws:PrincipalArn": [*but]}} if but else {"ArnEquals": {"aws:PrincipalArn": [*only]}}
    statement = {"Sid": sid, "Effect": "Deny", **what, "Resource": "*"}
    return {**statement, "Condition": test} if but or only else statement


def _never_identities(stacks: Sequence[Stack], services: Sequence[str]) -> list[dict[str, Any]]:
    governors = _roles(stacks, holding=_GOVERNOR)
    keepers = [role for ending in _GATEKEEPERS for role in _roles(stacks, ending=ending)]
    containing = _roles(stacks, ending=_CONTAINING)
    others = [f"{service}:*" for service in services if service not in {"iam", "organizations", "sso"}]
    found = [_deny("NeverIdentities", {"Action": list(_NEVER)}, but=[*governors, *keepers, *containing])]
    if governors:
        found.append(_deny("NeverEvenToGovern", {"Action": list(_NEVER_EVEN_TO_GOVERN)}, but=[*keepers, *containing]))
    if keepers:
        found.append(_deny("NeverButGates", {"NotAction": [*_TO_KEEP_GATES, *others]}, only=keepers))
    if containing:
        found.append(_deny("NeverButContainment", {"NotAction": [*_TO_CONTAIN, *others]}, only=containing))
    return found


def _granted(stack: Stack) -> list[str]:
    documents: list[Mapping[str, Any]] = []
    for resource in stack.resources.values():
        properties = resource.properties
        if resource.type in {"AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy"}:
            documents.append(properties["PolicyDocument"])
        elif resource.type == "AWS::IAM::Role":
            documents.extend(policy["PolicyDocument"] for policy in properties.get("Policies", []))
    actions: list[str] = []
    for document in documents:
        for statement in document["Statement"]:
            if statement["Effect"] == "Allow":
                found = statement["Action"]
                actions.extend([found] if isinstance(found, str) else found)
    return actions


def _of_aws(stack: Stack) -> set[str]:
    services: set[str] = set()
    for resource in stack.resources.values():
        if resource.type == "AWS::IAM::Role":
            for policy in resource.properties.get("ManagedPolicyArns", []):
                name = json.dumps(policy).rstrip('"]} ').rpartition("/")[2]
                if name not in _MANAGED_BY_AWS:
                    raise ValueError(
                        f"{resource}: carries {name}, whose services the boundary does not know. "
                        "Add it to _MANAGED_BY_AWS in ops/bootstrap/boundary.py."
                    )
                services |= _MANAGED_BY_AWS[name]
    return services
