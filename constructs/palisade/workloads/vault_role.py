"""The roles through which functions touch one tenant's credentials at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.compute import Function
from palisade.identity import ComponentRole
from palisade.workloads.tenant_role import LEADING, TENANT, admit, session_principals


@dataclass(frozen=True, kw_only=True)
class VaultStore:
    """Where the ciphertext lies, and under which keys of another account: ``aliases`` are ARNs, the one in use first."""

    table: dynamodb.ITable
    table_key: kms.IKey
    aliases: Sequence[str]


class VaultRole(Construct):
    """A session of this role does ``items`` and ``uses`` to the credentials of the tenant in its ``tenant`` tag, and no others.

    ``items`` are actions on the table, whose partition key is the tenant; ``uses`` are actions on the vault's keys, given
    only with the tenant and some purpose as encryption context. Refuses scans, and sessions without a source identity.

    Control: ``workloads.tenant.isolation``

    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        assumed_by: Function,
        store: VaultStore,
        items: Sequence[str],
        uses: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        # Made of its name, so that functions of other stacks, which this role names, can name it too.
        self.arn = f"arn:aws:iam::{cdk.Stack.of(self).account}:role/{name}"
        self.component = ComponentRole(
            self,
            "Role",
            assumed_by=session_principals([assumed_by]),
            description="Credentials of one tenant at a time, the one in the session's tag",
            name=name,
        )
        admit(self.component, [assumed_by], role_arn=self.arn)
        self.component.allow(*self._items(store, items), *self._keys(store.aliases, uses))

    def admit(self, function: Function) -> None:
        """Let ``function``, of whatever stack, open sessions too."""
        assert self.component.role.assume_role_policy is not None
        principals = session_principals([function])
        self.component.role.assume_role_policy.add_statements(
            iam.PolicyStatement(
                principals=[iam.ArnPrincipal(function.role.role_arn)],
                actions=["sts:AssumeRole"],
                conditions=principals.policy_fragment.conditions,
            )
        )
        admit(self.component, [function], role_arn=self.arn)

    def _items(self, store: VaultStore, actions: Sequence[str]) -> list[iam.PolicyStatement]:
        return [
            iam.PolicyStatement(
                sid="ItemsOfTheTenant",
                actions=list(actions),
                resources=[store.table.table_arn],
                conditions=LEADING,
            ),
            iam.PolicyStatement(
                sid="KeyOfTheTable",
                actions=["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"],
                resources=[store.table_key.key_arn],
                conditions={
                    "StringEquals": {
                        "kms:ViaService": f"dynamodb.{cdk.Stack.of(self).region}.amazonaws.com",
                        "kms:EncryptionContext:aws:dynamodb:tableName": store.table.table_name,
                    }
                },
            ),
        ]

    def _keys(self, aliases: Sequence[str], uses: Sequence[str]) -> list[iam.PolicyStatement]:
        keys = f"{aliases[0].rpartition(':')[0]}:key/*"
        ours = {"kms:ResourceAliases": [alias.rpartition(":")[2] for alias in aliases]}
        acknowledge(
            self.component.policy,
            f"{self.node.path}: the vault's keys, in another account, are known here by their aliases only.",
            f"AwsSolutions-IAM5[Resource::{keys}]",
        )
        return [
            iam.PolicyStatement(
                sid="DataKeysOfTheTenant",
                actions=list(uses),
                resources=[keys],
                conditions={
                    "ForAnyValue:StringEquals": ours,
                    "StringEquals": {"kms:EncryptionContext:tenant": TENANT},
                    "Null": {"kms:EncryptionContext:purpose": "false"},
                },
            ),
            iam.PolicyStatement(
                sid="FindKeys",
                actions=["kms:DescribeKey"],
                resources=[keys],
                conditions={"ForAnyValue:StringEquals": ours},
            ),
        ]
