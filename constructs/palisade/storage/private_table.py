"""A DynamoDB table under a customer key that can be taken back to any second of its recovery period."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms

from constructs import Construct
from palisade.acknowledge import acknowledge, in_packs
from palisade.storage.backup_class import BackupClass


class PrivateTable(Construct):
    """Items under ``key``, with point-in-time recovery for ``recovery_days`` (1 to 35), protected from deletion.

    ``partition_key`` and ``sort_key`` are names of string attributes. An item with ``expires_at`` (seconds since the
    epoch) is deleted within a few days after it, so readers must filter. Capacity is on demand; Contributor Insights,
    which would write key values into CloudWatch, is off. The stack never deletes the table.

    Control: data.table.recovery

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/best-practices-security-preventative.html
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
    """

    EXPIRY_ATTRIBUTE = "expires_at"

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        key: kms.IKey,
        partition_key: str,
        sort_key: str | None = None,
        backup: BackupClass,
        recovery_days: int = 35,
    ) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.Table(
            self,
            "Resource",
            table_name=name,
            partition_key=_text(partition_key),
            sort_key=None if sort_key is None else _text(sort_key),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True, recovery_period_in_days=recovery_days
            ),
            deletion_protection=True,
            time_to_live_attribute=self.EXPIRY_ATTRIBUTE,
            contributor_insights_specification=dynamodb.ContributorInsightsSpecification(enabled=False),
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        backup.mark(self.table)
        acknowledge(
            self.table,
            f"{name}: the stage's backup plan selects it by its tag ({backup.value}), which the rule cannot see.",
            *in_packs("DynamoDBInBackupPlan", "NIST.800.53.R5", "HIPAA.Security"),
        )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
