"""The key of one stage's credential vault, which stands in another account than what it opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from constructs import Construct
from palisade.keys.customer_key import ADMINISTRATION, USE

TENANT = "${aws:PrincipalTag/tenant}"
CONTEXT = ("tenant", "purpose")
"""The names in the encryption context of every use; there are no others."""


@dataclass(frozen=True, kw_only=True)
class VaultUsers:
    """Roles of the stage's ``account``, by name: who may seal, who may open, who does both to seal anew."""

    account: str
    writer: str
    reader: str
    reencrypter: str


class VaultKey(Construct):
    """A key for data keys of one tenant and one purpose at a time, used by the vault's roles of one stage and nobody else.

    A session gets a data key only for the tenant in its own tag, and only with tenant and purpose as its encryption
    context. Nobody in the key's own account may use it, and nobody may make a grant. It rotates every year; deletion takes
    30 days; the stack never deletes it.

    Control: keys.vault.context

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context-keys
    """

    def __init__(self, scope: Construct, construct_id: str, *, description: str, users: VaultUsers) -> None:
        super().__init__(scope, construct_id)
        self._users = users
        here = cdk.Stack.of(self).account
        self.resource = kms.Key(
            self,
            "Resource",
            description=description,
            enable_key_rotation=True,
            rotation_period=cdk.Duration.days(365),
            pending_window=cdk.Duration.days(30),
            removal_policy=cdk.RemovalPolicy.RETAIN,
            policy=iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        sid="AdministrationByIamOfThisAccount",
                        principals=[iam.AccountRootPrincipal()],
                        actions=ADMINISTRATION,
                        resources=["*"],
                    ),
                    self._of_one_tenant("Seal", "kms:GenerateDataKey", [users.writer, users.reencrypter]),
                    self._of_one_tenant("Open", "kms:Decrypt", [users.reader, users.reencrypter]),
                    iam.PolicyStatement(
                        sid="Find",
                        principals=[iam.AccountPrincipal(users.account)],
                        actions=["kms:DescribeKey"],
                        resources=["*"],
                        conditions={
                            "ArnEquals": {
                                "aws:PrincipalArn": self._arns([users.writer, users.reader, users.reencrypter])
                            }
                        },
                    ),
                    iam.PolicyStatement(
                        sid="NobodyOfThisAccountUses",
                        effect=iam.Effect.DENY,
                        principals=[iam.AnyPrincipal()],
                        actions=[action for action in USE if action != "kms:DescribeKey"] + ["kms:CreateGrant"],
                        resources=["*"],
                        conditions={"StringEquals": {"aws:PrincipalAccount": here}},
                    ),
                ]
            ),
        )

    @property
    def key_id(self) -> str:
        """What an alias names."""
        return self.resource.key_id

    def _of_one_tenant(self, sid: str, action: str, roles: Sequence[str]) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid=sid,
            # Roles stand in a condition, because a key policy refuses a principal that does not exist yet.
            principals=[iam.AccountPrincipal(self._users.account)],
            actions=[action],
            resources=["*"],
            conditions={
                "ArnEquals": {"aws:PrincipalArn": self._arns(roles)},
                "StringEquals": {"kms:EncryptionContext:tenant": TENANT},
                "Null": {"kms:EncryptionContext:purpose": "false"},
                "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": list(CONTEXT)},
            },
        )

    def _arns(self, roles: Sequence[str]) -> list[str]:
        return [f"arn:aws:iam::{self._users.account}:role/{role}" for role in roles]
