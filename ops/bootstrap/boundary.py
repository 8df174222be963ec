"""The permissions boundary of every role that a template makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assembly import Stack

_NEVER = (
    "account:*",
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
    "iam:Update*",
    "iam:Upload*",
    "organizations:*",
    "sso:*",
)
"""What no component may ever do: change identities, the account or the organization."""

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
    "kms:DisableKey",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "s3:BypassGovernanceRetention",
    "s3:PutBucketObjectLockConfiguration",
    "securityhub:Disable*",
)
"""What no component may do to the evidence and the keys."""


def boundary(stacks: Sequence[Stack]) -> dict[str, Any]:
    """A policy document that allows the services which the roles of ``stacks`` use, and never the acts above.

    A role's own policy decides what it may do within them.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    services = sorted({action.partition(":")[0].lower() for stack in stacks for action in _granted(stack)})
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
            {"Sid": "NeverIdentities", "Effect": "Deny", "Action": list(_NEVER), "Resource": "*"},
            {"Sid": "NeverEvidence", "Effect": "Deny", "Action": list(_EVIDENCE), "Resource": "*"},
        ],
    }


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
