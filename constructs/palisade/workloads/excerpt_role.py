"""The role through which listed fields of one tenant's items are read, and nothing else is done."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from constructs import Construct
from palisade.compute import Function
from palisade.identity import ComponentRole
from palisade.workloads.tenant_role import TENANT, admit, session_principals


class ExcerptRole(Construct):
    """A session of this role reads ``fields`` of the items in ``table`` that belong to the tenant in its ``tenant`` tag.

    Only ``assumed_by`` may open a session, with exactly that tag. It refuses every other field, every other tenant, scans, and
    every write; ``table_key`` is the table's.

    Control: ``workloads.tenant.isolation``

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        assumed_by: Function,
        table: dynamodb.ITable,
        table_key: kms.IKey,
        fields: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        component = ComponentRole(
            self,
            "Role",
            assumed_by=session_principals([assumed_by]),
            description="Reads listed fields of one tenant's items, of the tenant in the session's tag",
        )
        self.role = component.role
        admit(component, [assumed_by], role_arn=component.role.role_arn)
        component.allow(
            iam.PolicyStatement(
                sid="FieldsOfTheTenant",
                actions=["dynamodb:Query"],
                resources=[table.table_arn],
                conditions={
                    "ForAllValues:StringEquals": {
                        "dynamodb:LeadingKeys": [TENANT],
                        "dynamodb:Attributes": list(fields),
                    },
                    "Null": {"dynamodb:LeadingKeys": "false", "dynamodb:Attributes": "false"},
                    # Whoever names no fields would get them all.
                    "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
                },
            ),
            iam.PolicyStatement(
                sid="KeyOfTheTable",
                actions=["kms:Decrypt"],
                resources=[table_key.key_arn],
                conditions={
                    "StringEquals": {
                        "kms:ViaService": f"dynamodb.{cdk.Stack.of(self).region}.amazonaws.com",
                        "kms:EncryptionContext:aws:dynamodb:tableName": table.table_name,
                    }
                },
            ),
        )
