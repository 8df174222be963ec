"""What one job may do, in whichever accounts it is assigned to."""

from __future__ import annotations

import json
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sso as sso

from constructs import Construct

LONGEST_NAME = 32
INLINE_CHARACTERS = 10_240
"""Identity Center takes longer text, but the role that it makes of it in each account does not.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


class PermissionSet(Construct):
    """A permission set of IAM Identity Center with every right written out, whose sessions end after ``hours``.

    ``policies`` are customer-managed policies that it also attaches, by name: each account that it is assigned to must hold
    one of that name before. Nobody has it until it is assigned.

    Controls: identity.people.session, identity.people.bounded, identity.people.standing
    https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetcustom.html
    https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_PermissionSet.html

    Raises:
        ValueError: a name or a policy longer than AWS takes.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        instance_arn: str,
        hours: int,
        statements: Sequence[iam.PolicyStatement] = (),
        policies: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        if len(name) > LONGEST_NAME:
            raise ValueError(
                f"permission set {name} has {len(name)} characters; {LONGEST_NAME} fit. Shorten the prefix."
            )
        document = iam.PolicyDocument(statements=list(statements))
        size = len(json.dumps(cdk.Stack.of(self).resolve(document), separators=(",", ":")))
        if size > INLINE_CHARACTERS:
            raise ValueError(
                f"permission set {name}: its policy has {size} characters, and a role holds {INLINE_CHARACTERS}. "
                "Every stage it covers adds to it: give some stages a deployment of their own."
            )
        self._instance_arn = instance_arn
        self.resource = sso.CfnPermissionSet(
            self,
            "Resource",
            name=name,
            description=description,
            instance_arn=instance_arn,
            session_duration=f"PT{hours}H",
            inline_policy=document if statements else None,
            customer_managed_policy_references=[
                sso.CfnPermissionSet.CustomerManagedPolicyReferenceProperty(name=policy, path="/")
                for policy in policies
            ]
            or None,
        )

    @property
    def arn(self) -> str:
        """The permission set's ARN, which ends in a number that Identity Center invents."""
        return self.resource.attr_permission_set_arn

    def assign(self, construct_id: str, *, group_id: str, account: str) -> sso.CfnAssignment:
        """Give it to the members of a group, for good, in one account."""
        return sso.CfnAssignment(
            self,
            construct_id,
            instance_arn=self._instance_arn,
            permission_set_arn=self.arn,
            principal_type="GROUP",
            principal_id=group_id,
            target_type="AWS_ACCOUNT",
            target_id=account,
        )
